// Rows of `messages`: what was said, once, whoever it went to. Never updated.

import { flag, toFlag, toInt, toIntOrNull, toText, toTextOrNull, toTexts, toWord } from './columns.ts';
import type { Arg, Read, Row, Tx } from './db.ts';
import { insertingMany } from './many-rows.ts';

export const KINDS = ['note', 'request', 'status', 'handoff'] as const;
export type Kind = (typeof KINDS)[number];

export type MessageRow = {
  id: string;
  projectId: string;
  seq: number;
  threadId: string;
  inReplyTo: string | null;
  senderId: string;
  senderSessionId: string;
  senderModel: string;
  /** The address as the sender gave it, canonical: names sorted, joined by commas. */
  address: string;
  kind: Kind;
  urgent: boolean;
  subject: string;
  body: string;
  bodyBytes: number;
  /** SHA-256 over subject, body and attachments; it also stands in the event, so that the chain vouches for the text. */
  digest: string;
  attachments: string[];
  expectsReply: boolean;
  quiet: boolean;
  /** Worth a turn of its own to an idle reader. */
  wakes: boolean;
  broadcast: boolean;
  pool: boolean;
  hop: number;
  /** What the message is about: the id of an ask, a reminder or a task. */
  ref: string | null;
  /** The W3C trace of that task. */
  traceparent: string | null;
  createdAt: number;
  expiresAt: number | null;
};

export const toMessage = (row: Row): MessageRow => ({
  id: toText(row, 'id'),
  projectId: toText(row, 'project_id'),
  seq: toInt(row, 'seq'),
  threadId: toText(row, 'thread_id'),
  inReplyTo: toTextOrNull(row, 'in_reply_to'),
  senderId: toText(row, 'sender_id'),
  senderSessionId: toText(row, 'sender_session_id'),
  senderModel: toText(row, 'sender_model'),
  address: toText(row, 'address'),
  kind: toWord(row, 'kind', KINDS),
  urgent: toFlag(row, 'urgent'),
  subject: toText(row, 'subject'),
  body: toText(row, 'body'),
  bodyBytes: toInt(row, 'body_bytes'),
  digest: toText(row, 'digest'),
  attachments: toTexts(row, 'attachments'),
  expectsReply: toFlag(row, 'expects_reply'),
  quiet: toFlag(row, 'quiet'),
  wakes: toFlag(row, 'wakes'),
  broadcast: toFlag(row, 'broadcast'),
  pool: toFlag(row, 'pool'),
  hop: toInt(row, 'hop'),
  ref: toTextOrNull(row, 'ref'),
  traceparent: toTextOrNull(row, 'traceparent'),
  createdAt: toInt(row, 'created_at'),
  expiresAt: toIntOrNull(row, 'expires_at'),
});

const toArgs = (message: MessageRow): Arg[] => [
  message.id,
  message.projectId,
  message.seq,
  message.threadId,
  message.inReplyTo,
  message.senderId,
  message.senderSessionId,
  message.senderModel,
  message.address,
  message.kind,
  flag(message.urgent),
  message.subject,
  message.body,
  message.bodyBytes,
  message.digest,
  JSON.stringify(message.attachments),
  flag(message.expectsReply),
  flag(message.quiet),
  flag(message.wakes),
  flag(message.broadcast),
  flag(message.pool),
  message.hop,
  message.ref,
  message.traceparent,
  message.createdAt,
  message.expiresAt,
];

const insertAll = insertingMany(
  `INSERT INTO messages (id, project_id, seq, thread_id, in_reply_to, sender_id, sender_session_id, sender_model, address, kind, urgent,
     subject, body, body_bytes, digest, attachments, expects_reply, quiet, wakes, broadcast, pool, hop, ref, traceparent, created_at, expires_at)`,
  '(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
  toArgs,
);

export async function insertMessages(tx: Tx, messages: readonly MessageRow[]): Promise<void> {
  await insertAll(tx, messages);
}

export async function findMessage(read: Read, projectId: string, id: string): Promise<MessageRow | undefined> {
  const row = await read.get('SELECT * FROM messages WHERE id = ? AND project_id = ?', id, projectId);
  return row && toMessage(row);
}

/** What is known of a message without its words: it can be told even of one whose stored words are damaged. */
export type MessageHead = Pick<
  MessageRow,
  'id' | 'seq' | 'threadId' | 'senderId' | 'quiet' | 'wakes' | 'hop' | 'traceparent' | 'bodyBytes' | 'createdAt'
>;

const toHead = (row: Row): MessageHead => ({
  id: toText(row, 'id'),
  seq: toInt(row, 'seq'),
  threadId: toText(row, 'thread_id'),
  senderId: toText(row, 'sender_id'),
  quiet: toFlag(row, 'quiet'),
  wakes: toFlag(row, 'wakes'),
  hop: toInt(row, 'hop'),
  traceparent: toTextOrNull(row, 'traceparent'),
  bodyBytes: toInt(row, 'body_bytes'),
  createdAt: toInt(row, 'created_at'),
});

/** Without the body, which may be long. */
const HEAD = 'id, seq, thread_id, sender_id, quiet, wakes, hop, traceparent, body_bytes, created_at';

export async function findMessageHead(read: Read, projectId: string, id: string): Promise<MessageHead | undefined> {
  const row = await read.get(`SELECT ${HEAD} FROM messages WHERE id = ? AND project_id = ?`, id, projectId);
  return row && toHead(row);
}

/** Whether the message was offered to several, one of whom is to take it. */
export async function isPool(read: Read, id: string): Promise<boolean> {
  const row = await read.get('SELECT pool FROM messages WHERE id = ?', id);
  return row !== undefined && toFlag(row, 'pool');
}

/** The first message with the same words, kind, address and place that this sender sent since `since`. */
export async function findRepeat(read: Read, message: MessageRow, since: number): Promise<MessageHead | undefined> {
  const row = await read.get(
    `SELECT ${HEAD} FROM messages WHERE sender_id = ? AND created_at >= ? AND digest = ? AND kind = ? AND address = ?
       AND COALESCE(in_reply_to, '') = ? ORDER BY seq LIMIT 1`,
    message.senderId,
    since,
    message.digest,
    message.kind,
    message.address,
    message.inReplyTo ?? '',
  );
  return row && toHead(row);
}

/**
 * The newest `limit` messages of a thread before `beforeSeq`, in ascending order, unparsed: a damaged one must not hide the others.
 * With `viewerId`, only what that agent sent or was sent.
 */
export async function threadPage(
  read: Read,
  projectId: string,
  threadId: string,
  viewerId: string | null,
  beforeSeq: number,
  limit: number,
): Promise<Row[]> {
  const rows = await read.all(
    `SELECT m.* FROM messages m WHERE m.thread_id = ? AND m.project_id = ? AND m.seq < ?
       AND (CAST(? AS TEXT) IS NULL OR m.sender_id = ? OR EXISTS
         (SELECT 1 FROM deliveries d WHERE d.message_id = m.id AND d.recipient_id = ? AND d.state <> 'recalled'))
     ORDER BY m.seq DESC LIMIT ?`,
    threadId,
    projectId,
    beforeSeq,
    viewerId,
    viewerId,
    viewerId,
    limit,
  );
  return rows.reverse();
}

/** Messages of a project with `afterSeq` < seq <= `upToSeq`, unparsed: verification must survive damaged rows. */
export async function messagesBetween(
  read: Read,
  projectId: string,
  afterSeq: number,
  upToSeq: number,
  limit = Number.MAX_SAFE_INTEGER,
): Promise<Row[]> {
  return await read.all(
    'SELECT * FROM messages WHERE project_id = ? AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?',
    projectId,
    afterSeq,
    upToSeq,
    limit,
  );
}
