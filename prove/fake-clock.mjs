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
