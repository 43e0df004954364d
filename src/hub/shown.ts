// A message as its reader is shown it: header fields made by the hub, the body as one text, cut to what fits inline.

import { toFlag, toInt, toText, toTextOrNull, toTexts, toWord } from '../store/columns.ts';
import type { Row } from '../store/db.ts';
import { AUTHORITIES, type Authority } from '../store/deliveries.ts';
import { KINDS, type Kind } from '../store/messages.ts';

export type Shown = {
  id: string;
  seq: number;
  senderSeq: number;
  from: string;
  authority: Authority;
  kind: Kind;
  urgent: boolean;
  subject: string;
  body: string;
  bodyBytes: number;
  /** The body was cut; get_message has the rest. */
  truncated: boolean;
  threadId: string;
  inReplyTo: string | null;
  attempt: number;
  firstShownAt: number | null;
  broadcast: boolean;
  pool: boolean;
  expectsReply: boolean;
  hop: number;
  ref: string | null;
  attachments: string[];
  ageMs: number;
  returnedBecause: string | null;
};

/** Reads a row of the inbox. Throws UnreadableRow when it is damaged. */
export function toShown(row: Row, now: number, inlineBytes: number): Shown {
  const body = toText(row, 'm_body');
  const inline = cutUtf8(body, 0, inlineBytes);
  return {
    id: toText(row, 'm_id'),
    seq: toInt(row, 'seq'),
    senderSeq: toInt(row, 'sender_seq'),
    from: toText(row, 'm_sender_name'),
    authority: toWord(row, 'authority', AUTHORITIES),
    kind: toWord(row, 'm_kind', KINDS),
    urgent: toFlag(row, 'urgent'),
    subject: toText(row, 'm_subject'),
    body: inline.text,
    bodyBytes: toInt(row, 'm_body_bytes'),
    truncated: inline.next !== null,
    threadId: toText(row, 'm_thread_id'),
    inReplyTo: toTextOrNull(row, 'm_in_reply_to'),
    attempt: toInt(row, 'attempt'),
    firstShownAt: row.first_shown_at === null ? null : toInt(row, 'first_shown_at'),
    broadcast: toFlag(row, 'm_broadcast'),
    pool: toFlag(row, 'm_pool'),
    expectsReply: toFlag(row, 'm_expects_reply'),
    hop: toInt(row, 'm_hop'),
    ref: toTextOrNull(row, 'm_ref'),
    attachments: toTexts(row, 'm_attachments'),
    ageMs: Math.max(0, now - toInt(row, 'm_created_at')),
    returnedBecause: toTextOrNull(row, 'reason'),
  };
}

/** How much of its reader's context a message takes: its words as JSON, in which a quote or a line break counts twice. */
export function shownBytes({ subject, body, attachments }: Shown): number {
  return Buffer.byteLength(JSON.stringify([subject, body, attachments]));
}

/** The part of a text from byte `offset` that fits into `limit` bytes, never splitting a character. `next` is the byte to go on from, or null at the end. */
export function cutUtf8(text: string, offset: number, limit: number): { text: string; next: number | null } {
  const bytes = Buffer.from(text);
  const start = boundary(bytes, Math.min(offset, bytes.length));
  if (bytes.length - start <= limit) return { text: bytes.subarray(start).toString(), next: null };
  const end = boundary(bytes, start + limit);
  return { text: bytes.subarray(start, end).toString(), next: end };
}

/** The nearest start of a character at or before `at`: continuation bytes are 10xxxxxx (RFC 3629). */
function boundary(bytes: Buffer, at: number): number {
  let position = at;
  while (position > 0 && position < bytes.length && ((bytes[position] ?? 0) & 0xc0) === 0x80) position -= 1;
  return position;
}
