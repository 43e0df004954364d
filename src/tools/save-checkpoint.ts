// save_checkpoint: what this agent will need to know when its context is gone.

import { z } from 'zod';
import { toIso } from '../hub/clock.ts';
import { defineTool } from './tool.ts';

const lines = z.array(z.string().min(1).max(1_000)).max(64).optional();

export const saveCheckpoint = defineTool({
  name: 'save_checkpoint',
  title: 'Save a checkpoint',
  description:
    'Save what you need to go on after compaction or a restart. Call it before long operations and when a checkpoint is asked for; the newest counts.',
  access: 'write',
  toolset: 'memory',
  as: true,
  input: () => ({
    current_task: z.string().max(4_000).describe('what you are doing and what comes next'),
    files_modified: z.array(z.string().min(1).max(1_000)).optional().describe('only your own'),
    decisions: lines.describe('each with its reason'),
    open_questions: lines,
    blockers: lines,
    git_state: z.string().max(2_000).optional().describe('branch, uncommitted files'),
    note: z.string().max(8_000).optional(),
  }),
  output: () => ({ checkpoint_id: z.string(), saved_at: z.string() }),
  async run({ hub, caller, key, args }, input) {
    const words = {
      currentTask: input.current_task,
      filesModified: input.files_modified,
      decisions: input.decisions,
      openQuestions: input.open_questions,
      blockers: input.blockers,
      gitState: input.git_state,
      note: input.note,
    };
    const { checkpointId, savedAt, replayed } = await hub.checkpoints.save(caller, words, { tool: 'save_checkpoint', key, args });
    return { checkpoint_id: checkpointId, saved_at: toIso(savedAt), ...(replayed === true ? { replayed } : {}) };
  },
});
