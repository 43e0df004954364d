// Rows of `reservations`: what an agent keeps for itself or shares for a while, by path, glob or name.

import { toInt, toIntOrNull, toText, toTextOrNull, toWord } from './columns.ts';
import type { Read, Row, Tx } from './db.ts';

export const RESERVATION_KINDS = ['path', 'name'] as const;
export type ReservationKind = (typeof RESERVATION_KINDS)[number];
export const RESERVATION_MODES = ['exclusive', 'shared'] as const;
export type ReservationMode = (typeof RESERVATION_MODES)[number];
export const RESERVATION_STATES = ['held', 'released', 'expired'] as const;
export type ReservationState = (typeof RESERVATION_STATES)[number];

export type ReservationRow = {
  id: string;
  projectId: string;
  holderId: string;
  kind: ReservationKind;
  resource: string;
  folded: string;
  mode: ReservationMode;
  /** The fencing token: a later holder of the same thing has a higher one. */
  token: number;
  /** Why, in the holder's words. */
  reason: string;
  state: ReservationState;
  takenAt: number;
  renewedAt: number;
  ttlMs: number;
  /** The end of the lease as it is written down; a call of the holder since then moves it on. */
  leaseUntil: number;
  limitAt: number;
  endedAt: number | null;
  endReason: string | null;
};

const toReservation = (row: Row): ReservationRow => ({
  id: toText(row, 'id'),
  projectId: toText(row, 'project_id'),
  holderId: toText(row, 'holder_id'),
  kind: toWord(row, 'kind', RESERVATION_KINDS),
  resource: toText(row, 'resource'),
  folded: toText(row, 'folded'),
  mode: toWord(row, 'mode', RESERVATION_MODES),
  token: toInt(row, 'token'),
  reason: toText(row, 'reason'),
  state: toWord(row, 'state', RESERVATION_STATES),
  takenAt: toInt(row, 'taken_at'),
  renewedAt: toInt(row, 'renewed_at'),
  ttlMs: toInt(row, 'ttl_ms'),
  leaseUntil: toInt(row, 'lease_until'),
  limitAt: toInt(row, 'limit_at'),
  endedAt: toIntOrNull(row, 'ended_at'),
  endReason: toTextOrNull(row, 'end_reason'),
});

export async function insertReservation(tx: Tx, one: Omit<ReservationRow, 'state' | 'endedAt' | 'endReason'>): Promise<void> {
  await tx.run(
    `INSERT INTO reservations (id, project_id, holder_id, kind, resource, folded, mode, token, reason, state, taken_at, renewed_at, ttl_ms, lease_until, limit_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'held', ?, ?, ?, ?, ?)`,
    one.id,
    one.projectId,
    one.holderId,
    one.kind,
    one.resource,
    one.folded,
    one.mode,
    one.token,
    one.reason,
    one.takenAt,
    one.renewedAt,
    one.ttlMs,
    one.leaseUntil,
    one.limitAt,
  );
}

export async function findReservation(read: Read, projectId: string, id: string): Promise<ReservationRow | undefined> {
  const row = await read.get('SELECT * FROM reservations WHERE id = ? AND project_id = ?', id, projectId);
  return row && toReservation(row);
}

/** What is held in a project, the oldest first. */
export async function heldIn(read: Read, projectId: string): Promise<ReservationRow[]> {
  const rows = await read.all(`SELECT * FROM reservations WHERE project_id = ? AND state = 'held' ORDER BY token`, projectId);
  return rows.map(toReservation);
}

export async function heldBy(read: Read, holderId: string, limit: number): Promise<ReservationRow[]> {
  const rows = await read.all(
    `SELECT * FROM reservations WHERE holder_id = ? AND state = 'held' ORDER BY taken_at, token LIMIT ?`,
    holderId,
    limit,
  );
  return rows.map(toReservation);
}

/** Renews a lease, perhaps under other terms. */
export async function renewReservation(
  tx: Tx,
  id: string,
  terms: Pick<ReservationRow, 'mode' | 'reason' | 'ttlMs' | 'leaseUntil' | 'limitAt'>,
  now: number,
): Promise<void> {
  await tx.run(
    `UPDATE reservations SET mode = ?, reason = ?, ttl_ms = ?, lease_until = ?, limit_at = ?, renewed_at = ? WHERE id = ? AND state = 'held'`,
    terms.mode,
    terms.reason,
    terms.ttlMs,
    terms.leaseUntil,
    terms.limitAt,
    now,
    id,
  );
}

/** Writes down how long a lease holds. It carries no promise. */
export async function moveLease(tx: Tx, id: string, leaseUntil: number, renewedAt: number): Promise<void> {
  await tx.run(
    `UPDATE reservations SET lease_until = ?, renewed_at = ? WHERE id = ? AND state = 'held' AND lease_until < ?`,
    leaseUntil,
    renewedAt,
    id,
    leaseUntil,
  );
}

/** Ends what is held. Answers whether this call did it. */
export async function endReservation(tx: Tx, id: string, state: 'released' | 'expired', reason: string, now: number): Promise<boolean> {
  const changes = await tx.run(
    `UPDATE reservations SET state = ?, ended_at = ?, end_reason = ? WHERE id = ? AND state = 'held'`,
    state,
    now,
    reason,
    id,
  );
  return changes === 1;
}

/** What may be over, over all projects: its lease as written down has ended, or its holder has no open session. */
export async function endingReservations(read: Read, now: number, limit: number): Promise<ReservationRow[]> {
  const rows = await read.all(
    `SELECT r.* FROM reservations r JOIN agents a ON a.id = r.holder_id
     WHERE r.state = 'held' AND (r.lease_until <= ? OR (a.role <> 'operator'
       AND NOT EXISTS (SELECT 1 FROM sessions s WHERE s.agent_id = COALESCE(a.parent_id, a.id) AND s.ended_at IS NULL)))
     ORDER BY r.lease_until LIMIT ?`,
    now,
    limit,
  );
  return rows.map(toReservation);
}

export async function nextLeaseEnd(read: Read): Promise<number | null> {
  const row = await read.get(`SELECT MIN(lease_until) AS next FROM reservations WHERE state = 'held'`);
  return row === undefined ? null : toIntOrNull(row, 'next');
}
