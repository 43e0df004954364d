// What a text costs a model's context, at most. A tokenizer belongs to one model and weighs megabytes; this needs neither, because it only has
// to be an upper bound: what is fitted by it fits. The weights lie above what o200k and cl100k give for words, identifiers, chance and hostile
// text (a test holds them to it); prose really costs less than half.

import { oneLine, quote } from './frame.ts';

const PIECES = /([a-z]+)|([A-Z]+)|( ?[0-9]+)|( +)|([\x21-\x7e])|([^\x20-\x7e])/g;

/** An upper bound of the tokens of a text. */
export function tokensAtMost(text: string): number {
  let tokens = 0;
  for (const [piece, lower, upper, digits, spaces, mark] of text.matchAll(PIECES)) {
    if (lower !== undefined) tokens += Math.max(1, lower.length * 0.68 + 0.32);
    else if (upper !== undefined) tokens += Math.max(1, upper.length * 0.78);
    // Digits go by threes, but at the edge of a word they do not join its space.
    else if (digits !== undefined) tokens += Math.max(1, digits.length * 0.7) + (digits.startsWith(' ') ? 0.6 : 0);
    else if (spaces !== undefined) tokens += spaces.length - 1;
    else if (mark !== undefined) tokens += 1;
    // A character that no vocabulary knows falls apart into its bytes.
    else tokens += Buffer.byteLength(piece);
  }
  return Math.ceil(tokens);
}

/** The beginning of a text as one line that costs no more than `tokens` in quotation marks, at most `chars` long; '' when not even one character does. */
export function fitText(text: string, chars: number, tokens: number): string {
  const cost = (length: number) => tokensAtMost(quote(text, length));
  if (cost(chars) <= tokens) return oneLine(text, chars);
  let [fits, fails] = [0, chars];
  while (fails - fits > 1) {
    const middle = Math.floor((fits + fails) / 2);
    if (cost(middle) <= tokens) fits = middle;
    else fails = middle;
  }
  return fits === 0 ? '' : oneLine(text, fits);
}

/** How many of `wanted` things fit whose fixed parts cost `head` each, with at least `least` tokens of text; and how much text each may have. */
export function shareOut(wanted: number, head: number, tokens: number, least: number): { count: number; each: number } {
  const count = Math.max(0, Math.min(wanted, Math.floor(tokens / (head + least))));
  return { count, each: count === 0 ? 0 : Math.floor(tokens / count) - head };
}
