// Waiting for SQLite's write lock, fairly. SQLite's own busy handler backs off longer the longer it waits, which starves whole processes
// (measured: with eight saturated writers some got nothing for the whole run). Here the pause shortens with age, so that whoever
// has waited longest looks most often. Between looks the event loop turns, so a waiting process still answers its clients.

import type { Clock } from '../hub/clock.ts';
import { HubError } from '../hub/errors.ts';

/** The longest wait for the lock. Transactions last milliseconds; after this a holder is stopped or stuck, and the caller should know. */
const LOCK_WAIT_MS = 10_000;

const cell = new Int32Array(new SharedArrayBuffer(4));

/** Retries `attempt` while the database is locked by another process; any other error is thrown at once. */
export async function acquire<T>(clock: Clock, attempt: () => T): Promise<T> {
  const since = clock.monotonic();
  for (;;) {
    try {
      return attempt();
    } catch (error) {
      if (!isBusy(error)) throw error;
    }
    const waited = clock.monotonic() - since;
    if (waited > LOCK_WAIT_MS) {
      throw new HubError('unavailable', `The database was locked by another process for ${LOCK_WAIT_MS / 1000} s; nothing was changed.`, {
        hint: 'Retry with the same idempotency_key. `rookery doctor` names the process that holds the lock.',
      });
    }
    await pause(clock, waited);
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('SQLITE_BUSY');
}

/** Timers cannot sleep less than a millisecond, so young waits block for a fraction of one and then let the loop turn. */
async function pause(clock: Clock, waited: number): Promise<void> {
  if (waited > 2_000) {
    // Nothing that behaves holds the lock this long: stop competing hard and leave the processor to the holder.
    await clock.sleep(2);
    return;
  }
  const base = waited < 2 ? 0.3 : waited < 10 ? 0.15 : 0.06;
  // Jitter without chance of our own: the fraction of the monotonic clock differs between processes.
  const jitter = 0.5 + ((clock.monotonic() * 1000) % 1);
  Atomics.wait(cell, 0, 0, base * jitter);
  await new Promise<void>((resolve) => setImmediate(resolve));
}
