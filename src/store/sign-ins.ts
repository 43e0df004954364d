// Rows of `sign_ins`: a one-time code for the dashboard and the browser session it became, both as SHA-256 only.

import { toInt, toText } from './columns.ts';
import type { Read, Row, Tx } from './db.ts';

/** A browser session that a redeemed code became. */
export type BrowserSession = { id: string; projectId: string; expiresAt: number };

const toBrowserSession = (row: Row): BrowserSession => ({
  id: toText(row, 'id'),
  projectId: toText(row, 'project_id'),
  expiresAt: toInt(row, 'expires_at'),
});

export async function insertSignIn(
  tx: Tx,
  offer: { id: string; projectId: string; codeHash: string; offeredAt: number; codeExpiresAt: number },
): Promise<void> {
  await tx.run(
    'INSERT INTO sign_ins (id, project_id, code_hash, offered_at, code_expires_at) VALUES (?, ?, ?, ?, ?)',
    offer.id,
    offer.projectId,
    offer.codeHash,
    offer.offeredAt,
    offer.codeExpiresAt,
  );
}

/** The offer of this code, if it can still be redeemed. */
export async function findOffer(read: Read, codeHash: string, now: number): Promise<{ id: string; projectId: string } | undefined> {
  const row = await read.get(
    'SELECT id, project_id FROM sign_ins WHERE code_hash = ? AND redeemed_at IS NULL AND code_expires_at > ?',
    codeHash,
    now,
  );
  return row && { id: toText(row, 'id'), projectId: toText(row, 'project_id') };
}

/** Answers whether this call redeemed it: a code works once. */
export async function redeemOffer(tx: Tx, id: string, sessionHash: string, now: number, expiresAt: number): Promise<boolean> {
  const changes = await tx.run(
    'UPDATE sign_ins SET redeemed_at = ?, session_hash = ?, expires_at = ? WHERE id = ? AND redeemed_at IS NULL',
    now,
    sessionHash,
    expiresAt,
    id,
  );
  return changes === 1;
}

/** The live session of this secret. */
export async function findBrowserSession(read: Read, sessionHash: string, now: number): Promise<BrowserSession | undefined> {
  const row = await read.get(
    'SELECT id, project_id, expires_at FROM sign_ins WHERE session_hash = ? AND ended_at IS NULL AND expires_at > ?',
    sessionHash,
    now,
  );
  return row && toBrowserSession(row);
}

export async function openBrowserSessions(read: Read, now: number): Promise<BrowserSession[]> {
  const rows = await read.all(
    'SELECT id, project_id, expires_at FROM sign_ins WHERE redeemed_at IS NOT NULL AND ended_at IS NULL AND expires_at > ? ORDER BY id',
    now,
  );
  return rows.map(toBrowserSession);
}

export async function endBrowserSession(tx: Tx, id: string, now: number): Promise<boolean> {
  return (await tx.run('UPDATE sign_ins SET ended_at = ? WHERE id = ? AND redeemed_at IS NOT NULL AND ended_at IS NULL', now, id)) === 1;
}
