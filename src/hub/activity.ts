// How a project has been doing over a window of time: messages accepted and acknowledged per step, and how long they waited to be looked at.
// Only what is known is told: a delivery that was never shown has no latency, and a window that holds too much says how much was looked at.

import { passagesAfter, seqAt } from '../store/activity.ts';
import { findProject } from '../store/projects.ts';
import { assertOversees, type Caller } from './caller.ts';
import type { HubContext } from './context.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** The windows on offer, each in steps that make sixty points or so: what a plot of a hand's breadth can show. */
export const WINDOWS = {
  '1h': { ms: HOUR, stepMs: MINUTE },
  '24h': { ms: 24 * HOUR, stepMs: 30 * MINUTE },
  '7d': { ms: 7 * 24 * HOUR, stepMs: 3 * HOUR },
} as const;
export type Window = keyof typeof WINDOWS;
export const WINDOW_NAMES = Object.keys(WINDOWS) as Window[];

/** One look reads no more deliveries than this. */
const LOOKED_AT = 20_000;

export type Step = {
  at: number;
  accepted: number;
  acked: number;
  /** Milliseconds from acceptance to the first showing: half of them, and nineteen of twenty, were faster. Null without any. */
  shownP50: number | null;
  shownP95: number | null;
};

export class Activity {
  readonly #context: HubContext;

  constructor(context: HubContext) {
    this.#context = context;
  }

  /** Steps of the window, oldest first; the last one is still going on. `complete`: false when there was more than one look reads. */
  async over(caller: Caller, window: Window): Promise<{ steps: Step[]; stepMs: number; complete: boolean }> {
    assertOversees(caller, 'see the activity of all');
    const { ms, stepMs } = WINDOWS[window];
    return await this.#context.commands.look(caller, async (read, now) => {
      const from = Math.floor((now - ms) / stepMs) * stepMs + stepMs;
      const head = (await findProject(read, caller.projectId))?.eventSeq ?? 0;
      const passages = await passagesAfter(read, caller.projectId, await seqAt(read, caller.projectId, from - 1, head), LOOKED_AT);
      const bins = Array.from({ length: Math.floor((now - from) / stepMs) + 1 }, () => ({ accepted: 0, acked: 0, waits: [] as number[] }));
      const binAt = (at: number) => bins[Math.floor((at - from) / stepMs)];
      for (const { acceptedAt, firstShownAt, ackedAt } of passages) {
        const bin = binAt(acceptedAt);
        if (bin !== undefined) {
          bin.accepted += 1;
          if (firstShownAt !== null) bin.waits.push(firstShownAt - acceptedAt);
        }
        const later = ackedAt === null ? undefined : binAt(ackedAt);
        if (later !== undefined) later.acked += 1;
      }
      const steps = bins.map(({ accepted, acked, waits }, index) => {
        const sorted = waits.sort((a, b) => a - b);
        return { at: from + index * stepMs, accepted, acked, shownP50: rank(sorted, 0.5), shownP95: rank(sorted, 0.95) };
      });
      return { steps, stepMs, complete: passages.length < LOOKED_AT };
    });
  }
}

/** The value that this share of the sorted ones does not exceed. */
function rank(sorted: readonly number[], share: number): number | null {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? null;
}
