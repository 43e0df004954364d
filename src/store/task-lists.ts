// Tasks as they are listed and counted: by project, state, holder, creator, parent or label, the newest first, page by page.

import { toInt, toText, toWord } from './columns.ts';
import type { Read } from './db.ts';
import { type Priority, TASK_STATES, type TaskRow, type TaskState, toTask } from './tasks.ts';

export const TASK_ORDERS = ['newest', 'next', 'deadline', 'effort'] as const;
export type TaskOrder = (typeof TASK_ORDERS)[number];

const ORDER_BY: Readonly<Record<TaskOrder, string>> = {
  newest: 't.seq DESC',
  next: 't.rank, t.seq',
  deadline: 'CASE WHEN t.deadline_at IS NULL THEN 1 ELSE 0 END, t.deadline_at, t.rank',
  effort: 'CASE WHEN t.effort_minutes IS NULL THEN 1 ELSE 0 END, t.effort_minutes, t.rank',
};

export type TaskFilter = {
  state: TaskState | null;
  /** Who works on it, or is meant to. */
  agentId: string | null;
  creatorId: string | null;
  parentId: string | null;
  label: string | null;
  priority: Priority | null;
  /** Other orders than the newest first are of open tasks, and have one page. */
  order: TaskOrder;
  /** Only older ones than this place in the order. */
  beforeSeq: number | null;
};

/** One page. The narrowest filter chooses the index. */
export async function tasksOf(read: Read, projectId: string, filter: TaskFilter, limit: number): Promise<TaskRow[]> {
  const where = ['t.project_id = ?'];
  const args: (string | number)[] = [projectId];
  const add = (sql: string, ...values: (string | number | null)[]) => {
    if (values.some((value) => value === null)) return;
    where.push(sql);
    args.push(...values.filter((value) => value !== null));
  };
  add('t.state = ?', filter.state);
  add('t.parent_id = ?', filter.parentId);
  add('t.priority = ?', filter.priority);
  if (filter.order !== 'newest') where.push('t.closed_at IS NULL');
  add('t.creator_id = ?', filter.creatorId);
  add(
    't.id IN (SELECT h.id FROM tasks h WHERE h.holder_id = ? UNION SELECT a.id FROM tasks a WHERE a.assignee_id = ?)',
    filter.agentId,
    filter.agentId,
  );
  add(
    't.id IN (SELECT l.task_id FROM task_labels l WHERE l.project_id = ? AND l.label = ?)',
    filter.label === null ? null : projectId,
    filter.label,
  );
  add('t.seq < ?', filter.beforeSeq);
  const rows = await read.all(
    `SELECT t.* FROM tasks t WHERE ${where.join(' AND ')} ORDER BY ${ORDER_BY[filter.order]} LIMIT ?`,
    ...args,
    limit,
  );
  return rows.map(toTask);
}

/** How many tasks a project has in which state. */
export async function countTasks(read: Read, projectId: string): Promise<Partial<Record<TaskState, number>>> {
  const rows = await read.all('SELECT state, COUNT(*) AS n FROM tasks WHERE project_id = ? GROUP BY state', projectId);
  return Object.fromEntries(rows.map((row) => [toWord(row, 'state', TASK_STATES), toInt(row, 'n')]));
}

/** How many tasks of a project have not ended. */
export async function countOpenTasks(read: Read, projectId: string): Promise<number> {
  const row = await read.get('SELECT open FROM task_counts WHERE project_id = ?', projectId);
  return row === undefined ? 0 : toInt(row, 'open');
}

/** Whether an open task needs exactly this, and how many such combinations the open tasks have; the count stops at `most`. */
export async function countQueues(read: Read, projectId: string, needs: string, most: number): Promise<{ known: boolean; queues: number }> {
  const one = await read.get(
    'SELECT 1 AS one FROM tasks WHERE project_id = ? AND needs = ? AND closed_at IS NULL LIMIT 1',
    projectId,
    needs,
  );
  if (one !== undefined) return { known: true, queues: 0 };
  const row = await read.get(
    `WITH RECURSIVE queues (needs) AS (
       SELECT MIN(needs) FROM tasks WHERE project_id = ? AND closed_at IS NULL
       UNION ALL
       SELECT (SELECT MIN(t.needs) FROM tasks t WHERE t.project_id = ? AND t.closed_at IS NULL AND t.needs > queues.needs)
         FROM queues WHERE queues.needs IS NOT NULL
     ) SELECT COUNT(*) AS n FROM (SELECT 1 FROM queues WHERE needs IS NOT NULL LIMIT ?) AS counted`,
    projectId,
    projectId,
    most,
  );
  return { known: false, queues: row === undefined ? 0 : toInt(row, 'n') };
}

/** The newest completed task under a cache key, if it was completed after `since`. */
export async function cachedTask(read: Read, projectId: string, cacheKey: string, since: number): Promise<TaskRow | undefined> {
  const row = await read.get(
    `SELECT * FROM tasks WHERE project_id = ? AND cache_key = ? AND state = 'completed' AND closed_at > ? AND reused_from IS NULL
     ORDER BY closed_at DESC LIMIT 1`,
    projectId,
    cacheKey,
    since,
  );
  return row && toTask(row);
}

/** Open tasks of one creator, the oldest first: what it waits for. */
export async function openTasksBy(read: Read, creatorId: string, limit: number): Promise<TaskRow[]> {
  const rows = await read.all('SELECT * FROM tasks WHERE creator_id = ? AND closed_at IS NULL ORDER BY seq LIMIT ?', creatorId, limit);
  return rows.map(toTask);
}

/** Open tasks of a project: what needs a decision first, then what is worked on, then what waits; the oldest first in each. */
export async function openTasksIn(read: Read, projectId: string, limit: number): Promise<TaskRow[]> {
  const found: TaskRow[] = [];
  for (const state of ['needs_attention', 'input_required', 'working', 'in_review', 'submitted'] as const) {
    if (found.length >= limit) break;
    const rows = await read.all(
      'SELECT * FROM tasks WHERE project_id = ? AND state = ? ORDER BY seq LIMIT ?',
      projectId,
      state,
      limit - found.length,
    );
    found.push(...rows.map(toTask));
  }
  return found;
}

/** What nobody goes on with by itself, the oldest first. */
export async function tasksNeedingAttention(read: Read, projectId: string, limit: number): Promise<TaskRow[]> {
  const rows = await read.all(
    `SELECT * FROM tasks WHERE project_id = ? AND state = 'needs_attention' ORDER BY seq LIMIT ?`,
    projectId,
    limit,
  );
  return rows.map(toTask);
}

/** The names of agents by id, for a list of tasks. */
export async function namesOf(read: Read, ids: readonly (string | null)[]): Promise<Map<string, string>> {
  const names = new Map<string, string>();
  for (const id of new Set(ids)) {
    if (id === null) continue;
    const row = await read.get('SELECT name FROM agents WHERE id = ?', id);
    if (row !== undefined) names.set(id, toText(row, 'name'));
  }
  return names;
}

/** The project of a task that is in whatever project. */
export async function projectOfTask(read: Read, id: string): Promise<string | undefined> {
  const row = await read.get('SELECT project_id FROM tasks WHERE id = ?', id);
  return row && toText(row, 'project_id');
}
