// Who is told that something may have changed: at once by this process and by the bell, and by a poll of the file as the floor under both.
// Told is "look again", nothing more (invariant 6).

import type { Clock } from '../hub/clock.ts';

/** How often a waiting process looks for commits of others when no bell rang. */
const POLL_MS = 500;

export class FileChanges {
  readonly #clock: Clock;
  readonly #version: () => number;
  readonly #isReplaced: () => boolean;
  readonly #listeners = new Set<() => void>();
  readonly #watchers = new Set<() => void>();
  #listening = false;
  #polling: AbortController | undefined;

  /** `version` moves with every commit of another connection; `isReplaced`: those who wait are to look, and be told why they wait in vain. */
  constructor(clock: Clock, version: () => number, isReplaced: () => boolean) {
    this.#clock = clock;
    this.#version = version;
    this.#isReplaced = isReplaced;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  watch(listener: () => void): () => void {
    this.#watchers.add(listener);
    this.#pollAsNeeded();
    return () => {
      this.#watchers.delete(listener);
      this.#pollAsNeeded();
    };
  }

  listen(wanted: boolean): void {
    this.#listening = wanted;
    this.#pollAsNeeded();
  }

  happened(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  close(): void {
    this.#watchers.clear();
    this.listen(false);
  }

  /** The floor under the bell: a lost ring costs at most POLL_MS. */
  async #poll(signal: AbortSignal): Promise<void> {
    let seen = this.#version();
    while (!signal.aborted) {
      await this.#clock.sleep(POLL_MS, signal);
      if (signal.aborted) return;
      const version = this.#version();
      if (version !== seen || this.#isReplaced()) {
        if (this.#listening) this.happened();
        for (const watcher of [...this.#watchers]) watcher();
      }
      seen = version;
    }
  }

  #pollAsNeeded(): void {
    const wanted = this.#listening || this.#watchers.size > 0;
    if (wanted && this.#polling === undefined) {
      this.#polling = new AbortController();
      void this.#poll(this.#polling.signal);
    } else if (!wanted) {
      this.#polling?.abort();
      this.#polling = undefined;
    }
  }
}
