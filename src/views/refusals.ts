// refusals: what the guard kept the models of a project from doing, the newest first, in the words that they were told.

import { toIso } from '../hub/clock.ts';
import { defineView, pageSize } from './view.ts';

export const refusals = defineView({
  name: 'refusals',
  what: 'Uses of tools that the guard refused, the newest first, each with its reason',
  input: { limit: pageSize(50, 500) },
  async run({ hub, caller }, { limit }) {
    const listed = await hub.toolUses.refusals(caller, limit);
    return {
      refusals: listed.map(({ agent, subAgent, tool, startedAt, reason }) => ({
        ...{ agent, sub_agent: subAgent, tool, at: toIso(startedAt), reason: reason ?? '' },
      })),
    };
  },
});
export type RefusalsReply = Awaited<ReturnType<typeof refusals.run>>;
