// Open threads: everything that the caller still owes or waits for, in one look (C14). Nothing is cached: it shows the commit just made.
// What is told is the inbox's; what is owed stays here until it is done, however often an agent forgets, compacts or restarts.

import { findAgent, listAgents } from '../store/agents.ts';
import { openApprovalsBy, pendingApprovals } from '../store/approvals.ts';
import { type AskRow, asksBy, asksIn, asksTo } from '../store/asks.ts';
import type { Read } from '../store/db.ts';
import { openMessages } from '../store/open-threads.ts';
import { openPauses } from '../store/pauses.ts';
import { findProject } from '../store/projects.ts';
import { remindersIn, remindersOf } from '../store/reminders.ts';
import { heldBy } from '../store/reservations.ts';
import { reviewsOwedBy } from '../store/reviews.ts';
import { deciderOf, mayDecide } from './approval-rights.ts';
import { assertOversees, authorityOf, type Caller, oversees } from './caller.ts';
import type { HubContext } from './context.ts';
import type { Reservations } from './reservations.ts';
import { tasksToSettle, taskThreadsIn, taskThreadsOf } from './task-threads.ts';

export const THREAD_KINDS = [
  'approval',
  'ask_in',
  'review',
  'task',
  'ask_out',
  'task_out',
  'message',
  'reservation',
  'reminder',
  'paused',
] as const;
export type ThreadKind = (typeof THREAD_KINDS)[number];

export type OpenThread = {
  kind: ThreadKind;
  id: string;
  /** Who is on the other side. */
  counterpart: string;
  /** In the group view: whose thread it is. */
  owner?: string;
  text: string;
  state: string;
  since: number;
  dueAt: number | null;
};

/** What is owed to others comes first, then what waits, then what will come. */
const ORDER: Record<ThreadKind, number> = {
  approval: 0,
  ask_in: 0,
  review: 0,
  task: 1,
  paused: 1,
  message: 2,
  ask_out: 3,
  task_out: 3,
  reservation: 4,
  reminder: 5,
};
/** The state of an approval that the reader is to decide. */
const TO_DECIDE = 'for you to decide';

function rank({ kind, state }: OpenThread): number {
  return kind === 'approval' && state !== TO_DECIDE ? ORDER.ask_out : ORDER[kind];
}

export class OpenThreads {
  readonly #context: HubContext;

  readonly #reservations: Reservations;

  constructor(context: HubContext, reservations: Reservations) {
    this.#context = context;
    this.#reservations = reservations;
  }

  /** What is open for the caller; `group`: for every agent of the project, for those who oversee it. `revision` grows with every change. */
  async list(caller: Caller, scope: 'mine' | 'group'): Promise<{ threads: OpenThread[]; more: number; revision: number; now: number }> {
    if (scope === 'group') assertOversees(caller, 'see the open threads of the group');
    const limit = this.#context.limits.openThreads;
    return await this.#context.commands.look(caller, async (read, now) => {
      const all = scope === 'group' ? await this.#ofGroup(read, caller, limit) : await this.#ofAgent(read, caller.agentId, limit);
      if (oversees(caller))
        all.push(...(await this.#approvalsIn(read, caller, scope, limit)), ...(await this.#paused(read, caller.projectId, limit)));
      if (oversees(caller) && scope === 'mine') all.push(...(await tasksToSettle(read, caller.projectId, caller.agentId, limit)));
      const sorted = all.sort((a, b) => rank(a) - rank(b) || a.since - b.since);
      const revision = (await findProject(read, caller.projectId))?.eventSeq ?? 0;
      return { threads: fairly(sorted, limit), more: Math.max(0, sorted.length - limit), revision, now };
    });
  }

  async #ofAgent(read: Read, agentId: string, limit: number): Promise<OpenThread[]> {
    const messages = (await openMessages(read, agentId, limit + 1)).map(
      (one): OpenThread => ({
        kind: 'message',
        id: one.messageId,
        counterpart: one.counterpart,
        text: one.text,
        state: one.state,
        since: one.since,
        dueAt: null,
      }),
    );
    const asked = await asksTo(read, agentId, limit + 1);
    const asking = await asksBy(read, agentId, 'open', limit + 1);
    const reminders = (await remindersOf(read, agentId, null, limit + 1)).map(
      (one): OpenThread => ({
        kind: 'reminder',
        id: one.id,
        counterpart: one.targetId === agentId ? 'yourself' : one.targetId,
        text: one.message,
        state: one.state === 'parked' ? `parked: ${one.lastError ?? ''}` : 'pending',
        since: one.createdAt,
        dueAt: one.dueAt,
      }),
    );
    for (const reminder of reminders)
      if (reminder.counterpart !== 'yourself') reminder.counterpart = (await findAgent(read, reminder.counterpart))?.name ?? 'unknown';
    return [
      ...(await this.#reservationsOf(read, agentId, limit)),
      ...(await this.#approvalsOf(read, agentId, limit)),
      ...(await this.#asks(read, asked, 'ask_in')),
      ...(await this.#reviews(read, agentId, limit)),
      ...(await taskThreadsOf(read, agentId, limit)),
      ...messages,
      ...(await this.#asks(read, asking, 'ask_out')),
      ...reminders,
    ];
  }

  async #asks(read: Read, asks: readonly AskRow[], kind: 'ask_in' | 'ask_out'): Promise<OpenThread[]> {
    return await Promise.all(
      asks.map(async (ask) => {
        const other = await findAgent(read, kind === 'ask_in' ? ask.askerId : ask.targetId);
        return {
          kind,
          id: ask.id,
          counterpart: other?.name ?? 'unknown',
          text: ask.question,
          state: ask.state,
          since: ask.askedAt,
          dueAt: ask.deadlineAt,
        };
      }),
    );
  }

  /** The whole project: each ask once, each agent's messages and reminders with their owner. */
  async #ofGroup(read: Read, caller: Caller, limit: number): Promise<OpenThread[]> {
    const agents = (await listAgents(read, caller.projectId)).filter((agent) => authorityOf(agent.role) !== 'hub');
    const names = new Map(agents.map((agent) => [agent.id, agent.name]));
    const name = (id: string) => names.get(id) ?? 'unknown';
    const threads: OpenThread[] = (await asksIn(read, caller.projectId, 'open', limit + 1)).map((ask) => ({
      kind: 'ask_out',
      id: ask.id,
      owner: name(ask.askerId),
      counterpart: name(ask.targetId),
      text: ask.question,
      state: ask.state,
      since: ask.askedAt,
      dueAt: ask.deadlineAt,
    }));
    threads.push(...(await taskThreadsIn(read, caller.projectId, limit)));
    for (const agent of agents) {
      for (const one of await this.#reviews(read, agent.id, limit)) threads.push({ ...one, owner: agent.name });
      for (const one of await openMessages(read, agent.id, limit + 1)) {
        threads.push({
          kind: 'message',
          id: one.messageId,
          owner: agent.name,
          counterpart: one.counterpart,
          text: one.text,
          state: one.state,
          since: one.since,
          dueAt: null,
        });
      }
    }
    for (const state of ['pending', 'parked'] as const) {
      for (const one of await remindersIn(read, caller.projectId, state, limit + 1)) {
        threads.push({
          kind: 'reminder',
          id: one.id,
          owner: name(one.ownerId),
          counterpart: name(one.targetId),
          text: one.message,
          state,
          since: one.createdAt,
          dueAt: one.dueAt,
        });
      }
    }
    return threads;
  }

  /** The verdicts that the agent owes, by the task that waits for them. */
  async #reviews(read: Read, agentId: string, limit: number): Promise<OpenThread[]> {
    return (await reviewsOwedBy(read, agentId, limit + 1)).map((one) => ({
      kind: 'review',
      id: one.taskId,
      counterpart: one.author,
      text: one.title,
      state: `revision ${one.revision}`,
      since: one.requestedAt,
      dueAt: null,
    }));
  }

  /** What the agent asked for: until it is decided, and then until it is used. */
  async #approvalsOf(read: Read, agentId: string, limit: number): Promise<OpenThread[]> {
    return (await openApprovalsBy(read, agentId, limit + 1)).map((one) => ({
      kind: 'approval',
      id: one.id,
      counterpart: one.decidedAs ?? deciderOf(one.risk, this.#context.policyOf({ projectId: one.projectId })),
      text: one.action,
      state: one.state,
      since: one.requestedAt,
      dueAt: one.expiresAt,
    }));
  }

  /** What the agent keeps from others until it releases it. */
  async #reservationsOf(read: Read, agentId: string, limit: number): Promise<OpenThread[]> {
    return await Promise.all(
      (await heldBy(read, agentId, limit + 1)).map(async (one) => ({
        kind: 'reservation' as const,
        id: one.id,
        counterpart: 'yourself',
        text: one.resource,
        state: one.mode,
        since: one.takenAt,
        dueAt: (await this.#reservations.view(read, one)).until,
      })),
    );
  }

  /** What the caller may decide; of the group, everything that waits for a decision. */
  async #approvalsIn(read: Read, caller: Caller, scope: 'mine' | 'group', limit: number): Promise<OpenThread[]> {
    const threads: OpenThread[] = [];
    for (const one of await pendingApprovals(read, caller.projectId, limit + 1)) {
      const mine = await mayDecide(read, caller, one, this.#context.policyOf({ projectId: caller.projectId }));
      if (!mine && scope === 'mine') continue;
      const requester = (await findAgent(read, one.requesterId))?.name ?? 'unknown';
      threads.push({
        kind: 'approval',
        id: one.id,
        counterpart: mine ? requester : deciderOf(one.risk, this.#context.policyOf({ projectId: one.projectId })),
        ...(scope === 'group' ? { owner: mine ? caller.name : requester } : {}),
        text: one.action,
        state: mine ? TO_DECIDE : one.state,
        since: one.requestedAt,
        dueAt: one.expiresAt,
      });
    }
    return threads;
  }

  async #paused(read: Read, projectId: string, limit: number): Promise<OpenThread[]> {
    return (await openPauses(read, projectId, limit)).map((pause) => ({
      kind: 'paused',
      id: pause.threadId,
      counterpart: 'hub',
      text: pause.reason,
      state: 'paused',
      since: pause.pausedAt,
      dueAt: null,
    }));
  }
}

/** The first `limit`, but some of every kind, so that a full inbox hides nothing that is owed or waited for. */
export function fairly(sorted: readonly OpenThread[], limit: number): OpenThread[] {
  const sure = Math.max(1, Math.floor(limit / new Set(sorted.map(({ kind }) => kind)).size));
  const count = new Map<ThreadKind, number>();
  const rank = (thread: OpenThread) => {
    const place = (count.get(thread.kind) ?? 0) + 1;
    count.set(thread.kind, place);
    return place <= sure ? 0 : 1;
  };
  const ranked = sorted.map((thread, index) => ({ thread, index, rank: rank(thread) }));
  const kept = ranked.sort((a, b) => a.rank - b.rank || a.index - b.index).slice(0, limit);
  return kept.sort((a, b) => a.index - b.index).map(({ thread }) => thread);
}
