// The policy of waking, as a function of what is known: whether an agent is owed a wake-up, by which of its doors, and if not now, when to look
// again. It touches nothing, so that it can be tested as a property.
// Invariants: no wake-up without unread mail that is worth one; one at a time, which covers whatever comes meanwhile; never into a turn or a
// waiting call; a bounded number for the same mail, each later than the one before it, then none until something new comes.

import type { WakingMail } from '../store/unread.ts';
import type { AttemptRow } from '../store/wake-attempts.ts';
import { type DoorRow, WAKE_DOORS } from '../store/wake-doors.ts';
import type { Limits } from './limits.ts';

/** What is known of the agent whose client would be woken. */
export type Reader = {
  /** Waits in recv_batch: it is being shown its mail. */
  waits: boolean;
  /** In a turn, as its hooks tell; undefined where no hooks tell. */
  inTurn: boolean | undefined;
  /** When its last turn ended, as its hooks tell. */
  turnEndedAt: number | null;
  /** Up to which message its hooks told it of mail. */
  toldSeq: number;
  /** When its client was last heard of. */
  heardAt: number | null;
  /** When its session began; null without one. */
  attachedAt: number | null;
};

export type Situation = {
  now: number;
  mail: WakingMail | undefined;
  reader: Reader;
  /** Doors that are open. */
  doors: readonly DoorRow[];
  /** Attempts that ended since the oldest of this mail came, or have not ended; the oldest first. */
  attempts: readonly AttemptRow[];
};

/** How an attempt that has not ended must be taken to have ended. */
export type Ending = { attempt: AttemptRow; state: 'failed' | 'no_effect'; stirred: boolean; detail: string };

export type Decision = {
  /** The doors that may be used now, the best first; empty: none. */
  doors: readonly DoorRow[];
  why: 'no_mail' | 'waits' | 'in_turn' | 'outstanding' | 'no_door' | 'gave_up' | 'later' | 'now';
  /** When to look again, if nothing changes before; null: only a change can change this. */
  again: number | null;
  /** The outstanding attempt is over. */
  ending: Ending | undefined;
};

export type WakeLimits = Pick<Limits, 'wakeAttempts' | 'wakeEffectMs' | 'wakeSendMs' | 'wakeBackoffMs' | 'wakeQuietMs'>;

/** How long a better door has to take a wake-up before the next may: its process may be stopped, or gone without a word. */
const GRACE_MS = 3_000;
const LONGEST_BACKOFF_MS = 10 * 60_000;

export function decide(situation: Situation, limits: WakeLimits): Decision {
  const { now, mail, reader, attempts } = situation;
  const rest = (why: Decision['why'], again: number | null = null, ending?: Ending): Decision => ({ doors: [], why, again, ending });
  if (reader.waits) return rest('waits');
  if (reader.inTurn === true) return rest('in_turn');
  const outstanding = attempts.find(({ endedAt }) => endedAt === null);
  const deadline = outstanding === undefined ? null : deadlineOf(outstanding, reader, limits);
  if (deadline !== null && now < deadline) return rest(mail === undefined ? 'no_mail' : 'outstanding', deadline);
  const ending = outstanding === undefined ? undefined : endingOf(outstanding, reader);
  if (mail === undefined) return rest('no_mail', null, ending);
  const tried = attempts.map((attempt) => (attempt === outstanding && ending !== undefined ? ended(attempt, ending, now) : attempt));
  if (tried.filter((attempt) => covers(attempt, mail)).length >= limits.wakeAttempts) return rest('gave_up', null, ending);
  const ordered = inOrder(situation.doors, tried);
  const [best] = ordered;
  if (best === undefined) return rest('no_door', null, ending);
  const from = notBefore(mail, reader, tried, best, limits);
  if (now < from) return rest('later', from, ending);
  const starts = startsOf(ordered, from);
  return {
    doors: ordered.filter((_door, index) => (starts[index] ?? 0) <= now),
    why: 'now',
    again: starts.find((start) => start > now) ?? null,
    ending,
  };
}

/** Whether everything that waits now was there, or came, before this attempt was claimed. */
export function covers(attempt: Pick<AttemptRow, 'newestSeq' | 'newestReadyAt'>, mail: WakingMail): boolean {
  return attempt.newestSeq >= mail.newestSeq && attempt.newestReadyAt >= mail.newestReadyAt;
}

/** Until when an attempt may still have its effect. A turn that ended without reading has had its chance. */
function deadlineOf(attempt: AttemptRow, reader: Reader, limits: WakeLimits): number {
  if (attempt.sentAt === null) return attempt.startedAt + limits.wakeSendMs;
  if (reader.turnEndedAt !== null && reader.turnEndedAt > attempt.startedAt) return reader.turnEndedAt;
  return Math.max(attempt.sentAt, hasStirred(attempt, reader) ? (reader.heardAt ?? 0) : 0) + limits.wakeEffectMs;
}

function endingOf(attempt: AttemptRow, reader: Reader): Ending {
  const stirred = hasStirred(attempt, reader);
  if (attempt.sentAt === null) return { attempt, state: 'failed', stirred, detail: 'the process that was to wake it said nothing more' };
  return { attempt, state: 'no_effect', stirred, detail: stirred ? 'it did something else and did not read' : 'nothing happened' };
}

function hasStirred(attempt: AttemptRow, { heardAt, turnEndedAt }: Reader): boolean {
  return Math.max(heardAt ?? 0, turnEndedAt ?? 0) > attempt.startedAt;
}

function ended(attempt: AttemptRow, { state, stirred }: Ending, now: number): AttemptRow {
  return { ...attempt, state, stirred, endedAt: now };
}

/** Nothing came of it, and nothing says that its client even noticed. */
function isSilent({ state, stirred }: AttemptRow): boolean {
  return (state === 'failed' || state === 'no_effect') && !stirred;
}

/**
 * The door that last stirred the client first; then those not yet tried in vain for this mail, proven ones before the ladder's order; those
 * that failed before last.
 */
export function inOrder(doors: readonly DoorRow[], tried: readonly AttemptRow[] = []): DoorRow[] {
  const last = tried.at(-1);
  const rank = (door: DoorRow): number[] => [
    last?.stirred === true && last.doorId === door.id ? 0 : 1,
    tried.filter((attempt) => attempt.doorId === door.id && isSilent(attempt)).length,
    door.failures,
    door.provenAt === null ? 1 : 0,
    WAKE_DOORS.indexOf(door.kind),
    door.registered ? 1 : 0,
  ];
  return doors
    .map((door) => ({ door, rank: rank(door) }))
    .sort((a, b) => a.rank.reduce((order, value, index) => order || value - (b.rank[index] ?? 0), 0))
    .map(({ door }) => door);
}

/** The first instant at which a wake-up is due. */
function notBefore(mail: WakingMail, reader: Reader, tried: readonly AttemptRow[], best: DoorRow, limits: WakeLimits): number {
  const last = tried.at(-1);
  const urgentNews = mail.urgent > 0 && tried.every((attempt) => attempt.newestSeq < mail.newestUrgentSeq);
  const starts = [mail.oldestReadyAt];
  // Who has just come is about to be given its first prompt, if it has not had one.
  if (reader.attachedAt !== null && reader.turnEndedAt === null && !urgentNews) starts.push(reader.attachedAt + limits.wakeQuietMs);
  // Its hooks told it of all this before its turn ended, so it has chosen not to read now.
  const told = reader.turnEndedAt !== null && reader.turnEndedAt >= mail.newestReadyAt && reader.toldSeq >= mail.newestSeq;
  if (told) starts.push((reader.turnEndedAt ?? 0) + limits.wakeBackoffMs);
  // Without hooks nobody says that a turn is over; what is urgent does not wait for that.
  if (reader.inTurn === undefined && reader.heardAt !== null && !urgentNews) starts.push(reader.heardAt + limits.wakeQuietMs);
  if (last?.endedAt != null && !urgentNews) starts.push(last.endedAt + backoff(tried, last, best, limits));
  return Math.max(...starts);
}

/** A door that nobody noticed gives way at once to one that was not tried; otherwise each pause is twice the one before it. */
function backoff(tried: readonly AttemptRow[], last: AttemptRow, best: DoorRow, limits: WakeLimits): number {
  if (isSilent(last) && tried.every((attempt) => attempt.doorId !== best.id)) return 0;
  return Math.min(LONGEST_BACKOFF_MS, limits.wakeBackoffMs * 2 ** (tried.length - 1));
}

/** From when each door may be used: the best at once, each next one when those before it have had their time since they were opened. */
function startsOf(ordered: readonly DoorRow[], from: number): number[] {
  let base = from;
  return ordered.map((door, index) => {
    const start = index === 0 ? from : base + index * GRACE_MS;
    base = Math.max(base, door.openedAt);
    return start;
  });
}
