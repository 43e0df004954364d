// reminders: what will be told later, to whom, and what could not be.

import * as z from 'zod';
import { toIso, toIsoOrNull } from '../hub/clock.ts';
import { REMINDER_STATES } from '../hub/vocabulary.ts';
import { defineView, pageSize } from './view.ts';

export const reminders = defineView({
  name: 'reminders',
  what: 'Reminders of a state, the newest first; pending ones soonest first',
  input: { state: z.enum(REMINDER_STATES).default('pending'), limit: pageSize(100, 500) },
  async run({ hub, caller }, { state, limit }) {
    const listed = await hub.reminders.list(caller, { state, everybody: true, limit });
    const rows = state === 'pending' ? listed.sort((a, b) => a.attemptAt - b.attemptAt) : listed;
    return {
      reminders: rows.map((one) => ({
        reminder_id: one.id,
        owner: one.owner,
        target: one.target,
        message: one.message,
        state: one.state,
        due_at: toIso(one.attemptAt),
        cron: one.cron,
        timezone: one.timezone,
        runs: one.runs,
        max_runs: one.maxRuns,
        attempts: one.attemptCount,
        error: one.lastError,
        closed_at: toIsoOrNull(one.closedAt),
      })),
    };
  },
});
export type RemindersReply = Awaited<ReturnType<typeof reminders.run>>;
