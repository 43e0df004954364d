// Sweeping tasks: which ended ones may go, and what goes with them. A task stays while anything points to it that stays: an open parent, a child,
// a task that waits for it or took over its result, a verdict that is owed, a message about it that nobody has dealt with.

import { toInt, toText } from './columns.ts';
import type { Read, Tx } from './db.ts';
import type { Counts } from './sweeps.ts';

export type OverTask = { id: string; closedAt: number };

/** Tasks that ended before then, the oldest first, after one of them. */
export async function tasksOver(read: Read, projectId: string, closedBefore: number, after: OverTask, limit: number): Promise<OverTask[]> {
  const rows = await read.all(
    `SELECT id, closed_at FROM tasks WHERE project_id = ? AND closed_at >= ? AND closed_at < ? AND (closed_at > ? OR id > ?)
     ORDER BY closed_at, id LIMIT ?`,
    projectId,
    after.closedAt,
    closedBefore,
    after.closedAt,
    after.id,
    limit,
  );
  return rows.map((row) => ({ id: toText(row, 'id'), closedAt: toInt(row, 'closed_at') }));
}

/** When the `nth` newest of the ended tasks ended; 0 when there are fewer. */
export async function nthNewestTaskEnd(read: Read, projectId: string, nth: number): Promise<number> {
  const row = await read.get(
    'SELECT closed_at FROM tasks WHERE project_id = ? AND closed_at IS NOT NULL ORDER BY closed_at DESC LIMIT 1 OFFSET ?',
    projectId,
    nth - 1,
  );
  return row === undefined ? 0 : toInt(row, 'closed_at');
}

/** Whether an ended task may go now. */
export async function isTaskFree(read: Read, id: string, closedBefore: number): Promise<boolean> {
  const held = await read.get(
    `SELECT 1 AS found FROM tasks t WHERE t.id = ? AND (t.closed_at IS NULL OR t.closed_at >= ?
       OR EXISTS (SELECT 1 FROM tasks p WHERE p.id = t.parent_id AND p.closed_at IS NULL)
       OR EXISTS (SELECT 1 FROM tasks c WHERE c.parent_id = t.id)
       OR EXISTS (SELECT 1 FROM tasks r WHERE r.reused_from = t.id)
       OR EXISTS (SELECT 1 FROM task_dependencies d JOIN tasks w ON w.id = d.task_id WHERE d.depends_on = t.id AND w.closed_at IS NULL)
       OR EXISTS (SELECT 1 FROM reviews v WHERE v.task_id = t.id AND v.state = 'owed')
       OR EXISTS (SELECT 1 FROM reviews v JOIN deliveries d ON d.message_id = v.message_id
         WHERE v.task_id = t.id AND (d.state IN ('ready', 'leased') OR (d.state = 'acked' AND d.done_at IS NULL)))
       OR EXISTS (SELECT 1 FROM deliveries d
         WHERE d.message_id = t.announcement_id AND (d.state IN ('ready', 'leased') OR (d.state = 'acked' AND d.done_at IS NULL))))`,
    id,
    closedBefore,
  );
  return held === undefined;
}

/** Deletes a task with its history, results, reviews and all else that is its own. */
export async function deleteTask(tx: Tx, id: string): Promise<Counts> {
  const counts: Counts = {};
  for (const table of ['task_history', 'task_results', 'task_labels', 'task_secrets', 'task_webhooks', 'task_offers', 'reviews'])
    counts[table] = await tx.run(`DELETE FROM ${table} WHERE task_id = ?`, id);
  counts.task_dependencies = await tx.run('DELETE FROM task_dependencies WHERE task_id = ? OR depends_on = ?', id, id);
  counts.tasks = await tx.run('DELETE FROM tasks WHERE id = ?', id);
  return counts;
}
