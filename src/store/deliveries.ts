// Rows of `deliveries`: one message for one recipient, and all that is known of its way.
// Life: ready -> leased -> acked | dead | expired | recalled; a lease returns to ready by nack, dead ones by requeue.

import { flag, toFlag, toInt, toIntOrNull, toText, toTextOrNull, toWord } from './columns.ts';
import type { Arg, Read, Row, Tx } from './db.ts';
import { insertingMany, readForAll, textsFor } from './many-rows.ts';

export const DELIVERY_STATES = ['ready', 'leased', 'acked', 'dead', 'expired', 'recalled'] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

/** What may follow what. Leased to leased is a redelivery; dead goes back by requeue, recalled when a pool message is offered again. */
export const DELIVERY_TRANSITIONS: Readonly<Record<DeliveryState, readonly DeliveryState[]>> = {
  ready: ['leased', 'acked', 'dead', 'expired', 'recalled'],
  leased: ['leased', 'acked', 'ready', 'dead', 'expired', 'recalled'],
  acked: [],
  dead: ['ready'],
  expired: [],
  recalled: ['ready'],
};

export const AUTHORITIES = ['human', 'peer', 'parent', 'child', 'hub', 'external'] as const;
export type Authority = (typeof AUTHORITIES)[number];

export type DeliveryRow = {
  messageId: string;
  recipientId: string;
  projectId: string;
  senderId: string;
  seq: number;
  senderSeq: number;
  urgent: boolean;
  authority: Authority;
  state: DeliveryState;
  readyAt: number;
  attempt: number;
  attemptLimit: number;
  crashes: number;
  receipt: string | null;
  sessionId: string | null;
  firstShownAt: number | null;
  firstSessionId: string | null;
  firstDoor: string | null;
  shownAt: number | null;
  ackedAt: number | null;
  ackedBy: string | null;
  doneAt: number | null;
  closedAt: number | null;
  reason: string | null;
  expiresAt: number | null;
  wakeDoor: string | null;
  nudgedAt: number | null;
  stalledAt: number | null;
};

export const toDelivery = (row: Row): DeliveryRow => ({
  messageId: toText(row, 'message_id'),
  recipientId: toText(row, 'recipient_id'),
  projectId: toText(row, 'project_id'),
  senderId: toText(row, 'sender_id'),
  seq: toInt(row, 'seq'),
  senderSeq: toInt(row, 'sender_seq'),
  urgent: toFlag(row, 'urgent'),
  authority: toWord(row, 'authority', AUTHORITIES),
  state: toWord(row, 'state', DELIVERY_STATES),
  readyAt: toInt(row, 'ready_at'),
  attempt: toInt(row, 'attempt'),
  attemptLimit: toInt(row, 'attempt_limit'),
  crashes: toInt(row, 'crashes'),
  receipt: toTextOrNull(row, 'receipt'),
  sessionId: toTextOrNull(row, 'session_id'),
  firstShownAt: toIntOrNull(row, 'first_shown_at'),
  firstSessionId: toTextOrNull(row, 'first_session_id'),
  firstDoor: toTextOrNull(row, 'first_door'),
  shownAt: toIntOrNull(row, 'shown_at'),
  ackedAt: toIntOrNull(row, 'acked_at'),
  ackedBy: toTextOrNull(row, 'acked_by'),
  doneAt: toIntOrNull(row, 'done_at'),
  closedAt: toIntOrNull(row, 'closed_at'),
  reason: toTextOrNull(row, 'reason'),
  expiresAt: toIntOrNull(row, 'expires_at'),
  wakeDoor: toTextOrNull(row, 'wake_door'),
  nudgedAt: toIntOrNull(row, 'nudged_at'),
  stalledAt: toIntOrNull(row, 'stalled_at'),
});

/** What is known of a delivery when it begins: it is ready, and was never shown. */
export type NewDelivery = Pick<
  DeliveryRow,
  | 'messageId'
  | 'recipientId'
  | 'projectId'
  | 'senderId'
  | 'seq'
  | 'senderSeq'
  | 'urgent'
  | 'authority'
  | 'readyAt'
  | 'attemptLimit'
  | 'expiresAt'
  | 'wakeDoor'
>;

const toArgs = (delivery: NewDelivery): Arg[] => [
  delivery.messageId,
  delivery.recipientId,
  delivery.projectId,
  delivery.senderId,
  delivery.seq,
  delivery.senderSeq,
  flag(delivery.urgent),
  delivery.authority,
  delivery.readyAt,
  delivery.attemptLimit,
  delivery.expiresAt,
  delivery.wakeDoor,
];

const insertAll = insertingMany(
  `INSERT INTO deliveries (message_id, recipient_id, project_id, sender_id, seq, sender_seq, urgent, authority, state, ready_at,
     attempt_limit, expires_at, wake_door)`,
  `(?, ?, ?, ?, ?, ?, ?, ?, 'ready', ?, ?, ?, ?)`,
  toArgs,
);

export async function insertDeliveries(tx: Tx, deliveries: readonly NewDelivery[]): Promise<void> {
  await insertAll(tx, deliveries);
}

/** A sender, a recipient, and how many messages from one to the other. */
export type Pair = { senderId: string; recipientId: string; count: number };

const TAKES = textsFor(
  (count) =>
    `INSERT INTO pair_sequences (sender_id, recipient_id, last_seq) VALUES ${Array(count).fill('(?, ?, ?)').join(', ')}
     ON CONFLICT (sender_id, recipient_id) DO UPDATE SET last_seq = pair_sequences.last_seq + excluded.last_seq RETURNING sender_id, recipient_id, last_seq`,
);

/** Takes the next contiguous numbers of each of these pairs, no two of which are the same, and answers the first of each, in their order. */
export async function takeSenderSeqs(tx: Tx, pairs: readonly Pair[]): Promise<number[]> {
  const rows = await readForAll(tx, TAKES, pairs, ({ senderId, recipientId, count }) => [senderId, recipientId, count]);
  const last = new Map(rows.map((row) => [`${toText(row, 'sender_id')} ${toText(row, 'recipient_id')}`, toInt(row, 'last_seq')]));
  return pairs.map(({ senderId, recipientId, count }) => {
    const seq = last.get(`${senderId} ${recipientId}`);
    if (seq === undefined) throw new Error('the sequence of a pair was not returned');
    return seq - count + 1;
  });
}

export async function deliveriesOf(read: Read, messageId: string): Promise<DeliveryRow[]> {
  return (await read.all('SELECT * FROM deliveries WHERE message_id = ? ORDER BY recipient_id', messageId)).map(toDelivery);
}

export async function findDelivery(read: Read, messageId: string, recipientId: string): Promise<DeliveryRow | undefined> {
  const row = await read.get('SELECT * FROM deliveries WHERE message_id = ? AND recipient_id = ?', messageId, recipientId);
  return row && toDelivery(row);
}

export async function deliveriesByReceipt(read: Read, recipientId: string, receipt: string): Promise<DeliveryRow[]> {
  const rows = await read.all(
    'SELECT * FROM deliveries WHERE receipt = ? AND recipient_id = ? ORDER BY urgent DESC, seq',
    receipt,
    recipientId,
  );
  return rows.map(toDelivery);
}

/** Leases a delivery under a receipt, as the `rank`-th of its batch. */
export async function lease(
  tx: Tx,
  delivery: DeliveryRow,
  receipt: string,
  rank: number,
  sessionId: string,
  door: string,
  now: number,
): Promise<void> {
  await tx.run(
    `UPDATE deliveries SET state = 'leased', attempt = attempt + 1, receipt = ?, shown_rank = ?, session_id = ?, shown_at = ?,
       first_shown_at = COALESCE(first_shown_at, ?), first_session_id = COALESCE(first_session_id, ?), first_door = COALESCE(first_door, ?)
     WHERE message_id = ? AND recipient_id = ?`,
    receipt,
    rank,
    sessionId,
    now,
    now,
    sessionId,
    door,
    delivery.messageId,
    delivery.recipientId,
  );
}

/**
 * Acknowledges what is still open. Answers whether this call did it. A reply settles the message; any other acknowledgement settles it
 * only when the sender expects no reply.
 */
export async function acknowledge(tx: Tx, delivery: DeliveryRow, by: 'receipt' | 'id' | 'reply', now: number): Promise<boolean> {
  const changes = await tx.run(
    `UPDATE deliveries SET state = 'acked', acked_at = ?, acked_by = ?, done_at = CASE
         WHEN done_at IS NOT NULL THEN done_at
         WHEN CAST(? AS TEXT) = 'reply' OR (SELECT m.expects_reply FROM messages m WHERE m.id = deliveries.message_id) = 0 THEN CAST(? AS BIGINT) END
     WHERE message_id = ? AND recipient_id = ? AND state IN ('ready', 'leased')`,
    now,
    by,
    by,
    now,
    delivery.messageId,
    delivery.recipientId,
  );
  return changes === 1;
}

export async function markDone(tx: Tx, messageId: string, recipientId: string, now: number): Promise<void> {
  await tx.run(
    'UPDATE deliveries SET done_at = ? WHERE message_id = ? AND recipient_id = ? AND done_at IS NULL',
    now,
    messageId,
    recipientId,
  );
}

/**
 * Back to ready: by nack (after a delay), by requeue of a dead letter, or when a pool message is offered again. It leaves its receipt behind:
 * echoing the receipt of a batch afterwards must not acknowledge what was returned from it.
 */
export async function makeReady(
  tx: Tx,
  delivery: DeliveryRow,
  readyAt: number,
  attemptLimit: number,
  reason: string | null,
): Promise<void> {
  await tx.run(
    `UPDATE deliveries SET state = 'ready', ready_at = ?, attempt_limit = ?, reason = ?, receipt = NULL, closed_at = NULL,
       skip_told_at = NULL, nudged_at = NULL
     WHERE message_id = ? AND recipient_id = ?`,
    readyAt,
    attemptLimit,
    reason,
    delivery.messageId,
    delivery.recipientId,
  );
}

export async function close(
  tx: Tx,
  messageId: string,
  recipientId: string,
  state: 'dead' | 'expired' | 'recalled',
  reason: string,
  now: number,
): Promise<void> {
  await tx.run(
    `UPDATE deliveries SET state = ?, closed_at = ?, reason = ? WHERE message_id = ? AND recipient_id = ? AND state IN ('ready', 'leased')`,
    state,
    now,
    reason,
    messageId,
    recipientId,
  );
}

/** Counts a session's death against what it had just been shown. */
export async function countCrash(tx: Tx, recipientId: string, sessionId: string): Promise<void> {
  await tx.run(
    `UPDATE deliveries SET crashes = crashes + 1 WHERE recipient_id = ? AND session_id = ? AND state = 'leased'`,
    recipientId,
    sessionId,
  );
}

export async function deadDeliveries(read: Read, projectId: string, limit: number): Promise<DeliveryRow[]> {
  const rows = await read.all(
    `SELECT * FROM deliveries WHERE project_id = ? AND state = 'dead' ORDER BY closed_at DESC LIMIT ?`,
    projectId,
    limit,
  );
  return rows.map(toDelivery);
}

/** Deliveries of a project by state: the conservation check of I5. */
export async function countByState(read: Read, projectId: string): Promise<Record<DeliveryState, number>> {
  const counts: Record<DeliveryState, number> = { ready: 0, leased: 0, acked: 0, dead: 0, expired: 0, recalled: 0 };
  const rows = await read.all('SELECT state, COUNT(*) AS n FROM deliveries WHERE project_id = ? GROUP BY state', projectId);
  for (const row of rows) counts[toWord(row, 'state', DELIVERY_STATES)] = toInt(row, 'n');
  return counts;
}

/** How many deliveries a project has of messages up to a seq, in whatever state. */
export async function countUpTo(read: Read, projectId: string, seq: number): Promise<number> {
  const row = await read.get('SELECT COUNT(*) AS n FROM deliveries WHERE project_id = ? AND seq <= ?', projectId, seq);
  return row === undefined ? 0 : toInt(row, 'n');
}
