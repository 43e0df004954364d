// report_usage: how full the caller's context is, so that the hub can ask for a checkpoint in time.

import { z } from 'zod';
import { defineTool } from './tool.ts';

export const reportUsage = defineTool({
  name: 'report_usage',
  title: 'Report context usage',
  description: 'Tell how full your context is (client hooks do it by themselves); says when a checkpoint is due.',
  access: 'write',
  toolset: 'manage',
  as: true,
  idempotent: true,
  input: () => ({ percent: z.number().min(0).max(100).describe('of the context window') }),
  output: () => ({
    percent: z.int(),
    threshold: z.int().describe('from here on a checkpoint is asked for, once'),
    checkpoint_requested: z.boolean().describe('by this report'),
    checkpoint_owed: z.boolean().describe('asked for and not yet saved'),
  }),
  async run({ hub, caller, key, args }, input) {
    const pressure = await hub.usage.report(caller, input.percent, { tool: 'report_usage', key, args });
    return {
      percent: pressure.percent,
      threshold: pressure.threshold,
      checkpoint_requested: pressure.requested,
      checkpoint_owed: pressure.owed,
      ...(pressure.replayed === true ? { replayed: true } : {}),
    };
  },
});
