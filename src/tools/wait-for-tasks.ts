// wait_for_tasks: a barrier.

import { z } from 'zod';
import { LIMITS } from '../hub/limits.ts';
import { renderHead, taskHead, taskId } from './task-words.ts';
import { defineTool } from './tool.ts';
import { clampWait, waitSeconds } from './words.ts';

export const waitForTasks = defineTool({
  name: 'wait_for_tasks',
  title: 'Wait for tasks',
  description: 'Wait until every one of these tasks has ended or needs attention; says how each stands, also when the time is up.',
  access: 'read',
  toolset: 'work',
  input: () => ({ task_ids: z.array(taskId).min(1).max(100), wait_seconds: waitSeconds }),
  output: () => ({
    done: z.boolean().describe('every one has ended'),
    tasks: z.array(taskHead()),
    reason: z.string().optional().describe('why waiting ended before that'),
    note: z.string().optional(),
  }),
  async run({ hub, caller, signal }, input) {
    const { waitMs, note } = clampWait(input.wait_seconds ?? LIMITS.waitMs.value / 1000, LIMITS.waitMs.hard);
    const { tasks, done, end } = await hub.taskViews.await(caller, input.task_ids, waitMs, signal);
    return {
      done,
      tasks: tasks.map(renderHead),
      ...(end === 'found' ? {} : { reason: end }),
      ...(note === undefined ? {} : { note }),
    };
  },
});
