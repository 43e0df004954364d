// Rows of `context_usage`: how full the context of each agent was when it was last told, and whether a checkpoint is owed for it.

import { toInt, toIntOrNull, toText } from './columns.ts';
import type { Read, Row, Tx } from './db.ts';

export type UsageRow = {
  agentId: string;
  projectId: string;
  /** The session whose context it is: another session starts with a context of its own. */
  sessionId: string;
  percent: number;
  reportedAt: number;
  /** The event that asked for the checkpoint that is still owed; null: none is. */
  requestedSeq: number | null;
  requestedAt: number | null;
  /** How full the context was at the last checkpoint, as long as it has not been emptied since. */
  coveredPercent: number | null;
};

const toUsage = (row: Row): UsageRow => ({
  agentId: toText(row, 'agent_id'),
  projectId: toText(row, 'project_id'),
  sessionId: toText(row, 'session_id'),
  percent: toInt(row, 'percent'),
  reportedAt: toInt(row, 'reported_at'),
  requestedSeq: toIntOrNull(row, 'requested_seq'),
  requestedAt: toIntOrNull(row, 'requested_at'),
  coveredPercent: toIntOrNull(row, 'covered_percent'),
});

export async function findUsage(read: Read, agentId: string): Promise<UsageRow | undefined> {
  const row = await read.get('SELECT * FROM context_usage WHERE agent_id = ?', agentId);
  return row && toUsage(row);
}

export async function saveUsage(tx: Tx, usage: UsageRow): Promise<void> {
  await tx.run(
    `INSERT INTO context_usage (agent_id, project_id, session_id, percent, reported_at, requested_seq, requested_at, covered_percent)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (agent_id) DO UPDATE SET session_id = excluded.session_id, percent = excluded.percent, reported_at = excluded.reported_at,
       requested_seq = excluded.requested_seq, requested_at = excluded.requested_at, covered_percent = excluded.covered_percent`,
    usage.agentId,
    usage.projectId,
    usage.sessionId,
    usage.percent,
    usage.reportedAt,
    usage.requestedSeq,
    usage.requestedAt,
    usage.coveredPercent,
  );
}

/** A checkpoint was saved: nothing is owed until more has been written. */
export async function coverUsage(tx: Tx, agentId: string): Promise<void> {
  await tx.run('UPDATE context_usage SET requested_seq = NULL, requested_at = NULL, covered_percent = percent WHERE agent_id = ?', agentId);
}
