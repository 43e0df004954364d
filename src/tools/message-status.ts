// message_status: the truth about one message, per recipient.

import * as z from 'zod';
import { DELIVERY_STATES } from '../hub/vocabulary.ts';
import { defineTool } from './tool.ts';
import { messageId } from './words.ts';

export const messageStatus = defineTool({
  name: 'message_status',
  title: 'What became of a message',
  description:
    'For each recipient: accepted, first shown (to which session), acknowledged and done, each with its time, and why it is not further. Nothing is ever just "delivered".',
  access: 'read',
  toolset: 'core',
  input: () => ({ message_id: messageId }),
  output: () => ({
    message_id: z.string(),
    seq: z.int(),
    thread_id: z.string(),
    recipients: z.array(
      z.object({
        recipient: z.string(),
        state: z.enum(DELIVERY_STATES),
        accepted_at: z.string(),
        first_shown_at: z.string().nullable(),
        first_shown_to: z.string().nullable().describe('session (client, door)'),
        acked_at: z.string().nullable(),
        acked_by: z.string().nullable(),
        done_at: z.string().nullable().describe('replied to, or acknowledged when no reply is expected'),
        attempts: z.int(),
        wake_attempts: z.array(z.object({ door: z.string(), at: z.string(), outcome: z.string() })),
        why: z.string(),
      }),
    ),
  }),
  async run({ hub, caller }, input) {
    const { message, deliveries } = await hub.status.of(caller, input.message_id);
    return { message_id: message.id, seq: message.seq, thread_id: message.threadId, recipients: deliveries };
  },
});
