// Rows of `sessions`: one attachment of an agent, numbered by its epoch. The schema allows one that has not ended per agent.

import { toInt, toIntOrNull, toText, toTextOrNull, toWord } from './columns.ts';
import type { Read, Row, Tx } from './db.ts';
import { marks, readForAll, textsFor } from './many-rows.ts';

export const DOORS = ['stdio', 'http', 'cli'] as const;
export type Door = (typeof DOORS)[number];

export type SessionRow = {
  id: string;
  projectId: string;
  agentId: string;
  epoch: number;
  door: Door;
  clientName: string;
  clientVersion: string;
  /** The client's own session (for example `claude:<uuid>`); a new attachment with the same key is the same client come back. */
  clientKey: string | null;
  /** The process of the client itself, which started this session's server; null where nobody told. */
  clientPid: number | null;
  root: string;
  host: string;
  pid: number;
  startedAt: number;
  calledAt: number | null;
  heartbeatAt: number;
  /** Parked in a waiting receive until then. */
  waitingUntil: number | null;
  /** When it was last shown a batch. */
  shownAt: number | null;
  /** When a hook of its client was last heard; null: its client has none. */
  hookedAt: number | null;
  /** Since when a turn is under way, the client's own name for it, and the door that woke the agent for it. */
  turnStartedAt: number | null;
  turnKey: string | null;
  turnDoor: string | null;
  /** The transcript of its client. */
  transcript: string | null;
  /** When the last turn ended. */
  turnEndedAt: number | null;
  endedAt: number | null;
  endReason: string | null;
};

export const toSession = (row: Row): SessionRow => ({
  id: toText(row, 'id'),
  projectId: toText(row, 'project_id'),
  agentId: toText(row, 'agent_id'),
  epoch: toInt(row, 'epoch'),
  door: toWord(row, 'door', DOORS),
  clientName: toText(row, 'client_name'),
  clientVersion: toText(row, 'client_version'),
  clientKey: toTextOrNull(row, 'client_key'),
  clientPid: toIntOrNull(row, 'client_pid'),
  root: toText(row, 'root'),
  host: toText(row, 'host'),
  pid: toInt(row, 'pid'),
  startedAt: toInt(row, 'started_at'),
  calledAt: toIntOrNull(row, 'called_at'),
  heartbeatAt: toInt(row, 'heartbeat_at'),
  waitingUntil: toIntOrNull(row, 'waiting_until'),
  shownAt: toIntOrNull(row, 'shown_at'),
  hookedAt: toIntOrNull(row, 'hooked_at'),
  turnStartedAt: toIntOrNull(row, 'turn_started_at'),
  turnKey: toTextOrNull(row, 'turn_key'),
  turnDoor: toTextOrNull(row, 'turn_door'),
  transcript: toTextOrNull(row, 'transcript'),
  turnEndedAt: toIntOrNull(row, 'turn_ended_at'),
  endedAt: toIntOrNull(row, 'ended_at'),
  endReason: toTextOrNull(row, 'end_reason'),
});

export async function findSession(read: Read, id: string): Promise<SessionRow | undefined> {
  const row = await read.get('SELECT * FROM sessions WHERE id = ?', id);
  return row && toSession(row);
}

/** The newest session of an agent: the holder of its epoch, live or not. */
export async function latestSession(read: Read, agentId: string): Promise<SessionRow | undefined> {
  const row = await read.get('SELECT * FROM sessions WHERE agent_id = ? ORDER BY epoch DESC LIMIT 1', agentId);
  return row && toSession(row);
}

/** By way of the agents, so that the newest epoch is one step in the index for each. */
const LATEST = textsFor(
  (count) =>
    `SELECT s.* FROM agents a JOIN sessions s ON s.agent_id = a.id AND s.epoch = (SELECT MAX(l.epoch) FROM sessions l WHERE l.agent_id = a.id)
     WHERE a.id IN (${marks(count)})`,
);

/** The same of several agents, by agent. */
export async function latestSessions(read: Read, agentIds: readonly string[]): Promise<Map<string, SessionRow>> {
  const rows = await readForAll(read, LATEST, agentIds, (id) => [id]);
  return new Map(rows.map(toSession).map((session) => [session.agentId, session]));
}

/** Sessions that have not ended, of one project or (null) of all. */
export async function openSessions(read: Read, projectId: string | null): Promise<SessionRow[]> {
  const rows =
    projectId === null
      ? await read.all('SELECT * FROM sessions WHERE ended_at IS NULL ORDER BY agent_id')
      : await read.all('SELECT * FROM sessions WHERE ended_at IS NULL AND project_id = ? ORDER BY agent_id', projectId);
  return rows.map(toSession);
}

export async function insertSession(tx: Tx, session: SessionRow): Promise<void> {
  await tx.run(
    `INSERT INTO sessions (id, project_id, agent_id, epoch, door, client_name, client_version, client_key, client_pid,
       root, host, pid, started_at, called_at, heartbeat_at, waiting_until, shown_at, ended_at, end_reason)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    session.id,
    session.projectId,
    session.agentId,
    session.epoch,
    session.door,
    session.clientName,
    session.clientVersion,
    session.clientKey,
    session.clientPid,
    session.root,
    session.host,
    session.pid,
    session.startedAt,
    session.calledAt,
    session.heartbeatAt,
    session.waitingUntil,
    session.shownAt,
    session.endedAt,
    session.endReason,
  );
}

export async function endSession(tx: Tx, id: string, now: number, reason: string): Promise<boolean> {
  const changes = await tx.run(
    'UPDATE sessions SET ended_at = ?, end_reason = ?, waiting_until = NULL WHERE id = ? AND ended_at IS NULL',
    now,
    reason,
    id,
  );
  return changes === 1;
}

/** A session that was taken for dead and still holds its agent's epoch goes on, in the process that now keeps it alive. */
export async function reviveSession(tx: Tx, id: string, now: number, by: { key: string; pid: number }): Promise<void> {
  await tx.run(
    'UPDATE sessions SET ended_at = NULL, end_reason = NULL, heartbeat_at = ?, host = ?, pid = ? WHERE id = ?',
    now,
    by.key,
    by.pid,
    id,
  );
}

/** The client goes on under another session of its own. */
export async function setClientKey(tx: Tx, id: string, clientKey: string): Promise<void> {
  await tx.run('UPDATE sessions SET client_key = ? WHERE id = ?', clientKey, id);
}

export async function heartbeat(tx: Tx, id: string, now: number): Promise<void> {
  await tx.run('UPDATE sessions SET heartbeat_at = ? WHERE id = ? AND ended_at IS NULL AND heartbeat_at < ?', now, id, now);
}

export async function recordCall(tx: Tx, id: string, now: number): Promise<void> {
  await tx.run('UPDATE sessions SET called_at = ? WHERE id = ? AND ended_at IS NULL', now, id);
  await heartbeat(tx, id, now);
}

export async function setWaiting(tx: Tx, id: string, until: number | null): Promise<void> {
  await tx.run('UPDATE sessions SET waiting_until = ? WHERE id = ? AND ended_at IS NULL', until, id);
}

export async function markShown(tx: Tx, id: string, now: number): Promise<void> {
  await tx.run('UPDATE sessions SET shown_at = ? WHERE id = ?', now, id);
}

/** Sessions of an agent, the newest first. */
export async function sessionsOf(read: Read, agentId: string, limit: number): Promise<SessionRow[]> {
  return (await read.all('SELECT * FROM sessions WHERE agent_id = ? ORDER BY epoch DESC LIMIT ?', agentId, limit)).map(toSession);
}
