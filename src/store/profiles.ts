// What of a project can be carried to another hub: the statements that only export and import need.

import { type AgentRow, toAgent } from './agents.ts';
import { toText, toTextOrNull } from './columns.ts';
import type { Read, Tx } from './db.ts';
import { type ReminderRow, toReminder } from './reminders.ts';
import { type TemplateRow, toTemplate } from './task-templates.ts';

/** Agents that have sessions of their own and were not revoked: neither sub-agents nor the standing principals. */
export async function carriedAgents(read: Read, projectId: string): Promise<AgentRow[]> {
  const rows = await read.all(
    `SELECT * FROM agents WHERE project_id = ? AND parent_id IS NULL AND revoked_at IS NULL AND role NOT IN ('operator', 'hub') ORDER BY name`,
    projectId,
  );
  return rows.map(toAgent);
}

export async function carriedTemplates(read: Read, projectId: string): Promise<TemplateRow[]> {
  return (await read.all('SELECT * FROM task_templates WHERE project_id = ? ORDER BY name', projectId)).map(toTemplate);
}

export type CarriedPolicyRow = { key: string; agent: string | null; value: string };

/** What was set for a project and for those of its agents that are carried; null: what was set for all projects. */
export async function carriedPolicies(read: Read, projectId: string | null): Promise<CarriedPolicyRow[]> {
  const rows = await read.all(
    `SELECT p.key, p.value, a.name FROM policies p LEFT JOIN agents a ON a.id = p.agent_id
     WHERE ${projectId === null ? 'p.project_id IS NULL' : 'p.project_id = ?'}
       AND (p.agent_id IS NULL OR (a.parent_id IS NULL AND a.revoked_at IS NULL)) ORDER BY p.key, a.name`,
    ...(projectId === null ? [] : [projectId]),
  );
  return rows.map((row) => ({ key: toText(row, 'key'), agent: toTextOrNull(row, 'name'), value: toText(row, 'value') }));
}

/** Reminders that are still to fire and depend on nothing else. */
export async function carriedReminders(read: Read, projectId: string): Promise<ReminderRow[]> {
  const rows = await read.all(
    `SELECT * FROM reminders WHERE project_id = ? AND state IN ('pending', 'parked') AND only_if IS NULL ORDER BY created_at, id`,
    projectId,
  );
  return rows.map(toReminder);
}

export async function deleteTemplate(tx: Tx, projectId: string, name: string): Promise<boolean> {
  return (await tx.run('DELETE FROM task_templates WHERE project_id = ? AND name = ?', projectId, name)) === 1;
}

/** How far a recurring reminder has come already. */
export async function setRuns(tx: Tx, id: string, runs: number): Promise<void> {
  await tx.run('UPDATE reminders SET runs = ? WHERE id = ?', runs, id);
}
