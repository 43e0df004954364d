// Rows of `policies`: what the operator has set of the rules, per level, and the stamp that changes with each.

import { toInt, toText, toTextOrNull } from './columns.ts';
import type { Read, Row, Tx } from './db.ts';

export type PolicyRow = {
  /** Null: all projects. */
  projectId: string | null;
  agentId: string | null;
  key: string;
  /** JSON. */
  value: string;
  /** The name of who set it. */
  setBy: string;
  setAt: number;
};

/** Whom a policy is for. */
export type Reach = { projectId: string | null; agentId: string | null };

const scopeOf = ({ projectId, agentId }: Reach) => agentId ?? projectId ?? '';

const toPolicy = (row: Row): PolicyRow => ({
  projectId: toTextOrNull(row, 'project_id'),
  agentId: toTextOrNull(row, 'agent_id'),
  key: toText(row, 'key'),
  value: toText(row, 'value'),
  setBy: toText(row, 'set_by'),
  setAt: toInt(row, 'set_at'),
});

export async function policyStamp(read: Read): Promise<string> {
  const row = await read.get('SELECT policy_stamp FROM hub WHERE id = 1');
  return row === undefined ? '' : toText(row, 'policy_stamp');
}

export async function listPolicies(read: Read): Promise<PolicyRow[]> {
  return (await read.all('SELECT * FROM policies ORDER BY scope, key')).map(toPolicy);
}

export async function findPolicy(read: Read, reach: Reach, key: string): Promise<PolicyRow | undefined> {
  const row = await read.get('SELECT * FROM policies WHERE scope = ? AND key = ?', scopeOf(reach), key);
  return row && toPolicy(row);
}

export async function savePolicy(tx: Tx, policy: PolicyRow, stamp: string): Promise<void> {
  await tx.run(
    `INSERT INTO policies (scope, key, project_id, agent_id, value, set_by, set_at) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (scope, key) DO UPDATE SET value = excluded.value, set_by = excluded.set_by, set_at = excluded.set_at`,
    scopeOf(policy),
    policy.key,
    policy.projectId,
    policy.agentId,
    policy.value,
    policy.setBy,
    policy.setAt,
  );
  await tx.run('UPDATE hub SET policy_stamp = ? WHERE id = 1', stamp);
}

export async function deletePolicy(tx: Tx, reach: Reach, key: string, stamp: string): Promise<void> {
  await tx.run('DELETE FROM policies WHERE scope = ? AND key = ?', scopeOf(reach), key);
  await tx.run('UPDATE hub SET policy_stamp = ? WHERE id = 1', stamp);
}
