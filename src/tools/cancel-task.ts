// cancel_task: end a task and everything below it.

import { z } from 'zod';
import { taskId } from './task-words.ts';
import { defineTool } from './tool.ts';

/** Of a large subtree this many are named. */
const SHOWN = 100;

export const cancelTask = defineTool({
  name: 'cancel_task',
  title: 'Cancel a task',
  description: 'End a task of yours and all open ones below it; whoever works on them is told.',
  access: 'destructive',
  toolset: 'work',
  idempotent: true,
  input: () => ({ task_id: taskId, reason: z.string().min(1).max(2_000).optional() }),
  output: () => ({ canceled: z.array(z.string()).describe('the first hundred'), count: z.int() }),
  async run({ hub, caller, key, args }, input) {
    const { canceled, ...rest } = await hub.taskDecisions.cancel(caller, input.task_id, input.reason, { tool: 'cancel_task', key, args });
    return { canceled: canceled.slice(0, SHOWN), count: canceled.length, ...rest };
  },
});
