// Registering: how an agent comes to be, whoever asks for it (a session, a parent, a token, the project itself).

import { type AgentRow, findLookAlike, insertAgent } from '../store/agents.ts';
import type { Act } from './command.ts';
import { HubError } from './errors.ts';
import type { Ids } from './ids.ts';

export type AgentCard = Pick<AgentRow, 'name' | 'nameSource' | 'role' | 'client'> &
  Partial<Pick<AgentRow, 'description' | 'model' | 'spawnedBy'>> & { parentId?: string; parentSessionId?: string };

/** A new agent's row, not yet stored. */
export function newAgent(act: Act, ids: Ids, card: AgentCard): AgentRow {
  return {
    description: '',
    model: '',
    status: '',
    epoch: 0,
    parentId: null,
    parentSessionId: null,
    spawnedBy: null,
    ...card,
    id: ids.next('agt'),
    projectId: act.projectId,
    version: 1,
    createdAt: act.now,
    lastSeenAt: act.now,
    revokedAt: null,
  };
}

/** Registers an agent. Errors: `conflict` when its name is too like another's. */
export async function registerAgent(act: Act, ids: Ids, card: AgentCard): Promise<AgentRow> {
  await assertNoLookAlike(act, card.name);
  const agent = newAgent(act, ids, card);
  await insertAgent(act.tx, agent);
  await act.emit('agent.registered', agent.id, { name: agent.name, role: agent.role, client: agent.client });
  return agent;
}

/** Two names that differ in the case of letters only would be taken for one another. */
export async function assertNoLookAlike(act: Act, name: string, exceptId?: string): Promise<void> {
  const other = await findLookAlike(act.tx, act.projectId, name);
  if (other === undefined || other.id === exceptId) return;
  throw new HubError('conflict', `The name ${name} is too like ${other.name}, which exists; nothing was changed.`, {
    hint: 'Choose a name that nobody mistakes for another.',
  });
}
