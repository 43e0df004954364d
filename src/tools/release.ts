// release: give back what was reserved.

import * as z from 'zod';
import { RESERVATION_STATES } from '../hub/vocabulary.ts';
import { defineTool } from './tool.ts';

export const release = defineTool({
  name: 'release',
  title: 'Release reservations',
  description: 'Give back what you reserved, as soon as you are done with it.',
  access: 'write',
  toolset: 'work',
  as: true,
  idempotent: true,
  input: () => ({ ids: z.array(z.string().min(1).max(400)).min(1).max(64).describe('rsv_… ids, or the paths and names as reserved') }),
  output: () => ({
    released: z.array(z.string()),
    already: z.array(z.object({ id: z.string(), state: z.enum(RESERVATION_STATES) })).describe('ended before'),
  }),
  async run({ hub, caller, key, args }, input) {
    return await hub.reservations.release(caller, input.ids, { tool: 'release', key, args });
  },
});
