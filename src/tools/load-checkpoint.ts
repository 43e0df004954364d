// load_checkpoint: the last checkpoint, whole.

import { z } from 'zod';
import { checkpointShape, renderCheckpoint } from './checkpoint.ts';
import { defineTool } from './tool.ts';

export const loadCheckpoint = defineTool({
  name: 'load_checkpoint',
  title: 'Load a checkpoint',
  description: 'Your last checkpoint in full, or that of another agent for managers and its parent; null when there is none.',
  access: 'read',
  toolset: 'memory',
  as: true,
  input: () => ({ of: z.string().min(1).max(40).optional().describe('another agent’s name') }),
  output: () => ({ agent: z.string(), checkpoint: checkpointShape().nullable(), hint: z.string().optional() }),
  async run({ hub, caller }, input) {
    const { agent, checkpoint } = await hub.checkpoints.load(caller, input.of);
    return {
      agent,
      checkpoint: checkpoint === null ? null : renderCheckpoint(checkpoint),
      ...(agent === caller.name ? { hint: 'get_open_threads lists what you owe and wait for; recv_batch shows what is new' } : {}),
    };
  },
});
