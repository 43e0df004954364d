// Time as the hub sees it. The hub has no clock of its own (invariant 9): this interface is injected, so that tests move time by hand.
// All instants are epoch milliseconds in UTC; only this file and the system clock may touch Date and timers.

export interface Clock {
  /** The wall clock, epoch milliseconds. It may step in either direction; nothing may rely on it alone. */
  now(): number;
  /** Milliseconds of a clock that never steps. Comparable only within one process. */
  monotonic(): number;
  /** Resolves after `ms` (clamped to what timers can carry, 2^31-1 ms), or at once when `signal` aborts. It never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** An instant as it is shown to people and agents. */
export function toIso(at: number): string {
  return new Date(at).toISOString();
}

/** The same for columns that may be empty. */
export function toIsoOrNull(at: number | null): string | null {
  return at === null ? null : toIso(at);
}

/** An instant for a library that wants the language's own. */
export function toDate(at: number): Date {
  return new Date(at);
}

/** Reads an ISO instant; undefined when the text is none. */
export function toInstant(iso: string): number | undefined {
  const at = Date.parse(iso);
  return Number.isNaN(at) ? undefined : at;
}
