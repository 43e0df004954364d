// Threads as a listing: each by its newest message, found by walking the messages of a project backwards, so that a page costs what it shows.

import { toInt, toText } from './columns.ts';
import type { Read, Row } from './db.ts';

export type ThreadHead = {
  threadId: string;
  /** The subject of its first message, or its first words: those of an ask say more than "ask". */
  title: string;
  messages: number;
  /** Its newest message. */
  seq: number;
  from: string;
  excerpt: string;
  at: number;
  /** Deliveries in it that are ready or shown. */
  open: number;
  dead: number;
};

const toHead = (row: Row): ThreadHead => ({
  threadId: toText(row, 'thread_id'),
  title: toText(row, 'title'),
  messages: toInt(row, 'messages'),
  seq: toInt(row, 'seq'),
  from: toText(row, 'sender'),
  excerpt: toText(row, 'excerpt'),
  at: toInt(row, 'created_at'),
  open: toInt(row, 'open_deliveries'),
  dead: toInt(row, 'dead_deliveries'),
});

const HEAD = `SELECT m.thread_id, m.seq, m.created_at, s.name AS sender, substr(m.body, 1, 200) AS excerpt,
    (SELECT CASE WHEN f.subject = '' OR f.ref LIKE 'ask%' THEN substr(f.body, 1, 120) ELSE f.subject END FROM messages f
       WHERE f.thread_id = m.thread_id ORDER BY f.seq LIMIT 1) AS title,
    (SELECT COUNT(*) FROM messages c WHERE c.thread_id = m.thread_id) AS messages,
    (SELECT COUNT(*) FROM messages o JOIN deliveries d ON d.message_id = o.id
       WHERE o.thread_id = m.thread_id AND d.state IN ('ready', 'leased')) AS open_deliveries,
    (SELECT COUNT(*) FROM messages o JOIN deliveries d ON d.message_id = o.id
       WHERE o.thread_id = m.thread_id AND d.state = 'dead') AS dead_deliveries
  FROM messages m JOIN agents s ON s.id = m.sender_id`;

/** Threads whose newest message is before `before`, the newest first. */
export async function threadHeads(read: Read, projectId: string, before: number, limit: number): Promise<ThreadHead[]> {
  const rows = await read.all(
    `${HEAD} WHERE m.project_id = ? AND m.seq < ?
       AND NOT EXISTS (SELECT 1 FROM messages n WHERE n.thread_id = m.thread_id AND n.seq > m.seq)
     ORDER BY m.seq DESC LIMIT ?`,
    projectId,
    before,
    limit,
  );
  return rows.map(toHead);
}

/** Messages between `floor` and `before` with these words in subject or body, the newest first, each with its thread. */
export async function messagesWith(
  read: Read,
  projectId: string,
  words: string,
  range: { before: number; floor: number; limit: number },
): Promise<ThreadHead[]> {
  const pattern = `%${words.toLowerCase().replace(/[\\%_]/g, (character) => `\\${character}`)}%`;
  const rows = await read.all(
    `${HEAD} WHERE m.project_id = ? AND m.seq < ? AND m.seq > ?
       AND (LOWER(m.body) LIKE ? ESCAPE '\\' OR LOWER(m.subject) LIKE ? ESCAPE '\\')
     ORDER BY m.seq DESC LIMIT ?`,
    projectId,
    range.before,
    range.floor,
    pattern,
    pattern,
    range.limit,
  );
  return rows.map(toHead);
}
