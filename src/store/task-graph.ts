// What tasks wait for: `task_dependencies`, and parents, which wait for their children. The counters on the tasks (`waiting_on`,
// `open_children`) are kept beside these rows, in the same transaction, so that what may be claimed is found by an index.

import { toInt, toIntOrNull, toText, toWord } from './columns.ts';
import type { Read, Row, Tx } from './db.ts';
import { TASK_STATES, type TaskRow, type TaskState, toTask } from './tasks.ts';

export const DEPENDENCY_POLICIES = ['block', 'cancel', 'ignore'] as const;
/** What the failure of what it waits for does to a task: it stays blocked, is canceled, or goes on. */
export type DependencyPolicy = (typeof DEPENDENCY_POLICIES)[number];

export type DependencyRow = {
  taskId: string;
  dependsOn: string;
  policy: DependencyPolicy;
  settledAt: number | null;
  /** The state of what it waits for. */
  state: TaskState;
};

const toDependency = (row: Row): DependencyRow => ({
  taskId: toText(row, 'task_id'),
  dependsOn: toText(row, 'depends_on'),
  policy: toWord(row, 'policy', DEPENDENCY_POLICIES),
  settledAt: toIntOrNull(row, 'settled_at'),
  state: toWord(row, 'state', TASK_STATES),
});

export async function insertDependency(tx: Tx, edge: Omit<DependencyRow, 'state'>): Promise<void> {
  await tx.run(
    'INSERT INTO task_dependencies (task_id, depends_on, policy, settled_at) VALUES (?, ?, ?, ?)',
    edge.taskId,
    edge.dependsOn,
    edge.policy,
    edge.settledAt,
  );
}

export async function dependenciesOf(read: Read, taskId: string): Promise<DependencyRow[]> {
  const rows = await read.all(
    'SELECT d.*, t.state FROM task_dependencies d JOIN tasks t ON t.id = d.depends_on WHERE d.task_id = ? ORDER BY t.seq',
    taskId,
  );
  return rows.map(toDependency);
}

/** Who waits for a task; `state` is that of the one who waits. */
export async function dependentsOf(read: Read, taskId: string): Promise<DependencyRow[]> {
  const rows = await read.all(
    'SELECT d.*, t.state FROM task_dependencies d JOIN tasks t ON t.id = d.task_id WHERE d.depends_on = ? ORDER BY t.seq',
    taskId,
  );
  return rows.map(toDependency);
}

/** Whether something may be claimed, as `isClaimable` of the hub has it. */
const CLAIMABLE = `CASE WHEN state = 'submitted' AND waiting_on = 0 AND open_children = 0 AND handoff_to IS NULL
    AND (not_before IS NULL OR not_before <= ?) THEN 1 ELSE 0 END`;

/** Settles one dependency. Answers whether this call did. */
export async function settleDependency(tx: Tx, taskId: string, dependsOn: string, now: number): Promise<boolean> {
  const settled = await tx.run(
    'UPDATE task_dependencies SET settled_at = ? WHERE task_id = ? AND depends_on = ? AND settled_at IS NULL',
    now,
    taskId,
    dependsOn,
  );
  if (settled === 0) return false;
  await tx.run('UPDATE tasks SET waiting_on = waiting_on - 1 WHERE id = ?', taskId);
  await refreshClaimable(tx, taskId, now);
  return true;
}

export async function addWaiting(tx: Tx, taskId: string, now: number): Promise<void> {
  await tx.run('UPDATE tasks SET claimable = 0, waiting_on = waiting_on + 1 WHERE id = ?', taskId);
  await refreshClaimable(tx, taskId, now);
}

/** Counts a child of a parent in (1) or out (-1). */
export async function countChild(tx: Tx, parentId: string, by: 1 | -1, now: number): Promise<void> {
  await tx.run('UPDATE tasks SET claimable = 0, open_children = open_children + ? WHERE id = ?', by, parentId);
  await refreshClaimable(tx, parentId, now);
}

export async function refreshClaimable(tx: Tx, taskId: string, now: number): Promise<void> {
  await tx.run(`UPDATE tasks SET claimable = ${CLAIMABLE} WHERE id = ?`, now, taskId);
}

/** Tasks whose time has come: they may be claimed from now on. Answers their ids. */
export async function wakeDue(tx: Tx, now: number, limit: number): Promise<string[]> {
  const rows = await tx.all(
    `SELECT id FROM tasks WHERE state = 'submitted' AND claimable = 0 AND waiting_on = 0 AND open_children = 0 AND handoff_to IS NULL
       AND not_before IS NOT NULL AND not_before <= ? ORDER BY not_before LIMIT ?`,
    now,
    limit,
  );
  const ids = rows.map((row) => toText(row, 'id'));
  for (const id of ids) await refreshClaimable(tx, id, now);
  return ids;
}

export async function nextToWake(read: Read): Promise<number | null> {
  const row = await read.get(
    `SELECT MIN(not_before) AS next FROM tasks WHERE state = 'submitted' AND claimable = 0 AND waiting_on = 0 AND open_children = 0
       AND handoff_to IS NULL AND not_before IS NOT NULL`,
  );
  return row === undefined ? null : toIntOrNull(row, 'next');
}

export async function openChildrenOf(read: Read, parentId: string): Promise<TaskRow[]> {
  return (await read.all('SELECT * FROM tasks WHERE parent_id = ? AND closed_at IS NULL ORDER BY seq', parentId)).map(toTask);
}

/** How many wait for a task, counted up to `most`. */
export async function countWaiters(read: Read, taskId: string, most: number): Promise<number> {
  const row = await read.get(
    'SELECT COUNT(*) AS n FROM (SELECT 1 AS one FROM task_dependencies WHERE depends_on = ? AND settled_at IS NULL LIMIT ?) AS counted',
    taskId,
    most,
  );
  return row === undefined ? 0 : toInt(row, 'n');
}

/** A task and everything below it, parents before children. */
export async function descendantsOf(read: Read, projectId: string, rootId: string, limit: number): Promise<TaskRow[]> {
  const rows = await read.all(
    `WITH RECURSIVE below (id) AS (
       SELECT id FROM tasks WHERE id = ? AND project_id = ?
       UNION
       SELECT t.id FROM tasks t JOIN below b ON t.parent_id = b.id
     ) SELECT t.* FROM below b JOIN tasks t ON t.id = b.id ORDER BY t.depth, t.seq LIMIT ?`,
    rootId,
    projectId,
    limit,
  );
  return rows.map(toTask);
}

/** How many children a parent has in which state. */
export async function childStates(read: Read, parentId: string): Promise<Partial<Record<TaskState, number>>> {
  const rows = await read.all('SELECT state, COUNT(*) AS n FROM tasks WHERE parent_id = ? GROUP BY state', parentId);
  return Object.fromEntries(rows.map((row) => [toWord(row, 'state', TASK_STATES), toInt(row, 'n')]));
}

/** One step of the graph: an open task, what it is called, and its place in the order of claims. */
export type Neighbour = { id: string; rank: number; ownRank: number };

const toNeighbour = (row: Row): Neighbour => ({ id: toText(row, 'id'), rank: toInt(row, 'rank'), ownRank: toInt(row, 'own_rank') });

/** What an open task waits for: dependencies that are not settled, and open children. */
export async function blockersOf(read: Read, taskId: string): Promise<Neighbour[]> {
  const rows = await read.all(
    `SELECT t.id, t.rank, t.own_rank FROM task_dependencies d JOIN tasks t ON t.id = d.depends_on
       WHERE d.task_id = ? AND d.settled_at IS NULL AND t.closed_at IS NULL
     UNION SELECT id, rank, own_rank FROM tasks WHERE parent_id = ? AND closed_at IS NULL`,
    taskId,
    taskId,
  );
  return rows.map(toNeighbour);
}

/** What a task waits for, or will again once what has ended without success is tried again: nothing ended is passed over but what stays ended. */
export async function awaitedBy(read: Read, taskId: string): Promise<string[]> {
  const rows = await read.all(
    `SELECT depends_on AS id FROM task_dependencies WHERE task_id = ? AND settled_at IS NULL
     UNION SELECT id FROM tasks WHERE parent_id = ? AND state NOT IN ('completed', 'canceled')`,
    taskId,
    taskId,
  );
  return rows.map((row) => toText(row, 'id'));
}

/** What waits for a task: those that depend on it, and its parent. */
export async function waitersOf(read: Read, taskId: string): Promise<Neighbour[]> {
  const rows = await read.all(
    `SELECT t.id, t.rank, t.own_rank FROM task_dependencies d JOIN tasks t ON t.id = d.task_id
       WHERE d.depends_on = ? AND d.settled_at IS NULL AND t.closed_at IS NULL
     UNION SELECT p.id, p.rank, p.own_rank FROM tasks c JOIN tasks p ON p.id = c.parent_id WHERE c.id = ? AND p.closed_at IS NULL`,
    taskId,
    taskId,
  );
  return rows.map(toNeighbour);
}

export async function setRank(tx: Tx, taskId: string, rank: number): Promise<void> {
  await tx.run('UPDATE tasks SET rank = ? WHERE id = ?', rank, taskId);
}

export type OpenEdge = DependencyRow & { title: string; dependsOnTitle: string; waiter: TaskState };

/** Dependencies of a project of which one end at least is open, those of the newest tasks first. */
export async function openEdges(read: Read, projectId: string, limit: number): Promise<OpenEdge[]> {
  const rows = await read.all(
    `SELECT d.*, t.state, t.title AS depends_on_title, w.title AS title, w.state AS waiter
     FROM task_dependencies d JOIN tasks w ON w.id = d.task_id JOIN tasks t ON t.id = d.depends_on
     WHERE w.project_id = ? AND (w.closed_at IS NULL OR t.closed_at IS NULL) ORDER BY w.seq DESC, t.seq LIMIT ?`,
    projectId,
    limit,
  );
  return rows.map((row) => ({
    ...toDependency(row),
    title: toText(row, 'title'),
    dependsOnTitle: toText(row, 'depends_on_title'),
    waiter: toWord(row, 'waiter', TASK_STATES),
  }));
}
