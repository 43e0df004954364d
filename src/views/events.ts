// events: what happened, newest first, with the names of those who did it. It shows who did what to what, never a body.

import * as z from 'zod';
import { EVENT_TYPES } from '../hub/events.ts';
import { defineView, pageSize } from './view.ts';

export const EVENT_KINDS = [...new Set(EVENT_TYPES.map((type) => type.split('.')[0] ?? type))];

export const events = defineView({
  name: 'events',
  what: 'The event log, newest first; next is the place to go on from, null at the beginning of time',
  input: {
    before: z.coerce.number().int().min(1).optional().describe('events before this seq'),
    kinds: z
      .string()
      .max(400)
      .default('')
      .transform((text) => text.split(',').filter((word) => word !== ''))
      .pipe(z.array(z.enum(EVENT_KINDS)))
      .describe('such as message,ask'),
    actor: z.string().max(64).optional().describe('the name of whoever did it'),
    subject: z.string().max(64).optional().describe('the id of what it is about'),
    limit: pageSize(100, 500),
  },
  async run({ hub, caller }, { before, kinds, actor, subject, limit }) {
    const page = await hub.feed.page(caller, { before, kinds, actor, subject, limit });
    return {
      events: page.events.map(({ seq, at, type, actorName, subject: about, data }) => ({
        seq,
        at,
        type,
        actor: actorName,
        subject: about,
        data,
      })),
      next: page.next,
      kinds: EVENT_KINDS,
    };
  },
});
export type EventsReply = Awaited<ReturnType<typeof events.run>>;
