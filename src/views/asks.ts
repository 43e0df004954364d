// asks: what is asked by whom of whom, those put to whoever looks first, each with how it ended.

import * as z from 'zod';
import { toIso, toIsoOrNull } from '../hub/clock.ts';
import { cutUtf8 } from '../hub/shown.ts';
import { ASK_STATES } from '../hub/vocabulary.ts';
import { defineView, pageSize } from './view.ts';

export const asks = defineView({
  name: 'asks',
  what: 'Asks of a state, the newest first, but those put to you before all others',
  input: { state: z.enum([...ASK_STATES, 'any']).default('open'), limit: pageSize(100, 500) },
  async run({ hub, caller }, { state, limit }) {
    const listed = await hub.asks.list(caller, { state: state === 'any' ? null : state, everybody: true, limit });
    const yours = ({ state: now, targetId }: (typeof listed)[number]) => Number(now === 'open' && targetId === caller.agentId);
    return {
      asks: listed
        .sort((a, b) => yours(b) - yours(a))
        .map((ask) => ({
          ask_id: ask.id,
          thread_id: ask.threadId,
          state: ask.state,
          from: ask.asker,
          to: ask.target,
          question: cutUtf8(ask.question, 0, hub.limits.inlineBodyBytes).text,
          options: ask.options,
          multi: ask.multi,
          answer: ask.answer,
          reason: ask.reason,
          asked_at: toIso(ask.askedAt),
          deadline_at: toIso(ask.deadlineAt),
          closed_at: toIsoOrNull(ask.closedAt),
        })),
    };
  },
});
export type AsksReply = Awaited<ReturnType<typeof asks.run>>;
