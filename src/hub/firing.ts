// Firing reminders (C9). What is due is found in the database by whichever process is alive. A firing claims the due instant, writes the message
// and moves the reminder on, all together or not at all (I10). A failure is data: counted, kept, tried again later, parked.

import { type AgentRow, findAgents } from '../store/agents.ts';
import { toText } from '../store/columns.ts';
import { updateBeat } from '../store/projects.ts';
import {
  claimFirings,
  dueReminders,
  type FiringRow,
  findReminder,
  finishReminders,
  nextAttempt,
  projectsWithDue,
  type ReminderRow,
  recordFailure,
  rescheduleReminder,
  toReminder,
} from '../store/reminders.ts';
import { senderOf } from './caller.ts';
import type { Act } from './command.ts';
import type { HubContext } from './context.ts';
import { HubError, isHubError } from './errors.ts';
import { isStillOpen } from './openness.ts';
import type { PostBatch } from './post-batch.ts';
import type { Posting } from './posting.ts';
import { nextDue } from './schedules.ts';

const ACTOR = { agentId: 'hub' };
/** The first pause after a failure; it doubles each time. */
const BACKOFF_MS = 30_000;
/** For how long those that fire in one transaction may hold the write lock: about as long as a hundred take on a machine that has time for them. */
const HOLD_MS = 15;
/** Fewer than this cost more time than they leave to others. */
const FEWEST = 25;
/** How often the heartbeat of timed duties is written: thrice within the silence that is reported. */
const BEAT_MS = 5_000;
/** Later than this is late: a process wakes within a second of the instant. */
const LATE_MS = 5_000;

export class Firing {
  readonly #context: HubContext;
  readonly #posting: Posting;
  #beatAt = 0;
  /** How many are known to fit into the time for which a transaction may hold the lock. */
  #fitting = Number.POSITIVE_INFINITY;

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
    return this.#context.instants.next(nextAttempt);
  }

  async #fireBatch(projectId: string): Promise<number> {
    const { clock, commands, limits } = this.#context;
    const size = Math.min(limits.dueBatch, Math.max(FEWEST, this.#fitting));
    let due: string[] = [];
    try {
      await commands.runAs(projectId, ACTOR, async (act) => {
        const since = clock.monotonic();
        const rows = await dueReminders(act.tx, projectId, act.now, size);
        due = rows.map((row) => toText(row, 'id'));
        await this.#fire(act, rows.map(toReminder));
        const took = Math.max(1, clock.monotonic() - since);
        // What is less than a batch says how many fit only if it took too long.
        if (due.length >= size || took > HOLD_MS) this.#fitting = Math.floor((due.length * HOLD_MS) / took);
      });
    } catch (error) {
      await this.#fireApart(projectId, due, error);
    }
    return due.length;
  }

  /**
   * One of these cannot fire, and took the others with it: in halves, then, until that one is found and the others have fired. What nobody foresaw is
   * thrown after that; when the database is away, nothing else is tried.
   */
  async #fireApart(projectId: string, due: readonly string[], why: unknown): Promise<void> {
    const [first] = due;
    if (first === undefined || isAway(why)) throw why;
    if (due.length === 1) return await this.#setAside(projectId, first, why);
    const middle = Math.ceil(due.length / 2);
    const failures: unknown[] = [];
    for (const half of [due.slice(0, middle), due.slice(middle)]) {
      try {
        await this.#fireThese(projectId, half);
      } catch (error) {
        if (isAway(error)) throw error;
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  async #fireThese(projectId: string, ids: readonly string[]): Promise<void> {
    try {
      await this.#context.commands.runAs(projectId, ACTOR, async (act) => {
        const due: ReminderRow[] = [];
        for (const id of ids) {
          const reminder = await findReminder(act.tx, projectId, id);
          if (reminder !== undefined && isDue(reminder, act.now)) due.push(reminder);
        }
        await this.#fire(act, due);
      });
    } catch (error) {
      await this.#fireApart(projectId, ids, error);
    }
  }

  /** One that cannot fire: past an instant that is taken already, or its failure counted. */
  async #setAside(projectId: string, id: string, why: unknown): Promise<void> {
    const { commands } = this.#context;
    if (why instanceof FiredBefore) return await commands.runAs(projectId, ACTOR, (act) => this.#moveOn(act, id));
    const words = isHubError(why) ? `${why.code}: ${why.message}` : 'internal error; the log has it';
    await commands.runAs(projectId, ACTOR, (act) => this.#fail(act, id, words));
    if (!isHubError(why)) throw why;
  }

  /** Fires these at their due instants: claims, messages and what follows, together. Throws `FiredBefore` when one of the instants is taken. */
  async #fire(act: Act, reminders: readonly ReminderRow[]): Promise<void> {
    const batch = this.#posting.batch(act);
    const agents = await findAgents(act.tx, [...new Set(reminders.flatMap(({ ownerId, targetId }) => [ownerId, targetId]))]);
    const firings: FiringRow[] = [];
    for (const reminder of reminders)
      firings.push({
        reminderId: reminder.id,
        dueAt: reminder.dueAt,
        firedAt: act.now,
        messageId: await this.#post(act, batch, agents, reminder),
      });
    await batch.write();
    if (!(await claimFirings(act.tx, firings))) throw new FiredBefore();
    const last: string[] = [];
    for (const [n, reminder] of reminders.entries()) {
      const isFired = firings[n]?.messageId !== null;
      const following = isFired ? this.#following(reminder, act.now) : null;
      if (isFired && following === null) last.push(reminder.id);
      else await rescheduleReminder(act.tx, reminder.id, following, reminder.runs + (isFired ? 1 : 0), act.now);
    }
    await finishReminders(act.tx, last, act.now);
  }

  /** The message of a firing; null when what the reminder waited for is no longer open. */
  async #post(act: Act, batch: PostBatch, agents: ReadonlyMap<string, AgentRow>, reminder: ReminderRow): Promise<string | null> {
    if (reminder.onlyIf !== null && !(await isStillOpen(act, reminder.onlyIf))) {
      await act.emit('reminder.skipped', reminder.id, { due_at: reminder.dueAt, because: 'what it waited for is no longer open' });
      return null;
    }
    const [owner, target] = [agents.get(reminder.ownerId), agents.get(reminder.targetId)];
    if (owner === undefined || target === undefined) throw new HubError('not_found', 'the agent to remind is gone', {});
    const lateMs = act.now - reminder.dueAt;
    const late = lateMs > LATE_MS ? `, ${Math.round(lateMs / 1000)} s late (late_by_ms ${lateMs})` : '';
    const draft = { subject: `reminder${late}`, body: reminder.message, kind: 'note' as const, expectsReply: false, ref: reminder.id };
    const messageId = await batch.post(senderOf(owner, reminder.sessionId), draft, target);
    await act.emit('reminder.fired', reminder.id, { due_at: reminder.dueAt, late_by_ms: lateMs, message_id: messageId });
    return messageId;
  }

  /** The instant after this one: instants missed meanwhile coalesce into the one that fires now. Null when this was the last. */
  #following(reminder: ReminderRow, now: number): number | null {
    if (reminder.cron === null || reminder.timezone === null) return null;
    if (reminder.maxRuns !== null && reminder.runs + 1 >= reminder.maxRuns) return null;
    return nextDue(reminder.cron, reminder.timezone, Math.max(now, reminder.dueAt));
  }

  /** Past an instant that was fired already, whoever fired it. */
  async #moveOn(act: Act, id: string): Promise<void> {
    const reminder = await findReminder(act.tx, act.projectId, id);
    if (reminder === undefined || !isDue(reminder, act.now)) return;
    await rescheduleReminder(act.tx, id, this.#following(reminder, act.now), reminder.runs, act.now);
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

function isDue({ state, attemptAt }: ReminderRow, now: number): boolean {
  return state === 'pending' && attemptAt <= now;
}

function isAway(error: unknown): boolean {
  return isHubError(error) && error.code === 'unavailable';
}

/** One of the instants to fire was fired before. */
class FiredBefore extends Error {}
