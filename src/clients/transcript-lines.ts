// The end of a transcript, as JSON lines: clients append to the file while it is read, so a torn first or last line is no error. Bounded, because
// a long conversation has a long transcript and a hook has little time.

import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { toInstant } from '../hub/clock.ts';

/** What is read first: more than most turns write. */
const TAIL_BYTES = 4 * 1024 * 1024;
/** As much as a hook has time for: a day's work of one turn. What came before is not counted. */
const LONGEST_TAIL_BYTES = 64 * 1024 * 1024;

export type Line = { text: string; entry: Record<string, unknown> };

/** The entries at the end of a file whose text matches, in order, back to before `since`; null when the file cannot be read. */
export function readTail(path: string, wanted: RegExp, since: number | null): Line[] | null {
  for (let bytes = TAIL_BYTES; ; bytes *= 4) {
    const tail = textAtEnd(path, bytes);
    if (tail === null) return null;
    const lines = tail.text.split('\n').flatMap((text) => toLine(text, wanted));
    const first = lines[0] && instantAt(lines[0].entry, 'timestamp');
    if (tail.isWhole || since === null || (first != null && first < since) || bytes >= LONGEST_TAIL_BYTES) return lines;
  }
}

function textAtEnd(path: string, bytes: number): { text: string; isWhole: boolean } | null {
  let file: number | undefined;
  try {
    const { size, isFile } = sizeOf(path);
    if (!isFile) return null; // opening a pipe would wait for its writer
    file = openSync(path, 'r');
    const from = Math.max(0, size - bytes);
    const buffer = Buffer.alloc(size - from);
    const length = readSync(file, buffer, 0, buffer.length, from);
    return { text: buffer.subarray(0, length).toString(), isWhole: from === 0 };
  } catch {
    return null;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

function sizeOf(path: string): { size: number; isFile: boolean } {
  const stat = statSync(path);
  return { size: stat.size, isFile: stat.isFile() };
}

function toLine(text: string, wanted: RegExp): Line[] {
  if (!text.startsWith('{') || !wanted.test(text)) return [];
  try {
    const entry: unknown = JSON.parse(text);
    return isObject(entry) ? [{ text, entry }] : [];
  } catch {
    return [];
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

/** The object at a key; empty when there is none. */
export function objectAt(value: Record<string, unknown>, key: string): Record<string, unknown> {
  const found = value[key];
  return isObject(found) ? found : {};
}

export function textAt(value: Record<string, unknown>, key: string): string {
  const found = value[key];
  return typeof found === 'string' ? found : '';
}

/** A count of tokens: whatever else stands there is none. */
export function countAt(value: Record<string, unknown>, key: string): number {
  const found = value[key];
  return typeof found === 'number' && Number.isSafeInteger(found) && found >= 0 ? found : 0;
}

/** Adds one to what was counted under a name. */
export function countOne(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}

/** An instant as clients write it, epoch milliseconds; null when it is none. */
export function instantAt(value: Record<string, unknown>, key: string): number | null {
  return toInstant(textAt(value, key)) ?? null;
}
