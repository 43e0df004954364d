// What may be sent: the limits of a message's words, and the form in which every engine stores and returns them alike.

import type { Kind } from '../store/messages.ts';
import { HubError } from './errors.ts';
import type { Limits } from './limits.ts';

export type Draft = {
  to: string | readonly string[];
  body: string;
  subject?: string | undefined;
  inReplyTo?: string | undefined;
  kind?: Kind | undefined;
  urgent?: boolean | undefined;
  expectsReply?: boolean | undefined;
  expiresInMs?: number | undefined;
  attachments?: readonly string[] | undefined;
  allowDuplicate?: boolean | undefined;
  /** The ask, reminder or task that this message is about: it also starts the count of hops anew (C17). */
  ref?: string | undefined;
  /** Whether it is worth waking an idle reader for; by default whatever does not only thank. */
  wakes?: boolean | undefined;
  /** The trace of the task that it is about (W3C). */
  traceparent?: string | undefined;
};

/** Half of a surrogate pair: it has no UTF-8, so it would come back from the database as another character than was hashed. */
const LONE_SURROGATE = /\p{Cs}/gu;

/** The draft in storable form. Errors: `too_large` naming field and limit, `invalid_input`. */
export function toStorable(draft: Draft, limits: Limits): Draft {
  assertSizes(draft, limits);
  assertNoNul('body', draft.body);
  assertNoNul('subject', draft.subject ?? '');
  return {
    ...draft,
    body: wellFormed(draft.body),
    subject: draft.subject === undefined ? undefined : wellFormed(draft.subject),
    attachments: draft.attachments?.map(wellFormed),
  };
}

/** A text that every engine stores and returns alike. */
export function wellFormed(text: string): string {
  return text.replace(LONE_SURROGATE, '\ufffd');
}

/** PostgreSQL stores no NUL in a text, and terminals hide it. */
function assertNoNul(field: string, text: string): void {
  if (!text.includes('\0')) return;
  throw new HubError('invalid_input', `${field} holds a NUL character; nothing was sent.`, {
    hint: 'Leave it out; put binary content into a project file and name it in attachments.',
  });
}

function assertSizes(draft: Draft, { bodyBytes, subjectChars, attachments, messageExpiryMs }: Limits): void {
  const bytes = Buffer.byteLength(draft.body);
  if (bytes > bodyBytes) {
    throw new HubError('too_large', `body has ${bytes} bytes; the limit is ${bodyBytes}. Nothing was sent.`, {
      hint: 'Put the long part into a project file and name it in attachments (a path or URI), or send it in parts.',
    });
  }
  if (draft.body.trim() === '') throw new HubError('invalid_input', 'body is empty.', { hint: 'Say what the reader needs to know or do.' });
  const chars = [...(draft.subject ?? '')].length;
  if (chars > subjectChars) {
    throw new HubError('too_large', `subject has ${chars} characters; the limit is ${subjectChars}.`, {
      hint: 'Keep the subject to one line and put the rest into the body.',
    });
  }
  const references = (draft.attachments ?? []).length;
  if (references > attachments) {
    throw new HubError('too_large', `attachments has ${references} references; the limit is ${attachments}.`, {
      hint: 'List them in a file and attach that.',
    });
  }
  if ((draft.expiresInMs ?? 1) > messageExpiryMs || (draft.expiresInMs ?? 1) <= 0) {
    throw new HubError('invalid_input', `expires_in_seconds must be 1 to ${messageExpiryMs / 1000}.`, {
      hint: 'Leave it out for a message that does not expire.',
    });
  }
}
