// Handing a task to another: its holder keeps it until the other has accepted it (claim_task), and goes on with it when that is declined or not
// answered in time. A task that nobody holds is assigned instead, by its owner.

import { findAgent } from '../store/agents.ts';
import { nextHandoffEnd, overdueHandoffs } from '../store/task-duties.ts';
import { findTask, type TaskRow } from '../store/tasks.ts';
import { resolveAudience } from './addresses.ts';
import { type Caller, oversees } from './caller.ts';
import { toIso } from './clock.ts';
import type { Act, Intent } from './command.ts';
import type { HubContext } from './context.ts';
import { HubError } from './errors.ts';
import { isNeededToReview } from './hands.ts';
import { holding } from './holding.ts';
import { changeTask, HUB_ACTOR, noTask } from './task-changes.ts';
import type { TaskNotices } from './task-notices.ts';
import { isHeld, neededToReview } from './task-states.ts';
import { howToTake } from './tasks.ts';

export type Handoff = { to: string; fencingToken?: number | undefined; note?: string | undefined };

export class Handoffs {
  readonly #context: HubContext;
  readonly #notices: TaskNotices;

  constructor(context: HubContext, notices: TaskNotices) {
    this.#context = context;
    this.#notices = notices;
  }

  /** Offers a held task to one agent, or assigns one that nobody holds. Errors: `stale_lease`, `forbidden`, `not_found`, `conflict`. */
  async offer(
    caller: Caller,
    taskId: string,
    handoff: Handoff,
    intent: Intent,
  ): Promise<{ until: number | null; state: TaskRow['state']; replayed?: boolean }> {
    return await this.#context.commands.run(caller, intent, async (act) => {
      const audience = await resolveAudience(act.tx, caller, handoff.to, act.now, this.#context.limits);
      const [to] = audience.recipients;
      if (to === undefined || audience.recipients.length > 1 || audience.byMembership)
        throw new HubError('invalid_input', 'to: a task is handed to one agent; nothing was changed.', {
          hint: 'Name an agent from list_agents.',
        });
      const wanted = await findTask(act.tx, act.projectId, taskId);
      if (wanted !== undefined && (await isNeededToReview(act.tx, wanted, to.id))) throw neededToReview('to', to.name);
      if (handoff.fencingToken === undefined) return await this.#assign(act, caller, taskId, to, handoff.note);
      const held = await holding(act, caller, taskId, handoff.fencingToken);
      if (!isHeld(held))
        throw new HubError('conflict', `${taskId} is ${held.state}; only what is worked on can be handed on. Nothing was changed.`, {
          hint: 'When changes are requested it is yours again.',
        });
      if (to.id === caller.agentId)
        throw new HubError('invalid_input', 'to: you hold it; nothing was changed.', { hint: 'Name another agent.' });
      const handoffUntil = act.now + this.#context.limits.handoffMs;
      const set = { handoffTo: to.id, handoffUntil };
      const offered = await changeTask(act, taskId, {
        act: 'handoff_offered',
        by: caller,
        set,
        note: handoff.note,
        facts: { to: to.name, until: handoffUntil },
      });
      const from = await findAgent(act.tx, caller.agentId);
      const words =
        `${handoff.note ?? ''}\n\nHanded to you until ${toIso(handoffUntil)}; get_task has its history. ${howToTake(taskId)}`.trim();
      if (from !== undefined) await this.#notices.announce(act, offered, to, from, 'handed', words);
      return { until: handoffUntil, state: offered.state };
    });
  }

  async #assign(act: Act, caller: Caller, taskId: string, to: { id: string; name: string }, note: string | undefined) {
    const task = await findTask(act.tx, act.projectId, taskId);
    if (task === undefined) throw noTask(taskId);
    if (task.creatorId !== caller.agentId && !oversees(caller))
      throw new HubError('forbidden', `fencing_token: is needed to hand ${taskId} on; without it only its owner or a manager assigns it.`, {
        hint: 'claim_task gives the token.',
      });
    if (task.state !== 'submitted')
      throw new HubError('conflict', `${taskId} is ${task.state}; only what nobody holds can be assigned. Nothing was changed.`, {
        hint: 'update_task with state submitted takes it back first.',
      });
    const assigned = await changeTask(act, taskId, {
      act: 'assigned',
      by: caller,
      set: { assigneeId: to.id, handoffTo: null, handoffUntil: null },
      note,
      facts: { to: to.name },
    });
    const [agent, from] = [await findAgent(act.tx, to.id), await findAgent(act.tx, caller.agentId)];
    if (agent !== undefined && from !== undefined)
      await this.#notices.announce(
        act,
        assigned,
        agent,
        from,
        'assigned',
        `${note === undefined ? '' : `${note}\n\n`}${howToTake(taskId)}`,
      );
    return { until: null, state: assigned.state };
  }

  /** Duty: what was not accepted in time stays with its holder, or is free for all again. Answers how many. */
  async endOverdue(): Promise<number> {
    const { db, time, limits, commands } = this.#context;
    const overdue = await db.read((read) => overdueHandoffs(read, time.now(), limits.dueBatch));
    let ended = 0;
    for (const candidate of overdue) {
      ended += await commands.runAs(candidate.projectId, { agentId: HUB_ACTOR.agentId }, async (act) => {
        const task = await findTask(act.tx, act.projectId, candidate.id);
        if (task === undefined || task.handoffUntil === null || task.handoffUntil > act.now) return 0;
        const to = (await findAgent(act.tx, task.handoffTo ?? ''))?.name ?? 'unknown';
        await this.#notices.withdraw(act, task, 'it was not accepted in time');
        const kept = await changeTask(act, task.id, {
          act: 'handoff_ended',
          by: HUB_ACTOR,
          set: { handoffTo: null, handoffUntil: null },
          facts: { ended: 'timed out', to },
        });
        await this.#notices.tell(
          act,
          kept,
          [task.holderId ?? task.creatorId],
          'hand-off not accepted',
          `${to} did not accept ${task.id} in time; it is ${task.holderId === null ? 'free again' : 'still yours'}.`,
        );
        return 1;
      });
    }
    return ended;
  }

  /** When the next one ends unanswered, for the scheduler. */
  nextDue(): Promise<number | null> {
    return this.#context.instants.next(nextHandoffEnd);
  }
}
