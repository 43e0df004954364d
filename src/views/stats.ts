// stats: reports on agents, tasks, tools or tokens since an instant, as `rookery stats` prints them.

import * as z from 'zod';
import { toIso } from '../hub/clock.ts';
import type { Hub } from '../hub/hub.ts';
import type { Spent } from '../hub/stats.ts';
import { defineView, type Look } from './view.ts';

export const REPORTS = ['agents', 'tasks', 'tools', 'tokens'] as const;
export type Report = (typeof REPORTS)[number];

type Query = { since: number; agent: string | undefined };

export const stats = defineView({
  name: 'stats',
  what: 'How agents, tasks, tools or tokens (with what they cost) did since a while ago',
  input: {
    report: z.enum(REPORTS).default('tokens'),
    since: z.string().max(40).default('24h').describe('24h, 7d, 30d, or a day such as 2026-01-31'),
    agent: z.string().min(1).max(64).optional().describe('of this agent only; tasks are of all'),
  },
  async run({ hub, caller }, { report, since: given, agent }) {
    const since = hub.stats.since(given);
    const window = { since: toIso(since), until: toIso(hub.context.time.now()) };
    switch (report) {
      case 'agents':
        return { report, ...window, ...(await agents(hub, caller, { since, agent })) };
      case 'tasks':
        return { report, ...window, ...(await tasks(hub, caller, { since, agent })) };
      case 'tools':
        return { report, ...window, ...(await tools(hub, caller, { since, agent })) };
      case 'tokens':
        return { report, ...window, ...(await tokens(hub, caller, { since, agent })) };
    }
  },
});
export type StatsReply = Awaited<ReturnType<typeof stats.run>>;
export type ReportReply<R extends Report> = Extract<StatsReply, { report: R }>;

type Caller = Look['caller'];

async function agents(hub: Hub, caller: Caller, query: Query) {
  const { rows, more } = await hub.stats.agents(caller, query);
  return {
    agents: rows.map(({ agent, role, sent, received, shown, acked, work, calls, heldBack, reminders, spent }) => ({
      agent,
      role,
      ...{ sent, received: received?.received ?? 0, acked: received?.acked ?? 0, open: received?.open ?? 0 },
      ...{ dead: received?.dead ?? 0, expired: received?.expired ?? 0 },
      redeliveries: received?.redeliveries ?? 0,
      ...{ shown_p50_ms: shown?.p50 ?? null, shown_p95_ms: shown?.p95 ?? null },
      ...{ acked_p50_ms: acked?.p50 ?? null, acked_p95_ms: acked?.p95 ?? null },
      tasks: { claimed: work?.claims ?? 0, completed: work?.completed ?? 0, failed: work?.failed ?? 0, late: work?.late ?? 0 },
      calls: calls?.calls ?? 0,
      refused: calls?.refused ?? 0,
      held_back: heldBack,
      reminders: { pending: reminders?.pending ?? 0, parked: reminders?.parked ?? 0, fired: reminders?.fired ?? 0 },
      ...toSpent(spent),
    })),
    more,
  };
}

async function tasks(hub: Hub, caller: Caller, query: Query) {
  const found = await hub.stats.tasks(caller, query);
  const spread = (key: string) => ({ p50_ms: found.spread.get(key)?.p50 ?? null, p95_ms: found.spread.get(key)?.p95 ?? null });
  const days = [...new Set(found.days.map(({ dayAt }) => dayAt))].sort((a, b) => a - b);
  const kinds = (rows: typeof found.labels.rows) => rows.map(({ kind, tasks: count, ended }) => ({ kind, tasks: count, ended }));
  return {
    created: found.created,
    ended: found.ended,
    success: shareOf(found.ended.completed, found.ended.failed, found.ended.rejected),
    now: found.now,
    ...{ waited: spread('waited'), worked: spread('worked'), took: spread('took') },
    reviews: { passed: found.verdicts.passed ?? 0, not_passed: found.verdicts.not_passed ?? 0 },
    ...{ retried: found.retried, leases_lost: found.leasesLost, late_results: found.late, reused: found.reused },
    by_day: days.map((dayAt) => {
      const of = found.days.filter((day) => day.dayAt === dayAt);
      const ended = of.flatMap(({ state, tasks: count }) => (state === null ? [] : [[state, count] as const]));
      return {
        day: toIso(dayAt).slice(0, 10),
        created: of.find(({ state }) => state === null)?.tasks ?? 0,
        ended: Object.fromEntries(ended),
      };
    }),
    by_label: kinds(found.labels.rows),
    by_capabilities: kinds(found.needs.rows),
    more: found.labels.more + found.needs.more,
  };
}

async function tools(hub: Hub, caller: Caller, query: Query) {
  const { calls, uses } = await hub.stats.tools(caller, query);
  return {
    tools: calls.rows.map(({ tool, calls: count, codes, took, inputBytes, outputBytes }) => ({
      ...{ tool, calls: count, refused: count - (codes.ok ?? 0), codes },
      ...{ p50_ms: took?.p50 ?? null, p95_ms: took?.p95 ?? null, longest_ms: took?.longest ?? null },
      ...{ input_bytes: inputBytes, output_bytes: outputBytes },
    })),
    client_tools: uses.rows,
    more: calls.more + uses.more,
  };
}

async function tokens(hub: Hub, caller: Caller, query: Query) {
  const { prices, total, agents: by, models, days, unpriced } = await hub.stats.tokens(caller, query);
  return {
    prices: { as_of: prices.asOf, currency: prices.currency },
    total: toSpent(total),
    by_agent: by.rows.map(([agent, spent]) => ({ agent, ...toSpent(spent) })),
    by_model: models.rows.map(([model, spent, priced]) => ({ model, priced, ...toSpent(spent) })),
    by_day: days.map(([day, spent]) => ({ day, ...toSpent(spent) })),
    unpriced,
    more: by.more + models.more,
  };
}

/** `untold_turns` told no tokens; `cost` is null where nothing has a price, and does not hold the `unpriced_tokens`. */
function toSpent(spent: Spent) {
  return {
    ...{ turns: spent.turns, untold_turns: spent.untold, turn_ms: spent.durationMs, tool_uses: spent.toolCalls },
    ...{ input_tokens: spent.inputTokens, output_tokens: spent.outputTokens },
    ...{ cache_read_tokens: spent.cacheReadTokens, cache_write_tokens: spent.cacheWriteTokens },
    cost: spent.cost === null ? null : Math.round(spent.cost * 1e6) / 1e6,
    unpriced_tokens: spent.unpricedTokens,
  };
}

/** Of those that ended by work, how many ended well; null when none did. */
function shareOf(good = 0, failed = 0, rejected = 0): number | null {
  const all = good + failed + rejected;
  return all === 0 ? null : Math.round((good / all) * 1e4) / 1e4;
}
