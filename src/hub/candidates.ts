// Who there is to take tasks, with what each can do and whether it is there: read at most once for all tasks of one look.

import { type AgentRow, capabilitiesIn, listAgents } from '../store/agents.ts';
import type { Read } from '../store/db.ts';
import { openSessions } from '../store/sessions.ts';
import { isAgent } from './caller.ts';
import { fitOf, type RelatedCapabilities } from './capabilities.ts';
import type { HubContext } from './context.ts';
import { isLive } from './presence.ts';

export type Candidate = { agent: AgentRow; tags: ReadonlySet<string>; present: boolean };

export class Candidates {
  readonly #read: () => Promise<readonly Candidate[]>;
  readonly #fitting = new Map<string, readonly Candidate[]>();
  readonly #related: RelatedCapabilities;
  #all: Promise<readonly Candidate[]> | undefined;

  constructor(context: HubContext, read: Read, projectId: string) {
    this.#read = () => readAll(context, read, projectId);
    this.#related = context.policy.relatedCapabilities;
  }

  all(): Promise<readonly Candidate[]> {
    this.#all ??= this.#read();
    return this.#all;
  }

  /** Those who can do what has these needs: many tasks have the same. */
  async fitting(needs: readonly string[]): Promise<readonly Candidate[]> {
    const key = JSON.stringify(needs);
    const known = this.#fitting.get(key);
    if (known !== undefined) return known;
    const found = (await this.all()).filter(({ tags }) => fitOf(needs, tags, this.#related) > 0);
    this.#fitting.set(key, found);
    return found;
  }
}

async function readAll(context: HubContext, read: Read, projectId: string): Promise<readonly Candidate[]> {
  const tags = new Map<string, Set<string>>();
  for (const { agentId, capability } of await capabilitiesIn(read, projectId))
    tags.set(agentId, (tags.get(agentId) ?? new Set()).add(capability));
  const live = new Set(
    (await openSessions(read, projectId)).filter((session) => isLive(context, session)).flatMap((session) => [session.id, session.agentId]),
  );
  return (await listAgents(read, projectId))
    .filter((agent) => isAgent(agent.role))
    .map((agent) => ({
      agent,
      tags: (tags.get(agent.id) ?? new Set<string>()).add(agent.role),
      // A sub-agent lives in the session that registered it.
      present: live.has(agent.parentSessionId ?? agent.id),
    }));
}
