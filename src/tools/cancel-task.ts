// cancel_task: end a task and everything below it.

import { z } from 'zod';
import { taskId } from './task-words.ts';
import { defineTool } from './tool.ts';

export const cancelTask = defineTool({
  name: 'cancel_task',
  title: 'Cancel a task',
  description: 'End a task of yours and all open ones below it; whoever works on them is told.',
  access: 'destructive',
  toolset: 'work',
  idempotent: true,
  input: { task_id: taskId, reason: z.string().min(1).max(2_000).optional() },
  output: { canceled: z.array(z.string()) },
  async run({ hub, caller, key, args }, input) {
    return await hub.taskDecisions.cancel(caller, input.task_id, input.reason, { tool: 'cancel_task', key, args });
  },
});
