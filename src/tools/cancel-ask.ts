// cancel_ask: withdraw a question.

import * as z from 'zod';
import { ASK_STATES } from '../hub/vocabulary.ts';
import { defineTool } from './tool.ts';

export const cancelAsk = defineTool({
  name: 'cancel_ask',
  title: 'Cancel an ask',
  description: 'Withdraw an ask of yours; its target is told.',
  access: 'write',
  toolset: 'core',
  idempotent: true,
  input: () => ({ ask_id: z.string().min(1).max(64) }),
  output: () => ({ ask_id: z.string(), state: z.enum(ASK_STATES) }),
  async run({ hub, caller, key, args }, input) {
    const { state, replayed } = await hub.asks.cancel(caller, input.ask_id, { tool: 'cancel_ask', key, args });
    return { ask_id: input.ask_id, state, ...(replayed === true ? { replayed } : {}) };
  },
});
