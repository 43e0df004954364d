// claim_task: take a task, under a lease and a fencing token.

import { z } from 'zod';
import { toIso } from '../hub/clock.ts';
import { cut, renderHead, taskHead, taskId } from './task-words.ts';
import { defineTool } from './tool.ts';
import { DATA_NOTE } from './words.ts';

/** How much of the last note is shown. */
const NOTE_CHARS = 1_000;

export const claimTask = defineTool({
  name: 'claim_task',
  title: 'Claim a task',
  description:
    'Take a task: the one named, or the best for you. Keep the fencing_token for every update. Your calls renew the lease; if it ends, the task goes to others.',
  access: 'write',
  toolset: 'work',
  as: true,
  input: () => ({ task_id: taskId.optional() }),
  output: () => ({
    claimed: z.boolean(),
    reason: z.string().optional().describe('why there is nothing for you'),
    task: taskHead().optional(),
    body: z.string().optional(),
    fencing_token: z.int().optional(),
    lease_until: z.string().optional(),
    progress_seq: z.int().optional().describe('the last number of progress'),
    expected_artifacts: z.array(z.string()).optional(),
    depends_on: z.array(z.string()).optional(),
    last_note: z
      .object({ act: z.string(), by: z.string(), at: z.string(), note: z.string() })
      .optional()
      .describe('the last that was said about it; get_task has the rest'),
    note: z.string().optional(),
  }),
  async run({ hub, caller, key, args }, input) {
    const {
      taskId: id,
      fencingToken,
      reason,
      again,
      replayed,
    } = await hub.claims.claim(caller, input.task_id, { tool: 'claim_task', key, args });
    if (id === null) return { claimed: false, reason: reason ?? 'nothing is open' };
    const { task, dependsOn, lastNote } = await hub.taskViews.get(caller, id);
    const token = fencingToken ?? task.fencingToken;
    const held = task.holderId === caller.agentId && task.fencingToken === token;
    return {
      claimed: true,
      task: renderHead(task),
      ...(task.body === '' ? {} : { body: task.body }),
      fencing_token: token,
      ...(task.leaseUntil === null || !held ? {} : { lease_until: toIso(task.leaseUntil) }),
      progress_seq: task.progressSeq,
      ...(task.expectedArtifacts.length === 0 ? {} : { expected_artifacts: task.expectedArtifacts }),
      ...(dependsOn.length === 0 ? {} : { depends_on: dependsOn.map((one) => one.taskId) }),
      ...(lastNote === null ? {} : { last_note: { ...lastNote, at: toIso(lastNote.at), note: cut(lastNote.note ?? '', NOTE_CHARS) } }),
      note: `${held ? '' : 'this claim is over: do not work on it; '}${again ? 'you hold it already; ' : ''}${DATA_NOTE}`,
      ...(replayed === true ? { replayed } : {}),
    };
  },
});
