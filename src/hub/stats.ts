// Reports on a project: how its agents, tasks, tools and tokens did since an instant. Everything is counted from the rows themselves, so a report
// says the same as SQL over them; what is past its retention is not in them any more. Only looking, and only for those who oversee.

import { seqAt } from '../store/activity.ts';
import { type AgentRow, findAgentByName, listAgents } from '../store/agents.ts';
import type { Read } from '../store/db.ts';
import { findProject } from '../store/projects.ts';
import { countRemindersByOwner } from '../store/reminders.ts';
import {
  callGroups,
  callSpread,
  callsByAgent,
  heldBackByAgent,
  type Spread,
  type TurnGroup,
  turnGroups,
  turnTools,
} from '../store/stats-turns.ts';
import {
  ackedSpread,
  endedByLabel,
  endedByNeeds,
  receivedByAgent,
  sentByAgent,
  shownSpread,
  type TaskKind,
  taskCounts,
  taskSpread,
  tasksByDay,
  workByAgent,
} from '../store/stats-work.ts';
import { countTasks } from '../store/task-lists.ts';
import { assertOversees, type Caller } from './caller.ts';
import { toInstant, toIso } from './clock.ts';
import type { HubContext } from './context.ts';
import { HubError } from './errors.ts';
import { addCosts, type Cost, costOf, priceOf } from './prices.ts';

const HOUR_MS = 3_600_000;
const UNITS: Readonly<Record<string, number>> = { h: HOUR_MS, d: 24 * HOUR_MS, w: 7 * 24 * HOUR_MS };

export type StatsQuery = { since: number; agent?: string | undefined };

/** What turns came to, with what their tokens cost. */
export type Spent = Omit<TurnGroup, 'agentId' | 'model' | 'dayAt'> & Cost;

const NOTHING: Spent = {
  ...{ turns: 0, untold: 0, durationMs: 0, toolCalls: 0 },
  ...{ inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 },
  ...{ cost: null, unpricedTokens: 0 },
};

export class Stats {
  readonly #context: HubContext;

  constructor(context: HubContext) {
    this.#context = context;
  }

  /** The instant that a window begins at: `24h`, `7d`, `2w`, or a day or instant in ISO form. Errors: `invalid_input`. */
  since(given: string): number {
    const { limits, time } = this.#context;
    const now = time.now();
    const [, count, unit = ''] = /^(\d{1,5})([hdw])$/.exec(given) ?? [];
    const at =
      count === undefined
        ? toInstant(/^\d{4}-\d{2}-\d{2}$/.test(given) ? `${given}T00:00:00Z` : given)
        : now - Number(count) * (UNITS[unit] ?? 0);
    if (at !== undefined && at <= now && now - at <= limits.statsWindowMs) return at;
    throw new HubError(
      'invalid_input',
      `since: a window such as 24h, 7d or 30d, or a past day such as 2026-01-31; at most ${Math.floor(limits.statsWindowMs / (24 * HOUR_MS))} days.`,
      {
        hint: 'For example: --since 7d',
      },
    );
  }

  /** Each agent: its mail, its tasks, its calls, its turns and what they cost; those with most to tell first. */
  async agents(caller: Caller, { since, agent }: StatsQuery) {
    return await this.#look(caller, async (read) => {
      const projectId = caller.projectId;
      const from = await seqAt(read, projectId, since - 1, (await findProject(read, projectId))?.eventSeq ?? 0);
      const asked = await this.#agent(read, caller, agent);
      const [sent, received, work, calls, heldBack, reminders] = [
        byAgent(await sentByAgent(read, projectId, from)),
        byAgent(await receivedByAgent(read, projectId, from)),
        byAgent(await workByAgent(read, projectId, since)),
        byAgent(await callsByAgent(read, projectId, since)),
        byAgent(await heldBackByAgent(read, projectId, since)),
        byAgent(await countRemindersByOwner(read, projectId)),
      ];
      const [shown, acked] = [byKey(await shownSpread(read, projectId, from)), byKey(await ackedSpread(read, projectId, from))];
      const spent = this.#rollUp(await turnGroups(read, projectId, since), ({ agentId }) => agentId);
      const rows = (await listAgents(read, projectId))
        .filter(({ id }) => asked === null || id === asked.id)
        .map(({ id, name, role }) => ({
          agent: name,
          role,
          sent: sent.get(id)?.sent ?? 0,
          received: received.get(id),
          shown: shown.get(id),
          acked: acked.get(id),
          work: work.get(id),
          calls: calls.get(id),
          heldBack: heldBack.get(id)?.uses ?? 0,
          reminders: reminders.get(id),
          spent: spent.get(id) ?? NOTHING,
        }))
        .filter(
          (one) =>
            asked !== null ||
            one.sent > 0 ||
            one.received ||
            one.work ||
            one.calls ||
            one.heldBack > 0 ||
            one.reminders ||
            one.spent.turns > 0,
        )
        .sort((a, b) => weight(b) - weight(a) || (a.agent < b.agent ? -1 : 1));
      return this.#page(rows);
    });
  }

  /** Tasks: what was created and how tasks ended, by day and by kind; how long they took; what stands open now. */
  async tasks(caller: Caller, { since }: StatsQuery) {
    return await this.#look(caller, async (read) => {
      const projectId = caller.projectId;
      const days = await tasksByDay(read, projectId, since);
      const ended: Record<string, number> = {};
      for (const { state, tasks } of days) if (state !== null) ended[state] = (ended[state] ?? 0) + tasks;
      return {
        created: days.reduce((sum, { state, tasks }) => sum + (state === null ? tasks : 0), 0),
        ended,
        now: await countTasks(read, projectId),
        spread: byKey(await taskSpread(read, projectId, since)),
        ...(await taskCounts(read, projectId, since)),
        days,
        labels: this.#page(byKind(await endedByLabel(read, projectId, since))),
        needs: this.#page(byKind(await endedByNeeds(read, projectId, since))),
      };
    });
  }

  /** Tools: calls of the hub’s own by tool and outcome, and the tools of their clients that models used, as their transcripts told. */
  async tools(caller: Caller, { since, agent }: StatsQuery) {
    return await this.#look(caller, async (read) => {
      const asked = (await this.#agent(read, caller, agent))?.id ?? null;
      const groups = await callGroups(read, caller.projectId, asked, since);
      const took = byKey(await callSpread(read, caller.projectId, asked, since));
      const calls = [...new Set(groups.map(({ tool }) => tool))].map((tool) => {
        const of = groups.filter((group) => group.tool === tool);
        const sum = (field: 'calls' | 'inputBytes' | 'outputBytes') => of.reduce((all, group) => all + group[field], 0);
        return {
          tool,
          calls: sum('calls'),
          codes: Object.fromEntries(of.map(({ code, calls: count }) => [code, count])),
          took: took.get(tool),
          inputBytes: sum('inputBytes'),
          outputBytes: sum('outputBytes'),
        };
      });
      const used = new Map<string, number>();
      for (const { tools, turns } of await turnTools(read, caller.projectId, asked, since))
        for (const [tool, count] of counts(tools)) used.set(tool, (used.get(tool) ?? 0) + count * turns);
      const uses = [...used].map(([tool, count]) => ({ tool, uses: count }));
      return {
        calls: this.#page(calls.sort((a, b) => b.calls - a.calls || (a.tool < b.tool ? -1 : 1))),
        uses: this.#page(uses.sort((a, b) => b.uses - a.uses || (a.tool < b.tool ? -1 : 1))),
      };
    });
  }

  /** Turns with their tokens and what these cost: in all, by agent, by model and by day; and the models that have no price. */
  async tokens(caller: Caller, { since, agent }: StatsQuery) {
    const { prices } = this.#context.policy;
    return await this.#look(caller, async (read) => {
      const asked = await this.#agent(read, caller, agent);
      const groups = (await turnGroups(read, caller.projectId, since)).filter(({ agentId }) => asked === null || agentId === asked.id);
      const names = new Map((await listAgents(read, caller.projectId)).map(({ id, name }) => [id, name]));
      const models = sorted(this.#rollUp(groups, ({ model }) => model));
      return {
        prices: { asOf: prices.asOf, currency: prices.currency },
        total: this.#rollUp(groups, () => '').get('') ?? NOTHING,
        agents: this.#page(sorted(this.#rollUp(groups, ({ agentId }) => names.get(agentId) ?? agentId))),
        models: this.#page(models.map(([model, spent]) => [model, spent, priceOf(prices, model) !== undefined] as const)),
        days: [...this.#rollUp(groups, ({ dayAt }) => toIso(dayAt).slice(0, 10))].sort(([a], [b]) => (a < b ? -1 : 1)),
        unpriced: models.filter(([, { unpricedTokens }]) => unpricedTokens > 0).map(([model]) => model),
      };
    });
  }

  #rollUp(groups: readonly TurnGroup[], keyOf: (group: TurnGroup) => string): Map<string, Spent> {
    const { prices } = this.#context.policy;
    const sums = new Map<string, Spent>();
    for (const group of groups) {
      const known = sums.get(keyOf(group)) ?? NOTHING;
      const { agentId: _agent, dayAt: _day, model, ...counted } = group;
      const cost = addCosts(known, costOf(prices, model, counted));
      const names = Object.keys(counted) as (keyof typeof counted)[];
      const added = Object.fromEntries(names.map((name) => [name, known[name] + counted[name]])) as typeof counted;
      sums.set(keyOf(group), { ...added, ...cost });
    }
    return sums;
  }

  async #look<T>(caller: Caller, look: (read: Read) => Promise<T>): Promise<T> {
    assertOversees(caller, 'see reports on all');
    return await this.#context.commands.look(caller, look);
  }

  async #agent(read: Read, caller: Caller, name: string | undefined): Promise<AgentRow | null> {
    if (name === undefined) return null;
    const agent = await findAgentByName(read, caller.projectId, name);
    if (agent === undefined)
      throw new HubError('not_found', 'No agent of this project has that name.', { hint: 'rookery agents lists them.' });
    return agent;
  }

  #page<T>(rows: readonly T[]): { rows: readonly T[]; more: number } {
    const { statsRows } = this.#context.limits;
    return { rows: rows.slice(0, statsRows), more: Math.max(0, rows.length - statsRows) };
  }
}

function weight({
  sent,
  received,
  work,
  calls,
  spent,
}: {
  sent: number;
  received: { received: number } | undefined;
  work: { claims: number } | undefined;
  calls: { calls: number } | undefined;
  spent: Spent;
}): number {
  return sent + (received?.received ?? 0) + (work?.claims ?? 0) + (calls?.calls ?? 0) + spent.turns;
}

function byAgent<T extends { agentId: string }>(rows: readonly T[]): Map<string, T> {
  return new Map(rows.map((row) => [row.agentId, row]));
}

function byKey(rows: readonly Spread[]): Map<string, Spread> {
  return new Map(rows.map((row) => [row.key, row]));
}

/** The dearest first, then those with most tokens. */
function sorted(sums: ReadonlyMap<string, Spent>): [string, Spent][] {
  const tokens = (spent: Spent) => spent.inputTokens + spent.outputTokens + spent.cacheReadTokens + spent.cacheWriteTokens;
  return [...sums].sort(([a, one], [b, other]) => (other.cost ?? -1) - (one.cost ?? -1) || tokens(other) - tokens(one) || (a < b ? -1 : 1));
}

function byKind(kinds: readonly TaskKind[]): { kind: string; ended: Record<string, number>; tasks: number }[] {
  const found = new Map<string, Record<string, number>>();
  for (const { kind, state, tasks } of kinds) found.set(kind, { ...found.get(kind), [state]: tasks });
  return [...found]
    .map(([kind, ended]) => ({ kind, ended, tasks: Object.values(ended).reduce((sum, count) => sum + count, 0) }))
    .sort((a, b) => b.tasks - a.tasks || (a.kind < b.kind ? -1 : 1));
}

function counts(json: string): [string, number][] {
  const value: unknown = JSON.parse(json);
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).filter((entry): entry is [string, number] => typeof entry[1] === 'number');
}
