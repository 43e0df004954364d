// Agents as others see them: who there is, what they can do, whether they are there now. Presence is derived at the moment of the question.

import { type AgentRow, capabilitiesIn, findAgent, listAgents } from '../store/agents.ts';
import type { Read } from '../store/db.ts';
import { type InboxCounts, inboxCounts } from '../store/inbox.ts';
import { latestSession, type SessionRow, sessionsOf } from '../store/sessions.ts';
import { countInFlight } from '../store/tool-uses.ts';
import { assertOversees, authorityOf, type Caller } from './caller.ts';
import type { HubContext } from './context.ts';
import { HubError } from './errors.ts';
import { nearestNames } from './names.ts';
import { isLive, type Presence, presenceOf, sessionOf } from './presence.ts';
import type { WaitEnd } from './waiting.ts';
import { type WakeView, wakeOf } from './wake-doors.ts';

export type AgentView = {
  agent: AgentRow;
  capabilities: string[];
  state: Presence;
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

  /** An agent as whoever oversees its project sees it: its row, and its sessions, the newest first. Errors: `not_found`. */
  async inspect(caller: Caller, name: string, sessions: number): Promise<{ agent: AgentRow; sessions: SessionRow[] }> {
    assertOversees(caller, 'look into an agent');
    return await this.#context.commands.look(caller, async (read) => {
      const agent = await this.named(read, caller, name);
      return { agent, sessions: await sessionsOf(read, agent.id, sessions) };
    });
  }

  /** The caller's own card, from the database and not from anything it says. */
  async self(caller: Caller): Promise<AgentView> {
    return await this.#context.commands.look(caller, async (read, now) => {
      const agent = await findAgent(read, caller.agentId);
      if (agent === undefined) throw new HubError('not_found', 'This session’s agent is gone.', { hint: 'Start a new session.' });
      const capabilities = (await capabilitiesIn(read, caller.projectId))
        .filter(({ agentId }) => agentId === agent.id)
        .map(({ capability }) => capability);
      return await this.#view(read, agent, capabilities, new Map(), now);
    });
  }

  async #look(caller: Caller, query: AgentQuery): Promise<{ agents: AgentView[]; missing: string[] }> {
    return await this.#context.commands.look(caller, async (read, now) => {
      const rows = (await listAgents(read, caller.projectId)).filter((agent) => authorityOf(agent.role) !== 'hub');
      const names = new Map(rows.map((agent) => [agent.id, agent.name]));
      const capabilities = new Map<string, string[]>();
      for (const { agentId, capability } of await capabilitiesIn(read, caller.projectId))
        capabilities.set(agentId, [...(capabilities.get(agentId) ?? []), capability]);
      const matching = rows
        .filter((agent) => query.role === undefined || agent.role === query.role)
        .filter((agent) => query.capability === undefined || (capabilities.get(agent.id) ?? []).includes(query.capability));
      const views: AgentView[] = [];
      for (const agent of matching) views.push(await this.#view(read, agent, capabilities.get(agent.id) ?? [], names, now));
      return {
        agents: views.filter((view) => query.state === undefined || view.state === query.state),
        missing: await this.#missing(read, rows, query.waitFor ?? []),
      };
    });
  }

  /** Names that are not connected yet. A name that no agent has may still come, so it is waited for, too. */
  async #missing(read: Read, rows: AgentRow[], wanted: readonly string[]): Promise<string[]> {
    const missing: string[] = [];
    for (const name of wanted) {
      const agent = rows.find((row) => row.name === name);
      const session = agent && (await latestSession(read, agent.id));
      if (session === undefined || !isLive(this.#context, session)) missing.push(name);
    }
    return missing;
  }

  async #view(read: Read, agent: AgentRow, capabilities: string[], names: Map<string, string>, now: number): Promise<AgentView> {
    const session = await latestSession(read, agent.id);
    const counts = await inboxCounts(read, agent.id, now);
    const nameOf = async (id: string | null) => (id === null ? null : (names.get(id) ?? (await findAgent(read, id))?.name ?? null));
    // A sub-agent lives in its parent's session.
    const through = agent.parentSessionId === null ? session : await sessionOf(read, agent);
    const forgets = counts.leased > 0 && session?.shownAt !== null && now - (session?.shownAt ?? now) > this.#context.limits.nudgeAfterMs;
    const toolsInFlight = through === undefined ? 0 : await countInFlight(read, through.id, now - this.#context.limits.toolSilentMs);
    return {
      agent,
      capabilities,
      state: presenceOf(this.#context, through, { forgets, toolsInFlight }),
      session: through,
      toolsInFlight,
      counts,
      parentName: await nameOf(agent.parentId),
      spawnedBy: await nameOf(agent.spawnedBy),
      wake: await wakeOf(this.#context, read, agent),
    };
  }

  /** The agent of that name in the caller's project, or `not_found` with the nearest names. */
  async named(read: Read, caller: Caller, name: string): Promise<AgentRow> {
    const rows = await listAgents(read, caller.projectId);
    const found = rows.find((agent) => agent.name === name);
    if (found !== undefined) return found;
    const nearest = nearestNames(
      name,
      rows.map((agent) => agent.name),
    );
    throw new HubError('not_found', `No agent of this project is called "${name.slice(0, 48)}".`, {
      hint: nearest.length > 0 ? `Did you mean ${nearest.join(', ')}?` : 'list_agents shows who there is.',
    });
  }
}
