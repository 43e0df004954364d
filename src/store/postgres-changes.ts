// Who is told that something may have changed: at once by this process and by the bell, and by a poll of the server's snapshot as the floor
// under both. Told is "look again", nothing more (invariant 6).

import type { Clock } from '../hub/clock.ts';
import type { Row } from './db.ts';

/** How often a waiting process looks for changes of others when no bell rang. */
const POLL_MS = 500;
/** Under load waiters look again this often at most: each look is statements, and all waiters look. */
const GAP_MS = 15;

export class Changes {
  readonly #clock: Clock;
  readonly #snapshot: () => Promise<Row[]>;
  readonly #listeners = new Set<() => void>();
  readonly #watchers = new Set<() => void>();
  readonly #closing = new AbortController();
  #listening = false;
  #polling: AbortController | undefined;
  #toldAt = Number.NEGATIVE_INFINITY;
  #telling = false;

  /** `snapshot` answers a row that differs, as `seen`, whenever any transaction has ended meanwhile. */
  constructor(clock: Clock, snapshot: () => Promise<Row[]>) {
    this.#clock = clock;
    this.#snapshot = snapshot;
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

  /** Tells at once, and then no more often than the gap: a change that falls into it is told at its end. */
  happened(): void {
    if (this.#telling) return;
    const left = this.#toldAt + GAP_MS - this.#clock.monotonic();
    if (left <= 0) {
      this.#tell();
      return;
    }
    this.#telling = true;
    void this.#clock.sleep(left, this.#closing.signal).then(() => {
      this.#telling = false;
      this.#tell();
    });
  }

  close(): void {
    this.#watchers.clear();
    this.listen(false);
    this.#closing.abort();
  }

  #tell(): void {
    this.#toldAt = this.#clock.monotonic();
    for (const listener of [...this.#listeners]) listener();
  }

  async #poll(signal: AbortSignal): Promise<void> {
    let seen = '';
    while (!signal.aborted) {
      await this.#clock.sleep(POLL_MS, signal);
      if (signal.aborted) return;
      const now = await this.#see();
      if (now === seen) continue;
      seen = now;
      if (this.#listening) this.happened();
      for (const watcher of [...this.#watchers]) watcher();
    }
  }

  /** A server that is away is a state like others: waiters look, and meet the failure, and look again when it is over. */
  async #see(): Promise<string> {
    try {
      const [row] = await this.#snapshot();
      return String(row?.seen);
    } catch {
      return 'away';
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
