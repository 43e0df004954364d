// A project in which three agents do anything at all, in any order and over months: what properties are held against.

import * as fc from 'fast-check';
import { expect } from 'vitest';
import type { Caller } from '../../src/hub/caller.ts';
import { isHubError } from '../../src/hub/errors.ts';
import { dutiesOf } from '../../src/scheduler/duties.ts';
import { ack, operatorOf, recv, send } from './acts.ts';
import { attach, type TestHub } from './engines.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NAMES = ['ana', 'ben', 'cleo'] as const;
/** Limits that get into nobody's way. */
export const FAST = { sendPerSecond: 100_000, sendBurst: 100_000, sendPerMinute: 10_000_000, remindersPerMinute: 100_000, heldTasks: 100 };

export type Step = { act: number; who: number; whom: number; pick: number };
export const step = fc.record({ act: fc.nat(99), who: fc.nat(2), whom: fc.nat(2), pick: fc.nat(1_000) });

/** What is open, as agents and operator are told, and as the rows say. */
async function openThings(hub: TestHub, agents: readonly Caller[]) {
  const told: unknown[] = [];
  for (const agent of agents) told.push((await hub.openThreads.list(agent, 'mine')).threads);
  told.push((await hub.openThreads.list(await operatorOf(hub), 'group')).threads);
  const rows = await hub.db.read(async (read) => [
    await read.all(`SELECT message_id, recipient_id, state FROM deliveries WHERE state IN ('ready', 'leased') OR (state = 'acked' AND done_at IS NULL AND
      NOT EXISTS (SELECT 1 FROM asks k WHERE k.message_id = deliveries.message_id)) ORDER BY 1, 2`),
    await read.all(`SELECT id FROM asks WHERE state = 'open' ORDER BY 1`),
    await read.all('SELECT id, state, version FROM tasks WHERE closed_at IS NULL ORDER BY 1'),
    await read.all(`SELECT t.id FROM tasks t JOIN tasks p ON p.id = t.parent_id WHERE p.closed_at IS NULL ORDER BY 1`),
    await read.all(`SELECT id, state FROM reminders WHERE state IN ('pending', 'parked') ORDER BY 1`),
    await read.all(`SELECT id, state FROM approvals WHERE state IN ('pending', 'approved') ORDER BY 1`),
    await read.all(`SELECT task_id, reviewer_id FROM reviews WHERE state = 'owed' ORDER BY 1, 2`),
    await read.all(`SELECT id FROM reservations WHERE state = 'held' ORDER BY 1`),
    await read.all('SELECT thread_id FROM thread_pauses WHERE resumed_at IS NULL ORDER BY 1'),
    await read.all('SELECT id FROM sessions WHERE ended_at IS NULL ORDER BY 1'),
  ]);
  return JSON.parse(JSON.stringify({ told, rows }, (_key, value) => (typeof value === 'bigint' ? Number(value) : value)));
}

export class World {
  readonly hub: TestHub;
  agents: Caller[] = [];
  readonly messages: string[] = [];
  readonly asks: string[] = [];
  readonly tasks: string[] = [];
  readonly approvals: string[] = [];
  swept = 0;

  constructor(hub: TestHub) {
    this.hub = hub;
  }

  async start(): Promise<void> {
    this.agents = [];
    for (const name of NAMES)
      this.agents.push(await attach(this.hub, name, { takeover: true, ...(name === 'cleo' ? { role: 'manager' } : {}) }));
  }

  async take({ act, who, whom, pick }: Step): Promise<void> {
    const { hub } = this;
    const [agent, other] = [this.agents[who], this.agents[whom]];
    if (agent === undefined || other === undefined) return;
    const one = (list: readonly string[]) => list[pick % Math.max(1, list.length)] ?? 'none';
    try {
      if (act < 18)
        this.messages.push(
          (await send(hub, agent, other.name, `m${this.messages.length}`, { kind: pick % 3 === 0 ? 'request' : 'note' })).message_id,
        );
      else if (act < 24)
        this.messages.push((await send(hub, agent, other.name, `r${this.messages.length}`, { inReplyTo: one(this.messages) })).message_id);
      else if (act < 36) await this.#read(agent, pick);
      else if (act < 42)
        this.asks.push((await hub.asks.ask(agent, { to: other.name, question: 'q?', deadlineMs: 7 * DAY }, { tool: 'ask' })).askId);
      else if (act < 47)
        await hub.asks.answer(agent, one(this.asks), pick % 2 === 0 ? { answer: ['a'] } : { reason: 'no' }, { tool: 'answer' });
      else if (act < 51)
        await hub.reminders.remind(
          agent,
          pick % 3 === 0 ? { message: 'x', cron: '0 9 * * 1' } : { message: 'x', inMs: (pick % 40) * DAY + HOUR },
          { tool: 'remind' },
        );
      else if (act < 58) await this.#createTask(agent, other, pick);
      else if (act < 66) await this.#workOn(agent, one(this.tasks), pick);
      else if (act < 69) await hub.taskDecisions.cancel(agent, one(this.tasks), undefined, { tool: 'cancel_task' });
      else if (act < 72)
        await hub.reviews.submit(agent, { taskId: one(this.tasks), revision: 1, verdict: 'PASS', findings: [] }, { tool: 'submit_review' });
      else if (act < 75)
        this.approvals.push(
          (await hub.approvals.request(agent, { action: `a${pick}`, risk: 'medium', deadlineMs: DAY }, { tool: 'request_approval' }))
            .approvalId,
        );
      else if (act < 77) await hub.approvals.decide(agent, one(this.approvals), { state: 'approved' }, { tool: 'decide_approval' });
      else if (act < 79) await hub.reservations.reserve(agent, { paths: [`p${pick % 5}`], names: [], mode: 'shared' }, { tool: 'reserve' });
      else if (act < 88) await this.#wait(((pick % 60) + 1) * DAY);
      else await this.#sweep(pick);
    } catch (error) {
      if (!isHubError(error)) throw error;
    }
  }

  /** At the end everything that can be over is, and most of it goes. */
  async end(): Promise<void> {
    await this.#wait(400 * DAY);
    await this.#sweep(0);
  }

  async #read(agent: Caller, pick: number): Promise<void> {
    const batch = await recv(this.hub, agent, { max: (pick % 5) + 1 });
    if (batch.receipt !== undefined && batch.receipt !== null && pick % 4 > 0) await ack(this.hub, agent, { receipt: batch.receipt });
  }

  async #createTask(agent: Caller, other: Caller, pick: number): Promise<void> {
    const earlier = this.tasks[pick % Math.max(1, this.tasks.length)];
    const more = earlier === undefined ? {} : pick % 3 === 0 ? { parentId: earlier } : pick % 3 === 1 ? { dependsOn: [earlier] } : {};
    const request = {
      title: `t${pick}`,
      ...(pick % 5 === 0 ? { assignee: other.name } : {}),
      ...(pick % 7 === 0 ? { reviewers: [other.name] } : {}),
      ...more,
    };
    this.tasks.push((await this.hub.tasks.create(agent, request, { tool: 'create_task' })).taskId);
  }

  async #workOn(agent: Caller, taskId: string, pick: number): Promise<void> {
    if (pick % 2 === 0) await this.hub.claims.claim(agent, taskId, { tool: 'claim_task' });
    const { fencingToken } = (await this.hub.taskViews.get(agent, taskId)).task;
    if (pick % 3 > 0) await this.hub.taskCompletion.complete(agent, taskId, { fencingToken, result: 'r' }, { tool: 'complete_task' });
  }

  async #wait(ms: number): Promise<void> {
    this.hub.fake.advance(ms);
    for (const { name, run } of dutiesOf(this.hub)) if (name !== 'sweep') await run();
    await this.start();
  }

  async #sweep(pick: number): Promise<void> {
    const before = await openThings(this.hub, this.agents);
    const wish = pick % 2 === 0 ? {} : { olderThanMs: DAY * ((pick % 30) + 1), audit: pick % 3 === 0 };
    const went = await this.hub.sweeps.prune(await operatorOf(this.hub), wish);
    this.swept += Object.values(went).reduce((sum, n) => sum + n, 0);
    expect(await openThings(this.hub, this.agents)).toEqual(before);
    expect((await this.hub.verify()).flatMap(({ problems }) => problems)).toEqual([]);
  }
}
