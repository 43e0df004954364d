// What a command line would run: every simple command in it with its words, through quotes, chains, substitutions, functions, wrappers (sudo, env,
// xargs, find -exec, ...) and shells within shells (sh -c, here-documents, echo … | sh). It reads, it never runs. Where a wrapper's options could be
// told from the command only by knowing the wrapper, every reading counts: to ask once too often is the safe side.
// It cannot know what a variable, a script file or another language's interpreter will do; such words are marked as not known.

import { posix } from 'node:path';
import type { Command, HereDoc, ParsedScript, Redirection, SyntaxNode, Word } from 'unbash';
import { NOT_KNOWN, plainWords, type ShellWord, toWord, toWords, WIDEST } from './shell-words.ts';

export type ShellCommand = {
  words: readonly ShellWord[];
  /** Where it runs; null when that depends on something not known. */
  folder: string | null;
  /** What the line itself puts into its input: here-documents, here-strings, `echo … |`. */
  fed?: readonly ShellWord[];
};

/** Commands that run the command in their arguments. */
const WRAPPERS = new Set(
  'sudo doas env command exec builtin nohup nice ionice time timeout stdbuf setsid xargs find busybox chroot npx bunx pnpx strace unshare caffeinate ssh corepack'.split(
    ' ',
  ),
);
const SHELLS = new Set('sh bash dash zsh ksh ash fish'.split(' '));
/** Other languages' programs that run what they are fed, where no argument says otherwise. */
const INTERPRETERS = /^(python|node|perl|ruby|php)[\d.]*$/;
/** Options of shells that take the next word. */
const TAKES_A_WORD = /^([-+][a-z]*o|[-+]O|--rcfile|--init-file)$/;
const STANDARD_INPUT = new Set(['-', '/dev/stdin', '/dev/fd/0', '/proc/self/fd/0']);
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

type Stage = { node: Command; words: readonly ShellWord[] };
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
    const fed = inputsOf(node.redirects).map(asFed);
    this.found.push({ words, folder: scope.folder, fed });
    const inner = WRAPPERS.has(program) ? readingsOf(words) : [];
    for (const reading of inner) {
      const [first] = reading;
      if (first?.known === true && !/^-|^\w+=/.test(first.text)) this.found.push({ words: reading, folder: scope.folder, fed });
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
    for (const text of inputsOf(redirects)) this.read(text, scope.folder, scope.depth + 1);
  }

  /** A shell in a pipe runs what the others print; another program is at least fed it. */
  #pipeline(nodes: readonly SyntaxNode[], scope: Scope): void {
    const before: Stage[] = [];
    const fed: ShellWord[] = [];
    for (const node of nodes) {
      if (this.found.length > MOST) {
        this.unreadable = true;
        return;
      }
      const stage = this.#commandsIn(node).map((one) => ({ node: one, words: this.#wordsOf(one, scope) }));
      if (before.length > 0 && stage.some(({ words }) => runsItsInput(words))) {
        for (const { words } of before.splice(0)) this.#feed([programOf(words)], scope);
        if (stage.some(({ words }) => isShell(words))) for (const { text } of fed.splice(0)) this.read(text, scope.folder, scope.depth + 1);
      } else if (fed.length > 0) {
        for (const { words } of stage) this.found.push({ words, folder: scope.folder, fed });
      }
      before.push(...stage);
      fed.push(...stage.flatMap(printedBy));
    }
  }

  /** The simple commands of one stage of a pipe: itself, or those of a group. */
  #commandsIn(node: SyntaxNode): Command[] {
    if (node.type === 'Command') return [node];
    if (node.type === 'CommandExpansion' || node.type === 'ProcessSubstitution') return [];
    const found: Command[] = [];
    this.#forEachChild(node, (child) => found.push(...this.#commandsIn(child)));
    return found;
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
      if (this.found.length > MOST) {
        this.unreadable = true;
        return;
      }
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

/** What the line itself puts into the input of a command. */
function inputsOf(redirects: readonly Redirection[]): string[] {
  return redirects.flatMap((one) => {
    if (one.type === 'HereDoc') return [one.body.text];
    return one.type === 'HereString' && one.target !== undefined ? [one.target.value] : [];
  });
}

/** A text that is fed is no argument: the line break before it keeps rules from taking the whole of it for an option. */
function asFed(text: string): ShellWord {
  return { text: `\n${text}`, known: true, wild: false };
}

/** What a command prints, where the line says it. */
function printedBy({ node, words }: Stage): ShellWord[] {
  const program = programOf(words);
  const args = words.slice(1).map(({ text }) => text);
  if (program === 'echo' || program === 'printf') return [asFed(args.join(' '))];
  return program === 'cat' ? inputsOf(node.redirects.filter((one): one is HereDoc => one.type === 'HereDoc')).map(asFed) : [];
}

function isShell(words: readonly ShellWord[]): boolean {
  const at = words.findIndex((word, index) => SHELLS.has(programOf([word])) && (index === 0 || WRAPPERS.has(programOf(words))));
  return at >= 0 && readsCommands(words.slice(at + 1));
}

/** Whether a shell with these arguments reads commands from its input: with `-s`, or without a script of its own. */
function readsCommands(args: readonly ShellWord[]): boolean {
  for (let at = 0; at < args.length; at += 1) {
    const text = args[at]?.text ?? '';
    if (STANDARD_INPUT.has(text) || /^-[a-z]*s[a-z]*$/i.test(text)) return true;
    if (/^-[a-z]*c[a-z]*$/i.test(text)) return false;
    if (TAKES_A_WORD.test(text)) at += 1;
    else if (!/^[-+]/.test(text)) return false;
  }
  return true;
}

function runsItsInput(words: readonly ShellWord[]): boolean {
  if (isShell(words)) return true;
  const at = words.findIndex((word, index) => INTERPRETERS.test(programOf([word])) && (index === 0 || WRAPPERS.has(programOf(words))));
  return at >= 0 && words.slice(at + 1).every(({ text }) => STANDARD_INPUT.has(text) || /^-[usBI]+$/.test(text));
}

function folderAfter(words: readonly ShellWord[], folder: string | null): string | null {
  const target = words.slice(1).find(({ text }) => !/^-[LPe@]*$/.test(text) || text === '-');
  if (target === undefined || !target.known || target.wild || folder === null || /^[~-]/.test(target.text)) return null;
  return posix.resolve(folder, target.text);
}
