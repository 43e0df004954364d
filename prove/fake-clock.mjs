// A clock that stands still until a proof moves it.

export class StillClock {
  #now = Date.UTC(2026, 10, 20, 9);
  #monotonic = 0;
  #sleepers = new Set();

  now() {
    return this.#now;
  }

  monotonic() {
    return this.#monotonic;
  }

  sleep(ms, signal) {
    return new Promise((resolve) => {
      if (signal?.aborted || ms <= 0) return resolve();
      const sleeper = { until: this.#monotonic + ms, wake: () => done() };
      const done = () => {
        this.#sleepers.delete(sleeper);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      this.#sleepers.add(sleeper);
      signal?.addEventListener('abort', done, { once: true });
    });
  }

  advance(ms) {
    this.#now += ms;
    this.#monotonic += ms;
    for (const sleeper of [...this.#sleepers]) if (sleeper.until <= this.#monotonic) sleeper.wake();
  }
}

/** One whose wall clock also steps, in either direction, while its other clock goes on. */
export class JumpClock extends StillClock {
  #off = 0;
  constructor(start = Date.UTC(2026, 10, 20, 9)) {
    super();
    this.#off = start - super.now();
  }
  now() {
    return super.now() + this.#off;
  }
  jump(ms) {
    this.#off += ms;
  }
}
