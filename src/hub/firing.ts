// Firing reminders (C9). What is due is found in the database by whichever process is alive. A firing claims the due instant, writes the message
// and moves the reminder on, all together or not at all (I10). A failure is data: counted, kept, tried again later, parked.

import { findAgent } from '../store/agents.ts';
import { updateBeat } from '../store/projects.ts';
import {
  claimFiring,
  dueReminders,
  findReminder,
  nextAttempt,
  projectsWithDue,
  type ReminderRow,
  recordFailure,
  recordFiring,
  rescheduleReminder,
} from '../store/reminders.ts';
import { audienceOf } from './addresses.ts';
import { senderOf } from './caller.ts';
import type { Act } from './command.ts';
import type { HubContext } from './context.ts';
import { HubError, isHubError } from './errors.ts';
import { isStillOpen } from './openness.ts';
import type { Posting } from './posting.ts';
import { nextDue } from './schedules.ts';

const ACTOR = { agentId: 'hub' };
/** The first pause after a failure; it doubles each time. */
const BACKOFF_MS = 30_000;
/** How many fire in one transaction: it holds the write lock for about as long as a few sends do. */
const BATCH = 25;
/** How often the heartbeat of timed duties is written: thrice within the silence that is reported. */
const BEAT_MS = 5_000;
/** Later than this is late: a process wakes within a second of the instant. */
const LATE_MS = 5_000;

export class Firing {
  readonly #context: HubContext;
  readonly #posting: Posting;
  #beatAt = 0;

  constructor(context: HubContext, posting: Posting) {
    this.#context = context;
    this.#posting = posting;
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
    // Who follows the time of others says nothing of its own about it: their heartbeat is what it follows.
    if (now - this.#beatAt >= BEAT_MS && !this.#context.time.follows) {
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
    if (reminder.onlyIf !== null && !(await isStillOpen(act, reminder.onlyIf))) {
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
}
