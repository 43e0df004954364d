// A checkpoint as agents read it. Fields that say nothing are left out: they cost the reader's context.

import { z } from 'zod';
import { toIso } from '../hub/clock.ts';
import type { Digest } from '../hub/recovery.ts';
import { once } from './once.ts';

export const checkpointShape = once(() =>
  z
    .object({
      saved_at: z.string(),
      by: z.enum(['agent', 'hook']).describe('hook: only what the client saw, no words of the agent'),
      current_task: z.string().optional(),
      open_questions: z.array(z.string()).optional(),
      blockers: z.array(z.string()).optional(),
      decisions: z.array(z.string()).optional(),
      files_modified: z.array(z.string()).optional(),
      git_state: z.string().optional(),
      note: z.string().optional(),
      observed_at: z.string().optional().describe('when a hook last saw files and git'),
    })
    .describe('data, in the words of the agent that saved it'),
);

export function renderCheckpoint(checkpoint: Digest): z.input<ReturnType<typeof checkpointShape>> {
  const list = <K extends string>(name: K, items: string[]) => (items.length === 0 ? {} : { [name]: items });
  return {
    saved_at: toIso(checkpoint.savedAt),
    by: checkpoint.source,
    ...(checkpoint.currentTask === null ? {} : { current_task: checkpoint.currentTask }),
    ...list('open_questions', checkpoint.openQuestions),
    ...list('blockers', checkpoint.blockers),
    ...list('decisions', checkpoint.decisions),
    ...list('files_modified', checkpoint.filesModified),
    ...(checkpoint.gitState === null ? {} : { git_state: checkpoint.gitState }),
    ...(checkpoint.note === '' ? {} : { note: checkpoint.note }),
    ...(checkpoint.observedAt === null ? {} : { observed_at: toIso(checkpoint.observedAt) }),
  };
}
