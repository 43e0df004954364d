// Rows of `deliveries`: one message for one recipient, and all that is known of its way.
// Life: ready -> leased -> acked | dead | expired | recalled; a lease returns to ready by nack, dead ones by requeue.

import { flag, toFlag, toInt, toIntOrNull, toText, toTextOrNull, toWord } from './columns.ts';
import type { Read, Row, Tx } from './db.ts';

export const DELIVERY_STATES = ['ready', 'leased', 'acked', 'dead', 'expired', 'recalled'] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

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

export async function insertDelivery(tx: Tx, delivery: DeliveryRow): Promise<void> {
  await tx.run(
    `INSERT INTO deliveries (message_id, recipient_id, project_id, sender_id, seq, sender_seq, urgent, authority, state, ready_at,
       attempt_limit, expires_at, wake_door)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'ready', ?, ?, ?, ?)`,
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
  );
}

/** The next contiguous number from this sender to this recipient. */
export async function nextSenderSeq(tx: Tx, senderId: string, recipientId: string): Promise<number> {
  const row = await tx.get(
    `INSERT INTO pair_sequences (sender_id, recipient_id, last_seq) VALUES (?, ?, 1)
     ON CONFLICT (sender_id, recipient_id) DO UPDATE SET last_seq = pair_sequences.last_seq + 1 RETURNING last_seq`,
    senderId,
    recipientId,
  );
  if (row === undefined) throw new Error('the sequence of a pair was not returned');
  return toInt(row, 'last_seq');
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

export type InboxFilter = { senderId: string | null; threadId: string | null };

/**
 * What the recipient may be shown, in the order of C3 and C4: first what was shown before and not acknowledged, then what is ready;
 * urgent ones first in each, then by seq. Rows carry delivery columns and the message's as `m_...`, unparsed: a damaged one must not hide the others.
 */
export async function inboxRows(read: Read, recipientId: string, now: number, limit: number, filter: InboxFilter): Promise<Row[]> {
  const leased = await inboxRowsIn(read, 'leased', recipientId, now, limit, filter);
  if (leased.length >= limit) return leased;
  return [...leased, ...(await inboxRowsIn(read, 'ready', recipientId, now, limit - leased.length, filter))];
}

/** Two texts, one per state, so that each can use its partial index. */
const SHOWN_COLUMNS = `SELECT d.*, m.id AS m_id, m.thread_id AS m_thread_id, m.in_reply_to AS m_in_reply_to, m.kind AS m_kind,
    m.subject AS m_subject, m.body AS m_body, m.body_bytes AS m_body_bytes, m.attachments AS m_attachments, m.expects_reply AS m_expects_reply,
    m.broadcast AS m_broadcast, m.pool AS m_pool, m.hop AS m_hop, m.created_at AS m_created_at, a.name AS m_sender_name
  FROM deliveries d JOIN messages m ON m.id = d.message_id JOIN agents a ON a.id = d.sender_id`;

const inboxSql = (state: 'leased' | 'ready') => `${SHOWN_COLUMNS}
  WHERE d.recipient_id = ? AND d.state = '${state}' AND d.ready_at <= ?
    AND (CAST(? AS TEXT) IS NULL OR d.sender_id = ?) AND (CAST(? AS TEXT) IS NULL OR m.thread_id = ?)
  ORDER BY d.urgent DESC, d.seq LIMIT ?`;
const INBOX_SQL = { leased: inboxSql('leased'), ready: inboxSql('ready') };

async function inboxRowsIn(
  read: Read,
  state: 'leased' | 'ready',
  recipientId: string,
  now: number,
  limit: number,
  filter: InboxFilter,
): Promise<Row[]> {
  return await read.all(INBOX_SQL[state], recipientId, now, filter.senderId, filter.senderId, filter.threadId, filter.threadId, limit);
}

/** What is leased under a receipt, in the order it was shown. */
export async function leasedRows(read: Read, recipientId: string, receipt: string): Promise<Row[]> {
  return await read.all(
    `${SHOWN_COLUMNS} WHERE d.receipt = ? AND d.recipient_id = ? AND d.state = 'leased' ORDER BY d.shown_rank`,
    receipt,
    recipientId,
  );
}

/** Whether a waiting receive has a reason to return, and if not, when the next delayed message becomes ready. Quiet messages are no reason. */
export async function inboxPeek(
  read: Read,
  recipientId: string,
  now: number,
  filter: InboxFilter,
): Promise<{ any: boolean; nextReadyAt: number | null }> {
  const matching = `FROM deliveries d JOIN messages m ON m.id = d.message_id
    WHERE d.recipient_id = ? AND (CAST(? AS TEXT) IS NULL OR d.sender_id = ?) AND (CAST(? AS TEXT) IS NULL OR m.thread_id = ?) AND m.quiet = 0`;
  const args = [recipientId, filter.senderId, filter.senderId, filter.threadId, filter.threadId] as const;
  for (const state of ['leased', 'ready'] as const) {
    const row = await read.get(`SELECT 1 AS one ${matching} AND d.state = '${state}' AND d.ready_at <= ? LIMIT 1`, ...args, now);
    if (row !== undefined) return { any: true, nextReadyAt: null };
  }
  const next = await read.get(`SELECT MIN(d.ready_at) AS next ${matching} AND d.state = 'ready' AND d.ready_at > ?`, ...args, now);
  return { any: false, nextReadyAt: next === undefined ? null : toIntOrNull(next, 'next') };
}

export type InboxCounts = { unread: number; urgent: number; leased: number; unreplied: number };

export async function inboxCounts(read: Read, recipientId: string): Promise<InboxCounts> {
  const row = await read.get(
    `SELECT
       (SELECT COUNT(*) FROM deliveries WHERE recipient_id = ? AND state = 'ready') AS unread,
       (SELECT COUNT(*) FROM deliveries WHERE recipient_id = ? AND state = 'ready' AND urgent = 1) AS urgent,
       (SELECT COUNT(*) FROM deliveries WHERE recipient_id = ? AND state = 'leased') AS leased,
       (SELECT COUNT(*) FROM deliveries WHERE recipient_id = ? AND state = 'acked' AND done_at IS NULL) AS unreplied`,
    recipientId,
    recipientId,
    recipientId,
    recipientId,
  );
  if (row === undefined) throw new Error('counting returned no row');
  return {
    unread: toInt(row, 'unread'),
    urgent: toInt(row, 'urgent'),
    leased: toInt(row, 'leased'),
    unreplied: toInt(row, 'unreplied'),
  };
}

/** How many messages wait for the recipient, shown or not. */
export async function inboxDepth(read: Read, recipientId: string): Promise<number> {
  const row = await read.get(
    `SELECT (SELECT COUNT(*) FROM deliveries WHERE recipient_id = ? AND state = 'ready')
          + (SELECT COUNT(*) FROM deliveries WHERE recipient_id = ? AND state = 'leased') AS depth`,
    recipientId,
    recipientId,
  );
  return row === undefined ? 0 : toInt(row, 'depth');
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

/** Back to ready: by nack (after a delay), by requeue of a dead letter, or when a pool message is offered again. */
export async function makeReady(
  tx: Tx,
  delivery: DeliveryRow,
  readyAt: number,
  attemptLimit: number,
  reason: string | null,
): Promise<void> {
  await tx.run(
    `UPDATE deliveries SET state = 'ready', ready_at = ?, attempt_limit = ?, reason = ?, closed_at = NULL, skip_told_at = NULL, nudged_at = NULL
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

export type SkippedRow = {
  messageId: string;
  seq: number;
  senderSeq: number;
  senderName: string;
  state: DeliveryState;
  reason: string;
};

/** Closed deliveries that their recipient was never told of: they explain the gaps in sender_seq. */
export async function untoldSkips(read: Read, recipientId: string, limit: number): Promise<SkippedRow[]> {
  const rows = await read.all(
    `SELECT d.message_id, d.seq, d.sender_seq, d.state, COALESCE(d.reason, '') AS reason, a.name AS sender_name
     FROM deliveries d JOIN agents a ON a.id = d.sender_id
     WHERE d.recipient_id = ? AND d.closed_at IS NOT NULL AND d.skip_told_at IS NULL ORDER BY d.seq LIMIT ?`,
    recipientId,
    limit,
  );
  return rows.map((row) => ({
    messageId: toText(row, 'message_id'),
    seq: toInt(row, 'seq'),
    senderSeq: toInt(row, 'sender_seq'),
    senderName: toText(row, 'sender_name'),
    state: toWord(row, 'state', DELIVERY_STATES),
    reason: toText(row, 'reason'),
  }));
}

export async function markSkipTold(tx: Tx, messageId: string, recipientId: string, now: number): Promise<void> {
  await tx.run('UPDATE deliveries SET skip_told_at = ? WHERE message_id = ? AND recipient_id = ?', now, messageId, recipientId);
}

/** Counts a session's death against what it had just been shown. */
export async function countCrash(tx: Tx, recipientId: string, sessionId: string): Promise<void> {
  await tx.run(
    `UPDATE deliveries SET crashes = crashes + 1 WHERE recipient_id = ? AND session_id = ? AND state = 'leased'`,
    recipientId,
    sessionId,
  );
}

export type DueKind = 'expiring' | 'poisoned' | 'forgotten' | 'stalled';

const DUE_SQL: Record<DueKind, string> = {
  expiring: `SELECT * FROM deliveries WHERE state IN ('ready', 'leased') AND expires_at IS NOT NULL AND expires_at <= ? ORDER BY expires_at LIMIT ?`,
  poisoned: `SELECT * FROM deliveries WHERE state = 'leased' AND attempt >= attempt_limit AND first_shown_at <= ? ORDER BY shown_at LIMIT ?`,
  forgotten: `SELECT * FROM deliveries WHERE state = 'leased' AND nudged_at IS NULL AND shown_at <= ? ORDER BY shown_at LIMIT ?`,
  stalled: `SELECT * FROM deliveries WHERE state = 'leased' AND stalled_at IS NULL AND first_shown_at <= ? ORDER BY shown_at LIMIT ?`,
};

/** Deliveries whose time has come, oldest first, over all projects. Each duty re-checks inside its own transaction. */
export async function dueDeliveries(read: Read, kind: DueKind, before: number, limit: number): Promise<DeliveryRow[]> {
  return (await read.all(DUE_SQL[kind], before, limit)).map(toDelivery);
}

export async function markNudged(tx: Tx, delivery: DeliveryRow, now: number): Promise<void> {
  await tx.run(
    'UPDATE deliveries SET nudged_at = ? WHERE message_id = ? AND recipient_id = ?',
    now,
    delivery.messageId,
    delivery.recipientId,
  );
}

export async function markStalled(tx: Tx, delivery: DeliveryRow, now: number): Promise<void> {
  await tx.run(
    'UPDATE deliveries SET stalled_at = ? WHERE message_id = ? AND recipient_id = ?',
    now,
    delivery.messageId,
    delivery.recipientId,
  );
}

/** Pool messages leased by agents without a live session, whose first offer was shown before `before`. */
export async function orphanedPool(read: Read, before: number, limit: number): Promise<DeliveryRow[]> {
  const rows = await read.all(
    `SELECT d.* FROM deliveries d JOIN messages m ON m.id = d.message_id
     WHERE d.state = 'leased' AND d.shown_at <= ? AND m.pool = 1
       AND NOT EXISTS (SELECT 1 FROM sessions s WHERE s.agent_id = d.recipient_id AND s.ended_at IS NULL)
     ORDER BY d.shown_at LIMIT ?`,
    before,
    limit,
  );
  return rows.map(toDelivery);
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
