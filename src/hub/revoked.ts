// What a revoked agent is to others: nobody can be it, and only a new credential lets it in again.

import { type AgentRow, findAgentByName, setRevoked } from '../store/agents.ts';
import { toIso } from './clock.ts';
import type { Act } from './command.ts';
import { HubError } from './errors.ts';

/** The agent may be again: whoever makes a credential for it says so. Answers its row as it is then. */
export async function readmit(act: Act, agent: AgentRow): Promise<AgentRow> {
  if (agent.revokedAt === null) return agent;
  await setRevoked(act.tx, agent.id, null);
  await act.emit('agent.readmitted', agent.id, { name: agent.name });
  return (await findAgentByName(act.tx, act.projectId, agent.name)) ?? agent;
}

/** Throws `forbidden` for an agent that was revoked. */
export function assertNotRevoked(agent: AgentRow): void {
  if (agent.revokedAt === null) return;
  throw new HubError('forbidden', `${agent.name} was revoked by the operator at ${toIso(agent.revokedAt)}.`, {
    hint: 'Take another name with join, or ask the operator: rookery agents create lets it in again.',
  });
}
