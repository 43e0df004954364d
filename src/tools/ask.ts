// ask: a question that ends: answered, declined, cancelled or expired.

import * as z from 'zod';
import { toIso } from '../hub/clock.ts';
import { LIMITS } from '../hub/limits.ts';
import { ASK_STATES } from '../hub/vocabulary.ts';
import { defineTool } from './tool.ts';
import { clampWait, waitSeconds } from './words.ts';

export const ask = defineTool({
  name: 'ask',
  title: 'Ask a question',
  description:
    'Ask one agent or the operator. It always ends: the answer, refusal or expiry comes to your inbox; get_open_threads shows it until then.',
  access: 'write',
  toolset: 'core',
  as: true,
  input: () => ({
    to: z.string().min(1).max(40).describe('a name, or operator'),
    question: z.string().min(1).max(8_000),
    options: z.array(z.string().min(1).max(200)).max(20).optional().describe('advisory'),
    multi: z.boolean().optional().describe('several answers allowed'),
    context: z.string().max(8_000).optional(),
    deadline_seconds: z
      .int()
      .min(1)
      .max(LIMITS.askDeadlineMs.hard / 1000)
      .optional()
      .describe(`default ${LIMITS.askDeadlineMs.value / 1000}`),
    wait_seconds: waitSeconds,
  }),
  output: () => ({
    ask_id: z.string(),
    message_id: z.string(),
    state: z.enum(ASK_STATES),
    deadline_at: z.string(),
    answer: z.array(z.string()).optional(),
    declined_because: z.string().optional(),
    reason: z.string().optional().describe('why waiting ended without an answer'),
    hint: z.string().optional(),
    note: z.string().optional(),
  }),
  async run({ hub, caller, key, args, signal }, input) {
    const deadlineMs = input.deadline_seconds === undefined ? undefined : input.deadline_seconds * 1000;
    const { askId, messageId, deadlineAt, replayed } = await hub.asks.ask(caller, { ...input, deadlineMs }, { tool: 'ask', key, args });
    const { waitMs, note } = clampWait(input.wait_seconds, LIMITS.waitMs.hard);
    const waited = waitMs > 0 ? await hub.asks.await(caller, askId, waitMs, signal) : undefined;
    return {
      ask_id: askId,
      message_id: messageId,
      state: waited?.ask.state ?? 'open',
      deadline_at: toIso(deadlineAt),
      ...(waited?.ask.answer == null ? {} : { answer: waited.ask.answer }),
      ...(waited?.ask.state === 'declined' ? { declined_because: waited.ask.reason ?? 'no reason given' } : {}),
      ...(waited === undefined || waited.end === 'found' ? {} : { reason: waited.end }),
      ...(waited === undefined || waited.ask.state !== 'open'
        ? {}
        : { hint: 'still open: its end will come to your inbox; do not ask again' }),
      ...(note === undefined ? {} : { note }),
      ...(replayed === true ? { replayed } : {}),
    };
  },
});
