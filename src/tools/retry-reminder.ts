// retry_reminder: try a parked reminder again at once.

import * as z from 'zod';
import { REMINDER_STATES } from '../hub/vocabulary.ts';
import { defineTool } from './tool.ts';

export const retryReminder = defineTool({
  name: 'retry_reminder',
  title: 'Retry a reminder',
  description: 'Try a parked or failing reminder again at once, its attempts counted from zero. Its owner, managers and the operator may.',
  access: 'write',
  toolset: 'manage',
  idempotent: true,
  input: () => ({ reminder_id: z.string().min(1).max(64) }),
  output: () => ({ reminder_id: z.string(), state: z.enum(REMINDER_STATES), retried: z.boolean() }),
  async run({ hub, caller, key, args }, input) {
    const { state, retried } = await hub.reminders.retry(caller, input.reminder_id, { tool: 'retry_reminder', key, args });
    return { reminder_id: input.reminder_id, state, retried };
  },
});
