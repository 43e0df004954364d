// What presence, backlog and waking are derived from, of one agent or of all agents of a project: of all in a few statements, however many
// there are, because lists of agents are looked at again after every change.

import type { AgentRow } from '../store/agents.ts';
import type { Read } from '../store/db.ts';
import { type InboxCounts, inboxCounts } from '../store/inbox.ts';
import { doorsIn, inboxesIn, inFlightIn, parentSessions } from '../store/roster.ts';
import { findSession, latestSession, openSessions, type SessionRow } from '../store/sessions.ts';
import { countInFlight } from '../store/tool-uses.ts';
import { type DoorRow, doorsOf } from '../store/wake-doors.ts';
import type { HubContext } from './context.ts';
import { sleeperAmong } from './wake-doors.ts';

export type AgentFacts = {
  /** Its own session that has not ended; there is one at most. */
  own: SessionRow | undefined;
  /** The session that it lives in: its own, or for a sub-agent the one that registered it. */
  session: SessionRow | undefined;
  counts: InboxCounts;
  toolsInFlight: number;
  /** Whose client is woken for it, and the doors of that one. */
  sleeper: { agentId: string; session: SessionRow | undefined };
  doors: readonly DoorRow[];
};

const NOTHING: InboxCounts = { unread: 0, urgent: 0, leased: 0, unreplied: 0 };

/** Of one agent. */
export async function factsOf(context: HubContext, read: Read, agent: AgentRow, now: number): Promise<AgentFacts> {
  const newest = await latestSession(read, agent.id);
  const own = newest?.endedAt === null ? newest : undefined;
  const session = agent.parentSessionId === null ? own : await findSession(read, agent.parentSessionId);
  const sleeper = sleeperAmong(context, agent, own, session);
  return {
    own,
    session,
    counts: await inboxCounts(read, agent.id, now),
    toolsInFlight: session === undefined ? 0 : await countInFlight(read, session.id, now - context.limits.toolSilentMs),
    sleeper,
    doors: await doorsOf(read, sleeper.agentId),
  };
}

/** Of every agent of a project; answers how to get at those of one. */
export async function rosterOf(context: HubContext, read: Read, projectId: string, now: number): Promise<(agent: AgentRow) => AgentFacts> {
  const open = new Map((await openSessions(read, projectId)).map((session) => [session.agentId, session]));
  const parents = await parentSessions(read, projectId);
  const inboxes = await inboxesIn(read, projectId, now);
  const inFlight = await inFlightIn(read, projectId, now - context.limits.toolSilentMs);
  const doors = await doorsIn(read, projectId);
  return (agent) => {
    const own = open.get(agent.id);
    const session = agent.parentSessionId === null ? own : parents.get(agent.parentSessionId);
    const sleeper = sleeperAmong(context, agent, own, session);
    return {
      own,
      session,
      counts: inboxes.get(agent.id) ?? NOTHING,
      toolsInFlight: session === undefined ? 0 : (inFlight.get(session.id) ?? 0),
      sleeper,
      doors: doors.get(sleeper.agentId) ?? [],
    };
  };
}
