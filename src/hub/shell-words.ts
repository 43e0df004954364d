// What a shell makes of a word: quotes and escapes taken off, variables with a known value filled in, braces spread. What depends on something that
// is known only when it runs is marked as not known.

import type { Word, WordPart } from 'unbash';

export type ShellWord = {
  text: string;
  /** Its text is what the shell will pass; false where it depends on something that is known only when it runs. */
  known: boolean;
  /** It holds a wildcard that the shell expands. */
  wild: boolean;
};

export const NOT_KNOWN: ShellWord = { text: '', known: false, wild: false };

/** Words that one word may become, and arguments of a wrapper that are tried as a command. */
export const WIDEST = 200;

export function plainWords(texts: readonly string[]): ShellWord[] {
  return texts.map((text) => ({ text, known: true, wild: false }));
}

/** The words that a word becomes: more than one when it holds braces. */
export function toWords(word: Word, variables: ReadonlyMap<string, ShellWord>): ShellWord[] {
  if (word.parts?.some(({ type }) => type === 'BraceExpansion') !== true || /["'$`\\]/.test(word.text)) return [toWord(word, variables)];
  const texts = braced(word.text);
  if (texts === undefined) return [{ text: word.text, known: false, wild: false }];
  return texts.map((text) => ({ text, known: true, wild: /[*?[]/.test(text) }));
}

export function toWord(word: Word, variables: ReadonlyMap<string, ShellWord>): ShellWord {
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
