// What the database's file takes of the disk, and what is left of it.

import { statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { LIMITS } from '../hub/limits.ts';

/** A disk that is nearly full is said so before it is full. */
export function diskNotices(path: string): string[] {
  const { bavail, bsize, blocks } = statfsSync(dirname(path));
  const floor = Math.max(LIMITS.diskFloorBytes.value, blocks * bsize * 0.05);
  if (bavail * bsize >= floor) return [];
  return [
    `The disk of the hub has ${Math.round((bavail * bsize) / 2 ** 20)} MiB left (floor ${Math.round(floor / 2 ** 20)} MiB): make room.`,
  ];
}

/** The bytes of a database and of its log. */
export function sizesOf(path: string): { name: string; bytes: number; walBytes: number } {
  const sizeOf = (file: string) => statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  return { name: path, bytes: sizeOf(path), walBytes: sizeOf(`${path}-wal`) };
}
