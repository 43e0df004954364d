// remind: be told something later, across restarts and compaction.

import * as z from 'zod';
import { toIso } from '../hub/clock.ts';
import { defineTool } from './tool.ts';

export const remind = defineTool({
  name: 'remind',
  title: 'Set a reminder',
  description:
    'Be told something later, by a message to your inbox: exactly one of in_seconds, at, cron. It survives restarts; if the hub was down it comes late and says so.',
  access: 'write',
  toolset: 'core',
  as: true,
  input: () => ({
    message: z.string().min(1),
    in_seconds: z.int().min(1).max(315_360_000).optional(),
    at: z.string().max(40).optional().describe('ISO instant with offset'),
    cron: z.string().max(100).optional().describe('five fields'),
    timezone: z.string().max(64).optional().describe('of cron; default UTC'),
    max_runs: z.int().min(1).optional(),
    only_if: z.string().max(64).optional().describe('ask or message id: only while it is open'),
    to: z.string().max(40).optional().describe('managers: another agent'),
  }),
  output: () => ({ reminder_id: z.string(), next_due_at: z.string() }),
  async run({ hub, caller, key, args }, input) {
    const { in_seconds: seconds, max_runs: maxRuns, only_if: onlyIf, ...rest } = input;
    const request = { ...rest, inMs: seconds === undefined ? undefined : seconds * 1000, maxRuns, onlyIf };
    const { reminderId, dueAt, replayed } = await hub.reminders.remind(caller, request, { tool: 'remind', key, args });
    return { reminder_id: reminderId, next_due_at: toIso(dueAt), ...(replayed === true ? { replayed } : {}) };
  },
});
