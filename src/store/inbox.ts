// What an agent's inbox holds, in the order it is shown: the reading side of deliveries.

import { toInt, toIntOrNull, toText, toWord } from './columns.ts';
import type { Read, Row, Tx } from './db.ts';
import { DELIVERY_STATES, type DeliveryState } from './deliveries.ts';

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
    m.broadcast AS m_broadcast, m.pool AS m_pool, m.hop AS m_hop, m.ref AS m_ref, m.created_at AS m_created_at, a.name AS m_sender_name
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

/** Whether a waiting receive has a reason to return, and if not, when the next delayed message becomes ready. Quiet messages are no reason to wake up. */
export async function inboxPeek(
  read: Read,
  recipientId: string,
  now: number,
  filter: InboxFilter,
  quietToo: boolean,
): Promise<{ any: boolean; nextReadyAt: number | null }> {
  const { senderId, threadId } = filter;
  const ofMessages = threadId !== null || !quietToo;
  const where = [
    'd.recipient_id = ?',
    ...(senderId === null ? [] : ['d.sender_id = ?']),
    ...(threadId === null ? [] : ['m.thread_id = ?']),
    ...(quietToo ? [] : ['m.quiet = 0']),
  ];
  const matching = `FROM deliveries d${ofMessages ? ' JOIN messages m ON m.id = d.message_id' : ''} WHERE ${where.join(' AND ')}`;
  const there = (state: string) => `EXISTS (SELECT 1 ${matching} AND d.state = '${state}' AND d.ready_at <= ?)`;
  const args = [recipientId, ...(senderId === null ? [] : [senderId]), ...(threadId === null ? [] : [threadId]), now];
  // Null: there is something. 0: there is nothing, and nothing will become ready.
  const row = await read.get(
    `SELECT CASE WHEN ${there('leased')} OR ${there('ready')} THEN NULL
       ELSE (SELECT COALESCE(MIN(d.ready_at), 0) ${matching} AND d.state = 'ready' AND d.ready_at > ?) END AS next`,
    ...args,
    ...args,
    ...args,
  );
  const next = row === undefined ? 0 : toIntOrNull(row, 'next');
  return next === null ? { any: true, nextReadyAt: null } : { any: false, nextReadyAt: next === 0 ? null : next };
}

export type InboxCounts = { unread: number; urgent: number; leased: number; unreplied: number };

/** What waits for the recipient. Returned messages whose delay runs do not: receiving would not show them. */
export async function inboxCounts(read: Read, recipientId: string, now: number): Promise<InboxCounts> {
  const row = await read.get(
    `SELECT
       (SELECT COUNT(*) FROM deliveries WHERE recipient_id = ? AND state = 'ready' AND ready_at <= ?) AS unread,
       (SELECT COUNT(*) FROM deliveries WHERE recipient_id = ? AND state = 'ready' AND urgent = 1 AND ready_at <= ?) AS urgent,
       (SELECT COUNT(*) FROM deliveries WHERE recipient_id = ? AND state = 'leased') AS leased,
       (SELECT COUNT(*) FROM deliveries WHERE recipient_id = ? AND state = 'acked' AND done_at IS NULL) AS unreplied`,
    recipientId,
    now,
    recipientId,
    now,
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

/** How many messages a receive would show, again or for the first time. */
export async function inboxWaiting(read: Read, recipientId: string, now: number): Promise<number> {
  const row = await read.get(
    `SELECT (SELECT COUNT(*) FROM deliveries WHERE recipient_id = ? AND state = 'ready' AND ready_at <= ?)
          + (SELECT COUNT(*) FROM deliveries WHERE recipient_id = ? AND state = 'leased') AS waiting`,
    recipientId,
    now,
    recipientId,
  );
  return row === undefined ? 0 : toInt(row, 'waiting');
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
