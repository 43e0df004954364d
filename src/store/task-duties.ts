// What time does to tasks: hand-offs that were not accepted, deadlines that passed. Found over all projects, by the indexes made for it.

import { toIntOrNull } from './columns.ts';
import type { Read } from './db.ts';
import { type TaskRow, toTask } from './tasks.ts';

export async function overdueHandoffs(read: Read, now: number, limit: number): Promise<TaskRow[]> {
  return (
    await read.all('SELECT * FROM tasks WHERE handoff_until IS NOT NULL AND handoff_until <= ? ORDER BY handoff_until LIMIT ?', now, limit)
  ).map(toTask);
}

/** Open tasks whose deadline has passed and whose owner was not told so yet. */
export async function overdueTasks(read: Read, now: number, limit: number): Promise<TaskRow[]> {
  return (
    await read.all(
      `SELECT * FROM tasks WHERE closed_at IS NULL AND overdue_told_at IS NULL AND deadline_at IS NOT NULL AND deadline_at <= ?
       ORDER BY deadline_at LIMIT ?`,
      now,
      limit,
    )
  ).map(toTask);
}

/** When the next hand-off ends unanswered. */
export async function nextHandoffEnd(read: Read): Promise<number | null> {
  const row = await read.get('SELECT MIN(handoff_until) AS next FROM tasks WHERE handoff_until IS NOT NULL');
  return row === undefined ? null : toIntOrNull(row, 'next');
}

/** When the next deadline passes. */
export async function nextTaskDeadline(read: Read): Promise<number | null> {
  const row = await read.get(
    'SELECT MIN(deadline_at) AS next FROM tasks WHERE closed_at IS NULL AND overdue_told_at IS NULL AND deadline_at IS NOT NULL',
  );
  return row === undefined ? null : toIntOrNull(row, 'next');
}
