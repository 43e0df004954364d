// Another program's lock on its file: a folder beside it, as the package proper-lockfile makes it, which Claude Code uses for .claude.json.
// Held for the moment of writing, so that neither loses what the other writes. A lock whose holder has stopped refreshing it is nobody's.

import { existsSync, mkdirSync, rmdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { HubError } from '../../hub/errors.ts';

/** proper-lockfile refreshes every 5 s and takes a lock for abandoned after 10 s. */
const ABANDONED_MS = 10_000;
const LONGEST_WAIT_MS = 5_000;
const STEP_MS = 50;

export type Waiting = { now: number; sleep: (ms: number) => Promise<void> };

/** Runs `work` while holding every one of these locks. Throws `unavailable` when one of them is not let go of. */
export async function withLocks<T>(locks: readonly string[], waiting: Waiting, work: () => T): Promise<T> {
  const held: string[] = [];
  try {
    for (const lock of locks) if (await taken(lock, waiting)) held.push(lock);
    return work();
  } finally {
    for (const lock of held) rmdirSync(lock);
  }
}

async function taken(lock: string, { now, sleep }: Waiting): Promise<boolean> {
  if (!existsSync(dirname(lock))) return false;
  for (let waited = 0; ; waited += STEP_MS) {
    try {
      mkdirSync(lock);
      return true;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) return false; // where no lock can be made, none is held
      const age = now + waited - (statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? now + waited);
      if (age > ABANDONED_MS) return false;
      if (waited >= LONGEST_WAIT_MS) {
        throw new HubError('unavailable', `${lock} is held by another program; nothing was changed.`, {
          hint: 'Run this again in a moment.',
        });
      }
      await sleep(STEP_MS);
    }
  }
}
