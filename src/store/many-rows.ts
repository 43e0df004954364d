// Rows of one table written or read together: a statement takes many of them, in a few sizes, so that a handful of texts stay prepared whatever the
// number of rows is. On a server it also saves the way there and back for each.

import type { Arg, Read, Row, Tx } from './db.ts';

/** How many rows one statement takes, the most first. */
const ROWS_AT_ONCE = [32, 8, 2, 1];

/** The text of a statement for every number of rows that one takes. */
export function textsFor(text: (count: number) => string): ReadonlyMap<number, string> {
  return new Map(ROWS_AT_ONCE.map((count) => [count, text(count)]));
}

/** Runs such a statement for all rows, a portion at a time; `first` are the arguments before those of the rows. Answers how many were changed. */
export async function runForAll<T>(
  tx: Tx,
  texts: ReadonlyMap<number, string>,
  rows: readonly T[],
  toArgs: (row: T) => readonly Arg[],
  first: readonly Arg[] = [],
): Promise<number> {
  let changes = 0;
  for (const { text, args } of portions(texts, rows, toArgs, first)) changes += await tx.run(text, ...args);
  return changes;
}

/** The same for what answers rows. */
export async function readForAll<T>(
  read: Read,
  texts: ReadonlyMap<number, string>,
  rows: readonly T[],
  toArgs: (row: T) => readonly Arg[],
): Promise<Row[]> {
  const found: Row[] = [];
  for (const { text, args } of portions(texts, rows, toArgs, [])) found.push(...(await read.all(text, ...args)));
  return found;
}

function* portions<T>(texts: ReadonlyMap<number, string>, rows: readonly T[], toArgs: (row: T) => readonly Arg[], first: readonly Arg[]) {
  for (let from = 0; from < rows.length; ) {
    const count = ROWS_AT_ONCE.find((size) => size <= rows.length - from) ?? 1;
    const args = [...first];
    for (const row of rows.slice(from, from + count)) for (const arg of toArgs(row)) args.push(arg);
    yield { text: texts.get(count) ?? '', args };
    from += count;
  }
}

/** Placeholders for so many: `?, ?, ?`. */
export function marks(count: number): string {
  return Array(count).fill('?').join(', ');
}

/**
 * Inserts rows, and answers how many. `into`: the statement up to VALUES; `row`: one row of placeholders and constants; `then`: what follows the last,
 * such as ON CONFLICT.
 */
export function insertingMany<T>(
  into: string,
  row: string,
  toArgs: (row: T) => readonly Arg[],
  then = '',
): (tx: Tx, rows: readonly T[]) => Promise<number> {
  const texts = textsFor((count) => `${into} VALUES ${Array(count).fill(row).join(', ')}${then}`);
  return (tx, rows) => runForAll(tx, texts, rows, toArgs);
}
