// Rows of `agents`, their capabilities, and the bindings from a client's own session to an agent.

import { toInt, toIntOrNull, toText, toTextOrNull, toWord } from './columns.ts';
import type { Read, Row, Tx } from './db.ts';
import { marks, readForAll, textsFor } from './many-rows.ts';

export type AgentRow = {
  id: string;
  projectId: string;
  name: string;
  nameSource: 'given' | 'generated';
  role: string;
  description: string;
  model: string;
  client: string;
  status: string;
  epoch: number;
  parentId: string | null;
  parentSessionId: string | null;
  /** Who made it, if it was made for a client to enrol as. */
  spawnedBy: string | null;
  version: number;
  createdAt: number;
  lastSeenAt: number;
  /** Nobody can be it since then. */
  revokedAt: number | null;
};

export const toAgent = (row: Row): AgentRow => ({
  id: toText(row, 'id'),
  projectId: toText(row, 'project_id'),
  name: toText(row, 'name'),
  nameSource: toWord(row, 'name_source', ['given', 'generated']),
  role: toText(row, 'role'),
  description: toText(row, 'description'),
  model: toText(row, 'model'),
  client: toText(row, 'client'),
  status: toText(row, 'status'),
  epoch: toInt(row, 'epoch'),
  parentId: toTextOrNull(row, 'parent_id'),
  parentSessionId: toTextOrNull(row, 'parent_session_id'),
  spawnedBy: toTextOrNull(row, 'spawned_by'),
  version: toInt(row, 'version'),
  createdAt: toInt(row, 'created_at'),
  lastSeenAt: toInt(row, 'last_seen_at'),
  revokedAt: toIntOrNull(row, 'revoked_at'),
});

export async function findAgent(read: Read, id: string): Promise<AgentRow | undefined> {
  const row = await read.get('SELECT * FROM agents WHERE id = ?', id);
  return row && toAgent(row);
}

const BY_IDS = textsFor((count) => `SELECT * FROM agents WHERE id IN (${marks(count)})`);

/** Those of these that there are, by id. */
export async function findAgents(read: Read, ids: readonly string[]): Promise<Map<string, AgentRow>> {
  const rows = await readForAll(read, BY_IDS, ids, (id) => [id]);
  return new Map(rows.map(toAgent).map((agent) => [agent.id, agent]));
}

export async function findAgentByName(read: Read, projectId: string, name: string): Promise<AgentRow | undefined> {
  const row = await read.get('SELECT * FROM agents WHERE project_id = ? AND name = ?', projectId, name);
  return row && toAgent(row);
}

/** An agent whose name differs from this one in the case of letters at most. */
export async function findLookAlike(read: Read, projectId: string, name: string): Promise<AgentRow | undefined> {
  const row = await read.get('SELECT * FROM agents WHERE project_id = ? AND LOWER(name) = LOWER(?) LIMIT 1', projectId, name);
  return row && toAgent(row);
}

export async function listAgents(read: Read, projectId: string): Promise<AgentRow[]> {
  return (await read.all('SELECT * FROM agents WHERE project_id = ? ORDER BY name', projectId)).map(toAgent);
}

export async function insertAgent(tx: Tx, agent: AgentRow): Promise<void> {
  await tx.run(
    `INSERT INTO agents (id, project_id, name, name_source, role, description, model, client, status, epoch, parent_id, parent_session_id, spawned_by,
       version, created_at, last_seen_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    agent.id,
    agent.projectId,
    agent.name,
    agent.nameSource,
    agent.role,
    agent.description,
    agent.model,
    agent.client,
    agent.status,
    agent.epoch,
    agent.parentId,
    agent.parentSessionId,
    agent.spawnedBy,
    agent.version,
    agent.createdAt,
    agent.lastSeenAt,
  );
}

/** Writes the card of an agent (everything but its identity and epoch) if nobody changed it since `agent.version` was read. */
export async function updateAgent(tx: Tx, agent: AgentRow): Promise<boolean> {
  const changes = await tx.run(
    `UPDATE agents SET name = ?, name_source = ?, role = ?, description = ?, model = ?, client = ?, status = ?, parent_id = ?, parent_session_id = ?, spawned_by = ?,
       last_seen_at = ?, version = version + 1
     WHERE id = ? AND version = ?`,
    agent.name,
    agent.nameSource,
    agent.role,
    agent.description,
    agent.model,
    agent.client,
    agent.status,
    agent.parentId,
    agent.parentSessionId,
    agent.spawnedBy,
    agent.lastSeenAt,
    agent.id,
    agent.version,
  );
  return changes === 1;
}

/** Fences every earlier session of the agent. */
export async function raiseEpoch(tx: Tx, id: string, epoch: number): Promise<void> {
  await tx.run('UPDATE agents SET epoch = ? WHERE id = ?', epoch, id);
}

/** `at` null: it may be again. */
export async function setRevoked(tx: Tx, id: string, at: number | null): Promise<void> {
  await tx.run('UPDATE agents SET revoked_at = ?, version = version + 1 WHERE id = ?', at, id);
}

export async function touchAgent(tx: Tx, id: string, seenAt: number): Promise<void> {
  await tx.run('UPDATE agents SET last_seen_at = ? WHERE id = ? AND last_seen_at < ?', seenAt, id, seenAt);
}

export async function capabilitiesOf(read: Read, agentId: string): Promise<string[]> {
  const rows = await read.all('SELECT capability FROM agent_capabilities WHERE agent_id = ? ORDER BY capability', agentId);
  return rows.map((row) => toText(row, 'capability'));
}

/** Every (agent, capability) of a project, for listings. */
export async function capabilitiesIn(read: Read, projectId: string): Promise<{ agentId: string; capability: string }[]> {
  const rows = await read.all(
    `SELECT c.agent_id, c.capability FROM agent_capabilities c JOIN agents a ON a.id = c.agent_id
     WHERE a.project_id = ? ORDER BY c.agent_id, c.capability`,
    projectId,
  );
  return rows.map((row) => ({ agentId: toText(row, 'agent_id'), capability: toText(row, 'capability') }));
}

export async function replaceCapabilities(tx: Tx, agentId: string, capabilities: readonly string[]): Promise<void> {
  await tx.run('DELETE FROM agent_capabilities WHERE agent_id = ?', agentId);
  for (const capability of new Set(capabilities)) {
    await tx.run('INSERT INTO agent_capabilities (agent_id, capability) VALUES (?, ?)', agentId, capability);
  }
}

export async function findBinding(read: Read, projectId: string, clientKey: string): Promise<string | undefined> {
  const row = await read.get('SELECT agent_id FROM client_bindings WHERE project_id = ? AND client_key = ?', projectId, clientKey);
  return row && toText(row, 'agent_id');
}

export async function bindClient(tx: Tx, projectId: string, clientKey: string, agentId: string, now: number): Promise<void> {
  await tx.run(
    `INSERT INTO client_bindings (project_id, client_key, agent_id, bound_at) VALUES (?, ?, ?, ?)
     ON CONFLICT (project_id, client_key) DO UPDATE SET agent_id = excluded.agent_id, bound_at = excluded.bound_at`,
    projectId,
    clientKey,
    agentId,
    now,
  );
}
