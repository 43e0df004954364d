// Paths and globs that can be reserved, and whether two of them can mean the same file. A path covers what is at it and below it, a glob what it
// matches (and below, where it ends in a plain name or a slash). A path and a glob compare exactly, but that a name with an extension is taken for a
// file. Of two globs only what provably has no file in common counts as apart: a warning too many is cheaper than a file written twice.
// Upper and lower case are the same everywhere, because on some machines of the same project they are.

import { isAbsolute, posix, relative, sep } from 'node:path';
import picomatch from 'picomatch';
import { HubError } from './errors.ts';

const LONGEST = 400;
/** Patterns that one pattern with braces may become. */
const WIDEST = 16;
/** Each `*` of one name multiplies what a matcher may have to try. */
const STARS = 3;
/** Characters that other shells and matchers take for wildcards, and that file names hold: app/[id]/(group)/page.tsx. Here they are letters. */
const LITERAL = /[[\]()!+@|^$\\]/g;

export type Reservable = {
  /** From the project's root, with forward slashes. */
  text: string;
  folded: string;
};

/** The canonical form of a path or glob (`*`, `**`, `?`, `{a,b}`). `roots`: folders whose inside is the project. Errors: `invalid_input`. */
export function toReservable(given: string, roots: readonly string[]): Reservable {
  const text = given.trim().normalize('NFC');
  if (text === '' || text.length > LONGEST || /[\p{Cc}\p{Cs}]/u.test(text))
    throw refuse(`a path must be 1 to ${LONGEST} visible characters`);
  const inside = isAbsolute(text) ? roots.map((root) => relative(root, text)).find(isInside) : text;
  if (inside === undefined) throw refuse('a path must lie inside the project');
  const slashed = `${inside}${text.endsWith('/') && !inside.endsWith('/') ? '/' : ''}`.split(sep).join('/');
  // What `..` leads to behind a wildcard depends on what the wildcard stands for.
  if (isGlob(slashed) && slashed.split('/').includes('..')) throw refuse('a glob cannot hold ..');
  const path = posix.normalize(slashed).replace(/\/+$/, '/');
  if (!isInside(path)) throw refuse('a path must lie inside the project');
  if (path === '/' || path === './' || path === '.' || isEverything(path)) throw refuse('that would be the whole project');
  if (path.split('/').some((segment) => segment !== '**' && (segment.match(/\*/g) ?? []).length > STARS))
    throw refuse(`one name in a glob may hold ${STARS} stars`);
  const alternatives = isGlob(path) ? alternativesOf(path) : [path];
  if (alternatives === undefined) throw refuse(`its braces stand for more than ${WIDEST} patterns`);
  if (alternatives.some(isEverything)) throw refuse('that would be the whole project');
  return { text: path, folded: fold(path) };
}

function isEverything(path: string): boolean {
  return path.split('/').every((segment) => /^[*?.{},]*$/.test(segment));
}

/** A file that is about to be written, as `covers` takes it; undefined outside the project. */
export function toFile(given: string, folder: string, roots: readonly string[]): string | undefined {
  const path = isAbsolute(given) ? given : posix.resolve(folder, given);
  const inside = roots.map((root) => relative(root, path)).find((one) => one !== '' && isInside(one));
  return inside === undefined ? undefined : fold(inside.split(sep).join('/'));
}

/** Whether two reserved paths or globs (folded) can cover the same file. */
export function overlap(a: string, b: string): boolean {
  const mixed = isGlob(a) !== isGlob(b);
  return patternsOf(a, mixed).some((one) => patternsOf(b, mixed).some((other) => meet(one, other)));
}

/** Whether a reserved path or glob (folded) covers this file. */
export function covers(reserved: string, file: string): boolean {
  const literal = file.split('/').map(toLiteral);
  return patternsOf(reserved, false).some((pattern) => meet(pattern, literal));
}

type Segment = { text: string; wild: boolean };
/** `**`: any number of segments, none included. */
const ANY: Segment = { text: '**', wild: true };
const toLiteral = (text: string): Segment => ({ text, wild: false });

/** A path or glob as lists of segments, one for each choice of its braces. `asFile`: a path that looks like a file has nothing below it. */
function patternsOf(folded: string, asFile: boolean): Segment[][] {
  const glob = isGlob(folded);
  const texts = glob ? (alternativesOf(folded) ?? [folded]) : [folded];
  return texts.map((text) => {
    const segments = text.replace(/\/$/, '').split('/');
    const last = segments.at(-1) ?? '';
    const looksLikeFile = /[^.]\.[^.]+$/.test(last) || (glob && /[*?]/.test(last));
    const below = text.endsWith('/') || !looksLikeFile || (!glob && !asFile);
    return [...segments.map((segment) => ({ text: segment, wild: glob && /[*?]/.test(segment) })), ...(below ? [ANY] : [])];
  });
}

/** Whether some list of names fits both. */
function meet(a: readonly Segment[], b: readonly Segment[]): boolean {
  const known = new Map<number, boolean>();
  const from = (i: number, j: number): boolean => {
    const key = i * (b.length + 1) + j;
    const before = known.get(key);
    if (before !== undefined) return before;
    const [one, other] = [a[i], b[j]];
    let found: boolean;
    if (one === undefined && other === undefined) found = true;
    else if (one?.text === '**') found = from(i + 1, j) || (other !== undefined && from(i, j + 1));
    else if (other?.text === '**') found = from(i, j + 1) || (one !== undefined && from(i + 1, j));
    else found = one !== undefined && other !== undefined && isSame(one, other) && from(i + 1, j + 1);
    known.set(key, found);
    return found;
  };
  return from(0, 0);
}

/** Whether some name fits both segments. Of two with wildcards, those are apart whose beginnings or ends differ. */
function isSame(a: Segment, b: Segment): boolean {
  if (!a.wild && !b.wild) return a.text === b.text;
  if (!a.wild) return matches(b.text, a.text);
  if (!b.wild) return matches(a.text, b.text);
  const [beginA, beginB] = [a.text, b.text].map((text) => text.slice(0, text.search(/[*?]/)));
  const [endA, endB] = [a.text, b.text].map((text) => /[^*?]*$/.exec(text)?.[0] ?? '');
  const agree = (x = '', y = '') => x.startsWith(y) || y.startsWith(x);
  return agree(beginA, beginB) && (endA === undefined || endB === undefined || endA.endsWith(endB) || endB.endsWith(endA));
}

function matches(glob: string, name: string): boolean {
  return picomatch.isMatch(name, glob.replace(LITERAL, '\\$&'), { dot: true, nobrace: true });
}

/** `a/{b,c}` as a/b and a/c; undefined when it becomes too many. */
function alternativesOf(text: string): string[] | undefined {
  const done: string[] = [];
  for (const open = [text]; open.length > 0; ) {
    if (done.length + open.length > WIDEST) return undefined;
    const one = open.pop() ?? '';
    const match = /^(.*?)\{([^{}]*,[^{}]*)\}(.*)$/s.exec(one);
    if (match === null) done.push(one);
    else for (const choice of (match[2] ?? '').split(',')) open.push(`${match[1]}${choice}${match[3]}`);
  }
  return done;
}

function isGlob(path: string): boolean {
  return /[*?]|\{[^{}]*,[^{}]*\}/.test(path);
}

/** The form in which paths are compared. */
export function fold(path: string): string {
  return path.normalize('NFC').toLowerCase();
}

function isInside(path: string): boolean {
  return path !== '..' && !path.startsWith('../') && !path.startsWith(`..${sep}`) && !isAbsolute(path);
}

function refuse(what: string): HubError {
  return new HubError('invalid_input', `paths: ${what}; nothing was reserved.`, {
    hint: 'Name files, folders or globs from the project’s root, for example src/hub, src/**/*.test.ts, docs/{a,b}.md.',
  });
}
