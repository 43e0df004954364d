// Rows of `tokens`: credentials for HTTP, stored as SHA-256 only.

import { toInt, toIntOrNull, toText } from './columns.ts';
import type { Read, Row, Tx } from './db.ts';

export type TokenRow = {
  id: string;
  projectId: string;
  agentId: string;
  hash: string;
  label: string;
  createdAt: number;
  expiresAt: number;
  usedAt: number | null;
  revokedAt: number | null;
};

const toToken = (row: Row): TokenRow => ({
  id: toText(row, 'id'),
  projectId: toText(row, 'project_id'),
  agentId: toText(row, 'agent_id'),
  hash: toText(row, 'hash'),
  label: toText(row, 'label'),
  createdAt: toInt(row, 'created_at'),
  expiresAt: toInt(row, 'expires_at'),
  usedAt: toIntOrNull(row, 'used_at'),
  revokedAt: toIntOrNull(row, 'revoked_at'),
});

export async function insertToken(tx: Tx, token: TokenRow): Promise<void> {
  await tx.run(
    'INSERT INTO tokens (id, project_id, agent_id, hash, label, created_at, expires_at, used_at, revoked_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
    token.id,
    token.projectId,
    token.agentId,
    token.hash,
    token.label,
    token.createdAt,
    token.expiresAt,
    token.usedAt,
    token.revokedAt,
  );
}

/** The token of this hash, and the agent whose bearer it makes, in one statement: every request over HTTP asks for them. */
export async function findTokenByHash(
  read: Read,
  hash: string,
): Promise<(TokenRow & { agentName: string; agentRole: string }) | undefined> {
  const row = await read.get(
    'SELECT t.*, a.name AS agent_name, a.role AS agent_role FROM tokens t JOIN agents a ON a.id = t.agent_id WHERE t.hash = ?',
    hash,
  );
  return row && { ...toToken(row), agentName: toText(row, 'agent_name'), agentRole: toText(row, 'agent_role') };
}

export async function listTokens(read: Read, projectId: string): Promise<TokenRow[]> {
  return (await read.all('SELECT * FROM tokens WHERE project_id = ? ORDER BY created_at', projectId)).map(toToken);
}

export async function revokeToken(tx: Tx, projectId: string, id: string, now: number): Promise<boolean> {
  return (
    (await tx.run('UPDATE tokens SET revoked_at = ? WHERE id = ? AND project_id = ? AND revoked_at IS NULL', now, id, projectId)) === 1
  );
}

/** Every live token of an agent; answers how many there were. */
export async function revokeTokensOf(tx: Tx, agentId: string, now: number): Promise<number> {
  return await tx.run('UPDATE tokens SET revoked_at = ? WHERE agent_id = ? AND revoked_at IS NULL', now, agentId);
}

export async function markTokenUsed(tx: Tx, id: string, now: number): Promise<void> {
  await tx.run('UPDATE tokens SET used_at = ? WHERE id = ?', now, id);
}
