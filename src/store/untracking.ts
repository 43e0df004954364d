// Removing a project with everything that is its own. Every table of the schema stands here once, children before what they point to; a test walks
// the schema, so that a table that comes later cannot be forgotten.

import { toInt, toText } from './columns.ts';
import type { Read, Tx } from './db.ts';
import type { Counts } from './sweeps.ts';

const PROJECT = 'project_id = ?';
const of = (column: string, table: string) => `${column} IN (SELECT id FROM ${table} WHERE project_id = ?)`;

/** Every table that holds something of a project, and which of its rows do. */
export const PROJECT_TABLES: readonly (readonly [table: string, condition: string])[] = [
  ['late_answers', of('ask_id', 'asks')],
  ['reminder_firings', of('reminder_id', 'reminders')],
  ['reviews', PROJECT],
  ['task_history', of('task_id', 'tasks')],
  ['task_results', of('task_id', 'tasks')],
  ['task_labels', PROJECT],
  ['task_secrets', of('task_id', 'tasks')],
  ['task_webhooks', of('task_id', 'tasks')],
  ['task_offers', of('task_id', 'tasks')],
  ['task_dependencies', of('task_id', 'tasks')],
  ['task_templates', PROJECT],
  ['documents', PROJECT],
  ['task_counts', PROJECT],
  ['task_scores', of('agent_id', 'agents')],
  ['tasks', PROJECT],
  ['approvals', PROJECT],
  ['asks', PROJECT],
  ['reminders', PROJECT],
  ['thread_pauses', PROJECT],
  ['deliveries', PROJECT],
  ['messages', PROJECT],
  ['pair_sequences', of('sender_id', 'agents')],
  ['idempotency_keys', PROJECT],
  ['events', PROJECT],
  ['tokens', PROJECT],
  ['enrolments', PROJECT],
  ['sign_ins', PROJECT],
  ['checkpoints', PROJECT],
  ['context_usage', PROJECT],
  ['reservations', PROJECT],
  ['wake_attempts', PROJECT],
  ['wake_doors', PROJECT],
  ['tool_uses', PROJECT],
  ['tool_use_days', PROJECT],
  ['turns', PROJECT],
  ['turn_days', PROJECT],
  ['tool_calls', PROJECT],
  ['call_days', PROJECT],
  ['client_bindings', PROJECT],
  ['sessions', PROJECT],
  ['policies', PROJECT],
  ['agent_capabilities', of('agent_id', 'agents')],
  ['agents', PROJECT],
  ['sweeps', 'scope = ?'],
  ['projects', 'id = ?'],
];

/** What belongs to no project: the hub itself, and facts of the machine. */
export const TABLES_OF_NO_PROJECT: readonly string[] = ['hub', 'client_processes', 'schema_version'];

/** How many rows a project has, by table. */
export async function countProject(read: Read, projectId: string): Promise<Counts> {
  const counts: Counts = {};
  for (const [table, condition] of PROJECT_TABLES) {
    const row = await read.get(`SELECT COUNT(*) AS n FROM ${table} WHERE ${condition}`, projectId);
    counts[table] = row === undefined ? 0 : toInt(row, 'n');
  }
  return counts;
}

/** Removes every row of a project. Answers how many went, by table. */
export async function deleteProject(tx: Tx, projectId: string): Promise<Counts> {
  const counts: Counts = {};
  for (const [table, condition] of PROJECT_TABLES) counts[table] = await tx.run(`DELETE FROM ${table} WHERE ${condition}`, projectId);
  return counts;
}

/** Who is attached to a project now: the agent, its client and process. */
export async function attachedTo(read: Read, projectId: string): Promise<{ agent: string; client: string; pid: number }[]> {
  const rows = await read.all(
    `SELECT a.name, s.client_name, s.pid FROM sessions s JOIN agents a ON a.id = s.agent_id
     WHERE s.project_id = ? AND s.ended_at IS NULL ORDER BY a.name`,
    projectId,
  );
  return rows.map((row) => ({ agent: toText(row, 'name'), client: toText(row, 'client_name'), pid: toInt(row, 'pid') }));
}
