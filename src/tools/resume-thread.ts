// resume_thread: let a thread that was stopped for going in circles go on.

import * as z from 'zod';
import { defineTool } from './tool.ts';

export const resumeThread = defineTool({
  name: 'resume_thread',
  title: 'Let a paused thread go on',
  description: 'Let a thread that was paused for going in circles go on, counted anew. For managers and the operator.',
  access: 'write',
  toolset: 'manage',
  overseers: true,
  input: () => ({ thread_id: z.string().min(1).max(64) }),
  output: () => ({ thread_id: z.string() }),
  async run({ hub, caller, key, args }, input) {
    return await hub.threads.resume(caller, input.thread_id, { tool: 'resume_thread', key, args });
  },
});
