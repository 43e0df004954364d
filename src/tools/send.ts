// send: accept a message for its recipients, durably, and say what is known of each.

import * as z from 'zod';
import { LIMITS } from '../hub/limits.ts';
import { DELIVERY_STATES, KINDS } from '../hub/vocabulary.ts';
import { defineTool } from './tool.ts';
import { clampWait, messageId, wakeShape } from './words.ts';

export const send = defineTool({
  name: 'send',
  title: 'Send a message',
  description:
    'Send a durable message. Success means it is on disk; state and reachable say whether anybody is there to read it. A reply (in_reply_to) also acknowledges what it answers. Follow up with message_status.',
  access: 'write',
  toolset: 'core',
  daily: true,
  as: true,
  input: () => ({
    to: z
      .union([z.string().min(1).max(400), z.array(z.string().min(1).max(40)).min(1).max(100)])
      .describe('name(s), role:x, any:role-or-capability (one takes it), * (all), operator'),
    body: z.string(),
    subject: z.string().optional().describe('one line'),
    in_reply_to: messageId.optional(),
    kind: z.enum(KINDS).optional().describe('default note; request expects a reply'),
    priority: z.enum(['normal', 'urgent']).optional(),
    expects_reply: z.boolean().optional(),
    expires_in_seconds: z.int().min(1).optional(),
    attachments: z.array(z.string()).optional().describe('project paths or URIs'),
    wait_ack_seconds: z
      .number()
      .min(0)
      .optional()
      .describe(`wait for acknowledgement, at most ${LIMITS.waitMs.hard / 1000}`),
    allow_duplicate: z.boolean().optional().describe('send the same words again within a minute'),
  }),
  output: () => ({
    message_id: z.string(),
    seq: z.int(),
    thread_id: z.string(),
    recipients: z.array(z.object({ name: z.string(), state: z.enum(DELIVERY_STATES), reachable: z.boolean(), wake: wakeShape() })),
    notes: z.array(z.string()).optional(),
    by: z.literal('content').optional(),
  }),
  async run({ hub, caller, key, args, signal }, input) {
    const { notes, ...sent } = await hub.messages.send(
      caller,
      {
        to: input.to,
        body: input.body,
        subject: input.subject,
        inReplyTo: input.in_reply_to,
        kind: input.kind,
        urgent: input.priority === 'urgent',
        expectsReply: input.expects_reply,
        expiresInMs: input.expires_in_seconds === undefined ? undefined : input.expires_in_seconds * 1000,
        attachments: input.attachments,
        allowDuplicate: input.allow_duplicate,
      },
      { tool: 'send', key, args },
    );
    const { waitMs, note } = clampWait(input.wait_ack_seconds, LIMITS.waitMs.hard);
    const recipients = waitMs > 0 ? await hub.messages.awaitAcks(caller, sent.message_id, waitMs, signal) : sent.recipients;
    const said = [...notes, ...(note === undefined ? [] : [note.replace('wait_seconds', 'wait_ack_seconds')])];
    return { ...sent, recipients, ...(said.length === 0 ? {} : { notes: said }) };
  },
});
