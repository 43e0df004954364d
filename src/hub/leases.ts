// Leases on tasks (C6). A lease is renewed by every call of its holder, up to its limit; the end of the holder's session shortens it, its end
// gives the task back under a higher fencing token. Whether a lease is over is judged by the time of the hub, and never by time that only a
// clock that jumped has seen pass (C13): such leases are extended.

import { findAgent } from '../store/agents.ts';
import type { Tx } from '../store/db.ts';
import { latestSession } from '../store/sessions.ts';
import { endedLeases, extendLeases, hasLeaseToRenew, nextLeaseEnd, renewLeases } from '../store/task-leases.ts';
import { findTask, type TaskRow } from '../store/tasks.ts';
import type { Act } from './command.ts';
import type { HubContext } from './context.ts';
import { isLive } from './presence.ts';
import { changeTask, HUB_ACTOR } from './task-changes.ts';
import type { TaskEnds } from './task-ends.ts';
import type { TaskNotices } from './task-notices.ts';
import { isHeld } from './task-states.ts';

/** A call that came in time is written down within this: only then is silence silence. */
const GRACE_MS = 2_000;

export class Leases {
  readonly #context: HubContext;
  readonly #ends: TaskEnds;
  readonly #notices: TaskNotices;
  #heard = new Map<string, number>();
  #extendedFor = 0;

  constructor(context: HubContext, ends: TaskEnds, notices: TaskNotices) {
    this.#context = context;
    this.#ends = ends;
    this.#notices = notices;
  }

  /** A lease that begins now. Its limit is not moved by renewals. */
  fresh(now: number) {
    const { taskLeaseMs, taskLeaseLimitMs } = this.#context.limits;
    const leaseLimitAt = now + taskLeaseLimitMs;
    return { claimedAt: now, leaseUntil: Math.min(now + taskLeaseMs, leaseLimitAt), leaseLimitAt, leaseRenewedAt: now };
  }

  /** An agent called: what it holds stays its own. Written down with the next flush. */
  heardOf(agentId: string): void {
    this.#heard.set(agentId, this.#context.time.now());
  }

  /** Duty: writes down who was heard of, where that moves a lease. A renewal carries no promise. */
  async flush(): Promise<void> {
    const heard = this.#heard;
    if (heard.size === 0) return;
    this.#heard = new Map();
    const { db, limits } = this.#context;
    try {
      const holders = await db.read(async (read) => {
        const found: [string, number][] = [];
        for (const [agentId, at] of heard) if (await hasLeaseToRenew(read, agentId, at + limits.taskLeaseMs)) found.push([agentId, at]);
        return found;
      });
      if (holders.length === 0) return;
      const renew = async (tx: Tx) => {
        for (const [agentId, at] of holders) await renewLeases(tx, agentId, at, limits.taskLeaseMs);
      };
      await db.write('', renew, 'relaxed');
    } catch (error) {
      for (const [agentId, at] of heard) this.#heard.set(agentId, Math.max(at, this.#heard.get(agentId) ?? 0));
      throw error;
    }
  }

  /** Duty: leases that are over end; after a jump of the clock they are extended first. Answers how many ended. */
  async expireDue(): Promise<number> {
    await this.flush();
    await this.#extendAfterJump();
    const { db, time, limits, commands } = this.#context;
    if (!time.trustsSilence()) return 0;
    const over = await db.read((read) => endedLeases(read, time.now() - GRACE_MS, limits.dueBatch));
    let ended = 0;
    for (const candidate of over) {
      ended += await commands.runAs(candidate.projectId, { agentId: HUB_ACTOR.agentId }, async (act) => {
        const task = await findTask(act.tx, act.projectId, candidate.id);
        return task !== undefined && (await this.endIfOver(act, task)) ? 1 : 0;
      });
    }
    return ended;
  }

  /** When the next lease may be over, for the scheduler. */
  async nextDue(): Promise<number | null> {
    if (!this.#context.time.trustsSilence()) return null;
    const next = await this.#context.instants.next(nextLeaseEnd);
    return next === null ? null : next + GRACE_MS;
  }

  /** Takes a task from a holder whose lease is over. Answers whether it was. */
  async endIfOver(act: Act, task: TaskRow): Promise<boolean> {
    if (!isHeld(task) || !this.#isOver(task, act.now)) return false;
    await this.lose(act, task, 'its lease ended');
    return true;
  }

  /** The holder has lost the task: the token rises, so that nothing it still sends counts, and the task is ready for its next attempt. */
  async lose(act: Act, task: TaskRow, why: string): Promise<void> {
    const { taskAttempts } = this.#context.limits;
    const set = { fencingToken: task.fencingToken + 1, attempt: task.attempt + 1, holderId: null };
    const facts = { holder: await this.#nameOf(act, task.holderId), why, attempt: task.attempt };
    const lost = `${task.id} is no longer yours: ${why}. Do not go on with it; what you hand in now is kept as late and not applied. claim_task takes it again if it is free.`;
    if (task.attempt >= taskAttempts) {
      const reason = `${task.attempt} attempts ended without a result; the last holder was ${facts.holder}`;
      const next = await this.#ends.needAttention(act, task, HUB_ACTOR, reason, {
        act: 'lease_lost',
        by: HUB_ACTOR,
        set: { ...set, attempt: task.attempt },
        facts,
      });
      await this.#notices.tell(act, next, [task.holderId], 'lease ended', lost);
      return;
    }
    const kept = task.assigneeId !== null && (await this.#isHere(act, task.assigneeId));
    const next = await changeTask(act, task.id, {
      act: 'lease_lost',
      to: 'submitted',
      by: HUB_ACTOR,
      set: { ...set, ...(kept ? {} : { assigneeId: null }) },
      facts,
    });
    if (task.askId !== null) await this.#ends.withdrawQuestion(act, task.askId, HUB_ACTOR);
    await this.#notices.tell(act, next, [task.holderId], 'lease ended', lost);
    await this.#notices.tell(
      act,
      next,
      [task.creatorId],
      'task given back',
      `${facts.holder} lost ${task.id} (${why}); it waits for attempt ${next.attempt} of ${taskAttempts}.`,
    );
  }

  #isOver(task: TaskRow, now: number): boolean {
    if (task.leaseUntil === null || now < task.leaseUntil + GRACE_MS) return false;
    const { jumped } = this.#context.time;
    const renewed = task.leaseRenewedAt ?? 0;
    return (
      this.#context.time.trustsSilence() && !(jumped !== undefined && jumped.at > this.#extendedFor && renewed <= jumped.at - jumped.byMs)
    );
  }

  /** The time that a jump skipped did not pass for anybody. Who extends a lease marks it as renewed, so it is extended once. */
  async #extendAfterJump(): Promise<void> {
    const { time, db, limits } = this.#context;
    const now = time.now();
    const { jumped } = time;
    if (jumped === undefined || jumped.at <= this.#extendedFor) return;
    for (;;) {
      const extended = await db.write('', (tx) => extendLeases(tx, jumped.at - jumped.byMs, jumped.byMs, now, limits.dueBatch), 'relaxed');
      if (extended < limits.dueBatch) break;
    }
    this.#extendedFor = jumped.at;
  }

  async #isHere(act: Act, agentId: string): Promise<boolean> {
    return isLive(this.#context, await latestSession(act.tx, agentId));
  }

  async #nameOf(act: Act, agentId: string | null): Promise<string> {
    return agentId === null ? 'nobody' : ((await findAgent(act.tx, agentId))?.name ?? 'unknown');
  }
}
