// The census: the numbers of the whole hub, for whoever watches it from outside. What is open is counted when it is asked; what happens is
// followed in the record (events and calls) from the moment this process began to look, whichever process it happened in. So any process can be
// asked, and two of them tell the same; none is needed while nobody asks.

import { type Counted, callsAfter, countOpen, eventData, eventsByType, lastCall, oldestUnacked, passings } from '../store/census.ts';
import { listProjects } from '../store/projects.ts';
import type { HubContext } from './context.ts';
import { seconds, type Telemetry } from './telemetry.ts';

/** One look follows no more than so many events of a project; the next goes on. */
const FOLLOWED = 20_000;
const CALLS = 5_000;
/** Between two looks: whoever asks more often is told the same. */
const FRESH_MS = 1_000;

const TOLD = ['message.acked', 'message.shown', 'wake.read', 'wake.failed', 'wake.no_effect', 'reminder.fired'];

/** A tool's name and an error's code come from lists of ours; a row of an older or newer version could hold anything. */
const WORD = /^[a-z_]{1,40}$/;
const TYPE = /^[a-z_]{1,40}\.[a-z_]{1,40}$/;

export type Open = { counted: Counted[]; oldestUnackedMs: number };

export class Census {
  readonly #context: HubContext;
  readonly #telemetry: Telemetry;
  readonly #seen = new Map<string, number>();
  #call: number | undefined;
  #looked = Number.NEGATIVE_INFINITY;
  #open: Open = { counted: [], oldestUnackedMs: 0 };
  #looking: Promise<Open> | undefined;

  constructor(context: HubContext) {
    this.#context = context;
    this.#telemetry = context.telemetry;
  }

  /** Begins to follow the record: what was there before is not counted. */
  async begin(): Promise<void> {
    await this.#context.db.read(async (read) => {
      this.#call = await lastCall(read);
      for (const { id, eventSeq } of await listProjects(read)) this.#seen.set(id, eventSeq);
    });
  }

  /** Reports what happened since the last look, and answers what is open. Asked by several at once, it looks once. */
  look(): Promise<Open> {
    if (this.#context.clock.monotonic() - this.#looked < FRESH_MS) return Promise.resolve(this.#open);
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #look(): Promise<Open> {
    const { db, time, clock } = this.#context;
    if (this.#call === undefined) await this.begin();
    for (const project of await db.read(listProjects)) await this.#follow(project.id, project.eventSeq);
    await this.#followCalls();
    const [counted, oldest] = await db.read(async (read) => [await countOpen(read), await oldestUnacked(read)] as const);
    this.#open = { counted, oldestUnackedMs: oldest === null ? 0 : Math.max(0, time.now() - oldest) };
    this.#looked = clock.monotonic();
    return this.#open;
  }

  async #follow(projectId: string, head: number): Promise<void> {
    const after = this.#seen.get(projectId) ?? 0;
    const upTo = Math.min(head, after + FOLLOWED);
    if (upTo <= after) return;
    const found = await this.#context.db.read(async (read) => ({
      types: await eventsByType(read, projectId, after, upTo),
      told: await eventData(read, projectId, after, upTo, TOLD),
      passed: await passings(read, projectId, after, upTo),
    }));
    this.#seen.set(projectId, upTo);
    for (const { type, n } of found.types) this.#countType(type, n);
    for (const { type, data } of found.told) this.#countTold(type, JSON.parse(data) as Record<string, unknown>);
    for (const { type, at, acceptedAt, firstShownAt } of found.passed) {
      if (firstShownAt === null) continue; // acknowledged by a reply to what was never shown
      if (type === 'message.shown' && at === firstShownAt) this.#telemetry.record('hub.accept_to_shown', seconds(at - acceptedAt));
      if (type === 'message.acked') this.#telemetry.record('hub.shown_to_acked', seconds(at - firstShownAt));
    }
  }

  #countType(type: string, n: number): void {
    const telemetry = this.#telemetry;
    telemetry.count('hub.events', n, { type: TYPE.test(type) ? type : 'other' });
    if (type === 'message.sent') telemetry.count('hub.messages.accepted', n);
    if (type === 'message.dead') telemetry.count('hub.messages.dead', n);
    if (type === 'message.expired') telemetry.count('hub.messages.expired', n);
    if (type === 'task.lease_lost') telemetry.count('hub.leases.expired', n, { kind: 'task' });
    if (type === 'reservation.expired') telemetry.count('hub.leases.expired', n, { kind: 'reservation' });
  }

  #countTold(type: string, data: Record<string, unknown>): void {
    const telemetry = this.#telemetry;
    const [kind, outcome = ''] = type.split('.');
    if (type === 'message.acked') telemetry.count('hub.messages.acked', 1, { how: wordOf(data.how) });
    else if (type === 'message.shown') telemetry.count('hub.redeliveries', Number(data.attempt) > 1 ? 1 : 0);
    else if (type === 'reminder.fired') telemetry.record('hub.reminders.late', seconds(Number(data.late_by_ms) || 0));
    else if (kind === 'wake') telemetry.count('hub.wakes', 1, { door: wordOf(data.door), outcome });
  }

  async #followCalls(): Promise<void> {
    const { db } = this.#context;
    const after = this.#call ?? 0;
    const calls = await db.read((read) => callsAfter(read, after, CALLS));
    for (const { tool, code, durationMs } of calls) {
      this.#telemetry.count('hub.tool.calls', 1, { tool: wordOf(tool), code: wordOf(code) });
      this.#telemetry.record('hub.tool.call.duration', seconds(durationMs), { tool: wordOf(tool) });
    }
    this.#call = calls.at(-1)?.id ?? after;
  }
}

function wordOf(value: unknown): string {
  return typeof value === 'string' && WORD.test(value) ? value : 'other';
}
