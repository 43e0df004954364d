// Reminders: what an agent wants to be told later (C9).
//
//   pending -> done | cancelled | parked;  parked -> pending (retry) | cancelled
//
// Due reminders are found in the database by whichever process is alive. Each fires in a transaction of its own that claims the due instant,
// writes the message and moves the reminder on, all together or not at all (I10). A failure is data: counted, kept, tried again later, parked.

import { type AgentRow, findAgent } from '../store/agents.ts';
import { findAsk } from '../store/asks.ts';
import { deliveriesOf } from '../store/deliveries.ts';
import { findMessage } from '../store/messages.ts';
import { updateBeat } from '../store/projects.ts';
import {
  cancelReminder,
  claimFiring,
  countReminders,
  dueReminders,
  findReminder,
  insertReminder,
  nextAttempt,
  projectsWithDue,
  type ReminderCounts,
  type ReminderRow,
  type ReminderState,
  recentCreations,
  recordFailure,
  recordFiring,
  remindersIn,
  remindersOf,
  rescheduleReminder,
  unparkReminder,
} from '../store/reminders.ts';
import { audienceOf, resolveAudience } from './addresses.ts';
import { assertOversees, type Caller, oversees, senderOf } from './caller.ts';
import type { Act, Intent } from './command.ts';
import type { HubContext } from './context.ts';
import { HubError, isHubError } from './errors.ts';
import type { Posting } from './posting.ts';
import { nextDue, toSchedule, type When } from './schedules.ts';

/** What may follow what. */
export const REMINDER_TRANSITIONS: Readonly<Record<ReminderState, readonly ReminderState[]>> = {
  pending: ['done', 'cancelled', 'parked'],
  parked: ['pending', 'cancelled'],
  done: [],
  cancelled: [],
};

export type ReminderRequest = When & { message: string; onlyIf?: string | undefined; to?: string | undefined };
export type ReminderView = ReminderRow & { owner: string; target: string };

const ACTOR = { agentId: 'hub' };
/** The first pause after a failure; it doubles each time. */
const BACKOFF_MS = 30_000;
/** How many fire in one transaction: it holds the write lock for about as long as a few sends do. */
const BATCH = 25;
/** How often the heartbeat of timed duties is written: thrice within the silence that is reported. */
const BEAT_MS = 5_000;
/** Later than this is late: a process wakes within a second of the instant. */
const LATE_MS = 5_000;

export class Reminders {
  readonly #context: HubContext;
  readonly #posting: Posting;
  #beatAt = 0;

  constructor(context: HubContext, posting: Posting) {
    this.#context = context;
    this.#posting = posting;
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
      const schedule = toSchedule(request, act.now, this.#context.limits);
      const target = await this.#target(act, caller, request.to);
      await this.#assertRoom(act, caller);
      if (request.onlyIf !== undefined && !(await this.#holds(act, caller.agentId, request.onlyIf, true))) {
        throw new HubError('invalid_input', 'only_if: not an open ask or unacknowledged message of yours; nothing was set.', {
          hint: 'Give the id of an ask or a message that is still open.',
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

  /**
   * Duty: fires what is due, one batch per project, and then writes the heartbeat of timed duties: a path that cannot fire cannot beat either.
   * A batch is chosen and fired in one transaction, so that several processes share the work instead of repeating it. Answers how many fired.
   */
  async fireDue(): Promise<number> {
    const now = this.#context.time.now();
    let fired = 0;
    for (const projectId of await this.#context.db.read((read) => projectsWithDue(read, now, this.#context.limits.dueBatch)))
      fired += await this.#fireBatch(projectId);
    if (now - this.#beatAt >= BEAT_MS) {
      await this.#context.db.write('', (tx) => updateBeat(tx, now), 'relaxed');
      this.#beatAt = now;
    }
    return fired;
  }

  /** The next instant at which something is due, for the scheduler. */
  nextDue(): Promise<number | null> {
    return this.#context.db.read(nextAttempt);
  }

  async #fireBatch(projectId: string): Promise<number> {
    let due: string[] = [];
    try {
      await this.#context.commands.runAs(projectId, ACTOR, async (act) => {
        due = await dueReminders(act.tx, projectId, act.now, BATCH);
        for (const id of due) await this.#fireOne(act, id);
      });
    } catch {
      // One of them cannot fire, and took the batch with it: each alone, then, so that the others do and that one is found.
      for (const id of due) await this.#fireAlone(id, projectId);
    }
    return due.length;
  }

  async #fireAlone(id: string, projectId: string): Promise<void> {
    try {
      await this.#context.commands.runAs(projectId, ACTOR, (act) => this.#fireOne(act, id));
    } catch (error) {
      const why = isHubError(error) ? `${error.code}: ${error.message}` : 'internal error; the log has it';
      await this.#context.commands.runAs(projectId, ACTOR, (act) => this.#fail(act, id, why));
      if (!isHubError(error)) throw error;
    }
  }

  async #fireOne(act: Act, id: string): Promise<void> {
    const reminder = await findReminder(act.tx, act.projectId, id);
    if (reminder === undefined || reminder.state !== 'pending' || reminder.attemptAt > act.now) return;
    const following = this.#following(reminder, act.now);
    if (!(await claimFiring(act.tx, reminder, act.now))) {
      // This instant was fired by somebody else, who was stopped before moving on: impossible within one transaction, harmless if it were.
      return await rescheduleReminder(act.tx, id, following, reminder.runs, act.now);
    }
    if (reminder.onlyIf !== null && !(await this.#holds(act, reminder.ownerId, reminder.onlyIf, false))) {
      await act.emit('reminder.skipped', id, { due_at: reminder.dueAt, because: 'what it waited for is no longer open' });
      return await rescheduleReminder(act.tx, id, null, reminder.runs, act.now);
    }
    const lateMs = act.now - reminder.dueAt;
    const messageId = await this.#deliver(act, reminder, lateMs);
    await recordFiring(act.tx, reminder, messageId);
    await act.emit('reminder.fired', id, { due_at: reminder.dueAt, late_by_ms: lateMs, message_id: messageId });
    await rescheduleReminder(act.tx, id, following, reminder.runs + 1, act.now);
  }

  /** The instant after this one: instants missed meanwhile coalesce into the one that fires now. Null when this was the last. */
  #following(reminder: ReminderRow, now: number): number | null {
    if (reminder.cron === null || reminder.timezone === null) return null;
    if (reminder.maxRuns !== null && reminder.runs + 1 >= reminder.maxRuns) return null;
    return nextDue(reminder.cron, reminder.timezone, Math.max(now, reminder.dueAt));
  }

  async #deliver(act: Act, reminder: ReminderRow, lateMs: number): Promise<string> {
    const owner = await findAgent(act.tx, reminder.ownerId);
    const target = await findAgent(act.tx, reminder.targetId);
    if (owner === undefined || target === undefined) throw new HubError('not_found', 'the agent to remind is gone', {});
    const late = lateMs > LATE_MS ? `, ${Math.round(lateMs / 1000)} s late (late_by_ms ${lateMs})` : '';
    const draft = {
      to: [],
      subject: `reminder${late}`,
      body: reminder.message,
      kind: 'note' as const,
      expectsReply: false,
      allowDuplicate: true,
      ref: reminder.id,
    };
    const audience = { ...audienceOf([target]), byMembership: false, always: false };
    return (await this.#posting.post(act, senderOf(owner, reminder.sessionId), draft, audience)).message_id;
  }

  async #fail(act: Act, id: string, why: string): Promise<void> {
    const reminder = await findReminder(act.tx, act.projectId, id);
    if (reminder === undefined || reminder.state !== 'pending') return;
    const attempts = reminder.attemptCount + 1;
    const park = attempts >= this.#context.limits.reminderAttempts;
    await recordFailure(act.tx, id, { attempts, error: why.slice(0, 300), attemptAt: act.now + BACKOFF_MS * 2 ** (attempts - 1), park });
    await act.emit(park ? 'reminder.parked' : 'reminder.failed', id, { attempts });
  }

  /** Whether an ask or message is still open. `own`: it must also concern this agent. */
  async #holds(act: Act, agentId: string, id: string, own: boolean): Promise<boolean> {
    const ask = await findAsk(act.tx, act.projectId, id);
    if (ask !== undefined) return ask.state === 'open' && (!own || ask.askerId === agentId || ask.targetId === agentId);
    const message = await findMessage(act.tx, act.projectId, id);
    if (message === undefined) return false;
    const deliveries = await deliveriesOf(act.tx, id);
    const mine = deliveries.filter((delivery) => message.senderId === agentId || delivery.recipientId === agentId);
    return (own ? mine : deliveries).some(
      (delivery) => delivery.state === 'ready' || delivery.state === 'leased' || (delivery.state === 'acked' && delivery.doneAt === null),
    );
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
    const { pendingReminders, remindersPerMinute } = this.#context.limits;
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
