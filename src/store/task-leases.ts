// The leases on tasks. They carry no promise: a power cut may lose a renewal, which costs a second attempt, never a second completion, because
// the fencing token decides whose word counts.

import { toIntOrNull } from './columns.ts';
import type { Read, Tx } from './db.ts';
import { type TaskRow, toTask } from './tasks.ts';

/** Renews the leases of a holder that was heard of, up to each one's limit. A lease that already reaches further stays as it is. */
export async function renewLeases(tx: Tx, holderId: string, now: number, leaseMs: number): Promise<number> {
  return await tx.run(
    `UPDATE tasks SET lease_until = CASE WHEN lease_limit_at < ? THEN lease_limit_at ELSE ? END, lease_renewed_at = ?
     WHERE holder_id = ? AND lease_until IS NOT NULL AND lease_until < ? AND lease_until < lease_limit_at`,
    now + leaseMs,
    now + leaseMs,
    now,
    holderId,
    now + leaseMs,
  );
}

/** Whether an agent holds a lease that a renewal would move. */
export async function hasLeaseToRenew(read: Read, holderId: string, until: number): Promise<boolean> {
  const row = await read.get(
    'SELECT 1 AS one FROM tasks WHERE holder_id = ? AND lease_until IS NOT NULL AND lease_until < ? AND lease_until < lease_limit_at LIMIT 1',
    holderId,
    until,
  );
  return row !== undefined;
}

/** The session of a holder is over: its leases, and those of the sub-agents that it registered, end soon, unless it comes back. */
export async function shortenLeases(tx: Tx, session: { id: string; agentId: string }, until: number): Promise<number> {
  return await tx.run(
    `UPDATE tasks SET lease_until = ? WHERE lease_until > ? AND (holder_id = ? OR holder_id IN (SELECT id FROM agents WHERE parent_session_id = ?))`,
    until,
    until,
    session.agentId,
    session.id,
  );
}

/** Leases last renewed before the clock jumped get the time that did not pass. Answers how many. */
export async function extendLeases(tx: Tx, renewedBefore: number, byMs: number, now: number, limit: number): Promise<number> {
  return await tx.run(
    `UPDATE tasks SET lease_until = lease_until + ?, lease_limit_at = lease_limit_at + ?, lease_renewed_at = ?
     WHERE id IN (SELECT id FROM tasks WHERE lease_until IS NOT NULL AND lease_renewed_at <= ? LIMIT ?)`,
    byMs,
    byMs,
    now,
    renewedBefore,
    limit,
  );
}

/** Leases that ended by then, the longest overdue first. */
export async function endedLeases(read: Read, before: number, limit: number): Promise<TaskRow[]> {
  return (
    await read.all('SELECT * FROM tasks WHERE lease_until IS NOT NULL AND lease_until <= ? ORDER BY lease_until LIMIT ?', before, limit)
  ).map(toTask);
}

export async function nextLeaseEnd(read: Read): Promise<number | null> {
  const row = await read.get('SELECT MIN(lease_until) AS next FROM tasks WHERE lease_until IS NOT NULL');
  return row === undefined ? null : toIntOrNull(row, 'next');
}
