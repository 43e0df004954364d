// What the operator's overview counts: deliveries that do not move, and dead letters with the words that name them.

import { toInt, toIntOrNull, toText, toTextOrNull, toWord } from './columns.ts';
import type { Read, Row } from './db.ts';
import { DELIVERY_STATES, type DeliveryState } from './deliveries.ts';

/** A delivery with the names that a person knows it by. */
export type NamedDelivery = {
  messageId: string;
  threadId: string;
  seq: number;
  from: string;
  to: string;
  subject: string;
  /** The ask or reminder it is about. */
  ref: string | null;
  expectsReply: boolean;
  /** The first words of the body. */
  excerpt: string;
  state: DeliveryState;
  attempt: number;
  urgent: boolean;
  createdAt: number;
  firstShownAt: number | null;
  closedAt: number | null;
  reason: string;
};

const NAMED = `SELECT d.message_id, m.thread_id, d.seq, s.name AS sender, r.name AS recipient, m.subject, m.ref, m.expects_reply,
    substr(m.body, 1, 200) AS excerpt, d.state, d.attempt, d.urgent, m.created_at,
    d.first_shown_at, d.closed_at, COALESCE(d.reason, '') AS reason
  FROM deliveries d JOIN messages m ON m.id = d.message_id JOIN agents s ON s.id = d.sender_id JOIN agents r ON r.id = d.recipient_id`;

const toNamed = (row: Row): NamedDelivery => ({
  messageId: toText(row, 'message_id'),
  threadId: toText(row, 'thread_id'),
  seq: toInt(row, 'seq'),
  from: toText(row, 'sender'),
  to: toText(row, 'recipient'),
  subject: toText(row, 'subject'),
  ref: toTextOrNull(row, 'ref'),
  expectsReply: toInt(row, 'expects_reply') === 1,
  excerpt: toText(row, 'excerpt'),
  state: toWord(row, 'state', DELIVERY_STATES),
  attempt: toInt(row, 'attempt'),
  urgent: toInt(row, 'urgent') === 1,
  createdAt: toInt(row, 'created_at'),
  firstShownAt: toIntOrNull(row, 'first_shown_at'),
  closedAt: toIntOrNull(row, 'closed_at'),
  reason: toText(row, 'reason'),
});

/** Dead letters of a project, the newest first. */
export async function namedDead(read: Read, projectId: string, limit: number): Promise<NamedDelivery[]> {
  const rows = await read.all(
    `${NAMED} WHERE d.project_id = ? AND d.state = 'dead' ORDER BY d.closed_at DESC, d.seq DESC LIMIT ?`,
    projectId,
    limit,
  );
  return rows.map(toNamed);
}

/** Shown before `shownBefore` and still unacknowledged, or ready since before `readyBefore`; the oldest first. The operator's own mail is no obstacle. */
export async function namedStuck(
  read: Read,
  projectId: string,
  shownBefore: number,
  readyBefore: number,
  limit: number,
): Promise<NamedDelivery[]> {
  // By recipient, because what is open is indexed by recipient: most deliveries of a project are not.
  const open = `d.recipient_id IN (SELECT id FROM agents WHERE project_id = ? AND role <> 'operator') AND d.state`;
  const leased = await read.all(
    `${NAMED} WHERE ${open} = 'leased' AND d.first_shown_at <= ? ORDER BY d.seq LIMIT ?`,
    projectId,
    shownBefore,
    limit,
  );
  const ready = await read.all(
    `${NAMED} WHERE ${open} = 'ready' AND d.ready_at <= ? ORDER BY d.seq LIMIT ?`,
    projectId,
    readyBefore,
    limit,
  );
  return [...leased, ...ready]
    .map(toNamed)
    .sort((a, b) => a.seq - b.seq || (a.to < b.to ? -1 : 1))
    .slice(0, limit);
}

/** What one agent has not acknowledged, in the order it would be shown: returned and delayed messages too. */
export async function namedWaiting(read: Read, recipientId: string, limit: number): Promise<NamedDelivery[]> {
  const rows = await read.all(
    `${NAMED} WHERE d.recipient_id = ? AND d.state IN ('ready', 'leased')
     ORDER BY CASE d.state WHEN 'leased' THEN 0 ELSE 1 END, d.urgent DESC, d.seq LIMIT ?`,
    recipientId,
    limit,
  );
  return rows.map(toNamed);
}

/**
 * Deliveries of a project by state without reading them all: those that are open, and those that ended otherwise, are counted by their
 * indexes, and of all that were ever numbered and not swept the rest was acknowledged (I5).
 */
export async function tallyDeliveries(read: Read, projectId: string): Promise<Record<DeliveryState, number>> {
  const open = (state: 'ready' | 'leased') =>
    `(SELECT COUNT(*) FROM agents a JOIN deliveries d ON d.recipient_id = a.id WHERE a.project_id = ? AND d.state = '${state}')`;
  const numbered = `(SELECT COALESCE(SUM(p.last_seq), 0) FROM agents a JOIN pair_sequences p ON p.sender_id = a.id WHERE a.project_id = ?)`;
  const row = await read.get(
    `SELECT ${open('ready')} AS ready, ${open('leased')} AS leased,
       ${numbered} - (SELECT swept_deliveries FROM projects WHERE id = ?) AS numbered`,
    projectId,
    projectId,
    projectId,
    projectId,
  );
  if (row === undefined) throw new Error('counting returned no row');
  const counts = { ready: toInt(row, 'ready'), leased: toInt(row, 'leased'), acked: 0, dead: 0, expired: 0, recalled: 0 };
  const closed = await read.all(
    'SELECT state, COUNT(*) AS n FROM deliveries WHERE project_id = ? AND closed_at IS NOT NULL GROUP BY state',
    projectId,
  );
  for (const one of closed) counts[toWord(one, 'state', DELIVERY_STATES)] = toInt(one, 'n');
  const { ready, leased, dead, expired, recalled } = counts;
  return { ...counts, acked: toInt(row, 'numbered') - ready - leased - dead - expired - recalled };
}

/** I5 for the whole database: every delivery that was ever numbered is there, in one of the states, or was swept. */
export async function conservation(read: Read): Promise<{ numbered: number; present: number; swept: number; open: number }> {
  const row = await read.get(
    `SELECT (SELECT COALESCE(SUM(last_seq), 0) FROM pair_sequences) AS numbered, (SELECT COUNT(*) FROM deliveries) AS present,
       (SELECT COALESCE(SUM(swept_deliveries), 0) FROM projects) AS swept,
       (SELECT COUNT(*) FROM deliveries WHERE state IN ('ready', 'leased')) AS open`,
  );
  return row === undefined
    ? { numbered: 0, present: 0, swept: 0, open: 0 }
    : { numbered: toInt(row, 'numbered'), present: toInt(row, 'present'), swept: toInt(row, 'swept'), open: toInt(row, 'open') };
}

/** How many rows a walk over the events and the messages reads. */
export async function walkLength(read: Read): Promise<number> {
  const row = await read.get('SELECT (SELECT COUNT(*) FROM events) + (SELECT COUNT(*) FROM messages) AS n');
  return row === undefined ? 0 : toInt(row, 'n');
}
