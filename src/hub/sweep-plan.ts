// What a sweep takes of what: every kind with the instants before which it is over, from the limits in force, or from what the operator asked for.

import type { Limits } from './limits.ts';

/** An hour: what is swept because there is too much of it has at least been over for so long. */
const SETTLED_MS = 3_600_000;

export type SweepWish = {
  /** Takes what has been over for so long, instead of each kind's own time. What waits for a person and the audit keep theirs. */
  olderThanMs?: number | undefined;
  /** Of the audit (events, approvals), too. */
  audit?: boolean | undefined;
};

/** Before which instant things count as over, and how many of them are kept. */
export type SweepPlan = {
  messages: { before: number; deadBefore: number; kept: number; settledBefore: number };
  tasks: { before: number; kept: number; settledBefore: number };
  sessions: { before: number; kept: number; settledBefore: number };
  events: { before: number; kept: number };
  calls: { before: number; kept: number };
  reminders: number;
  approvals: number;
  reservations: number;
  bindings: number;
  turns: number;
  toolUses: number;
  keys: number;
  wakeAttempts: number;
  enrolments: number;
  tokens: number;
  signIns: number;
  days: number;
};

export function sweepPlan(limits: Limits, now: number, { olderThanMs, audit = false }: SweepWish = {}): SweepPlan {
  const over = (own: number) => now - (olderThanMs ?? own);
  const atLeast = (own: number) => now - Math.max(olderThanMs ?? own, own);
  const audited = (own: number) => (audit ? over(own) : atLeast(own));
  const settledBefore = now - SETTLED_MS;
  return {
    messages: { before: over(limits.messageKeptMs), deadBefore: atLeast(limits.deadKeptMs), kept: limits.messagesKept, settledBefore },
    tasks: { before: over(limits.taskKeptMs), kept: limits.tasksKept, settledBefore },
    sessions: { before: over(limits.sessionKeptMs), kept: limits.sessionsKept, settledBefore },
    events: { before: audited(limits.eventKeptMs), kept: limits.eventsKept },
    calls: { before: over(limits.callKeptMs), kept: limits.callsKept },
    reminders: over(limits.reminderKeptMs),
    approvals: audited(limits.approvalKeptMs),
    reservations: over(limits.reservationKeptMs),
    bindings: atLeast(limits.bindingKeptMs),
    turns: over(limits.turnKeptMs),
    toolUses: over(limits.toolUseKeptMs),
    // C2: a retry within its time must find its result.
    keys: atLeast(limits.keyRetentionMs),
    wakeAttempts: over(limits.wakeAttemptsKeptMs),
    enrolments: atLeast(limits.enrolmentKeptMs),
    tokens: over(limits.tokenKeptMs),
    signIns: over(limits.signInKeptMs),
    days: atLeast(limits.dayKeptMs),
  };
}
