// Moving database files about safely: names, synced renames, room on the disk. Only for files that no SQLite connection of this process
// has open (H4).

import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, rmSync, statfsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { toIso } from '../hub/clock.ts';
import { HubError } from '../hub/errors.ts';
import { sideFiles } from '../store/sqlite-care.ts';
import { systemClock } from '../system/clock.ts';
import { systemHost } from '../system/host.ts';

/** A process of another container may look dead here; one that copies for so long does not go on. */
const LEFT_MS = 3_600_000;

/** An instant as a part of a file name. */
export function stampOf(now: number): string {
  return toIso(now).replace(/[:.]/g, '-');
}

/** Flushes a file, or the entries of a folder, to the disk. */
export function sync(path: string): void {
  const handle = openSync(path, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** Makes an empty private file that did not exist, in a private folder. */
export function reserve(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    throw new HubError('unavailable', `${path} cannot be written (${codeOf(error)}).`, {
      hint: 'Choose a folder of your own with room.',
      cause: error,
    });
  }
}

export function discard(path: string): void {
  for (const file of [path, ...sideFiles(path)]) rmSync(file, { force: true });
}

/** Removes a folder that this program made, with all in it. */
export function discardFolder(path: string): void {
  rmSync(path, { recursive: true, force: true });
}

/** Removes unfinished copies whose process was ended in the middle, by Ctrl-C for example. `shape` matches their names and, in its group, the process. */
export function discardLeft(folder: string, shape: RegExp): void {
  for (const name of readdirSync(folder)) {
    const pid = Number(shape.exec(name)?.[1]);
    if (Number.isNaN(pid) || systemHost.isAlive(pid)) continue;
    const found = statSync(join(folder, name), { throwIfNoEntry: false });
    if (found === undefined || systemClock.now() - found.mtimeMs < LEFT_MS) continue;
    if (found.isDirectory()) discardFolder(join(folder, name));
    else discard(join(folder, name));
  }
}

/** Refuses to start what would fill the disk. */
export function assertRoom(folder: string, bytes: number): void {
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize >= bytes) return;
  throw new HubError('storage_full', `${folder} has ${mib(bavail * bsize)} MiB free; ${mib(bytes)} MiB are needed. Nothing was written.`, {
    hint: 'Free space, or choose a file on another disk.',
  });
}

export function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** The size of a database with its log. */
export function wholeSizeOf(path: string): number {
  return sizeOf(path) + sizeOf(`${path}-wal`);
}

function mib(bytes: number): number {
  return Math.ceil(bytes / 1_048_576);
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown reason';
}
