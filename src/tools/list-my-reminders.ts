// list_my_reminders: what the caller will be reminded of, and what failed.

import * as z from 'zod';
import { toIso } from '../hub/clock.ts';
import { REMINDER_STATES } from '../hub/vocabulary.ts';
import { defineTool } from './tool.ts';

export const listMyReminders = defineTool({
  name: 'list_my_reminders',
  title: 'List my reminders',
  description: 'Your pending and parked reminders, soonest first.',
  access: 'read',
  toolset: 'core',
  input: () => ({ state: z.enum(REMINDER_STATES).optional() }),
  output: () => ({
    reminders: z.array(
      z.object({
        id: z.string(),
        message: z.string(),
        to: z.string().optional(),
        next_due_at: z.string(),
        cron: z.string().optional(),
        timezone: z.string().optional(),
        runs: z.int(),
        only_if: z.string().optional(),
        attempt_count: z.int(),
        last_error: z.string().optional(),
        state: z.enum(REMINDER_STATES),
      }),
    ),
    pending: z.int(),
    parked: z.int(),
    fired: z.int().describe('so far'),
  }),
  async run({ hub, caller }, input) {
    const reminders = await hub.reminders.list(caller, {
      state: input.state ?? null,
      limit: hub.context.limitsOf(caller).pendingReminders,
    });
    return {
      reminders: reminders.map((one) => ({
        id: one.id,
        message: one.message,
        ...(one.targetId === one.ownerId ? {} : { to: one.target }),
        next_due_at: toIso(one.attemptAt),
        ...(one.cron === null || one.timezone === null ? {} : { cron: one.cron, timezone: one.timezone }),
        runs: one.runs,
        ...(one.onlyIf === null ? {} : { only_if: one.onlyIf }),
        attempt_count: one.attemptCount,
        ...(one.lastError === null ? {} : { last_error: one.lastError }),
        state: one.state,
      })),
      ...(await hub.reminders.counts(caller)),
    };
  },
});
