// What a command line would run: every simple command in it with its words, through quotes, chains, substitutions, functions, wrappers (sudo, env,
// xargs, find -exec, ...) and shells within shells (sh -c, here-documents, echo … | sh). It reads, it never runs. Where a wrapper's options could be
// told from the command only by knowing the wrapper, every reading counts: to ask once too often is the safe side.
// It cannot know what a variable, a script file or another language's interpreter will do; such words are marked as not known.

import { posix } from 'node:path';
import type { Command, HereDoc, ParsedScript, Redirection, SyntaxNode, Word, WordPart } from 'unbash';

export type ShellWord = {
  text: string;
  /** Its text is what the shell will pass; false where it depends on something that is known only when it runs. */
  known: boolean;
  /** It holds a wildcard that the shell expands. */
  wild: boolean;
};

export type ShellCommand = {
  words: readonly ShellWord[];
  /** Where it runs; null when that depends on something not known. */
  folder: string | null;
};

/** Commands that run the command in their arguments. */
const WRAPPERS = new Set(
  'sudo doas env command exec builtin nohup nice ionice time timeout stdbuf setsid xargs find busybox chroot npx bunx pnpx strace unshare caffeinate ssh'.split(
    ' ',
  ),
);
const SHELLS = new Set('sh bash dash zsh ksh ash fish'.split(' '));
/** Commands that read some argument as a command line. */
const SPEAKERS = new Set('eval trap ssh su runuser watch parallel flock script'.split(' '));
const DECLARATIONS = new Set('export declare local readonly typeset'.split(' '));
/** The program under which a shell that is fed by other programs appears; its arguments are their names. */
export const PIPED = 'piped-into-shell';
/** The program under which a part appears that was too long or too deep to be read. */
export const UNREADABLE = 'unreadable-command-line';

/** Shells in shells in shells: past this nobody writes on purpose. */
const DEEPEST = 6;
const MOST = 10_000;
/** Levels of one command line that are walked down. */
const LOWEST = 200;
/** Words that one word may become, and arguments of a wrapper that are tried as a command. */
const WIDEST = 200;

/** Every simple command that a text would run in `folder`, in order. A text that is no clean shell is also read word by word. */
export async function commandsOf(text: string, folder: string): Promise<ShellCommand[]> {
  const { forEachChild, parse } = await import('unbash');
  const reader = new Reader(parse, forEachChild);
  reader.read(text, folder, 0);
  return [...reader.found, ...(reader.unreadable ? [{ words: plainWords([UNREADABLE]), folder: null }] : [])];
}

export function programOf(words: readonly ShellWord[]): string {
  const [first] = words;
  return first === undefined || !first.known ? '' : posix.basename(first.text).toLowerCase();
}

const NOT_KNOWN: ShellWord = { text: '', known: false, wild: false };

type Scope = { folder: string | null; depth: number; variables: Map<string, ShellWord> };

class Reader {
  readonly found: ShellCommand[] = [];
  /** Something was too long or too deep to be read. */
  unreadable = false;
  readonly #parse: (source: string) => ParsedScript;
  readonly #forEachChild: (node: SyntaxNode, callback: (child: SyntaxNode) => void) => void;

  constructor(parse: (source: string) => ParsedScript, forEachChild: (node: SyntaxNode, callback: (child: SyntaxNode) => void) => void) {
    this.#parse = parse;
    this.#forEachChild = forEachChild;
  }

  read(text: string, folder: string | null, depth: number): void {
    if (depth > DEEPEST || this.found.length > MOST) {
      this.unreadable = true;
      return;
    }
    this.#walk(this.#parse(text), { folder, depth, variables: new Map() }, text);
  }

  #walk(node: SyntaxNode, scope: Scope, text: string, level = 0): void {
    if (level > LOWEST || this.found.length > MOST) {
      this.unreadable = true;
      return;
    }
    if (node.type === 'Script' && node.errors !== undefined && node.errors.length > 0) this.#readWordByWord(text, scope);
    const { folder } = scope;
    if (node.type === 'For' || node.type === 'Select') scope.variables.set(node.name.value, NOT_KNOWN);
    this.#forEachChild(node, (child) => this.#walk(child, scope, text, level + 1));
    if (node.type === 'Subshell' || node.type === 'CommandExpansion' || node.type === 'ProcessSubstitution') scope.folder = folder;
    if (node.type === 'Command') this.#command(node, scope);
    if (node.type === 'Pipeline') this.#pipeline(node.commands, scope);
  }

  #command(node: Command, scope: Scope): void {
    const words = this.#wordsOf(node, scope);
    const program = programOf(words);
    for (const one of node.name === undefined || DECLARATIONS.has(program) ? [...node.prefix, ...node.args] : [])
      if (one.type === 'Assignment' && one.value.type === 'Word') this.#assign(one.name, one.value, scope);
    if (words.length === 0) return;
    this.found.push({ words, folder: scope.folder });
    const inner = WRAPPERS.has(program) ? readingsOf(words) : [];
    for (const reading of inner) {
      const [first] = reading;
      if (first?.known === true && !/^-|^\w+=/.test(first.text)) this.found.push({ words: reading, folder: scope.folder });
    }
    for (const reading of [words, ...inner]) this.#spoken(node, reading, scope);
    if (program === 'read') for (const { text } of words.slice(1)) scope.variables.set(text, NOT_KNOWN);
    if (program === 'cd' || program === 'pushd') scope.folder = folderAfter(words, scope.folder);
  }

  /** Texts that a command reads as a command line of its own. */
  #spoken(node: Command, words: readonly ShellWord[], scope: Scope): void {
    const program = programOf(words);
    const args = words.slice(1);
    if (SHELLS.has(program)) {
      const flag = args.findIndex(({ text, known }) => known && /^-[a-z]*c[a-z]*$/i.test(text));
      if (flag >= 0) this.#readAll(args.slice(flag + 1), scope);
      this.#readInput(node.redirects, scope);
    }
    if (SPEAKERS.has(program)) {
      this.#readAll(args, scope);
      this.read(
        args
          .filter(({ known }) => known)
          .map(({ text }) => text)
          .join(' '),
        scope.folder,
        scope.depth + 1,
      );
    }
    if (SHELLS.has(program) || ['eval', 'source', '.'].includes(program)) {
      const feeding = this.#programsIn(node);
      if (feeding.length > 0) this.#feed(feeding, scope);
    }
  }

  #readAll(words: readonly ShellWord[], scope: Scope): void {
    for (const { text, known } of words) if (known && /\s/.test(text)) this.read(text, scope.folder, scope.depth + 1);
  }

  #readInput(redirects: readonly Redirection[], scope: Scope): void {
    for (const one of redirects) {
      if (one.type === 'HereDoc') this.read(one.body.text, scope.folder, scope.depth + 1);
      if (one.type === 'HereString' && one.target !== undefined) this.read(one.target.value, scope.folder, scope.depth + 1);
    }
  }

  /** A shell at the end of a pipe runs what the others print. */
  #pipeline(nodes: readonly SyntaxNode[], scope: Scope): void {
    const commands = nodes.map((node) => (node.type === 'Command' ? { node, words: this.#wordsOf(node, scope) } : undefined));
    const at = commands.findIndex((one, index) => index > 0 && one !== undefined && isShell(one.words));
    if (at < 0) return;
    for (const before of commands.slice(0, at)) {
      if (before === undefined) continue;
      const program = programOf(before.words);
      this.#feed([program], scope);
      if (program === 'echo' || program === 'printf')
        this.read(
          before.words
            .slice(1)
            .map(({ text }) => text)
            .join(' '),
          scope.folder,
          scope.depth + 1,
        );
      if (program === 'cat')
        this.#readInput(
          before.node.redirects.filter((one): one is HereDoc => one.type === 'HereDoc'),
          scope,
        );
    }
  }

  #feed(programs: readonly string[], scope: Scope): void {
    this.found.push({ words: plainWords([PIPED, ...programs]), folder: scope.folder });
  }

  /** The programs whose output stands in the arguments or the input of a command. */
  #programsIn(node: SyntaxNode): string[] {
    const programs: string[] = [];
    const walk = (one: SyntaxNode, inside: boolean): void => {
      if (inside && one.type === 'Command' && one.name !== undefined) programs.push(posix.basename(one.name.value).toLowerCase());
      this.#forEachChild(one, (child) => walk(child, inside || one.type === 'CommandExpansion' || one.type === 'ProcessSubstitution'));
    };
    walk(node, false);
    return programs;
  }

  #wordsOf(node: Command, scope: Scope): ShellWord[] {
    const words = [...(node.name === undefined ? [] : [node.name]), ...node.args];
    return words.flatMap((word) =>
      word.type === 'Assignment' ? [{ text: word.text, known: !word.text.includes('$'), wild: false }] : toWords(word, scope.variables),
    );
  }

  /** A variable counts as known while it was given one value only. `$(mktemp)` is a place of the command's own. */
  #assign(name: string, value: Word, scope: Scope): void {
    const [only] = value.parts ?? [];
    const temporary = only?.type === 'CommandExpansion' && this.#programsIn(value).join() === 'mktemp';
    const word = temporary ? { text: '/tmp/mktemp', known: true, wild: false } : toWord(value, scope.variables);
    const before = scope.variables.get(name);
    scope.variables.set(name, before !== undefined && before.text !== word.text ? { ...word, known: false } : word);
  }

  /** What is no clean shell may be another shell's: every stretch of words between separators counts as a command. */
  #readWordByWord(text: string, scope: Scope): void {
    for (const stretch of text.split(/[;&|\n(){}`"'$]+/)) {
      const words = stretch.split(/\s+/).filter((word) => word !== '');
      if (words.length > 0)
        this.found.push({ words: words.map((word) => ({ text: word, known: true, wild: /[*?[]/.test(word) })), folder: scope.folder });
    }
  }
}

/** Every command that a wrapper may mean: what stands behind any of its arguments. What find and xargs put in is not known. */
function readingsOf(words: readonly ShellWord[]): ShellWord[][] {
  const filled = words.map((word) => (word.text.includes('{}') ? { ...word, known: false } : word));
  if (programOf(words) === 'xargs') filled.push(NOT_KNOWN);
  return filled.slice(1, WIDEST).map((_word, index) => filled.slice(index + 1));
}

function plainWords(texts: readonly string[]): ShellWord[] {
  return texts.map((text) => ({ text, known: true, wild: false }));
}

function isShell(words: readonly ShellWord[]): boolean {
  const at = words.findIndex((word, index) => SHELLS.has(programOf([word])) && (index === 0 || WRAPPERS.has(programOf(words))));
  // A shell with a script of its own does not read commands from the pipe.
  return at >= 0 && words.slice(at + 1).every(({ text }) => text.startsWith('-') && !/^-[a-z]*c/i.test(text));
}

function folderAfter(words: readonly ShellWord[], folder: string | null): string | null {
  const target = words.slice(1).find(({ text }) => !/^-[LPe@]*$/.test(text) || text === '-');
  if (target === undefined || !target.known || target.wild || folder === null || /^[~-]/.test(target.text)) return null;
  return posix.resolve(folder, target.text);
}

/** The words that a word becomes: more than one when it holds braces. */
function toWords(word: Word, variables: ReadonlyMap<string, ShellWord>): ShellWord[] {
  if (word.parts?.some(({ type }) => type === 'BraceExpansion') !== true || /["'$`\\]/.test(word.text)) return [toWord(word, variables)];
  const texts = braced(word.text);
  if (texts === undefined) return [{ text: word.text, known: false, wild: false }];
  return texts.map((text) => ({ text, known: true, wild: /[*?[]/.test(text) }));
}

function toWord(word: Word, variables: ReadonlyMap<string, ShellWord>): ShellWord {
  if (word.parts === undefined) return { text: word.value, known: true, wild: false };
  const parts = word.parts.map((part) => toPart(part, variables));
  return { text: parts.map(({ text }) => text).join(''), known: parts.every(({ known }) => known), wild: parts.some(({ wild }) => wild) };
}

function toPart(part: WordPart, variables: ReadonlyMap<string, ShellWord>): ShellWord {
  const plain = (text: string, known = true, wild = false) => ({ text, known, wild });
  switch (part.type) {
    case 'Literal':
    case 'SingleQuoted':
    case 'AnsiCQuoted':
      return plain(part.value);
    case 'Glob':
    case 'ExtendedGlob':
      return plain(part.text, true, true);
    case 'DoubleQuoted':
    case 'LocaleString': {
      const inner = part.parts.map((one) => toPart(one, variables));
      return plain(
        inner.map(({ text }) => text).join(''),
        inner.every(({ known }) => known),
      );
    }
    case 'SimpleExpansion':
      return variables.get(part.text.slice(1)) ?? plain(part.text, false);
    case 'ParameterExpansion': {
      const value =
        part.prefix === undefined && part.index === undefined && part.operation === undefined ? variables.get(part.parameter) : undefined;
      return value ?? plain(part.text, false);
    }
    default:
      return plain(part.text, false);
  }
}

/** `a{b,c}d` as abd and acd; undefined when it becomes too many words. Ranges stay as they stand. */
function braced(text: string): string[] | undefined {
  const words: string[] = [];
  for (const open = [text]; open.length > 0; ) {
    if (words.length + open.length > WIDEST) return undefined;
    const word = open.pop() ?? '';
    const match = /^(.*?)\{([^{}]*,[^{}]*)\}(.*)$/s.exec(word);
    if (match === null) words.unshift(word);
    else for (const choice of (match[2] ?? '').split(',')) open.push(`${match[1]}${choice}${match[3]}`);
  }
  return words;
}
