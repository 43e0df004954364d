// complete_task: hand in the result of a task that one holds.

import { z } from 'zod';
import { TASK_STATES, VERIFICATIONS } from '../hub/vocabulary.ts';
import { taskId } from './task-words.ts';
import { defineTool } from './tool.ts';

export const completeTask = defineTool({
  name: 'complete_task',
  title: 'Complete a task',
  description:
    'Hand in the result of a task you hold. It is completed, goes into review, or is unverified if expected artifacts are missing.',
  access: 'write',
  toolset: 'work',
  as: true,
  input: () => ({
    task_id: taskId,
    fencing_token: z.int().min(0),
    result: z.string().min(1).describe('what was done, for the owner'),
    artifacts: z.array(z.string().min(1).max(1_100)).max(100).optional().describe('"path" or "path sha256:hex"'),
  }),
  output: () => ({
    state: z.enum(TASK_STATES),
    version: z.int(),
    revision: z.int().describe('verdicts are bound to it'),
    verification: z.enum(VERIFICATIONS).optional(),
    missing: z.array(z.string()).optional().describe('expected and not there, or different'),
  }),
  async run({ hub, caller, key, args }, input) {
    const given = { fencingToken: input.fencing_token, result: input.result, artifacts: input.artifacts };
    const done = await hub.taskCompletion.complete(caller, input.task_id, given, { tool: 'complete_task', key, args });
    return {
      state: done.state,
      version: done.version,
      revision: done.revision,
      ...(done.verification === null ? {} : { verification: done.verification }),
      ...(done.missing.length === 0 ? {} : { missing: done.missing }),
      ...(done.replayed === true ? { replayed: true } : {}),
    };
  },
});
