// list_my_asks: the caller's own questions and how they ended.

import * as z from 'zod';
import { toIso } from '../hub/clock.ts';
import { ASK_STATES } from '../hub/vocabulary.ts';
import { defineTool } from './tool.ts';

export const listMyAsks = defineTool({
  name: 'list_my_asks',
  title: 'List my asks',
  description: 'Your asks, newest first, and how each ended.',
  access: 'read',
  toolset: 'core',
  input: () => ({ state: z.enum(ASK_STATES).optional() }),
  output: () => ({
    asks: z.array(
      z.object({
        id: z.string(),
        target: z.string(),
        question: z.string(),
        asked_at: z.string(),
        deadline_at: z.string(),
        state: z.enum(ASK_STATES),
        answer: z.array(z.string()).optional(),
        reason: z.string().optional(),
        late_answers: z.array(z.string()).optional(),
      }),
    ),
  }),
  async run({ hub, caller }, input) {
    const asks = await hub.asks.list(caller, { state: input.state ?? null, limit: hub.limits.pageRows });
    return {
      asks: asks.map((ask) => ({
        id: ask.id,
        target: ask.target,
        question: ask.question,
        asked_at: toIso(ask.askedAt),
        deadline_at: toIso(ask.deadlineAt),
        state: ask.state,
        ...(ask.answer === null ? {} : { answer: ask.answer }),
        ...(ask.reason === null ? {} : { reason: ask.reason }),
        ...(ask.late.length === 0 ? {} : { late_answers: ask.late.map((late) => late.answer.join('\n')) }),
      })),
    };
  },
});
