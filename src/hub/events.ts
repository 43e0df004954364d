// The event log: appended in the same transaction as the change it tells of (invariant 2), numbered without gaps per project, and
// chained by SHA-256, so that an edit, a deletion or a reordering anywhere in the past is found by walking it.

import { hash } from 'node:crypto';
import type { EventRow } from '../store/events.ts';
import { TASK_ACTS } from './task-states.ts';

export const EVENT_TYPES = [
  'project.created',
  'agent.registered',
  'agent.changed',
  'agent.revoked',
  'agent.readmitted',
  'session.started',
  'session.ended',
  'session.revived',
  'session.continued',
  'turn.started',
  'turn.ended',
  'subagent.stopped',
  'stop.refused',
  'message.sent',
  'message.shown',
  'message.acked',
  'message.returned',
  'message.dead',
  'message.expired',
  'message.recalled',
  'message.requeued',
  'message.nudged',
  'message.stalled',
  'ask.opened',
  'ask.answered',
  'ask.declined',
  'ask.cancelled',
  'ask.expired',
  'ask.late_answer',
  'reminder.created',
  'reminder.fired',
  'reminder.skipped',
  'reminder.failed',
  'reminder.parked',
  'reminder.retried',
  'reminder.cancelled',
  'document.written',
  'document.removed',
  'checkpoint.saved',
  'checkpoint.requested',
  'approval.requested',
  'approval.approved',
  'approval.denied',
  'approval.expired',
  'approval.consumed',
  ...TASK_ACTS.map((act) => `task.${act}` as const),
  'task.late_result',
  'review.requested',
  'review.submitted',
  'review.moot',
  'review.overdue',
  'task.imported',
  'task.backlog',
  'reservation.taken',
  'reservation.changed',
  'reservation.overlapped',
  'reservation.released',
  'reservation.expired',
  'task.webhook_refused',
  'template.written',
  'template.removed',
  'profile.imported',
  'thread.paused',
  'thread.resumed',
  'door.registered',
  'door.removed',
  'wake.started',
  'wake.sent',
  'wake.failed',
  'wake.read',
  'wake.no_effect',
  'agent.unresponsive',
  'agent.enrolled',
  'enrolment.created',
  'token.created',
  'token.revoked',
  'auth.refused',
  'sign_in.offered',
  'sign_in.redeemed',
  'sign_in.ended',
  'retention.swept',
  'retention.forgotten',
  'policy.changed',
] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/** What the first event of a project is chained to. */
export const GENESIS = '0'.repeat(64);

export type EventDraft = Omit<EventRow, 'hash'>;

/** SHA-256 over the previous hash and every field, each as JSON, so that no two rows share an encoding. */
export function eventHash(previous: string, event: EventDraft): string {
  const fields = [previous, event.projectId, event.seq, event.at, event.type, event.actorId, event.sessionId, event.subject, event.data];
  return hash('sha256', JSON.stringify(fields));
}

/** SHA-256 of the words of a message, as they stand in its event. */
export function messageDigest(message: { subject: string; body: string; attachments: readonly string[] }): string {
  return hash('sha256', JSON.stringify([message.subject, message.body, message.attachments]));
}
