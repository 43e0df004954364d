// A clock that stands still until a test moves it.

import type { Clock } from '../../src/hub/clock.ts';

export class FakeClock implements Clock {
  #now: number;
  #monotonic = 0;
  readonly #sleepers = new Set<{ until: number; wake: () => void }>();

  constructor(start = Date.UTC(2026, 10, 20, 9)) {
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#monotonic;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted || ms <= 0) return resolve();
      const sleeper = { until: this.#monotonic + ms, wake: done };
      const sleepers = this.#sleepers;
      sleepers.add(sleeper);
      signal?.addEventListener('abort', done, { once: true });
      function done() {
        sleepers.delete(sleeper);
        signal?.removeEventListener('abort', done);
        resolve();
      }
    });
  }

  /** Time passes, on both clocks, and sleepers whose time has come wake. */
  advance(ms: number): void {
    this.#now += ms;
    this.#monotonic += ms;
    for (const sleeper of [...this.#sleepers]) if (sleeper.until <= this.#monotonic) sleeper.wake();
  }

  /** The wall clock alone is set. */
  jump(ms: number): void {
    this.#now += ms;
  }

  /** How many sleeps are under way. */
  get sleeping(): number {
    return this.#sleepers.size;
  }
}
