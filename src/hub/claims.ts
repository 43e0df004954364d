// Claiming: how a task comes to its one holder. By id, or the best there is for the caller: what is handed or assigned to it first, then the
// first of the queues that it can serve, in the order of the tasks' ranks. A claim raises the fencing token; whatever an earlier holder still
// sends is told from it by that (I7).

import { capabilitiesOf, findAgent } from '../store/agents.ts';
import { wakeDue } from '../store/task-graph.ts';
import { assignedTo, claimableNeeds, countBlocked, firstOf, handedTo, loadOf } from '../store/task-queue.ts';
import { findTask, type TaskRow } from '../store/tasks.ts';
import type { Caller } from './caller.ts';
import { fitOf, lacking, type RelatedCapabilities } from './capabilities.ts';
import { toIso } from './clock.ts';
import type { Act, Intent } from './command.ts';
import type { HubContext } from './context.ts';
import { counted } from './counted.ts';
import { HubError } from './errors.ts';
import type { Leases } from './leases.ts';
import { changeTask, noTask } from './task-changes.ts';
import type { TaskNotices } from './task-notices.ts';
import { Obstacles, toReason } from './task-obstacles.ts';
import { isHeld } from './task-states.ts';
import { whyFull } from './workload.ts';

/** How much later a task counts for an agent that can do it only half as well as one that fits. */
const MISFIT_MS = 8 * 3_600_000;
/** How many tasks of a queue are looked at for one that nothing keeps the caller from. */
const LOOKED_AT = 20;
/** How far the counts go that say why there is nothing to do. */
const COUNTED = 100;

export type ClaimOutcome = {
  taskId: string | null;
  /** The token that this claim gave; a claim that is answered again may have been overtaken since. */
  fencingToken: number | null;
  /** It was the caller's already. */
  again: boolean;
  reason: string | null;
  replayed?: boolean;
};

const NOTHING = { taskId: null, fencingToken: null, again: false };

export class Claims {
  readonly #context: HubContext;
  readonly #leases: Leases;
  readonly #notices: TaskNotices;

  constructor(context: HubContext, leases: Leases, notices: TaskNotices) {
    this.#context = context;
    this.#leases = leases;
    this.#notices = notices;
  }

  /**
   * Claims a task by id, or (no id) the best for the caller; null with the reason when there is none. A holder that claims what it holds is told
   * its token again. Errors: `not_found`; `conflict` with the reason when it cannot be claimed; `limit_reached` for a holder of too many.
   */
  async claim(caller: Caller, taskId: string | undefined, intent: Intent): Promise<ClaimOutcome> {
    // Who found nothing asks again with the same key and is told what there is by then.
    const keepKey = (outcome: ClaimOutcome) => outcome.taskId !== null;
    return await this.#context.commands.run(caller, { ...intent, keepKey }, async (act) => {
      await wakeDue(act.tx, act.now, this.#context.limits.dueBatch);
      if (taskId !== undefined) return await this.#claimNamed(act, caller, taskId);
      const full = await this.#full(act, caller);
      if (full !== null) return { ...NOTHING, reason: full };
      const task = await this.#best(act, caller);
      if (task === undefined) return { ...NOTHING, reason: await this.#whyNothing(act, caller) };
      return { taskId: task.id, fencingToken: await this.#take(act, caller, task), again: false, reason: null };
    });
  }

  /** How many tasks the caller works on. */
  async held(caller: Caller): Promise<number> {
    return (await this.#context.db.read((read) => loadOf(read, caller.agentId, 0))).held;
  }

  async #claimNamed(act: Act, caller: Caller, taskId: string): Promise<ClaimOutcome> {
    const task = await this.#named(act, caller, taskId);
    if (isHeld(task) && task.holderId === caller.agentId)
      return { taskId: task.id, fencingToken: task.fencingToken, again: true, reason: null };
    const full = await this.#full(act, caller);
    if (full !== null)
      throw new HubError('limit_reached', `${full}; nothing was claimed.`, {
        hint: 'Finish one, or give one back with update_task and state submitted; a budget is of 24 hours.',
      });
    return { taskId: task.id, fencingToken: await this.#take(act, caller, task), again: false, reason: null };
  }

  /** Why the caller is given nothing more; null while it has room. */
  async #full(act: Act, caller: Caller): Promise<string | null> {
    return await whyFull(act.tx, this.#context.limitsOf(caller), { id: caller.agentId, parentId: caller.parentId }, act.now);
  }

  /** Answers the token under which it is the caller's. */
  async #take(act: Act, caller: Caller, task: TaskRow): Promise<number> {
    const handedOver = isHeld(task);
    const before = task.holderId;
    await this.#notices.settle(act, task, caller.agentId);
    const taken = await changeTask(act, task.id, {
      act: handedOver ? 'handed_over' : 'claimed',
      to: 'working',
      by: caller,
      set: {
        ...this.#leases.fresh(act.now),
        holderId: caller.agentId,
        fencingToken: task.fencingToken + 1,
        handoffTo: null,
        handoffUntil: null,
        reason: null,
      },
      facts: {
        holder: caller.name,
        attempt: task.attempt,
        ...(handedOver ? { from: (await findAgent(act.tx, before ?? ''))?.name ?? 'unknown' } : {}),
      },
    });
    if (handedOver)
      await this.#notices.tell(
        act,
        taken,
        [before, task.creatorId],
        'task handed over',
        `${caller.name} has accepted ${task.id}; it is no longer yours.`,
      );
    return taken.fencingToken;
  }

  /** The one that is named, if the caller may have it. */
  async #named(act: Act, caller: Caller, taskId: string): Promise<TaskRow> {
    const found = await findTask(act.tx, act.projectId, taskId);
    if (found === undefined) throw noTask(taskId);
    const lost = found.holderId !== caller.agentId && found.handoffTo !== caller.agentId && (await this.#leases.endIfOver(act, found));
    const task = lost ? ((await findTask(act.tx, act.projectId, taskId)) ?? found) : found;
    if (isHeld(task) && (task.holderId === caller.agentId || task.handoffTo === caller.agentId)) return task;
    const reason = await this.whyNot(act, caller, task);
    if (reason === null) return task;
    throw new HubError('conflict', `${task.id} cannot be claimed by you: ${reason}. Nothing was changed.`, {
      hint: 'claim_task without task_id gives you the best there is for you.',
    });
  }

  /** Why this caller cannot claim this task now; null when it can. */
  async whyNot(act: Pick<Act, 'tx' | 'now'>, caller: Caller, task: TaskRow): Promise<string | null> {
    const name = async (id: string | null) => (id === null ? 'nobody' : ((await findAgent(act.tx, id))?.name ?? 'unknown'));
    if (isHeld(task)) return `${await name(task.holderId)} holds it until ${toIso(task.leaseUntil ?? act.now)}`;
    if (task.state !== 'submitted') return `it is ${task.state}`;
    if (task.handoffTo !== null && task.handoffTo !== caller.agentId && (task.handoffUntil ?? 0) > act.now)
      return `it is handed to ${await name(task.handoffTo)}, who has until ${toIso(task.handoffUntil ?? 0)} to accept`;
    if (task.assigneeId !== null && task.assigneeId !== caller.agentId) return `it is assigned to ${await name(task.assigneeId)}`;
    if (task.waitingOn > 0) return `it waits for ${counted(task.waitingOn, 'other task')}`;
    if (task.openChildren > 0 && task.handoffTo !== caller.agentId)
      return `it waits for its ${counted(task.openChildren, 'open child', 'open children')}`;
    if (task.notBefore !== null && task.notBefore > act.now) return `it is not to begin before ${toIso(task.notBefore)}`;
    const obstacle = await new Obstacles(act.tx, caller.projectId, caller.agentId).of(task);
    if (obstacle !== undefined) return toReason(obstacle);
    // Who was chosen by name is not asked for tags.
    if (task.assigneeId === caller.agentId || task.handoffTo === caller.agentId) return null;
    const missing = lacking(task.needs, await this.#tags(act, caller), this.#related);
    return missing.length === 0 ? null : `it needs ${missing.join(', ')}, which you have not declared (join with capabilities)`;
  }

  async #best(act: Act, caller: Caller): Promise<TaskRow | undefined> {
    const [handed] = await handedTo(act.tx, caller.agentId, act.now);
    if (handed !== undefined) return handed;
    const [assigned] = await assignedTo(act.tx, caller.agentId, 1);
    const queued = await this.#bestQueued(act, caller);
    if (assigned === undefined || queued === undefined) return assigned ?? queued;
    return assigned.rank <= queued.rank ? assigned : queued;
  }

  /** The first of the queues that the caller can serve; one that it serves less well counts as later. */
  async #bestQueued(act: Act, caller: Caller): Promise<TaskRow | undefined> {
    const tags = await this.#tags(act, caller);
    const obstacles = new Obstacles(act.tx, act.projectId, caller.agentId);
    let best: { task: TaskRow; rank: number } | undefined;
    for (const needs of await claimableNeeds(act.tx, act.projectId, this.#context.limits.taskQueues)) {
      const fit = fitOf(needs, tags, this.#related);
      if (fit === 0) continue;
      const task = await this.#firstFor(act, needs, obstacles);
      if (task === undefined) continue;
      const rank = task.rank + (1 / fit - 1) * MISFIT_MS;
      if (best === undefined || rank < best.rank || (rank === best.rank && task.seq < best.task.seq)) best = { task, rank };
    }
    return best?.task;
  }

  /** The first of a queue that nothing keeps this caller from. */
  async #firstFor(act: Act, needs: readonly string[], obstacles: Obstacles): Promise<TaskRow | undefined> {
    const [first] = await firstOf(act.tx, act.projectId, needs, 1);
    if (first === undefined || (await obstacles.of(first)) === undefined) return first;
    for (const task of await firstOf(act.tx, act.projectId, needs, LOOKED_AT)) if ((await obstacles.of(task)) === undefined) return task;
    return undefined;
  }

  async #whyNothing(act: Act, caller: Caller): Promise<string> {
    const tags = await this.#tags(act, caller);
    const wanted = new Set<string>();
    for (const needs of await claimableNeeds(act.tx, act.projectId, COUNTED))
      for (const one of lacking(needs, tags, this.#related)) wanted.add(one);
    const blocked = await countBlocked(act.tx, act.projectId, COUNTED);
    const reasons = [
      ...(wanted.size === 0 ? [] : [`what can be begun needs what you have not declared: ${[...wanted].sort().slice(0, 8).join(', ')}`]),
      ...(blocked === 0 ? [] : [`${blocked >= COUNTED ? `${COUNTED} or more` : blocked} wait for other tasks or for their time`]),
    ];
    return reasons.length === 0 ? 'no open task is yours to take' : reasons.join('; ');
  }

  /** What an agent is known to be able to do: its capabilities and, as in `any:`, its role. */
  async #tags(act: Pick<Act, 'tx'>, caller: Caller): Promise<ReadonlySet<string>> {
    return new Set([...(await capabilitiesOf(act.tx, caller.agentId)), caller.role]);
  }

  get #related(): RelatedCapabilities {
    return this.#context.policy.relatedCapabilities;
  }
}
