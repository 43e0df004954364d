// Room that is kept for a full disk: on one, SQLite cannot even delete, because a deletion is first written down. The ballast is given up then, so
// that `rookery prune` can make room inside the database (references: SQLite's documentation of SQLITE_FULL, and a measurement of our own).

import { randomFillSync } from 'node:crypto';
import { closeSync, constants, existsSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { roomOf } from './sqlite-disk.ts';

const PART = 1_048_576;
/** Bytes. A sweep of a thousand rows at a time writes a few of them. */
export const BALLAST_BYTES = 16 * PART;

/** The file of a database's ballast. */
export function ballastOf(path: string): string {
  return `${path}-ballast`;
}

/**
 * Lays what is missing of it, where the disk keeps its floor of `wanted` bytes beside it. Of random bytes, which no file system makes smaller; each at
 * its place, so that two processes which lay it at once lay one. What does not fit is taken away again: the error of the disk is thrown.
 */
export function layBallast(path: string, wanted?: number): void {
  const file = ballastOf(path);
  const laid = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  const missing = BALLAST_BYTES - laid;
  const { free, floor } = roomOf(path, wanted);
  if (missing <= 0 || free < floor + missing) return;
  const handle = openSync(file, constants.O_WRONLY | constants.O_CREAT, 0o600);
  try {
    for (let at = laid; at < BALLAST_BYTES; at += PART) {
      const part = randomFillSync(Buffer.allocUnsafe(Math.min(PART, BALLAST_BYTES - at)));
      writeSync(handle, part, 0, part.length, at);
    }
  } catch (error) {
    rmSync(file, { force: true });
    throw error;
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
