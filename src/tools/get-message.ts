// get_message: the whole body of a message that was shown cut, in parts if need be.

import * as z from 'zod';
import { cutUtf8 } from '../hub/shown.ts';
import { defineTool } from './tool.ts';
import { DATA_NOTE, messageId } from './words.ts';

/** One part stays below the size at which clients move a result into a file. */
const PART_BYTES = 32 * 1024;

export const getMessage = defineTool({
  name: 'get_message',
  title: 'Read a whole message',
  description:
    'The full body of a message you sent or were sent; long ones in parts: pass next_offset as offset. Reading acknowledges nothing.',
  access: 'read',
  toolset: 'core',
  input: () => ({ message_id: messageId, offset: z.int().min(0).optional().describe('byte to start from') }),
  output: () => ({
    message_id: z.string(),
    from: z.string(),
    subject: z.string().optional(),
    body: z.string(),
    total_bytes: z.int(),
    next_offset: z.int().optional(),
    attachments: z.array(z.string()).optional(),
    thread_id: z.string(),
    note: z.string(),
  }),
  async run({ hub, caller }, input) {
    const { message, from } = await hub.messages.read(caller, input.message_id);
    const part = cutUtf8(message.body, input.offset ?? 0, PART_BYTES);
    return {
      message_id: message.id,
      from,
      ...(message.subject === '' ? {} : { subject: message.subject }),
      body: part.text,
      total_bytes: message.bodyBytes,
      ...(part.next === null ? {} : { next_offset: part.next }),
      ...(message.attachments.length === 0 ? {} : { attachments: message.attachments }),
      thread_id: message.threadId,
      note: DATA_NOTE,
    };
  },
});
