// What an agent has never been shown: for whoever wakes it or tells it of mail. Looking changes nothing.

import { toFlag, toInt, toIntOrNull, toText, toTextOrNull, toWord, UnreadableRow } from './columns.ts';
import type { Read, Row } from './db.ts';
import { KINDS, type Kind } from './messages.ts';

/** Unread mail that is worth waking for. */
export type WakingMail = {
  unread: number;
  urgent: number;
  oldestReadyAt: number;
  newestReadyAt: number;
  newestSeq: number;
  newestUrgentSeq: number;
};

/** The agent itself and the sub-agents that live in this session of its. */
const READERS = `SELECT CAST(? AS TEXT) AS id UNION ALL SELECT a.id FROM agents a WHERE a.parent_session_id = ?`;

/** What waits for an agent that it was never shown and that wakes; undefined when nothing does. */
export async function wakingMail(read: Read, agentId: string, sessionId: string | null, now: number): Promise<WakingMail | undefined> {
  const row = await read.get(
    `SELECT COUNT(*) AS unread, COALESCE(SUM(d.urgent), 0) AS urgent, COALESCE(MIN(d.ready_at), 0) AS oldest_ready_at,
       COALESCE(MAX(d.ready_at), 0) AS newest_ready_at, COALESCE(MAX(d.seq), 0) AS newest_seq,
       COALESCE(MAX(CASE WHEN d.urgent = 1 THEN d.seq END), 0) AS newest_urgent_seq
     FROM deliveries d JOIN messages m ON m.id = d.message_id
     WHERE d.recipient_id IN (${READERS}) AND d.state = 'ready' AND d.ready_at <= ? AND m.wakes = 1`,
    agentId,
    sessionId,
    now,
  );
  if (row === undefined || toInt(row, 'unread') === 0) return undefined;
  return {
    unread: toInt(row, 'unread'),
    urgent: toInt(row, 'urgent'),
    oldestReadyAt: toInt(row, 'oldest_ready_at'),
    newestReadyAt: toInt(row, 'newest_ready_at'),
    newestSeq: toInt(row, 'newest_seq'),
    newestUrgentSeq: toInt(row, 'newest_urgent_seq'),
  };
}

/** When the next returned message of an agent becomes ready again. */
export async function nextReadyAt(read: Read, agentId: string, sessionId: string | null, now: number): Promise<number | null> {
  const row = await read.get(
    `SELECT MIN(d.ready_at) AS next FROM deliveries d WHERE d.recipient_id IN (${READERS}) AND d.state = 'ready' AND d.ready_at > ?`,
    agentId,
    sessionId,
    now,
  );
  return row === undefined ? null : toIntOrNull(row, 'next');
}

/** How far unread mail reaches that says something, and how far that of it which wakes; 0: there is none. */
export async function newestUnread(
  read: Read,
  agentId: string,
  sessionId: string | null,
  now: number,
): Promise<{ newest: number; newestWaking: number }> {
  const row = await read.get(
    `SELECT COALESCE(MAX(d.seq), 0) AS newest, COALESCE(MAX(CASE WHEN m.wakes = 1 THEN d.seq END), 0) AS newest_waking
     FROM deliveries d JOIN messages m ON m.id = d.message_id
     WHERE d.recipient_id IN (${READERS}) AND d.state = 'ready' AND d.ready_at <= ? AND m.quiet = 0`,
    agentId,
    sessionId,
    now,
  );
  return row === undefined ? { newest: 0, newestWaking: 0 } : { newest: toInt(row, 'newest'), newestWaking: toInt(row, 'newest_waking') };
}

/** What names a message without its words. */
export type UnreadHead = { messageId: string; from: string; to: string; subject: string; kind: Kind; urgent: boolean; ref: string | null };

/**
 * The first messages that an agent, or a sub-agent in this session of its, would be shown next of what it was never shown and
 * came after `afterSeq`; and how many there are in all.
 */
export async function unreadHeads(
  read: Read,
  agentId: string,
  sessionId: string | null,
  now: number,
  limit: number,
  afterSeq = 0,
): Promise<{ heads: UnreadHead[]; unread: number; urgent: number }> {
  const unread = `FROM deliveries d WHERE d.recipient_id IN (${READERS}) AND d.state = 'ready' AND d.ready_at <= ?`;
  const count = await read.get(`SELECT COUNT(*) AS unread, COALESCE(SUM(d.urgent), 0) AS urgent ${unread}`, agentId, sessionId, now);
  if (count === undefined || toInt(count, 'unread') === 0) return { heads: [], unread: 0, urgent: 0 };
  const rows = await read.all(
    `SELECT m.id, s.name AS sender, r.name AS recipient, m.subject, m.kind, d.urgent, m.ref
     FROM deliveries d JOIN messages m ON m.id = d.message_id JOIN agents s ON s.id = d.sender_id JOIN agents r ON r.id = d.recipient_id
     WHERE d.recipient_id IN (${READERS}) AND d.state = 'ready' AND d.ready_at <= ? AND d.seq > ? ORDER BY d.urgent DESC, d.seq LIMIT ?`,
    agentId,
    sessionId,
    now,
    afterSeq,
    limit,
  );
  return { heads: rows.flatMap(toHeads), unread: toInt(count, 'unread'), urgent: toInt(count, 'urgent') };
}

/** The head of a message; none of one whose stored row is damaged, because it must not hide the others. */
function toHeads(row: Row): UnreadHead[] {
  try {
    return [
      {
        messageId: toText(row, 'id'),
        from: toText(row, 'sender'),
        to: toText(row, 'recipient'),
        subject: toText(row, 'subject'),
        kind: toWord(row, 'kind', KINDS),
        urgent: toFlag(row, 'urgent'),
        ref: toTextOrNull(row, 'ref'),
      },
    ];
  } catch (error) {
    if (error instanceof UnreadableRow) return [];
    throw error;
  }
}
