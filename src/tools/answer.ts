// answer: end an ask that was put to the caller.

import * as z from 'zod';
import { HubError } from '../hub/errors.ts';
import { ASK_STATES } from '../hub/vocabulary.ts';
import { defineTool } from './tool.ts';

export const answer = defineTool({
  name: 'answer',
  title: 'Answer an ask',
  description: 'Answer an ask put to you, or decline it with a reason. The first end counts; a later answer is kept as late.',
  access: 'write',
  toolset: 'core',
  as: true,
  idempotent: true,
  input: () => ({
    ask_id: z.string().min(1).max(64),
    answer: z.union([z.string().min(1).max(16_000), z.array(z.string().min(1).max(16_000)).min(1).max(20)]).optional(),
    decline: z.boolean().optional(),
    reason: z.string().max(1_000).optional(),
  }),
  output: () => ({
    ask_id: z.string(),
    state: z.enum(ASK_STATES),
    answer: z.array(z.string()).optional().describe('the answer that counts'),
    late: z.boolean().optional(),
  }),
  async run({ hub, caller, key, args }, input) {
    const given = typeof input.answer === 'string' ? [input.answer] : input.answer;
    if ((given === undefined) !== (input.decline === true)) {
      throw new HubError('invalid_input', 'Give either answer, or decline: true with a reason.', {
        hint: 'For example answer({ask_id, answer: "yes"}).',
      });
    }
    const recorded = await hub.asks.answer(caller, input.ask_id, { answer: given, reason: input.reason }, { tool: 'answer', key, args });
    return {
      ask_id: input.ask_id,
      state: recorded.state,
      ...(recorded.answer === null ? {} : { answer: recorded.answer }),
      ...(recorded.late ? { late: true } : {}),
      ...(recorded.replayed === true ? { replayed: true } : {}),
    };
  },
});
