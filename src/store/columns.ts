// How a column becomes a value. A row enters the program only through these, so that a damaged row is found where it is read,
// named, and never half-understood: the reader of a batch can set it aside and go on with the others.

import type { Row } from './db.ts';

/** A row that does not hold what its table promises. */
export class UnreadableRow extends Error {
  constructor(column: string, expected: string) {
    super(`column ${column} does not hold ${expected}`);
    this.name = 'UnreadableRow';
  }
}

export function toText(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== 'string') throw new UnreadableRow(column, 'text');
  return value;
}

export function toTextOrNull(row: Row, column: string): string | null {
  return row[column] === null || row[column] === undefined ? null : toText(row, column);
}

/** Integers arrive as numbers, or as bigint or decimal text from a 64-bit column, depending on the driver. */
export function toInt(row: Row, column: string): number {
  const raw = row[column];
  const value = typeof raw === 'bigint' || (typeof raw === 'string' && raw !== '') ? Number(raw) : raw;
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw new UnreadableRow(column, 'an integer');
  return value;
}

export function toIntOrNull(row: Row, column: string): number | null {
  return row[column] === null || row[column] === undefined ? null : toInt(row, column);
}

export function toFlag(row: Row, column: string): boolean {
  return toInt(row, column) === 1;
}

/** One of the words that the schema allows. */
export function toWord<W extends string>(row: Row, column: string, words: readonly W[]): W {
  const value = toText(row, column);
  const word = words.find((candidate) => candidate === value);
  if (word === undefined) throw new UnreadableRow(column, `one of ${words.join(', ')}`);
  return word;
}

/** A JSON array of texts. */
export function toTexts(row: Row, column: string): string[] {
  let value: unknown;
  try {
    value = JSON.parse(toText(row, column));
  } catch {
    throw new UnreadableRow(column, 'JSON');
  }
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) throw new UnreadableRow(column, 'a list of texts');
  return value;
}

/** A flag as the database stores it. */
export function flag(value: boolean): 0 | 1 {
  return value ? 1 : 0;
}
