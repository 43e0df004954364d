// Waiting for something to become true, with a ceiling, cancellation and shutdown (C12). A waiter subscribes, then looks, then sleeps;
// every change, bell or poll makes it look again. What it is told carries no data (invariant 6).

import { setMaxListeners } from 'node:events';
import type { Db } from '../store/db.ts';
import type { Clock } from './clock.ts';
import { HubError } from './errors.ts';
import type { Limits } from './limits.ts';
import { currentCall } from './trace.ts';

export type WaitEnd = 'found' | 'timeout' | 'cancelled' | 'shutting_down';
/** What one look found: the thing, or nothing, perhaps with the time after which a look may pay off without any change. */
export type Look<T> = { found?: T; again?: number | null };

export class Waiting {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #limits: Limits;
  readonly #closing = new AbortController();
  #waiters = 0;

  constructor(db: Db, clock: Clock, limits: Limits) {
    this.#db = db;
    this.#clock = clock;
    this.#limits = limits;
    // Every waiter listens to it: as many as may wait, which is no leak.
    setMaxListeners(0, this.#closing.signal);
  }

  /** How many calls of this process are parked. */
  get parked(): number {
    return this.#waiters;
  }

  /** Looks until something is found, `ms` passed (clamped to the ceiling by the caller), the signal aborts, or the hub closes. */
  async until<T>(ms: number, signal: AbortSignal | undefined, look: () => Promise<Look<T>>): Promise<{ end: WaitEnd; value?: T }> {
    if (this.#waiters >= this.#limits.waiters) {
      throw new HubError('limit_reached', `${this.#limits.waiters} calls already wait in this process.`, {
        hint: 'Call again without wait_seconds, or later.',
        retryAfterMs: 1_000,
      });
    }
    if (++this.#waiters === 1) this.#db.listen(true);
    const since = this.#clock.monotonic();
    const deadline = since + ms;
    const wake = new Wake();
    const unsubscribe = this.#db.onChange(() => wake.ring());
    try {
      for (;;) {
        if (signal?.aborted) return { end: 'cancelled' };
        if (this.#closing.signal.aborted) return { end: 'shutting_down' };
        wake.reset();
        const seen = await look();
        if (seen.found !== undefined) return { end: 'found', value: seen.found };
        const left = deadline - this.#clock.monotonic();
        if (left <= 0) return { end: 'timeout' };
        await wake.sleep(this.#clock, Math.min(left, Math.max(1, seen.again ?? left)), signal, this.#closing.signal);
      }
    } finally {
      unsubscribe();
      const call = currentCall();
      if (call !== undefined) call.waitedMs += this.#clock.monotonic() - since;
      if (--this.#waiters === 0) this.#db.listen(false);
    }
  }

  /**
   * Looks now, whenever something changed (at leisure), and when the last look asked for it (milliseconds; null: only after a change), until the
   * signal aborts or the hub closes. Unlike a call that waits it may do so all day: it rings for nobody and counts among no waiters.
   */
  async attend(signal: AbortSignal, look: () => Promise<number | null>): Promise<void> {
    const wake = new Wake();
    const unsubscribe = this.#db.watch(() => wake.ring());
    try {
      while (!signal.aborted && !this.#closing.signal.aborted) {
        wake.reset();
        const again = await look();
        await wake.sleep(this.#clock, again ?? Number.MAX_SAFE_INTEGER, signal, this.#closing.signal);
      }
    } finally {
      unsubscribe();
    }
  }

  /** Ends every wait at once, empty. */
  shutdown(): void {
    this.#closing.abort();
  }
}

/** A sleep that a ring ends; a ring before the sleep makes it return at once. */
class Wake {
  #rung = false;
  #stop: AbortController | undefined;

  reset(): void {
    this.#rung = false;
  }

  ring(): void {
    this.#rung = true;
    this.#stop?.abort();
  }

  async sleep(clock: Clock, ms: number, ...signals: (AbortSignal | undefined)[]): Promise<void> {
    if (this.#rung) return;
    this.#stop = new AbortController();
    const stop = () => this.#stop?.abort();
    const given = signals.filter((signal) => signal !== undefined);
    for (const signal of given) signal.addEventListener('abort', stop, { once: true });
    if (!given.some((signal) => signal.aborted)) await clock.sleep(ms, this.#stop.signal);
    for (const signal of given) signal.removeEventListener('abort', stop);
    this.#stop = undefined;
  }
}
