// cancel_reminder: it never fires after this.

import * as z from 'zod';
import { REMINDER_STATES } from '../hub/vocabulary.ts';
import { defineTool } from './tool.ts';

export const cancelReminder = defineTool({
  name: 'cancel_reminder',
  title: 'Cancel a reminder',
  description: 'Cancel a reminder of yours; it never fires.',
  access: 'write',
  toolset: 'core',
  idempotent: true,
  input: () => ({ reminder_id: z.string().min(1).max(64) }),
  output: () => ({ reminder_id: z.string(), state: z.enum(REMINDER_STATES) }),
  async run({ hub, caller, key, args }, input) {
    const { state, replayed } = await hub.reminders.cancel(caller, input.reminder_id, { tool: 'cancel_reminder', key, args });
    return { reminder_id: input.reminder_id, state, ...(replayed === true ? { replayed } : {}) };
  },
});
