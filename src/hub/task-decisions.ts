// What is decided about a task from outside its lease: by its owner, a manager or the operator (try again, accept as it is, cancel), and by
// whoever was told of it and declines. No fencing token is asked for, because none of it is a holder's word.

import { allReviewsOf } from '../store/reviews.ts';
import { countChild } from '../store/task-graph.ts';
import { findResult } from '../store/task-history.ts';
import { type FailureCause, findTask, type Priority, type TaskRow } from '../store/tasks.ts';
import { assertOversees, type Caller, oversees } from './caller.ts';
import type { Act, Intent } from './command.ts';
import type { HubContext } from './context.ts';
import { HubError } from './errors.ts';
import { isKin, isSameHand } from './hands.ts';
import { changeTask, HUB_ACTOR, noTask } from './task-changes.ts';
import type { TaskEnds } from './task-ends.ts';
import type { TaskNotices } from './task-notices.ts';
import { rankOf, releaseBlockers, takePlace } from './task-order.ts';
import { isEnded, isHeld } from './task-states.ts';

export const UPDATE_STATES = ['working', 'input_required', 'submitted', 'failed', 'rejected', 'completed'] as const;

export type TaskUpdate = {
  fencingToken?: number | undefined;
  state?: (typeof UPDATE_STATES)[number] | undefined;
  progress?: number | undefined;
  seq?: number | undefined;
  note?: string | undefined;
  cause?: FailureCause | undefined;
  priority?: Priority | undefined;
  /** Refuses the change when the task is at another version by now. */
  expectedVersion?: number | undefined;
};

export class TaskDecisions {
  readonly #context: HubContext;
  readonly #ends: TaskEnds;
  readonly #notices: TaskNotices;

  constructor(context: HubContext, ends: TaskEnds, notices: TaskNotices) {
    this.#context = context;
    this.#ends = ends;
    this.#notices = notices;
  }

  /** Cancels a task with all that is open below it; again is harmless. Errors: `not_found`, `forbidden`, `conflict` when it ended otherwise. */
  async cancel(
    caller: Caller,
    taskId: string,
    reason: string | undefined,
    intent: Intent,
  ): Promise<{ canceled: string[]; replayed?: boolean }> {
    return await this.#context.commands.run(caller, intent, async (act) => {
      const task = await findTask(act.tx, act.projectId, taskId);
      if (task === undefined) throw noTask(taskId);
      this.#assertOwns(caller, task, `cancel ${taskId}`);
      if (task.state === 'canceled') return { canceled: [] };
      if (isEnded(task))
        throw new HubError('conflict', `${taskId} is already ${task.state}; nothing was changed.`, {
          hint: 'get_task shows how it ended.',
        });
      const canceled = await this.#ends.cancelSubtree(act, task, caller, reason ?? `canceled by ${caller.name}`);
      return { canceled: canceled.map(({ id }) => id) };
    });
  }

  /** What `update_task` says without a token. */
  async decide(act: Act, caller: Caller, taskId: string, update: TaskUpdate): Promise<TaskRow> {
    const task = await findTask(act.tx, act.projectId, taskId);
    if (task === undefined) throw noTask(taskId);
    assertVersion(task, update.expectedVersion);
    if (update.state === 'rejected') return await this.#reject(act, caller, task, update.note);
    if (task.creatorId !== caller.agentId && !oversees(caller))
      throw new HubError(
        'forbidden',
        `fencing_token: is needed to write to ${taskId}; without it only its owner or a manager decides about it.`,
        {
          hint: 'claim_task gives the token.',
        },
      );
    if (update.priority !== undefined && update.state === undefined)
      return await this.#reprioritise(act, caller, task, update.priority, update.note);
    if (update.state === 'submitted') return await this.#again(act, caller, task, update.note);
    if (update.state === 'completed' && (task.state === 'needs_attention' || task.state === 'in_review')) {
      const kept = task.resultN === null ? undefined : await findResult(act.tx, task.id, task.resultN);
      if (task.quorum > 0) await this.#assertMayPass(act, caller, task, kept);
      const change = {
        act: 'completed',
        to: 'completed',
        by: caller,
        note: update.note,
        set: { reason: null },
        facts: { accepted_by: caller.name },
      } as const;
      return await this.#ends.end(act, task.id, change, kept === undefined ? `${caller.name} accepted it as it is.` : (update.note ?? ''));
    }
    throw new HubError(
      'conflict',
      `state: its owner can try ${taskId} again (submitted) or accept what needs attention or is in review (completed); it is ${task.state}. Nothing was changed.`,
      {
        hint: 'cancel_task ends it; progress needs the fencing_token of its holder.',
      },
    );
  }

  /** Another priority, another place; what it waits for moves with it. */
  async #reprioritise(act: Act, caller: Caller, task: TaskRow, priority: Priority, note: string | undefined): Promise<TaskRow> {
    if (isEnded(task))
      throw new HubError('conflict', `${task.id} is ${task.state}; nothing was changed.`, { hint: 'Only what is open has a priority.' });
    const set = { priority, ownRank: rankOf({ ...task, priority }) };
    const next = await changeTask(act, task.id, { act: 'reprioritised', by: caller, note, set, facts: { priority, from: task.priority } });
    await takePlace(act, next);
    await releaseBlockers(act, next.id);
    return next;
  }

  /** Its owner has it tried again: what ended, what needs attention, or what somebody holds who should not. */
  async #again(act: Act, caller: Caller, task: TaskRow, note: string | undefined): Promise<TaskRow> {
    if (task.parentId !== null) {
      const parent = await findTask(act.tx, act.projectId, task.parentId);
      if (parent !== undefined && isEnded(parent))
        throw new HubError('conflict', `The parent of ${task.id} is ${parent.state}; nothing was changed.`, {
          hint: 'Create another task.',
        });
    }
    const held = isHeld(task) || task.state === 'in_review';
    const set = {
      fencingToken: task.fencingToken + 1,
      attempt: 1,
      holderId: null,
      reason: null,
      failureCause: null,
      assigneeId: null,
      verification: null,
    };
    const next = await changeTask(act, task.id, { act: 'retried', to: 'submitted', by: caller, note, set });
    if (task.askId !== null) await this.#ends.withdrawQuestion(act, task.askId, caller);
    if (held)
      await this.#notices.tell(
        act,
        next,
        [task.holderId],
        'task taken back',
        `${caller.name} took ${task.id} back; do not go on with it.`,
        caller,
      );
    if (isEnded(task) && task.parentId !== null) await this.#reopenParent(act, task.parentId);
    await takePlace(act, next);
    return next;
  }

  async #reopenParent(act: Act, parentId: string): Promise<void> {
    await countChild(act.tx, parentId, 1, act.now);
    const parent = await findTask(act.tx, act.projectId, parentId);
    // It needed attention because of its children; now one of them is on its way again.
    if (parent?.state === 'needs_attention' && parent.resultN === null)
      await changeTask(act, parentId, { act: 'retried', to: 'submitted', by: HUB_ACTOR, set: { reason: null } });
  }

  /** Who was told of a task leaves it: one handed over stays where it was, one assigned is rejected, one offered is offered on. */
  async #reject(act: Act, caller: Caller, task: TaskRow, note: string | undefined): Promise<TaskRow> {
    if (note === undefined) throw wants('note', 'say why you decline');
    if (task.handoffTo === caller.agentId) {
      await this.#notices.settle(act, task, caller.agentId, 'declined');
      const next = await changeTask(act, task.id, {
        act: 'handoff_ended',
        by: caller,
        note,
        set: { handoffTo: null, handoffUntil: null },
        facts: { ended: 'declined' },
      });
      await this.#notices.say(act, next, caller, [task.holderId ?? task.creatorId], 'hand-off declined', note);
      return next;
    }
    if (task.state === 'submitted' && task.assigneeId === caller.agentId) {
      await this.#notices.settle(act, task, caller.agentId, 'declined');
      return await this.#ends.end(act, task.id, { act: 'rejected', to: 'rejected', by: caller, note, set: { reason: note } }, note);
    }
    if (task.state === 'submitted' && task.announcedTo === caller.agentId) {
      await this.#notices.settle(act, task, caller.agentId, 'declined');
      return await changeTask(act, task.id, { act: 'offer_declined', by: caller, note });
    }
    throw new HubError('conflict', `state: ${task.id} was not put to you; nothing was changed.`, {
      hint: 'Its holder gives it back with state submitted.',
    });
  }

  /** What is reviewed is accepted without its reviewers only by who oversees the project, and never by a hand that made it. */
  async #assertMayPass(act: Act, caller: Caller, task: TaskRow, kept: { agentId: string } | undefined): Promise<void> {
    assertOversees(caller, `accept ${task.id} without its reviewers`);
    const [review] = await allReviewsOf(act.tx, task.id, 1);
    const own =
      (kept !== undefined && (await isKin(act.tx, caller, kept))) ||
      (review !== undefined && (await isSameHand(act.tx, caller, review.author)));
    if (own)
      throw new HubError('forbidden', `${task.id} is your own work; nobody accepts their own without a review. Nothing was changed.`, {
        hint: 'Its reviewers decide, or another manager or the operator.',
      });
  }

  #assertOwns(caller: Caller, task: TaskRow, what: string): void {
    if (task.creatorId === caller.agentId || oversees(caller)) return;
    throw new HubError('forbidden', `Only its owner, a manager or the operator may ${what}; nothing was changed.`, {
      hint: 'Who holds it writes to it under the fencing_token that claim_task gave.',
    });
  }
}

/** Who decided on what it saw decides on nothing else. */
export function assertVersion(task: Pick<TaskRow, 'id' | 'version'>, expected: number | undefined): void {
  if (expected === undefined || expected === task.version) return;
  throw new HubError('conflict', `expected_version: ${task.id} is at version ${task.version}, not ${expected}; nothing was changed.`, {
    hint: 'Look again with get_task, then decide.',
  });
}

export function wants(field: string, why: string): HubError {
  return new HubError('invalid_input', `${field}: is required with this state; nothing was changed.`, { hint: `In ${field}, ${why}.` });
}
