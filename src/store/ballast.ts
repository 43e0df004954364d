// Room that is kept for a full disk: on one, SQLite cannot even delete, because a deletion is first written down. The ballast is given up then, so
// that `rookery prune` can make room inside the database (references: SQLite's documentation of SQLITE_FULL, and a measurement of our own).

import { randomFillSync } from 'node:crypto';
import { closeSync, existsSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { roomOf } from './sqlite-disk.ts';

const PART = 1_048_576;
/** Bytes. A sweep of a thousand rows at a time writes a few of them. */
export const BALLAST_BYTES = 16 * PART;

/** The file of a database's ballast. */
export function ballastOf(path: string): string {
  return `${path}-ballast`;
}

/** Lays what is missing of it, where the disk keeps its floor of `wanted` bytes beside it. Of random bytes, which no file system makes smaller. */
export function layBallast(path: string, wanted?: number): void {
  const file = ballastOf(path);
  const missing = BALLAST_BYTES - (statSync(file, { throwIfNoEntry: false })?.size ?? 0);
  const { free, floor } = roomOf(path, wanted);
  if (missing <= 0 || free < floor + missing) return;
  const handle = openSync(file, 'a', 0o600);
  try {
    for (let left = missing; left > 0; left -= PART) writeSync(handle, randomFillSync(Buffer.allocUnsafe(Math.min(PART, left))));
  } finally {
    closeSync(handle);
  }
}

/** Whether there was one to give up. */
export function giveUpBallast(path: string): boolean {
  const file = ballastOf(path);
  if (!existsSync(file)) return false;
  rmSync(file, { force: true });
  return true;
}
