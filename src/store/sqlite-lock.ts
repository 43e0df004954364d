// Waiting for SQLite's write lock, fairly. SQLite's own busy handler backs off longer the longer it waits, which starves whole processes
// (measured: with eight saturated writers some got nothing for the whole run). Here the pause shortens with age, so that whoever
// has waited longest looks most often. The pauses are timers of whole milliseconds: shorter ones, though fairer on paper, crowd the holder
// off the processor (eight processes on two cores: 160 sends/s at pauses of 0.06 to 0.3 ms, 480 to 650 at these).

import type { Clock } from '../hub/clock.ts';
import { HubError } from '../hub/errors.ts';

/** The longest wait for the lock. Transactions last milliseconds; after this a holder is stopped or stuck, and the caller should know. */
const LOCK_WAIT_MS = 10_000;

/** Retries `attempt` while the database is locked by another process; any other error is thrown at once. */
export async function acquire<T>(clock: Clock, attempt: () => T, onBusy?: () => void): Promise<T> {
  const since = clock.monotonic();
  for (;;) {
    try {
      return attempt();
    } catch (error) {
      if (!isBusy(error)) throw error;
      onBusy?.();
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

/** Whoever has just had the lock, and knows that others want it, comes back so much later: it would win against those who sleep. */
const COURTESY_MS = 2;
/** How long others are taken to want it after it was found taken. */
const WANTED_MS = 100;

/** Leaves the lock to others for a moment, as long as there are others. */
export class Courtesy {
  readonly #clock: Clock;
  #takenAt = Number.NEGATIVE_INFINITY;
  #hadAt = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The lock was found taken. */
  taken(): void {
    this.#takenAt = this.#clock.monotonic();
  }

  /** This process has given the lock back. */
  had(): void {
    this.#hadAt = this.#clock.monotonic();
  }

  async leave(): Promise<void> {
    const now = this.#clock.monotonic();
    if (now - this.#takenAt < WANTED_MS && now - this.#hadAt < COURTESY_MS) await this.#clock.sleep(COURTESY_MS);
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('SQLITE_BUSY');
}

/** The pause shortens with age; jitter, from the fraction of the monotonic clock, keeps processes from looking in step. */
async function pause(clock: Clock, waited: number): Promise<void> {
  const base = waited < 5 ? 3 : waited < 30 ? 2 : 1;
  await clock.sleep(base * (0.5 + ((clock.monotonic() * 1000) % 1)));
}
