// agents: who there is, who is there now, what waits for each, and how often it was woken within a day. Those who are there come first.

import * as z from 'zod';
import { OPERATOR } from '../hub/caller.ts';
import { PRESENCE_STATES, type Presence } from '../hub/presence.ts';
import { renderAgent } from '../tools/words.ts';
import { defineView, pageSize } from './view.ts';

/** What needs a look comes before what works, and what is gone comes last. */
const ORDER: Record<Presence, number> = { stalled: 0, busy: 1, ready: 2, waiting: 3, starting: 4, idle: 5, gone: 6 };

export const agents = defineView({
  name: 'agents',
  what: 'Agents with presence, wake door and backlog, those who are there first; counts by state of all that match',
  input: {
    q: z.string().max(80).optional().describe('part of a name, role, client or status'),
    state: z.enum(PRESENCE_STATES).optional(),
    offset: z.coerce.number().int().min(0).default(0),
    limit: pageSize(100, 1_000),
  },
  async run({ hub, caller }, { q, state, offset, limit }) {
    const [{ agents: known }, wakes] = await Promise.all([hub.agents.list(caller, { waitMs: 0 }), hub.overview.wakes(caller)]);
    const listed = known
      .filter(({ agent }) => agent.role !== OPERATOR)
      .map((card) => ({ ...renderAgent(card), woken: wakes.get(card.agent.id) ?? null }));
    const words = q?.trim().toLowerCase() ?? '';
    const matching = listed.filter(({ name, role, client, status }) =>
      [name, role, client, status].some((text) => text?.toLowerCase().includes(words) ?? false),
    );
    const states: Partial<Record<Presence, number>> = {};
    for (const card of matching) states[card.state] = (states[card.state] ?? 0) + 1;
    const shown = matching
      .filter((card) => state === undefined || card.state === state)
      .sort((a, b) => ORDER[a.state] - ORDER[b.state] || (a.name < b.name ? -1 : 1));
    return { agents: shown.slice(offset, offset + limit), total: shown.length, states };
  },
});
export type AgentsReply = Awaited<ReturnType<typeof agents.run>>;
