// Rows of `enrolments`: one-time tokens by which a client becomes an agent that was made for it, as SHA-256 only, and who used them.

import { toInt, toIntOrNull, toText, toTextOrNull } from './columns.ts';
import type { Read, Row, Tx } from './db.ts';

/** Who used an enrolment: the program, the machine, the folder. */
export type Seat = { clientName: string; host: string; root: string };

export type EnrolmentRow = {
  id: string;
  projectId: string;
  agentId: string;
  createdBy: string;
  createdAt: number;
  expiresAt: number;
  usedAt: number | null;
  seat: Seat | null;
  revokedAt: number | null;
};

const toEnrolment = (row: Row): EnrolmentRow => {
  const clientName = toTextOrNull(row, 'client_name');
  return {
    id: toText(row, 'id'),
    projectId: toText(row, 'project_id'),
    agentId: toText(row, 'agent_id'),
    createdBy: toText(row, 'created_by'),
    createdAt: toInt(row, 'created_at'),
    expiresAt: toInt(row, 'expires_at'),
    usedAt: toIntOrNull(row, 'used_at'),
    seat: clientName === null ? null : { clientName, host: toText(row, 'host'), root: toText(row, 'root') },
    revokedAt: toIntOrNull(row, 'revoked_at'),
  };
};

export async function insertEnrolment(tx: Tx, one: EnrolmentRow, hash: string): Promise<void> {
  await tx.run(
    'INSERT INTO enrolments (id, project_id, agent_id, created_by, hash, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)',
    one.id,
    one.projectId,
    one.agentId,
    one.createdBy,
    hash,
    one.createdAt,
    one.expiresAt,
  );
}

export async function findEnrolmentByHash(read: Read, hash: string): Promise<EnrolmentRow | undefined> {
  const row = await read.get('SELECT * FROM enrolments WHERE hash = ?', hash);
  return row && toEnrolment(row);
}

/** The one of an agent that can still be used. */
export async function openEnrolment(read: Read, agentId: string, now: number): Promise<EnrolmentRow | undefined> {
  const row = await read.get('SELECT * FROM enrolments WHERE agent_id = ? AND used_at IS NULL AND revoked_at IS NULL', agentId);
  const found = row && toEnrolment(row);
  return found !== undefined && found.expiresAt > now ? found : undefined;
}

/** How many of a project can still be used. */
export async function countOpenEnrolments(read: Read, projectId: string, now: number): Promise<number> {
  const row = await read.get(
    'SELECT COUNT(*) AS n FROM enrolments WHERE project_id = ? AND used_at IS NULL AND revoked_at IS NULL AND expires_at > ?',
    projectId,
    now,
  );
  return row === undefined ? 0 : toInt(row, 'n');
}

/** Answers whether this call used it: a token enrols once. */
export async function useEnrolment(tx: Tx, id: string, now: number, seat: Seat): Promise<boolean> {
  const changes = await tx.run(
    'UPDATE enrolments SET used_at = ?, client_name = ?, host = ?, root = ? WHERE id = ? AND used_at IS NULL AND revoked_at IS NULL',
    now,
    seat.clientName,
    seat.host,
    seat.root,
    id,
  );
  return changes === 1;
}

/** Withdraws the one of an agent that nobody has used, if there is one. */
export async function revokeOpenEnrolment(tx: Tx, agentId: string, now: number): Promise<void> {
  await tx.run('UPDATE enrolments SET revoked_at = ? WHERE agent_id = ? AND used_at IS NULL AND revoked_at IS NULL', now, agentId);
}
