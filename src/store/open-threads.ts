// What is still owed, as rows: messages that wait for an acknowledgement or a reply.

import { toInt, toText } from './columns.ts';
import type { Read, Row } from './db.ts';

export type OpenMessage = {
  messageId: string;
  threadId: string;
  counterpart: string;
  text: string;
  since: number;
  /** unread: never shown; unacknowledged: shown; unanswered: acknowledged, and a reply is expected. */
  state: 'unread' | 'unacknowledged' | 'unanswered';
};

/** One text per state, so that each can use its partial index. */
const STATES = {
  unread: `d.state = 'ready'`,
  unacknowledged: `d.state = 'leased'`,
  unanswered: `d.state = 'acked' AND d.done_at IS NULL`,
} as const;

/** Open messages of one reader, oldest first in each state. Questions, requests for approval and for a verdict, and offers of tasks are listed as what they are. */
export async function openMessages(read: Read, recipientId: string, limit: number): Promise<OpenMessage[]> {
  const found: OpenMessage[] = [];
  for (const state of ['unacknowledged', 'unanswered', 'unread'] as const) {
    const rows = await read.all(
      `SELECT d.message_id, m.thread_id, a.name AS counterpart, CASE WHEN m.subject = '' THEN m.body ELSE m.subject || ': ' || m.body END AS text, m.created_at
       FROM deliveries d JOIN messages m ON m.id = d.message_id JOIN agents a ON a.id = d.sender_id
       WHERE d.recipient_id = ? AND ${STATES[state]} AND NOT EXISTS (SELECT 1 FROM asks k WHERE k.message_id = m.id)
         AND NOT EXISTS (SELECT 1 FROM reviews v WHERE v.message_id = m.id)
         AND NOT EXISTS (SELECT 1 FROM approvals p WHERE p.message_id = m.id)
         AND NOT EXISTS (SELECT 1 FROM tasks t WHERE t.announcement_id = m.id)
       ORDER BY d.seq LIMIT ?`,
      recipientId,
      limit,
    );
    for (const row of rows) found.push({ ...toOpenMessage(row), state });
  }
  return found.slice(0, limit);
}

function toOpenMessage(row: Row): Omit<OpenMessage, 'state'> {
  return {
    messageId: toText(row, 'message_id'),
    threadId: toText(row, 'thread_id'),
    counterpart: toText(row, 'counterpart'),
    text: toText(row, 'text'),
    since: toInt(row, 'created_at'),
  };
}
