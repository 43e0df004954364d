// get_thread: what was said in a thread, as far as the caller took part in it. Re-reading consumes nothing.

import * as z from 'zod';
import { toIso } from '../hub/clock.ts';
import { LIMITS } from '../hub/limits.ts';
import { cutUtf8 } from '../hub/shown.ts';
import { KINDS } from '../hub/vocabulary.ts';
import { defineTool } from './tool.ts';
import { DATA_NOTE, messageId } from './words.ts';

export const getThread = defineTool({
  name: 'get_thread',
  title: 'Read a thread',
  description:
    'The messages of a thread in order, the newest page first; pass before_seq to go back. Use it to recover context; reading acknowledges nothing.',
  access: 'read',
  toolset: 'core',
  input: () => ({
    thread_id: z.string().max(64).optional(),
    message_id: messageId.optional().describe('any message of the thread'),
    limit: z.int().min(1).max(LIMITS.pageRows.hard).optional().describe(`default ${LIMITS.pageRows.value}`),
    before_seq: z.int().min(1).optional(),
  }),
  output: () => ({
    thread_id: z.string(),
    messages: z.array(
      z.object({
        id: z.string(),
        seq: z.int(),
        at: z.string(),
        from: z.string(),
        to: z.string(),
        kind: z.enum(KINDS),
        subject: z.string().optional(),
        body: z.string(),
        truncated: z.string().optional(),
        in_reply_to: z.string().optional(),
      }),
    ),
    has_more: z.boolean().describe('earlier messages exist'),
    note: z.string(),
  }),
  async run({ hub, caller }, input) {
    const page = await hub.messages.thread(caller, {
      threadId: input.thread_id,
      messageId: input.message_id,
      beforeSeq: input.before_seq,
      limit: input.limit ?? hub.limits.pageRows,
    });
    return {
      thread_id: page.threadId,
      messages: page.messages.map((message) => {
        const inline = cutUtf8(message.body, 0, hub.limits.inlineBodyBytes);
        return {
          id: message.id,
          seq: message.seq,
          at: toIso(message.createdAt),
          from: page.names.get(message.senderId) ?? 'unknown',
          to: message.address,
          kind: message.kind,
          ...(message.subject === '' ? {} : { subject: message.subject }),
          body: inline.text,
          ...(inline.next === null ? {} : { truncated: `${message.bodyBytes} bytes in all; get_message gives the rest` }),
          ...(message.inReplyTo === null ? {} : { in_reply_to: message.inReplyTo }),
        };
      }),
      has_more: page.hasMore,
      note: page.damaged === 0 ? DATA_NOTE : `${DATA_NOTE}. ${page.damaged} damaged messages are left out`,
    };
  },
});
