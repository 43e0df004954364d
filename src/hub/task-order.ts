// In which order tasks are claimed: by priority, then by age, what is due soon before its equals. The place is a number that is written once and
// never has to be computed again: earliest instant first, moved forward by priority. So a task that waits grows older than any fresh one of a
// higher priority, and nothing waits for ever. What is waited for inherits the place of what waits for it.

import { awaitedBy, blockersOf, setRank, waitersOf } from '../store/task-graph.ts';
import type { Priority, TaskRow } from '../store/tasks.ts';
import type { Act } from './command.ts';
import { HubError } from './errors.ts';

const HOUR = 3_600_000;
/** How far a priority moves a task forward: after so long, a task of the next lower one is as old as a fresh one of this. */
const AHEAD: Readonly<Record<Priority, number>> = { low: 0, normal: 8 * HOUR, high: 16 * HOUR, urgent: 32 * HOUR };
/** A task without a deadline counts as due after this; less than any step between priorities, so that a deadline orders equals only. */
const DUE_ANYWAY = 4 * HOUR;
/** How many tasks one change may pull along. Beyond it a place is not inherited, which costs order and nothing else. */
const PULLED = 1_000;
/** How many tasks are walked to see that nothing waits for itself. */
const WALKED = 10_000;

export function rankOf(task: Pick<TaskRow, 'priority' | 'createdAt' | 'deadlineAt'>): number {
  return Math.min(task.deadlineAt ?? Number.MAX_SAFE_INTEGER, task.createdAt + DUE_ANYWAY) - AHEAD[task.priority];
}

/** Lets everything that a task waits for, and what that waits for, inherit its place. */
export async function pullBlockers(act: Act, task: { id: string; rank: number }): Promise<void> {
  const queue = [task];
  for (let pulled = 0; queue.length > 0 && pulled < PULLED; pulled++) {
    const waiter = queue.shift();
    if (waiter === undefined) return;
    for (const blocker of await blockersOf(act.tx, waiter.id)) {
      if (blocker.rank <= waiter.rank) continue;
      await setRank(act.tx, blocker.id, waiter.rank);
      queue.push({ id: blocker.id, rank: waiter.rank });
    }
  }
}

/** A task that had ended is open again: it takes the place that what waits for it gives it, and pulls what it waits for. */
export async function takePlace(act: Act, task: { id: string; ownRank: number }): Promise<void> {
  const rank = Math.min(task.ownRank, ...(await waitersOf(act.tx, task.id)).map((one) => one.rank));
  await setRank(act.tx, task.id, rank);
  await pullBlockers(act, { id: task.id, rank });
}

/** Something no longer waits: what it waited for takes the place that it has by itself, or by what still waits for it. */
export async function releaseBlockers(act: Act, taskId: string): Promise<void> {
  const queue = [taskId];
  for (let released = 0; queue.length > 0 && released < PULLED; released++) {
    const waiter = queue.shift();
    if (waiter === undefined) return;
    for (const blocker of await blockersOf(act.tx, waiter)) {
      const rank = Math.min(blocker.ownRank, ...(await waitersOf(act.tx, blocker.id)).map((one) => one.rank));
      if (rank === blocker.rank) continue;
      await setRank(act.tx, blocker.id, rank);
      queue.push(blocker.id);
    }
  }
}

/**
 * Refuses a new wait of `waiter` for `awaited` that would close a circle: `conflict` with the path. `title` names the waiter in it when it is
 * only about to exist.
 */
export async function assertNoCircle(act: Act, waiter: string, awaited: string, title: string = waiter): Promise<void> {
  const cameFrom = new Map<string, string | null>([[awaited, null]]);
  const queue = [awaited];
  while (queue.length > 0) {
    const at = queue.shift() ?? '';
    if (at === waiter) {
      const path: string[] = [];
      for (let step: string | null | undefined = at; step !== null && step !== undefined; step = cameFrom.get(step)) path.unshift(step);
      throw new HubError('conflict', `depends_on: it would wait for itself: ${[title, ...path].join(' -> ')}. Nothing was changed.`, {
        hint: 'Leave one of these out; a parent waits for its children.',
      });
    }
    for (const id of await awaitedBy(act.tx, at)) {
      if (cameFrom.has(id)) continue;
      cameFrom.set(id, at);
      queue.push(id);
    }
    if (cameFrom.size > WALKED)
      throw new HubError('limit_reached', `depends_on: it waits for more than ${WALKED} tasks in all; nothing was changed.`, {
        hint: 'Depend on a parent task that gathers some of them.',
      });
  }
}
