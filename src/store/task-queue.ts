// The queue of claims. Tasks that need the same capabilities stand in one queue, in the order of their rank, so the best task for an agent is
// the first of the few queues it can serve: found through `tasks_claimable`, however many tasks are open.

import { toInt, toText } from './columns.ts';
import type { Read } from './db.ts';
import { type TaskRow, toTask } from './tasks.ts';

/** The combinations of capabilities that claimable tasks need. Each is found by one step in the index, not by a walk over the tasks. */
export async function claimableNeeds(read: Read, projectId: string, limit: number): Promise<string[][]> {
  const rows = await read.all(
    `WITH RECURSIVE queues (needs) AS (
       SELECT MIN(needs) FROM tasks WHERE project_id = ? AND claimable = 1 AND assignee_id IS NULL
       UNION ALL
       SELECT (SELECT MIN(t.needs) FROM tasks t WHERE t.project_id = ? AND t.claimable = 1 AND t.assignee_id IS NULL AND t.needs > queues.needs)
         FROM queues WHERE queues.needs IS NOT NULL
     ) SELECT needs FROM queues WHERE needs IS NOT NULL LIMIT ?`,
    projectId,
    projectId,
    limit,
  );
  return rows.map((row) => toText(row, 'needs')).map((needs) => (needs === '' ? [] : needs.split(' ')));
}

/** The first `count` of a queue. */
export async function firstOf(read: Read, projectId: string, needs: readonly string[], count: number): Promise<TaskRow[]> {
  const rows = await read.all(
    `SELECT * FROM tasks WHERE project_id = ? AND needs = ? AND claimable = 1 AND assignee_id IS NULL ORDER BY rank, seq LIMIT ?`,
    projectId,
    needs.join(' '),
    count,
  );
  return rows.map(toTask);
}

/** What is assigned to an agent and can be begun, first things first. */
export async function assignedTo(read: Read, agentId: string, limit: number): Promise<TaskRow[]> {
  const rows = await read.all(
    `SELECT * FROM tasks WHERE assignee_id = ? AND state = 'submitted' AND claimable = 1 ORDER BY rank, seq LIMIT ?`,
    agentId,
    limit,
  );
  return rows.map(toTask);
}

/** What is handed to an agent and waits to be accepted. */
export async function handedTo(read: Read, agentId: string, now: number): Promise<TaskRow[]> {
  const rows = await read.all('SELECT * FROM tasks WHERE announced_to = ? AND handoff_to = ? AND handoff_until > ?', agentId, agentId, now);
  return rows.map(toTask);
}

/** What an agent holds: works on, waits for an answer with, or has in review. */
export async function heldBy(read: Read, agentId: string, limit: number): Promise<TaskRow[]> {
  return (await read.all('SELECT * FROM tasks WHERE holder_id = ? ORDER BY seq LIMIT ?', agentId, limit)).map(toTask);
}

/** What an agent was told of and has neither taken nor declined. */
export async function announcedTo(read: Read, agentId: string, limit: number): Promise<TaskRow[]> {
  const rows = await read.all('SELECT * FROM tasks WHERE announced_to = ? AND closed_at IS NULL ORDER BY rank LIMIT ?', agentId, limit);
  return rows.map(toTask);
}

/** How many tasks an agent works on, and how many more it has been told of and not answered. */
export async function loadOf(read: Read, agentId: string, announcedSince: number): Promise<{ held: number; offered: number }> {
  const row = await read.get(
    `SELECT (SELECT COUNT(*) FROM tasks WHERE holder_id = ? AND state IN ('working', 'input_required')) AS held,
       (SELECT COUNT(*) FROM tasks WHERE announced_to = ? AND state = 'submitted' AND announced_at > ?) AS offered`,
    agentId,
    agentId,
    announcedSince,
  );
  return row === undefined ? { held: 0, offered: 0 } : { held: toInt(row, 'held'), offered: toInt(row, 'offered') };
}

/** How many tasks of a project wait for others or for their time; the count stops at `most`. */
export async function countBlocked(read: Read, projectId: string, most: number): Promise<number> {
  const row = await read.get(
    `SELECT COUNT(*) AS n FROM (SELECT 1 FROM tasks WHERE project_id = ? AND state = 'submitted' AND claimable = 0 LIMIT ?) AS counted`,
    projectId,
    most,
  );
  return row === undefined ? 0 : toInt(row, 'n');
}
