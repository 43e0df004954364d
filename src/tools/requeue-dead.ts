// requeue_dead: put a dead letter back into its inbox.

import * as z from 'zod';
import { defineTool } from './tool.ts';
import { messageId } from './words.ts';

export const requeueDead = defineTool({
  name: 'requeue_dead',
  title: 'Requeue a dead letter',
  description:
    'Put a message that was set aside back into its recipient’s inbox, with as many attempts again. For managers and the operator.',
  access: 'write',
  toolset: 'manage',
  overseers: true,
  input: () => ({ message_id: messageId, to: z.string().min(1).max(40).describe('the recipient') }),
  output: () => ({ message_id: z.string(), to: z.string() }),
  async run({ hub, caller, key, args }, input) {
    return await hub.deliveries.requeueFor(caller, input.message_id, input.to, { tool: 'requeue_dead', key, args });
  },
});
