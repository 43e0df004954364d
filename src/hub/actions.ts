// Actions: what an approval is for, as text in one form only. A command stands as it is; a JSON object or list stands in canonical form. The
// digest is over that form, so an approval holds for exactly this action and for nothing that merely reads like it (C8).
// Invariant: the text that is shown to whoever decides is the text that the digest is made of.

import { createHash } from 'node:crypto';
import { canonicalJson } from './canonical-json.ts';
import { HubError } from './errors.ts';
import type { Limits } from './limits.ts';

export type Action = {
  /** What is shown: the command, or canonical JSON. */
  text: string;
  /** SHA-256 in hexadecimal over the canonical JSON of the action; a command counts as a JSON string. */
  digest: string;
};

/** A JSON string literal, to look at a text without its strings. */
const STRING = /"(?:[^"\\]|\\.)*"/g;
/** Deeper than anybody reads, and shallow enough to walk. */
const DEEPEST = 32;

/** The action that a text stands for. Errors: `too_large`, `invalid_input` for what cannot be told apart from another action. */
export function toAction(given: string, limits: Pick<Limits, 'actionBytes'>): Action {
  const bytes = Buffer.byteLength(given);
  if (bytes > limits.actionBytes) {
    throw new HubError('too_large', `action has ${bytes} bytes; the limit is ${limits.actionBytes}. Nothing was changed.`, {
      hint: 'Put the long part into a file and name the file with its sha256 in the action.',
    });
  }
  const text = withoutMargins(given);
  if (text === '') throw refuse('it is empty', 'Give the exact command, or a JSON object that says what is to be done.');
  if (/\p{Cs}/u.test(text) || text.includes('\0')) throw refuse('it holds a character that has no UTF-8', 'Leave it out.');
  const value = toStructure(text);
  return value === undefined ? actionOf(text) : actionOf(value);
}

/** Blanks and line breaks around a text mean nothing to a shell, but for a blank that is escaped. */
function withoutMargins(given: string): string {
  const text = given.replace(/^[ \t\n]+/, '');
  const end = text.replace(/[ \t\n]+$/, '');
  return /(?:^|[^\\])(?:\\\\)*\\$/.test(end) ? text : end;
}

/** The action of a value that is already known to be plain JSON. */
export function actionOf(value: unknown): Action {
  const canonical = canonicalJson(value);
  return { text: typeof value === 'string' ? value : canonical, digest: createHash('sha256').update(canonical).digest('hex') };
}

/** The object or list that a text holds; undefined for any other text, which is then a command. */
function toStructure(text: string): unknown {
  if (!/^[[{]/.test(text)) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const outline = text.replace(STRING, '');
  if (depthOf(outline) > DEEPEST) throw refuse(`it is nested deeper than ${DEEPEST} levels`, 'Say it flatter.');
  // Readers differ in which of two equal names they believe, and in how they round; so neither may stand in what a person approves.
  if (membersOf(value) !== (outline.match(/:/g) ?? []).length) throw refuse('a name stands twice in one object', 'Name each member once.');
  if (hasInexact(value)) throw refuse('a number is larger than 2^53', 'Write such numbers as text.');
  return value;
}

function depthOf(outline: string): number {
  let depth = 0;
  let deepest = 0;
  for (const character of outline) {
    if (character === '{' || character === '[') deepest = Math.max(deepest, ++depth);
    else if (character === '}' || character === ']') depth -= 1;
  }
  return deepest;
}

function membersOf(value: unknown): number {
  if (value === null || typeof value !== 'object') return 0;
  const inner = Object.values(value).reduce((sum: number, one: unknown) => sum + membersOf(one), 0);
  return Array.isArray(value) ? inner : inner + Object.keys(value).length;
}

function hasInexact(value: unknown): boolean {
  if (typeof value === 'number') return !Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value));
  return value !== null && typeof value === 'object' && Object.values(value).some(hasInexact);
}

function refuse(what: string, hint: string): HubError {
  return new HubError('invalid_input', `action: ${what}; nothing was changed.`, { hint });
}
