// Waiting for SQLite's write lock, fairly. SQLite's own busy handler backs off longer the longer it waits, which starves whole processes
// (measured: with eight saturated writers some got nothing for the whole run). Here the pause shortens with age, so that whoever
// has waited longest looks most often. The pauses are timers of whole milliseconds: shorter ones, though fairer on paper, crowd the holder
// off the processor (eight processes on two cores: 160 sends/s at pauses of 0.06 to 0.3 ms, 480 to 650 at these). The more there are, the longer
// the pauses: a look with its timer takes 0.16 ms of processor time, and 64 processes that all looked every millisecond left the holder next to nothing.

import type { Clock } from '../hub/clock.ts';
import { HubError } from '../hub/errors.ts';

/** The longest wait for the lock. Transactions last milliseconds; after this a holder is stopped or stuck, and the caller should know. */
const LOCK_WAIT_MS = 10_000;

/** Retries `attempt` while the database is locked by another process; any other error is thrown at once. `onBusy` is told of each time. */
export async function acquire<T>(clock: Clock, attempt: () => T, crowd = new Crowd(clock), onBusy?: () => void): Promise<T> {
  const since = clock.monotonic();
  for (;;) {
    const waited = clock.monotonic() - since;
    try {
      const result = attempt();
      crowd.got(waited);
      return result;
    } catch (error) {
      if (!isBusy(error)) throw error;
      crowd.taken();
      onBusy?.();
    }
    if (waited > LOCK_WAIT_MS) {
      throw new HubError('unavailable', `The database was locked by another process for ${LOCK_WAIT_MS / 1000} s; nothing was changed.`, {
        hint: 'Retry with the same idempotency_key. `rookery doctor` names the process that holds the lock.',
      });
    }
    // Jitter, from the fraction of the monotonic clock, keeps processes from looking in step.
    await clock.sleep(crowd.pause(waited) * (0.5 + ((clock.monotonic() * 1000) % 1)));
  }
}

/** Whoever has just had the lock, and knows that others want it, comes back so much later: it would win against those who sleep. */
const COURTESY_MS = 2;
/** How long others are taken to want it after it was found taken. */
const WANTED_MS = 100;
/** How long what a wait was like says what the next one will be like. */
const REMEMBERED_MS = 2_000;
/** So many looks in an expected wait: if all wait in turn and look so often, the lock lies free for a seventh of a turn. */
const LOOKS = 8;
const LONGEST_PAUSE_MS = 50;
/** Shorter waits than this are those of a few: among eight, the short pauses share best. */
const CROWDED_MS = 64;

/** Those who want the lock, as one of them knows them: by how long it waits. */
export class Crowd {
  readonly #clock: Clock;
  #takenAt = Number.NEGATIVE_INFINITY;
  #hadAt = Number.NEGATIVE_INFINITY;
  #gotAt = Number.NEGATIVE_INFINITY;
  /** The waits of late, the last one weighing half. */
  #waitMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The lock was found taken. */
  taken(): void {
    this.#takenAt = this.#clock.monotonic();
  }

  /** The lock was got, after so long. */
  got(waitedMs: number): void {
    this.#waitMs = (this.#waitMs + waitedMs) / 2;
    this.#gotAt = this.#clock.monotonic();
  }

  /** This process has given the lock back. */
  had(): void {
    this.#hadAt = this.#clock.monotonic();
  }

  /** Leaves the lock to others for a moment, as long as there are others. */
  async leave(): Promise<void> {
    const now = this.#clock.monotonic();
    if (now - this.#takenAt < WANTED_MS && now - this.#hadAt < COURTESY_MS) await this.#clock.sleep(COURTESY_MS);
  }

  /** How long to rest before the next look, having waited for so long: the shorter, the longer it is over what was to be expected. */
  pause(waitedMs: number): number {
    const few = waitedMs < 5 ? 3 : waitedMs < 30 ? 2 : 1;
    const remembered = this.#clock.monotonic() - this.#gotAt < REMEMBERED_MS ? this.#waitMs : 0;
    const expected = Math.max(remembered, waitedMs / 4);
    if (expected < CROWDED_MS) return few;
    const share = waitedMs > 2 * expected ? 4 : waitedMs > expected ? 2 : 1;
    return Math.max(few, Math.min(LONGEST_PAUSE_MS, expected / LOOKS) / share);
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('SQLITE_BUSY');
}
