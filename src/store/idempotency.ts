// Rows of `idempotency_keys`: the result of a call under the caller's key, committed with the effect (C2).

import { toText } from './columns.ts';
import type { Read, Tx } from './db.ts';

export type KeyScope = { projectId: string; principalId: string; tool: string; key: string };

export async function findKey(read: Read, scope: KeyScope): Promise<{ argsDigest: string; result: string } | undefined> {
  const row = await read.get(
    'SELECT args_digest, result FROM idempotency_keys WHERE project_id = ? AND principal_id = ? AND tool = ? AND key = ?',
    scope.projectId,
    scope.principalId,
    scope.tool,
    scope.key,
  );
  return row && { argsDigest: toText(row, 'args_digest'), result: toText(row, 'result') };
}

export async function insertKey(tx: Tx, scope: KeyScope, argsDigest: string, result: string, now: number): Promise<void> {
  await tx.run(
    'INSERT INTO idempotency_keys (project_id, principal_id, tool, key, args_digest, result, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)',
    scope.projectId,
    scope.principalId,
    scope.tool,
    scope.key,
    argsDigest,
    result,
    now,
  );
}
