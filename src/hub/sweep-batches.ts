// The batches of a sweep: each takes what is over in one transaction of its own, tells in an event of its project what went, and yields the counts.
// Every batch looks again inside its transaction, so that any number of processes may sweep, and what was opened meanwhile stays.

import { deleteDaysBefore } from '../store/days.ts';
import type { Tx } from '../store/db.ts';
import {
  nthNewestCall,
  nthNewestSessionEnd,
  sweepApprovals,
  sweepBindings,
  sweepCalls,
  sweepEnrolments,
  sweepKeys,
  sweepReminders,
  sweepReservations,
  sweepSessions,
  sweepSignIns,
  sweepTokens,
  sweepToolUses,
  sweepTurns,
  sweepWakeAttempts,
} from '../store/sweep-rows.ts';
import { deleteTask, isTaskFree, nthNewestTaskEnd, type OverTask, tasksOver } from '../store/sweep-tasks.ts';
import {
  countSweptDeliveries,
  deleteThreadPart,
  isThreadOver,
  messageFrom,
  nthNewestSeq,
  type ThreadAge,
  threadsBetween,
} from '../store/sweep-threads.ts';
import type { Counts } from '../store/sweeps.ts';
import type { Act } from './command.ts';
import type { HubContext } from './context.ts';
import { forgetEvents } from './sweep-history.ts';
import type { SweepPlan } from './sweep-plan.ts';
import { formatRanges, rangesOf } from './swept-ranges.ts';

/** What sweeps' events are about. */
export const RETENTION = 'retention';

export type Batches = AsyncGenerator<Counts, void, undefined>;
export type Sweeper = { agentId: string };

/** What belongs to no project's sweep: records by age, of all projects at once. */
export async function* hubBatches({ db, limits }: HubContext, plan: SweepPlan): Batches {
  const size = limits.sweepBatch;
  const calls = Math.max(plan.calls.before, await db.read((read) => nthNewestCall(read, plan.calls.kept)));
  const kinds: [(tx: Tx, before: number, limit: number) => Promise<Counts>, number][] = [
    [sweepToolUses, plan.toolUses],
    [sweepTurns, plan.turns],
    [sweepCalls, calls],
    [sweepKeys, plan.keys],
    [sweepWakeAttempts, plan.wakeAttempts],
    [sweepEnrolments, plan.enrolments],
    [sweepTokens, plan.tokens],
    [sweepSignIns, plan.signIns],
  ];
  for (const [sweep, before] of kinds) {
    for (;;) {
      const went = await db.write('', (tx) => sweep(tx, before, size), 'relaxed');
      yield went;
      if (sumOf(went) < size) break;
    }
  }
  yield await db.write('', (tx) => deleteDaysBefore(tx, plan.days), 'relaxed');
}

/** What is over in one project: tasks first, because threads about them stay as long as they do. */
export async function* projectBatches(context: HubContext, projectId: string, plan: SweepPlan, by: Sweeper): Batches {
  yield* taskBatches(context, projectId, plan, by);
  const { db, limits } = context;
  const sessionsKept = await db.read((read) => nthNewestSessionEnd(read, projectId, plan.sessions.kept));
  const kinds: [(tx: Tx, projectId: string, before: number, limit: number) => Promise<Counts>, number][] = [
    [sweepReminders, plan.reminders],
    [sweepApprovals, plan.approvals],
    [sweepReservations, plan.reservations],
  ];
  for (const [sweep, before] of kinds) yield* rowBatches(context, projectId, by, (tx) => sweep(tx, projectId, before, limits.sweepBatch));
  yield* threadBatches(context, projectId, plan.messages, by);
  const sessions = Math.max(plan.sessions.before, Math.min(sessionsKept, plan.sessions.settledBefore));
  yield* rowBatches(context, projectId, by, (tx) => sweepSessions(tx, projectId, sessions, limits.sweepBatch));
  yield* rowBatches(context, projectId, by, (tx) => sweepBindings(tx, projectId, plan.bindings, limits.sweepBatch));
  yield* forgetEvents(context, projectId, plan.events, by);
}

async function* rowBatches(context: HubContext, projectId: string, by: Sweeper, sweep: (tx: Tx) => Promise<Counts>): Batches {
  for (;;) {
    const went = await context.commands.runAs(projectId, by, async (act) => {
      const counts = await sweep(act.tx);
      await tell(act, counts, {});
      return counts;
    });
    yield went;
    if (sumOf(went) < context.limits.sweepBatch) return;
  }
}

/** Children go before their parents, so it goes round until nothing more becomes free. */
async function* taskBatches({ db, commands, limits }: HubContext, projectId: string, plan: SweepPlan, by: Sweeper): Batches {
  const counted = await db.read((read) => nthNewestTaskEnd(read, projectId, plan.tasks.kept));
  const before = Math.max(plan.tasks.before, Math.min(counted, plan.tasks.settledBefore));
  let after: OverTask = { id: '', closedAt: 0 };
  let wentInRound = 0;
  for (;;) {
    const page = await db.read((read) => tasksOver(read, projectId, before, after, limits.sweepBatch));
    const last = page.at(-1);
    if (last === undefined && wentInRound === 0) return;
    after = last ?? { id: '', closedAt: 0 };
    if (last === undefined) {
      wentInRound = 0;
      continue;
    }
    const went = await commands.runAs(projectId, by, async (act) => {
      const counts: Counts = {};
      const ids: string[] = [];
      for (const { id } of page) {
        if (!(await isTaskFree(act.tx, id, before))) continue;
        add(counts, await deleteTask(act.tx, id));
        ids.push(id);
      }
      await tell(act, counts, { tasks: ids });
      return counts;
    });
    wentInRound += went.tasks ?? 0;
    yield went;
  }
}

/** Pages through the old messages once; what of their threads is over goes, at most a batch of messages in one transaction. */
async function* threadBatches(context: HubContext, projectId: string, plan: SweepPlan['messages'], by: Sweeper): Batches {
  const { db, limits } = context;
  const ages = await threadAges(context, projectId, plan);
  const lastSeq = Math.max(...ages.map((age) => age.lastSeq));
  for (let cursor = 0; cursor < lastSeq; ) {
    const from = cursor;
    const { over, upTo } = await db.read(async (read) => {
      const page = await threadsBetween(read, projectId, from, lastSeq, limits.sweepBatch);
      const found: string[] = [];
      for (const id of page.threads) for (const age of ages) if (!found.includes(id) && (await isThreadOver(read, id, age))) found.push(id);
      return { over: found, upTo: page.upTo };
    });
    if (upTo === null) return;
    while (over.length > 0) yield await sweepThreads(context, projectId, over, ages, by);
    yield {};
    cursor = upTo;
  }
}

/** Sweeps threads off the front of the list until a batch is full; a thread that is not done stays at its front. */
async function sweepThreads({ commands, limits }: HubContext, projectId: string, threads: string[], ages: ThreadAge[], by: Sweeper) {
  const done = new Set<string>();
  const counts = await commands.runAs(projectId, by, async (act) => {
    done.clear();
    const counts: Counts = {};
    const swept: number[] = [];
    for (const id of threads) {
      const room = limits.sweepBatch - swept.length;
      if (room <= 0) break;
      const over = await Promise.all(ages.map((age) => isThreadOver(act.tx, id, age)));
      const part = over.includes(true) ? await deleteThreadPart(act.tx, id, room) : { seqs: [], counts: {} };
      if (part.seqs.length < room) done.add(id);
      swept.push(...part.seqs);
      add(counts, part.counts);
    }
    await countSweptDeliveries(act.tx, projectId, counts.deliveries ?? 0);
    const staysBetween = async (from: number, to: number) => ((await messageFrom(act.tx, projectId, from + 1))?.seq ?? to) < to;
    await tell(act, counts, { seqs: formatRanges(await rangesOf(swept, staysBetween)) });
    return counts;
  });
  threads.splice(0, threads.length, ...threads.filter((id) => !done.has(id)));
  return counts;
}

/** By age, and, where there are too many messages, by their number. */
async function threadAges({ db }: HubContext, projectId: string, plan: SweepPlan['messages']): Promise<ThreadAge[]> {
  const lastBefore = (instant: number) =>
    db.read(async (read) => {
      let low = 0;
      let high = await nthNewestSeq(read, projectId, 1);
      // The messages up to `low` are older than the instant, those after `high` are not.
      while (low < high) {
        const middle = Math.ceil((low + high) / 2);
        const found = await messageFrom(read, projectId, middle);
        if (found !== undefined && found.createdAt < instant) low = Math.max(middle, Math.min(found.seq, high));
        else high = middle - 1;
      }
      return low;
    });
  const { deadBefore } = plan;
  const counted = Math.min(await db.read((read) => nthNewestSeq(read, projectId, plan.kept + 1)), await lastBefore(plan.settledBefore));
  return [
    { lastSeq: await lastBefore(plan.before), closedBefore: plan.before, deadBefore },
    ...(counted > 0 ? [{ lastSeq: counted, closedBefore: plan.settledBefore, deadBefore }] : []),
  ];
}

/** What went stands in the history of the project, in the same transaction. */
async function tell(act: Act, counts: Counts, what: { tasks?: string[]; seqs?: string }): Promise<void> {
  const rows = Object.fromEntries(Object.entries(counts).filter(([, n]) => n > 0));
  if (Object.keys(rows).length > 0) await act.emit('retention.swept', RETENTION, { rows, ...what });
}

export function add(sum: Counts, more: Counts): void {
  for (const [table, n] of Object.entries(more)) sum[table] = (sum[table] ?? 0) + n;
}

export function sumOf(counts: Counts): number {
  return Object.values(counts).reduce((sum, n) => sum + n, 0);
}
