// recv_batch: show what waits, under a receipt; optionally acknowledge the previous batch and wait for something to come.

import * as z from 'zod';
import type { Batch } from '../hub/inbox.ts';
import { LIMITS } from '../hub/limits.ts';
import { defineTool } from './tool.ts';
import { clampWait, DATA_NOTE, renderShown, shownMessage, waitSeconds } from './words.ts';

export const recvBatch = defineTool({
  name: 'recv_batch',
  title: 'Receive messages',
  description:
    'Read your inbox: first what you were shown and have not acknowledged, then new messages. Act on them, then pass the receipt as ack here (or to the ack tool, or reply); what you do not acknowledge is shown again. wait_seconds waits for mail; peek looks without taking.',
  access: 'write',
  toolset: 'core',
  daily: true,
  as: true,
  input: () => ({
    max: z.int().min(0).optional().describe(`default ${LIMITS.batchMessages.value}, at most ${LIMITS.batchMessages.hard}; 0 counts only`),
    max_bytes: z.int().min(1).optional(),
    wait_seconds: waitSeconds,
    ack: z.string().max(64).optional().describe('receipt of the batch you have dealt with'),
    peek: z.boolean().optional(),
    from: z.string().max(40).optional().describe('only from this agent'),
    thread_id: z.string().max(64).optional(),
  }),
  output: () => ({
    messages: z.array(shownMessage()),
    receipt: z.string().nullable(),
    remaining: z.int(),
    acked: z.int().optional(),
    skipped: z.array(z.object({ seq: z.int(), sender_seq: z.int(), from: z.string(), state: z.string(), why: z.string() })).optional(),
    reason: z.string().optional().describe('why an empty answer came'),
    hint: z.string().optional(),
    note: z.string().optional(),
  }),
  async run({ hub, caller, key, args, signal }, input) {
    const { waitMs, note } = clampWait(input.wait_seconds, LIMITS.waitMs.hard);
    const peek = input.peek === true;
    const batch = await hub.inbox.receive(
      caller,
      {
        max: Math.min(input.max ?? hub.limits.batchMessages, LIMITS.batchMessages.hard),
        maxBytes: Math.min(input.max_bytes ?? hub.limits.batchBytes, LIMITS.batchBytes.hard),
        waitMs: peek ? 0 : waitMs,
        ack: input.ack,
        peek,
        from: input.from,
        threadId: input.thread_id,
      },
      { tool: 'recv_batch', key, args },
      signal,
    );
    const said = [...(batch.messages.length > 0 ? [DATA_NOTE] : []), ...(note === undefined ? [] : [note])].join('. ');
    return {
      messages: batch.messages.map((message) => renderShown(message, message.attempt > (peek ? 0 : 1))),
      receipt: batch.receipt,
      remaining: batch.remaining,
      ...(input.ack === undefined ? {} : { acked: batch.acked }),
      ...(batch.skipped.length === 0
        ? {}
        : {
            skipped: batch.skipped.map((one) => ({
              seq: one.seq,
              sender_seq: one.senderSeq,
              from: one.senderName,
              state: one.state,
              why: one.reason,
            })),
          }),
      ...(batch.messages.length > 0 || batch.end === 'found' ? {} : { reason: batch.end }),
      ...hintFor(batch, peek),
      ...(said === '' ? {} : { note: said }),
      ...(batch.replayed === true ? { replayed: true } : {}),
    };
  },
});

function hintFor(batch: Batch, peek: boolean): { hint?: string } {
  const parts: string[] = [];
  if (batch.receipt !== null) parts.push('when done, acknowledge: recv_batch({ack: receipt}) or ack({receipt})');
  if (peek && batch.messages.length > 0) parts.push('peeked, not taken: call recv_batch without peek to take them');
  if (batch.remaining > 0) parts.push(`+${batch.remaining} more queued; consider draining before acting`);
  if (batch.messages.length === 0 && batch.end === 'timeout') parts.push('nothing yet; call again to wait on');
  return parts.length === 0 ? {} : { hint: parts.join('; ') };
}
