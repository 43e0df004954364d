// update_task: what a holder says of its task, and what its owner decides.

import { z } from 'zod';
import { UPDATE_STATES } from '../hub/task-decisions.ts';
import { FAILURE_CAUSES, PRIORITIES, TASK_STATES } from '../hub/vocabulary.ts';
import { taskId } from './task-words.ts';
import { defineTool } from './tool.ts';

export const updateTask = defineTool({
  name: 'update_task',
  title: 'Report on a task',
  description:
    'As holder, with the fencing_token: progress, or a state: input_required (note asks the owner; the answer resumes), failed, submitted (give it back). Without token: the owner retries (submitted) or accepts (completed) it; who was offered it declines (rejected).',
  access: 'write',
  toolset: 'work',
  as: true,
  input: () => ({
    task_id: taskId,
    fencing_token: z.int().min(0).optional(),
    state: z.enum(UPDATE_STATES).optional(),
    progress: z.int().min(0).max(100).optional(),
    seq: z.int().min(1).optional().describe('number of this report; default the next'),
    note: z.string().min(1).max(8_000).optional(),
    priority: z.enum(PRIORITIES).optional().describe('owner; alone'),
    expected_version: z.int().min(1).optional().describe('refuse if it changed since'),
    cause: z.enum(FAILURE_CAUSES).optional().describe('with failed'),
  }),
  output: () => ({
    state: z.enum(TASK_STATES),
    version: z.int(),
    progress_seq: z.int(),
    gap: z.object({ from: z.int(), to: z.int() }).optional().describe('reports that never arrived'),
    ask_id: z.string().optional(),
  }),
  async run({ hub, caller, key, args }, input) {
    const update = { ...input, fencingToken: input.fencing_token, expectedVersion: input.expected_version };
    const { gap, askId, replayed, ...updated } = await hub.taskUpdates.update(caller, input.task_id, update, {
      tool: 'update_task',
      key,
      args,
    });
    return {
      state: updated.state,
      version: updated.version,
      progress_seq: updated.progressSeq,
      ...(gap === null ? {} : { gap }),
      ...(askId === null ? {} : { ask_id: askId }),
      ...(replayed === true ? { replayed } : {}),
    };
  },
});
