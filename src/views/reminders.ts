// reminders: what will be told later, to whom, and what could not be.

import * as z from 'zod';
import { toIso, toIsoOrNull } from '../hub/clock.ts';
import { REMINDER_STATES } from '../hub/vocabulary.ts';
import { defineView, pageSize } from './view.ts';

export const reminders = defineView({
  name: 'reminders',
  what: 'Reminders of a state, the newest first; pending ones soonest first; open: parked ones, then pending ones',
  input: { state: z.enum([...REMINDER_STATES, 'open', 'any']).default('pending'), limit: pageSize(100, 500) },
  async run({ hub, caller }, { state, limit }) {
    const of = (one: (typeof REMINDER_STATES)[number] | null) => hub.reminders.list(caller, { state: one, everybody: true, limit });
    const soonest = async () => (await of('pending')).sort((a, b) => a.attemptAt - b.attemptAt);
    const rows =
      state === 'open'
        ? [...(await of('parked')), ...(await soonest())].slice(0, limit)
        : state === 'pending'
          ? await soonest()
          : await of(state === 'any' ? null : state);
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
