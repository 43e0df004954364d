// How tasks end, and what their end does to others: what waited for them may begin, is canceled or stays blocked; a parent whose last child
// ended rolls up; whoever it concerns is told. An end and everything that follows from it are one transaction.

import { findAgent } from '../store/agents.ts';
import { findAsk } from '../store/asks.ts';
import { childStates, countChild, dependentsOf, openChildrenOf, settleDependency } from '../store/task-graph.ts';
import { insertResult } from '../store/task-history.ts';
import { recordScore } from '../store/task-scores.ts';
import { type FailureCause, findTask, type TaskRow, type Verification } from '../store/tasks.ts';
import type { AskEnds } from './ask-ends.ts';
import type { Act } from './command.ts';
import type { HubContext } from './context.ts';
import { counted } from './counted.ts';
import { HubError } from './errors.ts';
import { type Actor, changeTask, HUB_ACTOR, type TaskChange } from './task-changes.ts';
import type { TaskNotices } from './task-notices.ts';
import { releaseBlockers } from './task-order.ts';
import { isEnded, isHeld, TASK_TRANSITIONS } from './task-states.ts';

/** How many of them a message names. */
const LISTED = 20;

/** What is canceled with another: below it, or waiting for it. */
type Follower = { id: string; waits: boolean; change: TaskChange };

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

  /**
   * Cancels a task, everything below it that is still open, and what was to be canceled with any of these. Whoever works on one of them is told
   * of it; owners are told of the rest in one message. Answers what was canceled, the task first.
   */
  async cancelSubtree(act: Act, root: TaskRow, by: Actor, reason: string): Promise<TaskRow[]> {
    const change: TaskChange = { act: 'canceled', to: 'canceled', by, note: reason, set: { reason }, facts: { root: root.id } };
    const canceled = await this.#endOne(act, root.id, change, reason);
    return [canceled, ...(await this.#cancelWith(act, canceled, await this.#followersOf(act, canceled, change)))];
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
    await this.#cancelWith(act, ended, await this.#followersOf(act, ended, change));
    return ended;
  }

  /** What the end of a task does to what waits for it and to its parent; answers what is to be canceled with it. */
  async #followersOf(act: Act, ended: TaskRow, change: TaskChange): Promise<Follower[]> {
    const followers: Follower[] = [];
    if (ended.state === 'canceled')
      for (const child of await openChildrenOf(act.tx, ended.id))
        followers.push({ id: child.id, waits: false, change: { ...change, facts: { ...change.facts, parent: ended.id } } });
    await releaseBlockers(act, ended.id);
    const why = `${ended.id}, on which it depends, is ${ended.state}`;
    for (const edge of await dependentsOf(act.tx, ended.id)) {
      if (edge.settledAt !== null) continue;
      if (ended.state === 'completed' || edge.policy === 'ignore') await this.#settle(act, edge.taskId, ended);
      else if (edge.policy === 'cancel')
        followers.push({
          id: edge.taskId,
          waits: true,
          change: { act: 'canceled', to: 'canceled', by: HUB_ACTOR, note: why, set: { reason: why }, facts: { dependency: ended.id } },
        });
      else await this.#tellBlocked(act, edge.taskId, ended);
    }
    if (ended.parentId !== null) await this.#tellParent(act, ended.parentId, ended);
    return followers;
  }

  /** Cancels what goes with a task that ended, from above and what is below before what waits: so no parent rolls up that is to be canceled. */
  async #cancelWith(act: Act, ended: TaskRow, followers: Follower[]): Promise<TaskRow[]> {
    const canceled: TaskRow[] = [];
    for (let next = followers.shift(); next !== undefined; next = followers.shift()) {
      const task = await findTask(act.tx, act.projectId, next.id);
      if (task === undefined || isEnded(task)) continue;
      // One end is one transaction: what is beyond the limit is left as if it had been to stay blocked.
      if (next.waits && canceled.length >= this.#context.limits.taskCascade) {
        await this.#tellBlocked(act, task.id, ended);
        continue;
      }
      const one = await this.#endOne(act, task.id, next.change, next.change.note ?? '', false);
      canceled.push(one);
      const more = await this.#followersOf(act, one, next.change);
      followers.unshift(...more.filter(({ waits }) => !waits));
      followers.push(...more.filter(({ waits }) => waits));
    }
    const owners = new Map<string, TaskRow[]>();
    for (const one of canceled) owners.set(one.creatorId, [...(owners.get(one.creatorId) ?? []), one]);
    for (const [owner, theirs] of owners) {
      const more = theirs.length > LISTED ? ` and ${theirs.length - LISTED} more` : '';
      const ids = theirs.slice(0, LISTED).map(({ id }) => id);
      const body = `With ${ended.id}, which is ${ended.state}, ${theirs.length === 1 ? 'this is' : `these ${theirs.length} are`} canceled: ${ids.join(', ')}${more}.`;
      await this.#notices.tell(act, ended, [owner], 'task canceled', body);
    }
    return canceled;
  }

  /** One task ends, and those whom it concerns are told; its owner not where that is done for several at once. */
  async #endOne(act: Act, taskId: string, change: TaskChange, words: string, tellsOwner = true): Promise<TaskRow> {
    const before = await findTask(act.tx, act.projectId, taskId);
    const ended = await this.#leave(act, taskId, change);
    if (before === undefined) return ended;
    const worker = before.holderId;
    if (ended.state === 'completed' && worker !== null)
      await recordScore(act.tx, worker, ended.needs, { completed: 1, workedMs: act.now - (before.claimedAt ?? act.now) });
    if (ended.state === 'failed' && ended.failureCause === 'agent' && worker !== null)
      await recordScore(act.tx, worker, ended.needs, { failed: 1 });
    await this.#notices.withdraw(act, before, `the task is ${ended.state}`);
    const concerned = [...(tellsOwner ? [ended.creatorId] : []), ...(ended.state === 'canceled' ? [worker, before.assigneeId] : [])];
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
    const wayOut = TASK_TRANSITIONS[ended.state].includes('submitted')
      ? `update_task with state submitted tries ${ended.id} again; cancel_task ends ${waiter.id}.`
      : `That is final: cancel_task ends ${waiter.id}, create_task makes it anew without waiting.`;
    const body = `${waiter.id} waits for ${ended.id}, which is ${ended.state}: it stays blocked. ${wayOut}`;
    await this.#notices.tell(act, waiter, [waiter.creatorId], 'task blocked', body);
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
      await this.needAttention(
        act,
        parent,
        HUB_ACTOR,
        total === 1 ? 'its only child did not complete' : `${total - done} of its ${total} children did not complete`,
      );
    } else {
      const result = total === 1 ? 'Its only child completed.' : `All ${total} children completed.`;
      await this.complete(act, parent, HUB_ACTOR, { result, artifacts: [], verification: null, missing: [] });
    }
  }
}

/** Whether a task has no work of its own beside its children. */
export function isContainer(task: TaskRow): boolean {
  return task.assigneeId === null && task.needs.length === 0 && task.expectedArtifacts.length === 0;
}

function unfinishedChildren(task: TaskRow): HubError {
  return new HubError('conflict', `${task.id} has ${counted(task.openChildren, 'open child', 'open children')}; nothing was changed.`, {
    hint: 'A parent is done after its children: wait_for_tasks waits for them, cancel_task ends one.',
  });
}
