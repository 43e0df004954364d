// What is told of waking: the attempts that concern a message, each with what came of it, and in a clause what waking has to do with a message
// that nobody has read (C10).

import type { Read } from '../store/db.ts';
import type { DeliveryRow } from '../store/deliveries.ts';
import type { MessageHead } from '../store/messages.ts';
import { type AttemptRow, attemptsWithin } from '../store/wake-attempts.ts';
import { toIso } from './clock.ts';
import type { Considered } from './waking.ts';

export type WakeAttempt = { door: string; at: string; outcome: string };

/** A waiting call that worked shows the message within this time. */
const SHOWN_AT_ONCE_MS = 10_000;
const SHOWN_ATTEMPTS = 10;

/** The wake-ups that concern this delivery: made, or still outstanding, between its coming and its being shown. */
export async function wakeHistory(
  read: Read,
  message: MessageHead,
  delivery: DeliveryRow,
  sleeperId: string,
  now: number,
): Promise<WakeAttempt[]> {
  if (delivery.wakeDoor !== null) return [atOnce(message, delivery, delivery.wakeDoor)];
  if (!message.wakes) return [];
  const until = delivery.firstShownAt ?? delivery.ackedAt ?? delivery.closedAt ?? now;
  const attempts = await attemptsWithin(read, sleeperId, message.createdAt, until, SHOWN_ATTEMPTS);
  return attempts.map((attempt) => ({ door: attempt.door, at: toIso(attempt.startedAt), outcome: outcomeOf(attempt) }));
}

function atOnce(message: MessageHead, delivery: DeliveryRow, door: string): WakeAttempt {
  const shownAfter = delivery.firstShownAt === null ? null : delivery.firstShownAt - message.createdAt;
  const outcome = shownAfter !== null && shownAfter <= SHOWN_AT_ONCE_MS ? `shown ${shownAfter} ms later` : 'no effect seen';
  return { door, at: toIso(message.createdAt), outcome };
}

export function outcomeOf(attempt: AttemptRow): string {
  switch (attempt.state) {
    case 'claimed':
      return 'being sent';
    case 'sent':
      return 'sent, not read yet';
    case 'read':
      return `read ${(attempt.endedAt ?? attempt.startedAt) - attempt.startedAt} ms later`;
    case 'failed':
      return `failed: ${attempt.detail}`;
    case 'no_effect':
      return `no effect: ${attempt.detail}`;
  }
}

/** A clause on waking, for the sentence that says why a message is unread. */
export function wakeClause({ decision, attempts, reader, now }: Considered, message: Pick<MessageHead, 'wakes' | 'quiet'>): string {
  if (!message.wakes) return message.quiet ? 'bare thanks wake nobody' : 'it expects no reply, so it wakes nobody';
  const last = attempts.at(-1);
  const lastTold = last === undefined ? '' : `woken by ${last.door} ${ago(now - last.startedAt)} (${outcomeOf(last)})`;
  switch (decision.why) {
    case 'waits':
      return 'it waits in recv_batch';
    case 'in_turn':
      return 'it is in a turn, in which its hooks tell it of mail';
    case 'outstanding':
      return lastTold;
    case 'no_door':
      return lastTold === '' ? 'no wake door' : `${lastTold}; no wake door is open now`;
    case 'gave_up':
      return `${lastTold}, the last of ${attempts.length} wake-ups; it is not woken again until something new comes`;
    case 'later':
      if (lastTold !== '') return `${lastTold}; it is woken again ${decision.again === null ? 'later' : toIso(decision.again)}`;
      return reader.turnEndedAt === null
        ? 'it is woken when it has been quiet for some seconds'
        : `its hooks told it before its turn ended; it is woken ${decision.again === null ? 'later' : toIso(decision.again)}`;
    case 'now':
      return `it is being woken by ${decision.doors[0]?.kind ?? 'nothing'}`;
    case 'no_mail':
      return 'it is not woken for this';
  }
}

export function ago(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} s ago`;
  return seconds < 7_200 ? `${Math.round(seconds / 60)} min ago` : `${Math.round(seconds / 3_600)} h ago`;
}
