// What the database's file takes of the disk, and what is left of it.

import { statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { LIMITS } from '../hub/limits.ts';

/** What is left of the disk that holds a path, and what should be: `wanted`, or a twentieth of it if that is more. In bytes. */
export function roomOf(path: string, wanted: number = LIMITS.diskFloorBytes.value): { free: number; floor: number } {
  const { bavail, bsize, blocks } = statfsSync(dirname(path));
  return { free: bavail * bsize, floor: Math.max(wanted, blocks * bsize * 0.05) };
}

/** A disk that is nearly full is said so before it is full. */
export function diskNotices(path: string, wanted?: number): string[] {
  const { free, floor } = roomOf(path, wanted);
  if (free >= floor) return [];
  return [`The disk of the hub has ${Math.round(free / 2 ** 20)} MiB left (floor ${Math.round(floor / 2 ** 20)} MiB): make room.`];
}

/** The bytes of a database and of its log. */
export function sizesOf(path: string): { name: string; bytes: number; walBytes: number } {
  const sizeOf = (file: string) => statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  return { name: path, bytes: sizeOf(path), walBytes: sizeOf(`${path}-wal`) };
}
