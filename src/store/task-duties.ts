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

/** When the next of these is due. */
export async function nextTaskDue(read: Read): Promise<number | null> {
  const row = await read.get(
    `SELECT (SELECT MIN(handoff_until) FROM tasks WHERE handoff_until IS NOT NULL) AS handoff,
       (SELECT MIN(deadline_at) FROM tasks WHERE closed_at IS NULL AND overdue_told_at IS NULL AND deadline_at IS NOT NULL) AS deadline`,
  );
  const times = row === undefined ? [] : [toIntOrNull(row, 'handoff'), toIntOrNull(row, 'deadline')].filter((time) => time !== null);
  return times.length === 0 ? null : Math.min(...times);
}
