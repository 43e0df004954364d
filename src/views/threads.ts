// threads: the conversations of a project by their newest message, or the messages that hold some words.

import * as z from 'zod';
import { toIso } from '../hub/clock.ts';
import { defineView, pageSize } from './view.ts';

export const threads = defineView({
  name: 'threads',
  what: 'Threads by their newest message, or with q the messages that hold these words; next is the seq to go on before',
  input: {
    q: z.string().max(200).optional().describe('words in a subject or body'),
    before: z.coerce.number().int().min(1).optional(),
    limit: pageSize(50, 200),
  },
  async run({ hub, caller }, { q, before, limit }) {
    const page = await hub.threads.list(caller, { words: q, before, limit });
    return {
      threads: page.threads.map((one) => ({
        thread_id: one.threadId,
        title: one.title,
        messages: one.messages,
        seq: one.seq,
        from: one.from,
        excerpt: one.excerpt,
        at: toIso(one.at),
        open: one.open,
        dead: one.dead,
      })),
      next: page.next,
    };
  },
});
export type ThreadsReply = Awaited<ReturnType<typeof threads.run>>;
