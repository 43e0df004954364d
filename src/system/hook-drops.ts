// What hooks could not tell the hub, counted in a file beside it: a hook must stay silent towards its client, but nothing is lost without a trace.
// One line per drop; the file is cut when it grows.

import { appendFileSync, readFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';

export type HookDrop = { at: number; event: string; why: string };

const NAME = 'hook-drops.log';
const LONGEST_BYTES = 256 * 1024;

/** Notes a drop. Never throws: where the hub's folder is gone, there is nobody to tell. */
export function noteHookDrop(home: string, drop: HookDrop): void {
  const path = join(home, NAME);
  try {
    if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > LONGEST_BYTES) renameSync(path, `${path}.1`);
    appendFileSync(path, `${JSON.stringify(drop)}\n`, { mode: 0o600 });
  } catch {
    // Gone, full or not ours.
  }
}

/** Every drop that is still known, the oldest first. */
export function readHookDrops(home: string): HookDrop[] {
  return [`${NAME}.1`, NAME].flatMap((name) => linesOf(join(home, name))).flatMap(toDrop);
}

function linesOf(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n');
  } catch {
    return [];
  }
}

function toDrop(line: string): HookDrop[] {
  try {
    const { at, event, why } = JSON.parse(line) as Partial<HookDrop>;
    return typeof at === 'number' && typeof event === 'string' && typeof why === 'string' ? [{ at, event, why }] : [];
  } catch {
    return [];
  }
}
