// Sweeping threads: which are over, and how they go. A thread is over when nothing in it is open and everything in it is old; it goes whole, in
// parts that a transaction can carry, the newest first, because a reply points to what it replies to.

import { toInt, toText } from './columns.ts';
import type { Read, Tx } from './db.ts';
import type { Counts } from './sweeps.ts';

/** What is old: messages up to a seq; what was dealt with before an instant; dead letters and skips nobody was told of, before another. */
export type ThreadAge = { lastSeq: number; closedBefore: number; deadBefore: number };

/** Threads with a message after `afterSeq` and up to `lastSeq`, by the first such message, and the seq of the last message looked at. */
export async function threadsBetween(
  read: Read,
  projectId: string,
  afterSeq: number,
  lastSeq: number,
  limit: number,
): Promise<{ threads: string[]; upTo: number | null }> {
  const rows = await read.all(
    'SELECT thread_id, seq FROM messages WHERE project_id = ? AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?',
    projectId,
    afterSeq,
    lastSeq,
    limit,
  );
  const last = rows.at(-1);
  return { threads: [...new Set(rows.map((row) => toText(row, 'thread_id')))], upTo: last === undefined ? null : toInt(last, 'seq') };
}

/** The seq and time of the first message from `seq` on: times rise with seq, so that an instant is found by halving. */
export async function messageFrom(read: Read, projectId: string, seq: number): Promise<{ seq: number; createdAt: number } | undefined> {
  const row = await read.get('SELECT seq, created_at FROM messages WHERE project_id = ? AND seq >= ? ORDER BY seq LIMIT 1', projectId, seq);
  return row && { seq: toInt(row, 'seq'), createdAt: toInt(row, 'created_at') };
}

/** The seq of the `nth` newest message; 0 when there are fewer. */
export async function nthNewestSeq(read: Read, projectId: string, nth: number): Promise<number> {
  const row = await read.get('SELECT seq FROM messages WHERE project_id = ? ORDER BY seq DESC LIMIT 1 OFFSET ?', projectId, nth - 1);
  return row === undefined ? 0 : toInt(row, 'seq');
}

/**
 * Whether everything of a thread is over: no delivery is open, owed a reply or young; no ask, approval, review, task or reminder is tied to it;
 * it is not paused. What get_open_threads lists is never in it.
 */
export async function isThreadOver(read: Read, threadId: string, age: ThreadAge): Promise<boolean> {
  const { lastSeq, closedBefore, deadBefore } = age;
  const paused = await read.get('SELECT 1 AS found FROM thread_pauses WHERE thread_id = ? AND resumed_at IS NULL', threadId);
  if (paused !== undefined) return false;
  const kept = await read.get(
    `SELECT 1 AS found FROM messages m WHERE m.thread_id = ? AND (m.seq > ?
       OR EXISTS (SELECT 1 FROM deliveries d WHERE d.message_id = m.id AND (d.state IN ('ready', 'leased')
         OR (d.state = 'acked' AND (d.acked_at >= ? OR COALESCE(d.done_at, 0) >= ?))
         OR (d.state = 'acked' AND d.done_at IS NULL AND NOT EXISTS (SELECT 1 FROM asks q WHERE q.message_id = m.id))
         OR (d.state IN ('expired', 'recalled') AND (d.closed_at >= ? OR (d.skip_told_at IS NULL AND d.closed_at >= ?)))
         OR (d.state = 'dead' AND d.closed_at >= ?)))
       OR EXISTS (SELECT 1 FROM asks k WHERE k.message_id = m.id
         AND (k.state = 'open' OR k.closed_at >= ? OR EXISTS (SELECT 1 FROM tasks w WHERE w.ask_id = k.id)))
       OR EXISTS (SELECT 1 FROM approvals p WHERE p.message_id = m.id)
       OR EXISTS (SELECT 1 FROM reviews v WHERE v.message_id = m.id)
       OR EXISTS (SELECT 1 FROM tasks t WHERE t.announcement_id = m.id)
       OR EXISTS (SELECT 1 FROM reminder_firings f WHERE f.message_id = m.id)
       OR EXISTS (SELECT 1 FROM tasks t WHERE t.id = m.ref)
       OR EXISTS (SELECT 1 FROM asks k WHERE k.id = m.ref AND k.state = 'open')
       OR EXISTS (SELECT 1 FROM approvals p WHERE p.id = m.ref AND p.state IN ('pending', 'approved'))
       OR EXISTS (SELECT 1 FROM reminders r WHERE r.id = m.ref AND r.state IN ('pending', 'parked')))
     LIMIT 1`,
    threadId,
    lastSeq,
    closedBefore,
    closedBefore,
    closedBefore,
    deadBefore,
    deadBefore,
    closedBefore,
  );
  return kept === undefined;
}

/** Deletes the newest `limit` messages of a thread with all that hangs on them. Answers their seqs and how many rows went. */
export async function deleteThreadPart(tx: Tx, threadId: string, limit: number): Promise<{ seqs: number[]; counts: Counts }> {
  const rows = await tx.all('SELECT id, seq FROM messages WHERE thread_id = ? ORDER BY seq DESC LIMIT ?', threadId, limit);
  const counts = { messages: 0, deliveries: 0, asks: 0, late_answers: 0, thread_pauses: 0 };
  for (const row of rows) {
    const id = toText(row, 'id');
    counts.late_answers += await tx.run('DELETE FROM late_answers WHERE ask_id IN (SELECT id FROM asks WHERE message_id = ?)', id);
    counts.asks += await tx.run('DELETE FROM asks WHERE message_id = ?', id);
    counts.deliveries += await tx.run('DELETE FROM deliveries WHERE message_id = ?', id);
    counts.messages += await tx.run('DELETE FROM messages WHERE id = ?', id);
  }
  if (rows.length < limit) counts.thread_pauses += await tx.run('DELETE FROM thread_pauses WHERE thread_id = ?', threadId);
  return { seqs: rows.map((row) => toInt(row, 'seq')), counts };
}

/** The seqs of messages that are still there between two seqs, both included. */
export async function seqsBetween(read: Read, projectId: string, from: number, to: number): Promise<number[]> {
  const rows = await read.all('SELECT seq FROM messages WHERE project_id = ? AND seq >= ? AND seq <= ? ORDER BY seq', projectId, from, to);
  return rows.map((row) => toInt(row, 'seq'));
}

export async function countSweptDeliveries(tx: Tx, projectId: string, deliveries: number): Promise<void> {
  await tx.run('UPDATE projects SET swept_deliveries = swept_deliveries + ? WHERE id = ?', deliveries, projectId);
}
