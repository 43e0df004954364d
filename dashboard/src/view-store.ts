// What the page knows of the hub: views, by name and arguments. Events never change a view here; they only say that it is to be fetched again,
// so that what is shown after any sequence of events is what a fresh page would show. Fetches of one view never overlap, a burst of events
// costs one or two of them, and a view that is dear is fetched less often. No DOM in here: the tests run it against a real hub.

import { FRESHNESS, touches, type ViewName } from '../../src/views/freshness.ts';

export type Params = Readonly<Record<string, string | number | undefined>>;
export type Snapshot<T = unknown> = { value: T | undefined; error: unknown; at: number };

export type Timing = {
  now(): number;
  /** Runs later; answers how to call it off. */
  later(ms: number, work: () => void): () => void;
};

type Entry = {
  name: ViewName;
  params: Params;
  snapshot: Snapshot;
  stale: boolean;
  fetching: boolean;
  /** No sooner than then is it fetched again: a dear view, less often. */
  notBefore: number;
  failures: number;
  listeners: Set<() => void>;
  callOff: (() => void) | undefined;
};

/** An event is on the page well within the 300 ms that were promised, and a burst of them is one fetch. */
const GATHER_MS = 40;
/** A view may keep the hub busy for a quarter of the time at most. */
const SHARE = 3;
const GATHER_MOST_MS = 4_000;
const RETRY_MS = 1_000;
const RETRY_MOST_MS = 15_000;
/** Views that nobody looks at are kept for coming back to. */
const KEPT = 60;

const NOTHING: Snapshot = { value: undefined, error: undefined, at: 0 };

export class ViewStore {
  readonly #fetch: (name: ViewName, params: Params) => Promise<unknown>;
  readonly #timing: Timing;
  readonly #ready: Promise<void>;
  readonly #entries = new Map<string, Entry>();
  #closed = false;

  /** `ready`: when to begin; the stream should be open before the first look, so that nothing happens between the two. */
  constructor(fetch: (name: ViewName, params: Params) => Promise<unknown>, timing: Timing, ready = Promise.resolve()) {
    this.#fetch = fetch;
    this.#timing = timing;
    this.#ready = ready;
  }

  peek(name: ViewName, params: Params): Snapshot {
    return this.#entries.get(keyOf(name, params))?.snapshot ?? NOTHING;
  }

  /** Keeps a view current while somebody looks at it. */
  watch(name: ViewName, params: Params, listener: () => void): () => void {
    const entry = this.#entry(name, params);
    entry.listeners.add(listener);
    const age = this.#timing.now() - entry.snapshot.at;
    const { freshMs } = FRESHNESS[name];
    if (freshMs !== null && age >= freshMs) entry.stale = true;
    this.#plan(entry, true);
    return () => {
      entry.listeners.delete(listener);
      if (entry.listeners.size > 0) return;
      entry.callOff?.();
      entry.callOff = undefined;
      this.#forget();
    };
  }

  /** An event of this type happened. */
  touched(type: string): void {
    for (const entry of this.#entries.values()) if (touches(entry.name, type)) this.#invalidate(entry);
  }

  /** Anything may have happened. */
  touchedAll(): void {
    for (const entry of this.#entries.values()) this.#invalidate(entry);
  }

  /** No more fetches, no more news. */
  close(): void {
    this.#closed = true;
    for (const entry of this.#entries.values()) entry.callOff?.();
  }

  #invalidate(entry: Entry): void {
    entry.stale = true;
    entry.failures = 0;
    this.#plan(entry, false);
  }

  /** Decides when the view is fetched next. */
  #plan(entry: Entry, atOnce: boolean): void {
    if (this.#closed || entry.fetching || entry.listeners.size === 0) return;
    const { freshMs } = FRESHNESS[entry.name];
    entry.callOff?.();
    entry.callOff = undefined;
    if (!entry.stale && freshMs === null) return;
    const gather = atOnce ? 0 : Math.max(GATHER_MS, entry.notBefore - this.#timing.now());
    const retry = entry.failures === 0 ? 0 : Math.min(RETRY_MOST_MS, RETRY_MS * 2 ** (entry.failures - 1));
    const wait = entry.stale ? Math.max(gather, retry) : (freshMs ?? 0);
    if (wait === 0) void this.#refresh(entry);
    else entry.callOff = this.#timing.later(wait, () => void this.#refresh(entry));
  }

  async #refresh(entry: Entry): Promise<void> {
    entry.callOff = undefined;
    entry.fetching = true;
    await this.#ready;
    entry.stale = false; // what happens from here on makes it stale again
    const since = this.#timing.now();
    try {
      const value = await this.#fetch(entry.name, entry.params);
      entry.snapshot = { value, error: undefined, at: since };
      entry.failures = 0;
    } catch (error) {
      entry.snapshot = { ...entry.snapshot, error };
      entry.stale = true;
      entry.failures += 1;
    }
    entry.fetching = false;
    const now = this.#timing.now();
    entry.notBefore = now + Math.min(GATHER_MOST_MS, SHARE * (now - since));
    if (this.#closed) return;
    for (const listener of [...entry.listeners]) listener();
    this.#plan(entry, false);
  }

  #entry(name: ViewName, params: Params): Entry {
    const key = keyOf(name, params);
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    const fresh: Entry = {
      name,
      params,
      snapshot: NOTHING,
      stale: true,
      fetching: false,
      notBefore: 0,
      failures: 0,
      listeners: new Set(),
      callOff: undefined,
    };
    this.#entries.set(key, fresh);
    return fresh;
  }

  #forget(): void {
    for (const [key, entry] of this.#entries) {
      if (this.#entries.size <= KEPT) return;
      if (entry.listeners.size === 0 && !entry.fetching) this.#entries.delete(key);
    }
  }
}

function keyOf(name: ViewName, params: Params): string {
  return `${name}?${queryOf(params)}`;
}

/** The arguments as a query string, in one order, without those that say nothing. */
export function queryOf(params: Params): string {
  const pairs = Object.entries(params).flatMap(([key, value]) =>
    value === undefined || value === '' ? [] : [[key, String(value)] satisfies [string, string]],
  );
  return new URLSearchParams(pairs.sort(([a], [b]) => (a < b ? -1 : 1))).toString();
}
