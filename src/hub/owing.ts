// Who owes whom what, over a whole project: an answer, a verdict, the result of a task, a decision. What is due first comes first. It is the same
// that get_open_threads tells each of them, read at once for all.

import { findAgent } from '../store/agents.ts';
import { pendingApprovals } from '../store/approvals.ts';
import { asksIn } from '../store/asks.ts';
import type { Read } from '../store/db.ts';
import { reviewsOwedIn } from '../store/reviews.ts';
import { openTasksIn } from '../store/task-lists.ts';
import { deciderOf } from './approval-rights.ts';
import { authorityOf } from './caller.ts';
import type { HubContext } from './context.ts';
import { isLive, sessionOf } from './presence.ts';
import { isHeld } from './task-states.ts';

export const OWED_KINDS = ['answer', 'verdict', 'result', 'decision'] as const;

export type Owed = {
  kind: (typeof OWED_KINDS)[number];
  /** Of the ask, the task or the approval. */
  id: string;
  by: string;
  to: string;
  text: string;
  since: number;
  dueAt: number | null;
  /** Where it was asked. */
  threadId: string | null;
  /** Whether whoever owes it is there; a person always may be. */
  present: boolean;
};

type Debt = Omit<Owed, 'by' | 'to' | 'present'> & { byId: string | null; byName?: string; toId: string };

/** The first `limit` of them, and how many were found beyond. */
export async function owedIn(context: HubContext, read: Read, projectId: string, limit: number): Promise<{ owed: Owed[]; more: number }> {
  const debts = (await debtsIn(context, read, projectId, limit + 1)).sort(
    (a, b) => (a.dueAt ?? Number.MAX_SAFE_INTEGER) - (b.dueAt ?? Number.MAX_SAFE_INTEGER) || a.since - b.since || (a.id < b.id ? -1 : 1),
  );
  const known = new Map<string, { name: string; present: boolean }>();
  const party = async (id: string) => {
    const found = known.get(id) ?? (await partyOf(context, read, id));
    known.set(id, found);
    return found;
  };
  const owed: Owed[] = [];
  for (const { byId, byName, toId, ...debt } of debts.slice(0, limit)) {
    const by = byId === null ? { name: byName ?? 'unknown', present: true } : await party(byId);
    owed.push({ ...debt, by: by.name, present: by.present, to: (await party(toId)).name });
  }
  return { owed, more: debts.length - owed.length };
}

async function debtsIn(context: HubContext, read: Read, projectId: string, most: number): Promise<Debt[]> {
  const asks = (await asksIn(read, projectId, 'open', most)).map(
    (ask): Debt => ({
      ...{ kind: 'answer', id: ask.id, byId: ask.targetId, toId: ask.askerId },
      ...{ text: ask.question, since: ask.askedAt, dueAt: ask.deadlineAt, threadId: ask.threadId },
    }),
  );
  const reviews = (await reviewsOwedIn(read, projectId, most)).map(
    (one): Debt => ({
      ...{ kind: 'verdict', id: one.taskId, byId: one.reviewerId, toId: one.authorId },
      ...{ text: one.title, since: one.requestedAt, dueAt: null, threadId: null },
    }),
  );
  const tasks = (await openTasksIn(read, projectId, most)).filter(isHeld).map(
    (task): Debt => ({
      ...{ kind: 'result', id: task.id, byId: task.holderId, toId: task.creatorId },
      ...{ text: task.title, since: task.claimedAt ?? task.createdAt, dueAt: task.deadlineAt, threadId: null },
    }),
  );
  const approvals = (await pendingApprovals(read, projectId, most)).map(
    (one): Debt => ({
      ...{ kind: 'decision', id: one.id, byId: null, byName: decider(context, one.risk), toId: one.requesterId },
      ...{ text: one.action, since: one.requestedAt, dueAt: one.expiresAt, threadId: null },
    }),
  );
  return [...asks, ...reviews, ...tasks, ...approvals];
}

/** Whoever may decide a risk; below the highest one that is any manager. */
function decider({ policy }: HubContext, risk: Parameters<typeof deciderOf>[0]): string {
  return deciderOf(risk, policy) === 'operator' ? 'operator' : 'a manager';
}

async function partyOf(context: HubContext, read: Read, id: string): Promise<{ name: string; present: boolean }> {
  const agent = await findAgent(read, id);
  if (agent === undefined) return { name: 'unknown', present: false };
  return { name: agent.name, present: authorityOf(agent.role) === 'operator' || isLive(context, await sessionOf(read, agent)) };
}
