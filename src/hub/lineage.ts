// Which agent runs this process: a command that an agent starts is a child of its client, and so is the stdio server that the client started for
// the hub. Whoever has the same parent above it belongs to that agent. It keeps agents from acting as the person by accident; it stops nobody
// who wants to hide, because the operating-system user is the boundary (C15).

import { type AgentRow, findAgent } from '../store/agents.ts';
import { openSessions } from '../store/sessions.ts';
import type { HubContext } from './context.ts';

/** Clients, shells and wrappers are a handful of processes; a longer line is a loop of reused pids. */
const LONGEST_LINE = 64;

/** The agent whose client started this process, directly or not; undefined when there is none, or the machine does not tell. */
export async function agentAbove({ db, host }: HubContext, projectId: string | null): Promise<AgentRow | undefined> {
  const line: number[] = [];
  for (let pid = host.parentOf(host.pid); pid !== undefined && pid > 1 && line.length < LONGEST_LINE; pid = host.parentOf(pid))
    line.push(pid);
  return await db.read(async (read) => {
    const near = (await openSessions(read, projectId))
      .filter((session) => session.door === 'stdio' && session.host === host.key && session.pid !== host.pid && host.isAlive(session.pid))
      .map((session) => ({ session, distance: line.indexOf(host.parentOf(session.pid) ?? 0) }))
      .filter(({ distance }) => distance >= 0)
      .sort((a, b) => a.distance - b.distance);
    const [nearest] = near;
    return nearest === undefined ? undefined : await findAgent(read, nearest.session.agentId);
  });
}
