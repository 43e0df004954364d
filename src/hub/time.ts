// The hub's time: a clock that never runs backwards and notices when the wall clock jumps (C13).
// A step back: time goes on at its own pace from the latest instant seen, so nothing fires twice. A jump ahead beyond the limit
// (a suspended machine, a corrected clock): silence of others is not believed for a while, so nothing is taken from them.

import { type Clock, toIso } from './clock.ts';

export class HubTime {
  readonly #clock: Clock;
  readonly #jumpMs: number;
  readonly #trustAfterMs: number;
  #last: number;
  #lastMonotonic: number;
  #observedSince: number;
  #trusted: boolean;
  #jump: { at: number; byMs: number } | undefined;
  /** What is added to the wall clock while another time is followed. */
  #offset = 0;

  /** `highWaterAt`: the latest instant this database has seen. `trustAfterMs`: how long silence is observed before it counts. */
  constructor(clock: Clock, options: { highWaterAt: number; jumpMs: number; trustAfterMs: number }) {
    this.#clock = clock;
    this.#jumpMs = options.jumpMs;
    this.#trustAfterMs = options.trustAfterMs;
    const wall = clock.now();
    this.#last = Math.max(wall, options.highWaterAt);
    this.#lastMonotonic = clock.monotonic();
    this.#observedSince = this.#lastMonotonic;
    // The database was in use a moment ago, so the clock cannot have jumped since: what looks silent is silent.
    this.#trusted = Math.abs(wall - options.highWaterAt) <= options.jumpMs;
  }

  now(): number {
    const monotonic = this.#clock.monotonic();
    const elapsed = Math.max(0, monotonic - this.#lastMonotonic);
    const wall = this.#clock.now() + this.#offset;
    if (wall - (this.#last + elapsed) > this.#jumpMs) {
      this.#jump = { at: wall, byMs: Math.round(wall - (this.#last + elapsed)) };
      this.#observedSince = monotonic;
      this.#trusted = false;
    }
    // A clock that stepped back a little is waited for by its own pace, rounded so that instants stay whole milliseconds.
    const next = wall >= this.#last ? wall : this.#last + Math.floor(elapsed);
    if (next !== this.#last || wall >= this.#last) this.#lastMonotonic = monotonic;
    this.#last = next;
    return next;
  }

  /**
   * Now, but not before an instant that the database has seen, and from then on neither: what is written at that instant must lie before whatever
   * the clock does next. One that lies absurdly far ahead is some broken clock's and is not believed.
   */
  nowAfter(seenAt: number): number {
    const now = this.now();
    if (seenAt <= now || seenAt - now > this.#jumpMs) return now;
    this.#last = seenAt;
    this.#lastMonotonic = this.#clock.monotonic();
    return seenAt;
  }

  /** Whether this process goes by the time of the others, because its own clock is far ahead of theirs. */
  get follows(): boolean {
    return this.#offset !== 0;
  }

  /** From now on it is `reference`, and goes on from there at its own pace. */
  follow(reference: number): void {
    this.#offset = reference - this.#clock.now();
    this.#last = reference;
    this.#lastMonotonic = this.#clock.monotonic();
  }

  /** The wall clock counts again. */
  unfollow(): void {
    this.#offset = 0;
  }

  /** The last jump ahead that this process saw: when it was noticed, and how much time did not pass. */
  get jumped(): { at: number; byMs: number } | undefined {
    return this.#jump;
  }

  /** Whether a heartbeat that did not come proves anything yet. */
  trustsSilence(): boolean {
    this.now();
    if (this.#clock.monotonic() - this.#observedSince >= this.#trustAfterMs) this.#trusted = true;
    return this.#trusted;
  }

  notices(): string[] {
    const notices: string[] = [];
    if (this.#jump !== undefined) {
      notices.push(
        `The clock jumped ahead by ${Math.round(this.#jump.byMs / 1000)} s at ${toIso(this.#jump.at)}; leases were extended, not expired.`,
      );
    }
    if (this.#offset !== 0) {
      notices.push(
        `The clock of this process is ${Math.round(-this.#offset / 1000)} s ahead of the other processes of this hub; it goes by theirs. Correct it.`,
      );
    }
    const behind = this.now() - this.#clock.now() - this.#offset;
    if (behind > this.#jumpMs)
      notices.push(`The wall clock is ${Math.round(behind / 1000)} s behind the latest instant of this hub; correct it.`);
    return notices;
  }
}
