// submit_review: a reviewer's verdict on one revision of a task.

import { z } from 'zod';
import { VERDICTS } from '../hub/reviews.ts';
import { TASK_STATES } from '../hub/vocabulary.ts';
import { defineTool } from './tool.ts';

export const submitReview = defineTool({
  name: 'submit_review',
  title: 'Submit a review',
  description:
    'Give your verdict on a task that you are asked to review (get_task shows the result). Only this decides, no message does. NOT_PASS sends it back with your findings.',
  access: 'write',
  toolset: 'work',
  as: true,
  input: () => ({
    task_id: z.string().min(1).max(64),
    revision: z.int().min(1).describe('the one you looked at'),
    verdict: z.enum(VERDICTS),
    findings: z.array(z.string().min(1).max(2_000)).max(32).optional().describe('with file and line; NOT_PASS needs one'),
  }),
  output: () => ({
    state: z.enum(TASK_STATES),
    revision: z.int(),
    passed: z.int().describe('how many passed this revision'),
    quorum: z.int().describe('how many must'),
  }),
  async run({ hub, caller, key, args }, input) {
    const submission = { taskId: input.task_id, revision: input.revision, verdict: input.verdict, findings: input.findings ?? [] };
    return await hub.reviews.submit(caller, submission, { tool: 'submit_review', key, args });
  },
});
