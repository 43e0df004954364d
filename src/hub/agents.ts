// Agents as others see them: who there is, what they can do, whether they are there now. Presence is derived at the moment of the question.

import { type AgentRow, capabilitiesIn, capabilitiesOf, findAgent, findAgentByName, listAgents } from '../store/agents.ts';
import type { Read } from '../store/db.ts';
import type { InboxCounts } from '../store/inbox.ts';
import { type SessionRow, sessionsOf } from '../store/sessions.ts';
import { assertOversees, type Caller, hasInbox } from './caller.ts';
import type { HubContext } from './context.ts';
import { HubError } from './errors.ts';
import { nearestNames } from './names.ts';
import { isLive, type Presence, presenceOf } from './presence.ts';
import { isQuarantined } from './quarantine.ts';
import { type AgentFacts, factsOf, rosterOf } from './roster.ts';
import type { WaitEnd } from './waiting.ts';
import { type WakeView, wakeBy } from './wake-doors.ts';

export type AgentView = {
  agent: AgentRow;
  capabilities: string[];
  state: Presence;
  /** The operator holds it back. */
  quarantined: boolean;
  session: SessionRow | undefined;
  /** Tools that its client's model is using just now. */
  toolsInFlight: number;
  counts: InboxCounts;
  parentName: string | null;
  /** Who made it, if it was made. */
  spawnedBy: string | null;
  wake: WakeView;
};

export type AgentQuery = {
  capability?: string | undefined;
  role?: string | undefined;
  state?: Presence | undefined;
  /** Names to wait for until each of them is connected. */
  waitFor?: readonly string[] | undefined;
  waitMs: number;
};

export class Agents {
  readonly #context: HubContext;

  constructor(context: HubContext) {
    this.#context = context;
  }

  /** The agents of the caller's project that match; waits until the named ones are connected, or says who is missing. */
  async list(caller: Caller, query: AgentQuery, signal?: AbortSignal): Promise<{ agents: AgentView[]; missing: string[]; end: WaitEnd }> {
    const wanted = query.waitFor ?? [];
    if (wanted.length === 0 || query.waitMs <= 0) return { ...(await this.#look(caller, query)), end: 'found' };
    const { end, value } = await this.#context.waiting.until(query.waitMs, signal, async () => {
      const seen = await this.#look(caller, query);
      return seen.missing.length === 0 ? { found: seen } : {};
    });
    return { ...(value ?? (await this.#look(caller, query))), end };
  }

  /** The caller's own card, from the database and not from anything it says. */
  async self(caller: Caller): Promise<AgentView> {
    return await this.#context.commands.look(caller, async (read, now) => {
      const agent = await findAgent(read, caller.agentId);
      if (agent === undefined) throw new HubError('not_found', 'This session’s agent is gone.', { hint: 'Start a new session.' });
      return await this.viewOf(read, agent, now);
    });
  }

  /** The sessions of an agent, the newest first, for those who oversee its project. Errors: `not_found`. */
  async sessions(caller: Caller, name: string, limit: number): Promise<SessionRow[]> {
    assertOversees(caller, 'look into an agent');
    return await this.#context.commands.look(caller, async (read) => sessionsOf(read, (await this.named(read, caller, name)).id, limit));
  }

  async #look(caller: Caller, query: AgentQuery): Promise<{ agents: AgentView[]; missing: string[] }> {
    return await this.#context.commands.look(caller, async (read, now) => {
      const rows = (await listAgents(read, caller.projectId)).filter((agent) => hasInbox(agent.role) && agent.revokedAt === null);
      const names = new Map(rows.map((agent) => [agent.id, agent.name]));
      const capabilities = new Map<string, string[]>();
      for (const { agentId, capability } of await capabilitiesIn(read, caller.projectId))
        capabilities.set(agentId, [...(capabilities.get(agentId) ?? []), capability]);
      const factsOf = await rosterOf(this.#context, read, caller.projectId, now);
      const views = rows
        .filter((agent) => query.role === undefined || agent.role === query.role)
        .filter((agent) => query.capability === undefined || (capabilities.get(agent.id) ?? []).includes(query.capability))
        .map((agent) => this.#view(agent, capabilities.get(agent.id) ?? [], names, factsOf(agent), now));
      const isThere = (name: string) => {
        const agent = rows.find((row) => row.name === name);
        return agent !== undefined && isLive(this.#context, factsOf(agent).own);
      };
      return {
        agents: views.filter((view) => query.state === undefined || view.state === query.state),
        // A name that no agent has may still come, so it is waited for, too.
        missing: (query.waitFor ?? []).filter((name) => !isThere(name)),
      };
    });
  }

  /** The card of one agent. */
  async viewOf(read: Read, agent: AgentRow, now: number): Promise<AgentView> {
    const capabilities = await capabilitiesOf(read, agent.id);
    const names = new Map<string, string>();
    for (const id of [agent.parentId, agent.spawnedBy]) {
      const other = id === null ? undefined : await findAgent(read, id);
      if (other !== undefined) names.set(other.id, other.name);
    }
    return this.#view(agent, capabilities, names, await factsOf(this.#context, read, agent, now), now);
  }

  #view(agent: AgentRow, capabilities: string[], names: ReadonlyMap<string, string>, facts: AgentFacts, now: number): AgentView {
    const { own, session, counts, toolsInFlight, sleeper, doors } = facts;
    const forgets = counts.leased > 0 && own?.shownAt !== null && now - (own?.shownAt ?? now) > this.#context.limits.nudgeAfterMs;
    const nameOf = (id: string | null) => (id === null ? null : (names.get(id) ?? null));
    return {
      agent,
      capabilities,
      state: presenceOf(this.#context, session, { forgets, toolsInFlight }),
      quarantined: isQuarantined(this.#context, agent),
      session,
      toolsInFlight,
      counts,
      parentName: nameOf(agent.parentId),
      spawnedBy: nameOf(agent.spawnedBy),
      wake: wakeBy(this.#context, agent, sleeper, doors),
    };
  }

  /** The agent of that name in the caller's project, or `not_found` with the nearest names. */
  async named(read: Read, caller: Caller, name: string): Promise<AgentRow> {
    const found = await findAgentByName(read, caller.projectId, name);
    if (found !== undefined) return found;
    const nearest = nearestNames(
      name,
      (await listAgents(read, caller.projectId)).map((agent) => agent.name),
    );
    throw new HubError('not_found', `No agent of this project is called "${name.slice(0, 48)}".`, {
      hint: nearest.length > 0 ? `Did you mean ${nearest.join(', ')}?` : 'list_agents shows who there is.',
    });
  }
}
