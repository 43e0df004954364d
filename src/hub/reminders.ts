// Reminders: what an agent wants to be told later (C9).
//
//   pending -> done | cancelled | parked;  parked -> pending (retry) | cancelled
//
// How they fire is firing.ts.

import { type AgentRow, findAgent } from '../store/agents.ts';
import {
  cancelReminder,
  countReminders,
  findReminder,
  insertReminder,
  type ReminderCounts,
  type ReminderRow,
  type ReminderState,
  recentCreations,
  remindersIn,
  remindersOf,
  unparkReminder,
} from '../store/reminders.ts';
import { resolveAudience } from './addresses.ts';
import { assertOversees, type Caller, oversees } from './caller.ts';
import type { Act, Intent } from './command.ts';
import type { HubContext } from './context.ts';
import { HubError } from './errors.ts';
import { isStillOpen } from './openness.ts';
import { toSchedule, type When } from './schedules.ts';

/** What may follow what. */
export const REMINDER_TRANSITIONS: Readonly<Record<ReminderState, readonly ReminderState[]>> = {
  pending: ['done', 'cancelled', 'parked'],
  parked: ['pending', 'cancelled'],
  done: [],
  cancelled: [],
};

export type ReminderRequest = When & { message: string; onlyIf?: string | undefined; to?: string | undefined };
export type ReminderView = ReminderRow & { owner: string; target: string };

export class Reminders {
  readonly #context: HubContext;

  constructor(context: HubContext) {
    this.#context = context;
  }

  /** Sets a reminder, for oneself or (managers, operator) for another. Errors: `invalid_input`, `limit_reached`, `rate_limited`, `forbidden`. */
  async remind(
    caller: Caller,
    request: ReminderRequest,
    intent: Intent,
  ): Promise<{ reminderId: string; dueAt: number; replayed?: boolean }> {
    if (Buffer.byteLength(request.message) > this.#context.limits.inlineBodyBytes) {
      throw new HubError(
        'too_large',
        `message has ${Buffer.byteLength(request.message)} bytes; the limit is ${this.#context.limits.inlineBodyBytes}. Nothing was set.`,
        { hint: 'Refer to a file or thread.' },
      );
    }
    return await this.#context.commands.run(caller, intent, async (act) => {
      const schedule = toSchedule(request, act.now, this.#context.limitsOf(caller));
      const target = await this.#target(act, caller, request.to);
      await this.#assertRoom(act, caller);
      if (request.onlyIf !== undefined && !(await isStillOpen(act, request.onlyIf, caller.agentId))) {
        throw new HubError('invalid_input', 'only_if: not an open ask, task or unacknowledged message of yours; nothing was set.', {
          hint: 'Give the id of an ask, a task or a message that is still open.',
        });
      }
      const reminder: ReminderRow = {
        id: this.#context.ids.next('rem'),
        projectId: act.projectId,
        ownerId: caller.agentId,
        targetId: target.id,
        sessionId: caller.sessionId,
        message: request.message,
        onlyIf: request.onlyIf ?? null,
        ...schedule,
        runs: 0,
        state: 'pending',
        attemptAt: schedule.dueAt,
        attemptCount: 0,
        lastError: null,
        createdAt: act.now,
        closedAt: null,
      };
      await insertReminder(act.tx, reminder);
      await act.emit('reminder.created', reminder.id, { owner: caller.name, to: target.name, due_at: reminder.dueAt, cron: reminder.cron });
      return { reminderId: reminder.id, dueAt: reminder.dueAt };
    });
  }

  /** Its owner cancels; managers and the operator may, too. Again is harmless. It never fires after this, even if it was just due. */
  async cancel(caller: Caller, id: string, intent: Intent): Promise<{ state: ReminderState; replayed?: boolean }> {
    return await this.#context.commands.run(caller, intent, async (act) => {
      const reminder = await this.#own(act, caller, id);
      if (await cancelReminder(act.tx, id, act.now)) {
        await act.emit('reminder.cancelled', id, { by: caller.name });
        return { state: 'cancelled' as const };
      }
      if (reminder.state === 'done')
        throw new HubError('conflict', 'This reminder has fired for the last time; nothing was changed.', {
          hint: 'list_my_reminders shows what is pending.',
        });
      return { state: reminder.state };
    });
  }

  /** Tries a parked or failing reminder again at once, with its attempts counted from zero. A second retry changes nothing. */
  async retry(caller: Caller, id: string, intent: Intent): Promise<{ state: ReminderState; retried: boolean; replayed?: boolean }> {
    return await this.#context.commands.run(caller, intent, async (act) => {
      const reminder = await this.#own(act, caller, id);
      const retried = await unparkReminder(act.tx, id, act.now);
      if (retried) await act.emit('reminder.retried', id, { by: caller.name });
      return { state: retried ? ('pending' as const) : reminder.state, retried };
    });
  }

  async list(caller: Caller, query: { state: ReminderState | null; everybody?: boolean; limit: number }): Promise<ReminderView[]> {
    if (query.everybody === true) assertOversees(caller, 'list the reminders of others');
    return await this.#context.commands.look(caller, async (read) => {
      const rows =
        query.everybody === true
          ? await remindersIn(read, caller.projectId, query.state, query.limit)
          : await remindersOf(read, caller.agentId, query.state, query.limit);
      const name = async (id: string) => (await findAgent(read, id))?.name ?? 'unknown';
      return await Promise.all(rows.map(async (row) => ({ ...row, owner: await name(row.ownerId), target: await name(row.targetId) })));
    });
  }

  counts(caller: Caller): Promise<ReminderCounts> {
    return this.#context.db.read((read) => countReminders(read, caller.agentId));
  }

  async #target(act: Act, caller: Caller, to: string | undefined): Promise<AgentRow> {
    if (to === undefined || to === caller.name) {
      const self = await findAgent(act.tx, caller.agentId);
      if (self === undefined) throw new HubError('not_found', 'This session’s agent is gone.', { hint: 'Start a new session.' });
      return self;
    }
    assertOversees(caller, 'set reminders for others');
    const { recipients, byMembership } = await resolveAudience(act.tx, caller, to, act.now, this.#context.limits);
    const [target] = recipients;
    if (target === undefined || byMembership || recipients.length > 1)
      throw new HubError('invalid_input', 'to: a reminder is for one agent; nothing was set.', { hint: 'Set one for each.' });
    return target;
  }

  async #assertRoom(act: Act, caller: Caller): Promise<void> {
    const { pendingReminders, remindersPerMinute } = this.#context.limitsOf(caller);
    const { pending, parked } = await countReminders(act.tx, caller.agentId);
    if (pending + parked >= pendingReminders) {
      throw new HubError(
        'limit_reached',
        `You have ${pending} pending and ${parked} parked reminders, the limit is ${pendingReminders}; nothing was set.`,
        { hint: 'Cancel some with cancel_reminder.' },
      );
    }
    const recent = await recentCreations(act.tx, caller.agentId, act.now - 60_000);
    if (recent.count >= remindersPerMinute) {
      throw new HubError(
        'rate_limited',
        `You set ${recent.count} reminders within a minute, the limit is ${remindersPerMinute}; nothing was set.`,
        {
          hint: 'A recurring reminder (cron) replaces many single ones.',
          retryAfterMs: Math.max(1, (recent.earliest ?? act.now) + 60_000 - act.now),
        },
      );
    }
  }

  async #own(act: Act, caller: Caller, id: string): Promise<ReminderRow> {
    const reminder = await findReminder(act.tx, act.projectId, id);
    if (reminder !== undefined && (reminder.ownerId === caller.agentId || oversees(caller))) return reminder;
    throw new HubError('not_found', `No reminder ${id.slice(0, 40)} of yours; nothing was changed.`, {
      hint: 'list_my_reminders shows them.',
    });
  }
}
