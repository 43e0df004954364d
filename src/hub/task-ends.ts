// How tasks end, and what their end does to others: what waited for them may begin, is canceled or stays blocked; a parent whose last child
// ended rolls up; whoever it concerns is told. An end and everything that follows from it are one transaction.

import { findAgent } from '../store/agents.ts';
import { findAsk } from '../store/asks.ts';
import { childrenOf, childStates, countChild, dependentsOf, settleDependency } from '../store/task-graph.ts';
import { insertResult } from '../store/task-history.ts';
import { recordScore } from '../store/task-scores.ts';
import { type FailureCause, findTask, type TaskRow, type Verification } from '../store/tasks.ts';
import type { AskEnds } from './ask-ends.ts';
import type { Act } from './command.ts';
import type { HubContext } from './context.ts';
import { HubError } from './errors.ts';
import { type Actor, changeTask, HUB_ACTOR, type TaskChange } from './task-changes.ts';
import type { TaskNotices } from './task-notices.ts';
import { releaseBlockers } from './task-order.ts';
import { isEnded, isHeld } from './task-states.ts';

/** What was handed in as done. */
export type HandedIn = { result: string; artifacts: readonly string[]; verification: Verification | null; missing: readonly string[] };

export class TaskEnds {
  readonly #context: HubContext;
  readonly #notices: TaskNotices;
  readonly #asks: AskEnds;
  readonly #reviewers: ((act: Act, task: TaskRow, by: Actor) => Promise<void>)[] = [];

  constructor(context: HubContext, notices: TaskNotices, asks: AskEnds) {
    this.#context = context;
    this.#notices = notices;
    this.#asks = asks;
  }

  /** Has something done in the transaction in which a result is handed in for review. */
  whenInReview(follow: (act: Act, task: TaskRow, by: Actor) => Promise<void>): void {
    this.#reviewers.push(follow);
  }

  /** A result is accepted from whoever may hand it in: the task is completed, goes into review, or needs attention for what is missing. */
  async complete(act: Act, task: TaskRow, by: Actor, given: HandedIn): Promise<TaskRow> {
    if (task.openChildren > 0) throw unfinishedChildren(task);
    const resultN = await insertResult(act.tx, {
      taskId: task.id,
      late: false,
      revision: task.revision + 1,
      fencingToken: task.fencingToken,
      agentId: by.agentId,
      result: given.result,
      artifacts: [...given.artifacts],
      at: act.now,
    });
    const set = { resultN, verification: given.verification, revision: task.revision + 1, progress: 100, reason: null };
    const facts = { result: resultN, artifacts: given.artifacts.length, verification: given.verification, revision: set.revision };
    if (given.verification === 'unverified') {
      const reason = `unverified: ${given.missing.length} of ${task.expectedArtifacts.length} expected artifacts missing or different: ${given.missing.join(', ')}`;
      const told = `unverified: ${given.missing.length} of ${task.expectedArtifacts.length} expected artifacts are missing or different`;
      return await this.needAttention(act, task, by, reason, { act: 'needs_attention', by, set, facts }, told);
    }
    if (task.quorum > 0) {
      const inReview = await this.#leave(act, task.id, { act: 'submitted_for_review', to: 'in_review', by, set, facts });
      for (const follow of this.#reviewers) await follow(act, inReview, by);
      // Who may judge it may be too few: then it is not in review any more.
      return (await findTask(act.tx, act.projectId, task.id)) ?? inReview;
    }
    return await this.end(act, task.id, { act: 'completed', to: 'completed', by, set, facts }, given.result);
  }

  /** Its reviewers have passed it. */
  async pass(act: Act, task: TaskRow, by: Actor, facts: Record<string, unknown>): Promise<TaskRow> {
    return await this.end(act, task.id, { act: 'completed', to: 'completed', by, facts }, `Passed in review: revision ${task.revision}.`);
  }

  async fail(act: Act, task: TaskRow, by: Actor, reason: string, cause: FailureCause): Promise<TaskRow> {
    return await this.end(
      act,
      task.id,
      { act: 'failed', to: 'failed', by, note: reason, set: { reason, failureCause: cause }, facts: { cause } },
      reason,
    );
  }

  /** Cancels a task and everything below it that is still open; whoever works on any of it is told. Answers what was canceled, the task first. */
  async cancelSubtree(act: Act, root: TaskRow, by: Actor, reason: string): Promise<TaskRow[]> {
    const open = [root];
    for (let i = 0; i < open.length; i++) {
      const children = await childrenOf(act.tx, open[i]?.id ?? '', this.#context.limits.taskChildren);
      open.push(...children.filter((child) => !isEnded(child)));
    }
    const canceled: TaskRow[] = [];
    // From above, so that no parent rolls up between its children.
    for (const { id } of open) {
      const task = await findTask(act.tx, act.projectId, id);
      if (task === undefined || isEnded(task)) continue;
      const change: TaskChange = { act: 'canceled', to: 'canceled', by, note: reason, set: { reason }, facts: { root: root.id } };
      canceled.push(await this.end(act, id, change, reason));
    }
    return canceled;
  }

  /** Nobody is going on with it by itself: its owner and the operator are told why; `told`: the hub's own words where the reason has others'. */
  async needAttention(act: Act, task: TaskRow, by: Actor, reason: string, change?: TaskChange, told = reason): Promise<TaskRow> {
    const base: TaskChange = change ?? { act: 'needs_attention', by };
    const next = await this.#leave(act, task.id, { ...base, to: 'needs_attention', set: { ...base.set, reason } });
    const body = `${task.id} needs attention: ${told}. get_task shows its history; update_task with state submitted lets it be tried again, completed accepts it as it is, cancel_task ends it.`;
    await this.#notices.tell(act, next, [next.creatorId], 'task needs attention', body);
    await this.#notices.tellOperator(act, next, 'task needs attention', body);
    return next;
  }

  /** Ends a task, with all that follows. `words`: what its owner is told, in the words of whoever ended it. */
  async end(act: Act, taskId: string, change: TaskChange, words: string): Promise<TaskRow> {
    const ended = await this.#endOne(act, taskId, change, words);
    await releaseBlockers(act, ended.id);
    for (const edge of await dependentsOf(act.tx, ended.id)) {
      if (edge.settledAt !== null) continue;
      if (ended.state === 'completed' || edge.policy === 'ignore') await this.#settle(act, edge.taskId, ended);
      else if (edge.policy === 'cancel') await this.#cancelDependent(act, edge.taskId, ended);
      else await this.#tellBlocked(act, edge.taskId, ended);
    }
    if (ended.parentId !== null) await this.#tellParent(act, ended.parentId, ended);
    return ended;
  }

  async #endOne(act: Act, taskId: string, change: TaskChange, words: string): Promise<TaskRow> {
    const before = await findTask(act.tx, act.projectId, taskId);
    const ended = await this.#leave(act, taskId, change);
    if (before === undefined) return ended;
    const worker = before.holderId;
    if (ended.state === 'completed' && worker !== null)
      await recordScore(act.tx, worker, ended.needs, { completed: 1, workedMs: act.now - (before.claimedAt ?? act.now) });
    if (ended.state === 'failed' && ended.failureCause === 'agent' && worker !== null)
      await recordScore(act.tx, worker, ended.needs, { failed: 1 });
    await this.#notices.withdraw(act, before, `the task is ${ended.state}`);
    // Of a subtree that is canceled its owner is told once; whoever works on a part of it is told of that part.
    const owners =
      ended.state === 'canceled' && change.facts?.root !== ended.id && change.facts?.root !== undefined ? [] : [ended.creatorId];
    const concerned = [...owners, ...(ended.state === 'canceled' ? [worker, before.assigneeId] : [])];
    const subject = `task ${ended.state}`;
    if ((await findAgent(act.tx, change.by.agentId)) === undefined) {
      // What somebody outside said of it stands in the task; the hub does not say it as its own words.
      const why = change.by.agentId === HUB_ACTOR.agentId ? (ended.reason ?? 'done') : `told by ${change.by.name}; get_task has the words`;
      await this.#notices.tell(act, ended, [...concerned, worker], subject, `${ended.id} is ${ended.state}: ${why}.`);
    } else await this.#notices.say(act, ended, change.by, concerned, subject, words === '' ? `${ended.id} is ${ended.state}.` : words);
    return ended;
  }

  /** Out of its holder's hands: a question of the holder's that is still open needs no answer any more. */
  async #leave(act: Act, taskId: string, change: TaskChange): Promise<TaskRow> {
    const before = await findTask(act.tx, act.projectId, taskId);
    // Taken out of its holder's hands by another: what the holder still sends is late.
    const taken = before !== undefined && isHeld(before) && before.holderId !== change.by.agentId && change.set?.fencingToken === undefined;
    const next = await changeTask(
      act,
      taskId,
      taken ? { ...change, set: { ...change.set, fencingToken: before.fencingToken + 1 } } : change,
    );
    if (before !== undefined && before.handoffTo !== next.handoffTo) await this.#notices.withdraw(act, before, `the task is ${next.state}`);
    if (before?.askId != null) await this.withdrawQuestion(act, before.askId, change.by);
    return next;
  }

  async withdrawQuestion(act: Act, askId: string, by: Actor): Promise<void> {
    const ask = await findAsk(act.tx, act.projectId, askId);
    if (ask !== undefined && ask.state === 'open') await this.#asks.cancelFor(act, ask, by);
  }

  async #tellParent(act: Act, parentId: string, child: TaskRow): Promise<void> {
    await countChild(act.tx, parentId, -1, act.now);
    const parent = await findTask(act.tx, act.projectId, parentId);
    if (parent === undefined || isEnded(parent)) return;
    if (child.state === 'failed') {
      const cause = child.failureCause ?? 'agent';
      await changeTask(act, parentId, { act: 'child_failed', by: HUB_ACTOR, facts: { child: child.id, cause } });
      await this.#notices.tell(act, parent, [parent.holderId], 'child failed', `${child.id}, a child of ${parentId}, failed (${cause}).`);
    }
    if (parent.openChildren === 0) await this.#rollUp(act, parentId);
  }

  async #settle(act: Act, waiterId: string, ended: TaskRow): Promise<void> {
    if (!(await settleDependency(act.tx, waiterId, ended.id, act.now))) return;
    const waiter = await findTask(act.tx, act.projectId, waiterId);
    if (waiter === undefined || isEnded(waiter)) return;
    await changeTask(act, waiterId, {
      act: 'unblocked',
      by: HUB_ACTOR,
      facts: { dependency: ended.id, still_waiting_for: waiter.waitingOn },
    });
  }

  async #tellBlocked(act: Act, waiterId: string, ended: TaskRow): Promise<void> {
    const waiter = await findTask(act.tx, act.projectId, waiterId);
    if (waiter === undefined || isEnded(waiter)) return;
    const body = `${waiter.id} waits for ${ended.id}, which is ${ended.state}: it stays blocked. update_task with state submitted tries ${ended.id} again; cancel_task ends ${waiter.id}.`;
    await this.#notices.tell(act, waiter, [waiter.creatorId], 'task blocked', body);
  }

  async #cancelDependent(act: Act, waiterId: string, ended: TaskRow): Promise<void> {
    const waiter = await findTask(act.tx, act.projectId, waiterId);
    if (waiter === undefined || isEnded(waiter)) return;
    await this.cancelSubtree(act, waiter, HUB_ACTOR, `${ended.id}, on which it depends, is ${ended.state}`);
  }

  /** A parent that is nothing but its children ends with them; one that has work of its own may be claimed now. */
  async #rollUp(act: Act, parentId: string): Promise<void> {
    const parent = await findTask(act.tx, act.projectId, parentId);
    if (parent === undefined || parent.state !== 'submitted' || parent.waitingOn > 0) return;
    const states = await childStates(act.tx, parentId);
    const total = Object.values(states).reduce((sum, n) => sum + n, 0);
    const done = states.completed ?? 0;
    if (!isContainer(parent)) {
      await changeTask(act, parentId, { act: 'unblocked', by: HUB_ACTOR, facts: { children: total, completed: done } });
    } else if (done < total) {
      await this.needAttention(act, parent, HUB_ACTOR, `${total - done} of its ${total} children did not complete`);
    } else {
      const result = `All ${total} children completed.`;
      await this.complete(act, parent, HUB_ACTOR, { result, artifacts: [], verification: null, missing: [] });
    }
  }
}

/** Whether a task has no work of its own beside its children. */
export function isContainer(task: TaskRow): boolean {
  return task.assigneeId === null && task.needs.length === 0 && task.expectedArtifacts.length === 0;
}

function unfinishedChildren(task: TaskRow): HubError {
  return new HubError('conflict', `${task.id} has ${task.openChildren} open children; nothing was changed.`, {
    hint: 'A parent is done after its children: wait_for_tasks waits for them, cancel_task ends one.',
  });
}
