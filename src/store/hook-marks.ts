// What an agent was told by its client's hooks, on its session's row: so that news is told once, and a stop refused once.

import { toFlag, toInt, toIntOrNull, toText, toTextOrNull, toWord, UnreadableRow } from './columns.ts';
import type { Read, Row, Tx } from './db.ts';
import { KINDS, type Kind } from './messages.ts';

export type HookMarks = {
  /** It was told of mail up to this seq. */
  hintedSeq: number;
  /** It was kept from stopping for what came up to this seq. */
  blockedSeq: number;
  /** When its last attempt to stop was refused; null when it was not. */
  blockedAt: number | null;
};

export async function findHookMarks(read: Read, sessionId: string): Promise<HookMarks> {
  const row = await read.get('SELECT hinted_seq, blocked_seq, blocked_at FROM sessions WHERE id = ?', sessionId);
  return row === undefined
    ? { hintedSeq: 0, blockedSeq: 0, blockedAt: null }
    : { hintedSeq: toInt(row, 'hinted_seq'), blockedSeq: toInt(row, 'blocked_seq'), blockedAt: toIntOrNull(row, 'blocked_at') };
}

export async function setHinted(tx: Tx, sessionId: string, seq: number): Promise<void> {
  await tx.run('UPDATE sessions SET hinted_seq = ? WHERE id = ? AND hinted_seq < ?', seq, sessionId, seq);
}

export async function setBlocked(tx: Tx, sessionId: string, seq: number, at: number | null): Promise<void> {
  await tx.run(
    'UPDATE sessions SET blocked_at = ?, blocked_seq = CASE WHEN blocked_seq < ? THEN ? ELSE blocked_seq END WHERE id = ?',
    at,
    seq,
    seq,
    sessionId,
  );
}

/** A message that is somebody's debt, without its words. */
export type Debt = { messageId: string; from: string; subject: string; kind: Kind; urgent: boolean; ref: string | null };

const DEBT_STATES = {
  unread: `d.state = 'ready'`,
  unacknowledged: `d.state = 'leased'`,
  unreplied: `d.state = 'acked' AND d.done_at IS NULL`,
};

/** What a reader has not read, acknowledged or replied to of what came after `afterSeq`, urgent ones first. Messages that wake nobody are no debt. */
export async function debtsAfter(
  read: Read,
  kind: keyof typeof DEBT_STATES,
  recipientId: string,
  now: number,
  afterSeq: number,
  limit: number,
): Promise<Debt[]> {
  const rows = await read.all(
    `SELECT d.message_id, a.name AS sender, m.subject, m.kind, d.urgent, m.ref
     FROM deliveries d JOIN messages m ON m.id = d.message_id JOIN agents a ON a.id = d.sender_id
     WHERE d.recipient_id = ? AND ${DEBT_STATES[kind]} AND d.ready_at <= ? AND d.seq > ? AND m.wakes = 1 ORDER BY d.urgent DESC, d.seq LIMIT ?`,
    recipientId,
    now,
    afterSeq,
    limit,
  );
  return rows.flatMap(toDebts);
}

/** What an agent works on that came into its hands after `afterSeq`, the oldest first. */
export async function begunWorkAfter(
  read: Read,
  holderId: string,
  afterSeq: number,
  limit: number,
): Promise<{ id: string; title: string }[]> {
  const rows = await read.all(
    `SELECT t.id, t.title FROM tasks t WHERE t.holder_id = ? AND t.state = 'working' AND EXISTS (
       SELECT 1 FROM events e WHERE e.subject = t.id AND e.seq > ?
         AND e.type IN ('task.claimed', 'task.resumed', 'task.handed_over', 'task.changes_requested'))
     ORDER BY t.claimed_at, t.id LIMIT ?`,
    holderId,
    afterSeq,
    limit,
  );
  return rows.map((row) => ({ id: toText(row, 'id'), title: toText(row, 'title') }));
}

/** None of a damaged row: it must not hide the others. */
function toDebts(row: Row): Debt[] {
  try {
    return [
      {
        messageId: toText(row, 'message_id'),
        from: toText(row, 'sender'),
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

/** The receipts under which something is shown to this reader and not yet acknowledged. */
export async function openReceipts(read: Read, recipientId: string): Promise<string[]> {
  const rows = await read.all(`SELECT DISTINCT receipt FROM deliveries WHERE recipient_id = ? AND state = 'leased'`, recipientId);
  return rows.map((row) => toText(row, 'receipt'));
}
