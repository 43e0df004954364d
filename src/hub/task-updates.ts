// What a holder says of the task that it works on, under its fencing token: progress, a question to the owner, failure, or that it gives it back.
// Progress is numbered per task: what was accepted once is refused as a repetition, and a gap is said (M-25).

import { findAgent } from '../store/agents.ts';
import { type AskRow, findAsk } from '../store/asks.ts';
import { findTaskByAsk, type TaskRow, type TaskState } from '../store/tasks.ts';
import type { Asks } from './asks.ts';
import type { Caller } from './caller.ts';
import type { Act, Intent } from './command.ts';
import type { HubContext } from './context.ts';
import { wellFormed } from './drafts.ts';
import { HubError } from './errors.ts';
import { holding } from './holding.ts';
import type { Leases } from './leases.ts';
import { changeTask, HUB_ACTOR } from './task-changes.ts';
import { assertVersion, type TaskDecisions, type TaskUpdate, type UPDATE_STATES, wants } from './task-decisions.ts';
import type { TaskEnds } from './task-ends.ts';
import type { TaskNotices } from './task-notices.ts';

export type Updated = {
  state: TaskState;
  version: number;
  progressSeq: number;
  /** Numbers of progress that never arrived. */
  gap: { from: number; to: number } | null;
  askId: string | null;
  replayed?: boolean;
};

export class TaskUpdates {
  readonly #context: HubContext;
  readonly #ends: TaskEnds;
  readonly #leases: Leases;
  readonly #asks: Asks;
  readonly #notices: TaskNotices;
  readonly #decisions: TaskDecisions;

  constructor(context: HubContext, parts: { ends: TaskEnds; leases: Leases; asks: Asks; notices: TaskNotices; decisions: TaskDecisions }) {
    this.#context = context;
    this.#ends = parts.ends;
    this.#leases = parts.leases;
    this.#asks = parts.asks;
    this.#notices = parts.notices;
    this.#decisions = parts.decisions;
  }

  /**
   * With a token: the holder's progress, question, failure or giving back. Without: what its owner, a manager or the operator decides (try again,
   * accept as it is), or the refusal of who was told of it. Errors: `stale_lease`, `conflict` (state, repeated seq), `forbidden`, `invalid_input`.
   */
  async update(caller: Caller, taskId: string, update: TaskUpdate, intent: Intent): Promise<Updated> {
    if (!(await this.#context.commands.isRetry(caller, intent))) this.#context.rates.take(caller);
    if (update.priority !== undefined && [update.fencingToken, update.state, update.progress, update.seq].some((one) => one !== undefined))
      throw new HubError('invalid_input', 'priority: comes alone, as a decision of the owner; nothing was changed.', {
        hint: 'Call update_task with task_id, priority and perhaps note and expected_version; report in another call.',
      });
    const given = { ...update, note: update.note === undefined ? undefined : wellFormed(update.note) };
    return await this.#context.commands.run(caller, intent, async (act) => {
      const { task, gap } =
        given.fencingToken === undefined
          ? { task: await this.#decisions.decide(act, caller, taskId, given), gap: null }
          : await this.#report(act, caller, await holding(act, caller, taskId, given.fencingToken), given);
      return { state: task.state, version: task.version, progressSeq: task.progressSeq, gap, askId: task.askId };
    });
  }

  /** The question of a holder has ended, however: the work goes on. */
  async resume(act: Act, ask: AskRow): Promise<void> {
    const task = await findTaskByAsk(act.tx, ask.id);
    if (task === undefined || task.state !== 'input_required') return;
    const ended = (await findAsk(act.tx, act.projectId, ask.id))?.state ?? ask.state;
    await this.#work(act, task, { ...HUB_ACTOR }, { ask_id: ask.id, ended });
  }

  /** Back to work, with a whole lease. */
  async #work(act: Act, task: TaskRow, by: typeof HUB_ACTOR, facts: Record<string, unknown>): Promise<TaskRow> {
    const { leaseUntil, leaseRenewedAt } = this.#leases.fresh(act.now);
    const set = { leaseUntil: Math.min(leaseUntil, task.leaseLimitAt ?? leaseUntil), leaseRenewedAt };
    return await changeTask(act, task.id, { act: 'resumed', to: 'working', by, set, facts });
  }

  async #report(act: Act, caller: Caller, task: TaskRow, update: TaskUpdate): Promise<{ task: TaskRow; gap: Updated['gap'] }> {
    assertVersion(task, update.expectedVersion);
    if (task.announcedTo === caller.agentId) await this.#notices.settle(act, task, caller.agentId);
    const { progressSeq, gap } = numberOf(task, update);
    const set = { progressSeq, ...(update.progress === undefined ? {} : { progress: update.progress }) };
    const told = update.progress !== undefined || update.seq !== undefined || update.state === undefined || update.state === task.state;
    const noted = update.state === undefined || update.state === task.state ? update.note : undefined;
    let next = task;
    if (told) {
      const facts = {
        seq: progressSeq,
        ...(update.progress === undefined ? {} : { progress: update.progress }),
        ...(gap === null ? {} : { gap }),
      };
      next = await changeTask(act, task.id, { act: 'progressed', by: caller, set, note: noted, facts });
    }
    if (update.state !== undefined && update.state !== task.state) next = await this.#turn(act, caller, next, update, update.state);
    return { task: next, gap };
  }

  /** The holder turns its task into another state. */
  async #turn(act: Act, caller: Caller, task: TaskRow, update: TaskUpdate, state: (typeof UPDATE_STATES)[number]): Promise<TaskRow> {
    if (state === 'input_required') return await this.#askOwner(act, caller, task, update.note);
    if (state === 'failed') {
      if (update.note === undefined) throw wants('note', 'say why it failed');
      return await this.#ends.fail(act, task, caller, update.note, update.cause ?? 'agent');
    }
    if (state === 'submitted') {
      const set = { fencingToken: task.fencingToken + 1, holderId: null, assigneeId: null };
      const next = await changeTask(act, task.id, { act: 'released', to: 'submitted', by: caller, set, note: update.note });
      if (task.askId !== null) await this.#ends.withdrawQuestion(act, task.askId, caller);
      await this.#notices.say(act, next, caller, [task.creatorId], 'task given back', update.note ?? `${task.id} is given back.`);
      return next;
    }
    if (state === 'working' && task.state === 'input_required') {
      const next = await this.#work(act, task, { agentId: caller.agentId, name: caller.name, sessionId: caller.sessionId }, {});
      if (task.askId !== null) await this.#ends.withdrawQuestion(act, task.askId, caller);
      return next;
    }
    const hint =
      state === 'completed'
        ? 'complete_task hands in the result.'
        : 'Its holder may say working, input_required, failed, or submitted to give it back.';
    throw new HubError('conflict', `state: ${task.id} is ${task.state}; its holder cannot make it ${state}. Nothing was changed.`, {
      hint,
    });
  }

  /** A question to the owner, as an ask: its end, whatever it is, sets the task to work again. */
  async #askOwner(act: Act, caller: Caller, task: TaskRow, question: string | undefined): Promise<TaskRow> {
    if (question === undefined) throw wants('note', 'put the question there');
    const owner = await findAgent(act.tx, task.creatorId);
    if (owner === undefined || owner.id === caller.agentId)
      throw new HubError('conflict', 'state: input_required asks the owner, and that is you; nothing was changed.', {
        hint: 'ask somebody with ask.',
      });
    const { taskLeaseMs, askDeadlineMs } = this.#context.limitsOf(caller);
    const { askId, deadlineAt } = await this.#asks.open(act, caller, owner, { question, context: `For task ${task.id}.` }, askDeadlineMs);
    const leaseUntil = Math.min(deadlineAt + taskLeaseMs, task.leaseLimitAt ?? deadlineAt);
    const set = { askId, leaseUntil, leaseRenewedAt: act.now };
    return await changeTask(act, task.id, { act: 'asked', to: 'input_required', by: caller, set, facts: { ask_id: askId } });
  }
}

/** The number of this word of progress: the next one, unless it was given; one that was accepted before is refused. */
function numberOf(task: TaskRow, update: TaskUpdate): { progressSeq: number; gap: Updated['gap'] } {
  const last = task.progressSeq;
  const seq = update.seq ?? last + 1;
  if (seq <= last)
    throw new HubError('conflict', `seq: ${seq} was accepted before; the last one of ${task.id} is ${last}. Nothing was changed.`, {
      hint: `Go on with ${last + 1}, or leave seq out.`,
    });
  return { progressSeq: seq, gap: seq > last + 1 ? { from: last + 1, to: seq - 1 } : null };
}
