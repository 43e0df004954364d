// handoff_task: give a task to another agent, who has to accept it.

import { z } from 'zod';
import { toIso } from '../hub/clock.ts';
import { TASK_STATES } from '../hub/vocabulary.ts';
import { taskId } from './task-words.ts';
import { defineTool } from './tool.ts';

export const handoffTask = defineTool({
  name: 'handoff_task',
  title: 'Hand a task on',
  description:
    'As holder, offer a task to another; it stays yours until that one claims it. Without token, its owner assigns a task nobody holds.',
  access: 'write',
  toolset: 'work',
  as: true,
  input: () => ({
    task_id: taskId,
    to: z.string().min(1).max(40).describe('an agent'),
    fencing_token: z.int().min(0).optional(),
    note: z.string().min(1).max(8_000).optional().describe('where it stands'),
  }),
  output: () => ({ state: z.enum(TASK_STATES), accept_until: z.string().optional() }),
  async run({ hub, caller, key, args }, input) {
    const handoff = { to: input.to, fencingToken: input.fencing_token, note: input.note };
    const { state, until, replayed } = await hub.handoffs.offer(caller, input.task_id, handoff, { tool: 'handoff_task', key, args });
    return { state, ...(until === null ? {} : { accept_until: toIso(until) }), ...(replayed === true ? { replayed } : {}) };
  },
});
