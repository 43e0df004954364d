// Rows of `wake_attempts`: each time an agent's client was woken, by which door, and what came of it. The schema allows one per agent that has
// not ended.
// Life: claimed -> sent -> read | no_effect; claimed -> failed; a read may also come before its host has said that it was sent.

import { flag, toFlag, toInt, toIntOrNull, toText, toWord } from './columns.ts';
import type { Read, Row, Tx } from './db.ts';
import { WAKE_DOORS, type WakeDoor } from './wake-doors.ts';

export const WAKE_STATES = ['claimed', 'sent', 'failed', 'read', 'no_effect'] as const;
export type WakeState = (typeof WAKE_STATES)[number];

/** What may follow what. */
export const WAKE_TRANSITIONS: Readonly<Record<WakeState, readonly WakeState[]>> = {
  claimed: ['sent', 'failed', 'read'],
  sent: ['read', 'no_effect'],
  failed: [],
  read: [],
  no_effect: [],
};

export type AttemptRow = {
  id: string;
  projectId: string;
  /** The agent whose client was woken. */
  agentId: string;
  doorId: string;
  door: WakeDoor;
  /** Of the event that began it: the order of attempts within a millisecond. */
  seq: number;
  state: WakeState;
  /** What waited when it was claimed, and how far: it covers everything up to there, and whatever comes while it is outstanding. */
  unread: number;
  newestSeq: number;
  newestReadyAt: number;
  startedAt: number;
  sentAt: number | null;
  endedAt: number | null;
  /** The client was seen to act on it, though it did not read. */
  stirred: boolean;
  /** It was the last one for this mail. */
  gaveUp: boolean;
  /** Why it failed, or had no effect. */
  detail: string;
};

const toAttempt = (row: Row): AttemptRow => ({
  id: toText(row, 'id'),
  projectId: toText(row, 'project_id'),
  agentId: toText(row, 'agent_id'),
  doorId: toText(row, 'door_id'),
  door: toWord(row, 'door', WAKE_DOORS),
  seq: toInt(row, 'seq'),
  state: toWord(row, 'state', WAKE_STATES),
  unread: toInt(row, 'unread'),
  newestSeq: toInt(row, 'newest_seq'),
  newestReadyAt: toInt(row, 'newest_ready_at'),
  startedAt: toInt(row, 'started_at'),
  sentAt: toIntOrNull(row, 'sent_at'),
  endedAt: toIntOrNull(row, 'ended_at'),
  stirred: toFlag(row, 'stirred'),
  gaveUp: toFlag(row, 'gave_up'),
  detail: toText(row, 'detail'),
});

export async function insertAttempt(tx: Tx, attempt: AttemptRow): Promise<void> {
  await tx.run(
    `INSERT INTO wake_attempts (id, project_id, agent_id, door_id, door, seq, state, unread, newest_seq, newest_ready_at, started_at)
     VALUES (?, ?, ?, ?, ?, ?, 'claimed', ?, ?, ?, ?)`,
    attempt.id,
    attempt.projectId,
    attempt.agentId,
    attempt.doorId,
    attempt.door,
    attempt.seq,
    attempt.unread,
    attempt.newestSeq,
    attempt.newestReadyAt,
    attempt.startedAt,
  );
}

export async function findAttempt(read: Read, id: string): Promise<AttemptRow | undefined> {
  const row = await read.get('SELECT * FROM wake_attempts WHERE id = ?', id);
  return row && toAttempt(row);
}

/** The attempt of an agent that has not ended. */
export async function outstandingAttempt(read: Read, agentId: string): Promise<AttemptRow | undefined> {
  const row = await read.get('SELECT * FROM wake_attempts WHERE agent_id = ? AND ended_at IS NULL', agentId);
  return row && toAttempt(row);
}

/** Attempts that have not ended, of all agents. */
export async function outstandingAttempts(read: Read, limit: number): Promise<AttemptRow[]> {
  return (await read.all('SELECT * FROM wake_attempts WHERE ended_at IS NULL ORDER BY agent_id LIMIT ?', limit)).map(toAttempt);
}

/** The newest attempts that ended, or have not ended, since `since` and started by `until`; the oldest of them first. */
export async function attemptsWithin(read: Read, agentId: string, since: number, until: number, limit: number): Promise<AttemptRow[]> {
  const rows = await read.all(
    `SELECT * FROM wake_attempts WHERE agent_id = ? AND started_at <= ? AND (ended_at IS NULL OR ended_at >= ?)
     ORDER BY started_at DESC, seq DESC LIMIT ?`,
    agentId,
    until,
    since,
    limit,
  );
  return rows.map(toAttempt).reverse();
}

/** How often each agent of a project was woken since then, and how often it read after that; by agent. */
export async function wakesIn(read: Read, projectId: string, since: number): Promise<Map<string, { attempts: number; read: number }>> {
  const rows = await read.all(
    `SELECT w.agent_id, COUNT(*) AS attempts, SUM(CASE WHEN w.state = 'read' THEN 1 ELSE 0 END) AS was_read
     FROM agents a JOIN wake_attempts w ON w.agent_id = a.id AND w.started_at >= ? WHERE a.project_id = ? GROUP BY w.agent_id`,
    since,
    projectId,
  );
  return new Map(rows.map((row) => [toText(row, 'agent_id'), { attempts: toInt(row, 'attempts'), read: toInt(row, 'was_read') }]));
}

export async function markSent(tx: Tx, id: string, now: number): Promise<boolean> {
  return (await tx.run(`UPDATE wake_attempts SET state = 'sent', sent_at = ? WHERE id = ? AND state = 'claimed'`, now, id)) === 1;
}

/** Ends an attempt that has not ended. Answers whether this call did it. */
export async function endAttempt(
  tx: Tx,
  attempt: Pick<AttemptRow, 'id' | 'stirred' | 'gaveUp' | 'detail'>,
  state: 'failed' | 'read' | 'no_effect',
  now: number,
): Promise<boolean> {
  const changes = await tx.run(
    'UPDATE wake_attempts SET state = ?, ended_at = ?, stirred = ?, gave_up = ?, detail = ? WHERE id = ? AND ended_at IS NULL',
    state,
    now,
    flag(attempt.stirred),
    flag(attempt.gaveUp),
    attempt.detail,
    attempt.id,
  );
  return changes === 1;
}
