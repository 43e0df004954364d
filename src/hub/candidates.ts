// Who there is to take tasks, with what each can do and whether it is there: read at most once for all tasks of one look.

import { type AgentRow, capabilitiesIn, listAgents } from '../store/agents.ts';
import type { Read } from '../store/db.ts';
import { openSessions } from '../store/sessions.ts';
import { authorityOf } from './caller.ts';
import type { HubContext } from './context.ts';
import { isLive } from './presence.ts';

export type Candidate = { agent: AgentRow; tags: ReadonlySet<string>; present: boolean };
/** Reads them when somebody asks first. */
export type Candidates = () => Promise<readonly Candidate[]>;

export function candidatesIn(context: HubContext, read: Read, projectId: string): Candidates {
  let asked: Promise<readonly Candidate[]> | undefined;
  return () => {
    asked ??= readAll(context, read, projectId);
    return asked;
  };
}

async function readAll(context: HubContext, read: Read, projectId: string): Promise<readonly Candidate[]> {
  const tags = new Map<string, Set<string>>();
  for (const { agentId, capability } of await capabilitiesIn(read, projectId))
    tags.set(agentId, (tags.get(agentId) ?? new Set()).add(capability));
  const live = new Set(
    (await openSessions(read, projectId)).filter((session) => isLive(context, session)).flatMap((session) => [session.id, session.agentId]),
  );
  return (await listAgents(read, projectId))
    .filter((agent) => !['operator', 'hub'].includes(authorityOf(agent.role)))
    .map((agent) => ({
      agent,
      tags: (tags.get(agent.id) ?? new Set<string>()).add(agent.role),
      // A sub-agent lives in the session that registered it.
      present: live.has(agent.parentSessionId ?? agent.id),
    }));
}
