// Rows of `task_offers`: who was told of which task, and what came of it. The task itself knows whom it was told last.

import { toInt, toIntOrNull, toText, toWord } from './columns.ts';
import type { Read, Row, Tx } from './db.ts';
import { type TaskRow, toTask } from './tasks.ts';

export const OFFER_KINDS = ['assigned', 'offered', 'handed'] as const;
export type OfferKind = (typeof OFFER_KINDS)[number];
export const OFFER_OUTCOMES = ['open', 'taken', 'declined', 'lapsed', 'withdrawn'] as const;
export type OfferOutcome = (typeof OFFER_OUTCOMES)[number];

export type OfferRow = { taskId: string; agentId: string; at: number; kind: OfferKind; outcome: OfferOutcome; toldAt: number | null };

const toOffer = (row: Row): OfferRow => ({
  taskId: toText(row, 'task_id'),
  agentId: toText(row, 'agent_id'),
  at: toInt(row, 'at'),
  kind: toWord(row, 'kind', OFFER_KINDS),
  outcome: toWord(row, 'outcome', OFFER_OUTCOMES),
  toldAt: toIntOrNull(row, 'told_at'),
});

/** Records that an agent was told of a task. Told again in the same instant, it was told once. */
export async function insertOffer(tx: Tx, offer: Pick<OfferRow, 'taskId' | 'agentId' | 'at' | 'kind'>): Promise<void> {
  await tx.run(
    `INSERT INTO task_offers (task_id, agent_id, at, kind, outcome) VALUES (?, ?, ?, ?, 'open')
     ON CONFLICT (task_id, agent_id, at) DO UPDATE SET kind = excluded.kind, outcome = 'open'`,
    offer.taskId,
    offer.agentId,
    offer.at,
    offer.kind,
  );
}

/** What became of what an agent was told. */
export async function closeOffer(tx: Tx, taskId: string, agentId: string, outcome: Exclude<OfferOutcome, 'open'>): Promise<void> {
  await tx.run(`UPDATE task_offers SET outcome = ? WHERE task_id = ? AND agent_id = ? AND outcome = 'open'`, outcome, taskId, agentId);
}

export async function offersOf(read: Read, taskId: string): Promise<OfferRow[]> {
  return (await read.all('SELECT * FROM task_offers WHERE task_id = ? ORDER BY at, agent_id', taskId)).map(toOffer);
}

/** Open offers of one kind that began before then, the oldest first; those of which nobody was told yet where that is asked for. */
export async function openOffers(
  read: Read,
  kind: OfferKind,
  before: number,
  untold: boolean,
  limit: number,
): Promise<(OfferRow & { projectId: string })[]> {
  const rows = await read.all(
    `SELECT o.*, t.project_id FROM task_offers o JOIN tasks t ON t.id = o.task_id
     WHERE o.outcome = 'open' AND o.at <= ? AND o.kind = ? AND (? = 0 OR o.told_at IS NULL) ORDER BY o.at LIMIT ?`,
    before,
    kind,
    untold ? 1 : 0,
    limit,
  );
  return rows.map((row) => ({ ...toOffer(row), projectId: toText(row, 'project_id') }));
}

export async function markOfferTold(tx: Tx, offer: Pick<OfferRow, 'taskId' | 'agentId' | 'at'>, now: number): Promise<void> {
  await tx.run(
    'UPDATE task_offers SET told_at = ? WHERE task_id = ? AND agent_id = ? AND at = ?',
    now,
    offer.taskId,
    offer.agentId,
    offer.at,
  );
}

/** When an agent was last told of any task; 0: never. */
export async function lastOfferTo(read: Read, agentId: string): Promise<number> {
  const row = await read.get('SELECT MAX(at) AS at FROM task_offers WHERE agent_id = ?', agentId);
  return row === undefined ? 0 : (toIntOrNull(row, 'at') ?? 0);
}

/** Projects in which something can be begun and nobody was told of it. */
export async function projectsWithUnoffered(read: Read, limit: number): Promise<string[]> {
  const rows = await read.all(
    `WITH RECURSIVE queues (project) AS (
       SELECT MIN(project_id) FROM tasks WHERE claimable = 1 AND assignee_id IS NULL AND announced_to IS NULL
       UNION ALL
       SELECT (SELECT MIN(t.project_id) FROM tasks t WHERE t.claimable = 1 AND t.assignee_id IS NULL AND t.announced_to IS NULL AND t.project_id > queues.project)
         FROM queues WHERE queues.project IS NOT NULL
     ) SELECT project FROM queues WHERE project IS NOT NULL LIMIT ?`,
    limit,
  );
  return rows.map((row) => toText(row, 'project'));
}

/** The combinations of capabilities that such tasks of a project need. */
export async function unofferedNeeds(read: Read, projectId: string, limit: number): Promise<string[][]> {
  const rows = await read.all(
    `WITH RECURSIVE queues (needs) AS (
       SELECT MIN(needs) FROM tasks WHERE project_id = ? AND claimable = 1 AND assignee_id IS NULL AND announced_to IS NULL
       UNION ALL
       SELECT (SELECT MIN(t.needs) FROM tasks t WHERE t.project_id = ? AND t.claimable = 1 AND t.assignee_id IS NULL AND t.announced_to IS NULL
           AND t.needs > queues.needs) FROM queues WHERE queues.needs IS NOT NULL
     ) SELECT needs FROM queues WHERE needs IS NOT NULL LIMIT ?`,
    projectId,
    projectId,
    limit,
  );
  return rows.map((row) => toText(row, 'needs')).map((needs) => (needs === '' ? [] : needs.split(' ')));
}

/** The first of a queue that nobody was told of. */
export async function firstUnoffered(read: Read, projectId: string, needs: readonly string[], limit: number): Promise<TaskRow[]> {
  const rows = await read.all(
    `SELECT * FROM tasks WHERE project_id = ? AND needs = ? AND claimable = 1 AND assignee_id IS NULL AND announced_to IS NULL ORDER BY rank, seq LIMIT ?`,
    projectId,
    needs.join(' '),
    limit,
  );
  return rows.map(toTask);
}

/** Tasks that can be begun by somebody who has not been told so: they were blocked, or waited for their time, or came back. */
export async function untoldAssignments(read: Read, limit: number): Promise<TaskRow[]> {
  const rows = await read.all(
    'SELECT * FROM tasks WHERE claimable = 1 AND assignee_id IS NOT NULL AND announced_to IS NULL ORDER BY project_id, rank LIMIT ?',
    limit,
  );
  return rows.map(toTask);
}

/** Projects in which at least `least` tasks could be begun since before then, and nobody was told of it since `toldBefore`. */
export async function growingBacklogs(
  read: Read,
  { least, since, toldBefore }: { least: number; since: number; toldBefore: number },
  limit: number,
): Promise<{ projectId: string; waiting: number; oldest: number }[]> {
  const projects = await read.all(
    'SELECT project_id FROM task_counts WHERE open >= ? AND (backlog_told_at IS NULL OR backlog_told_at <= ?) LIMIT ?',
    least,
    toldBefore,
    limit,
  );
  const found: { projectId: string; waiting: number; oldest: number }[] = [];
  for (const one of projects) {
    const projectId = toText(one, 'project_id');
    const row = await read.get(
      `SELECT COUNT(*) AS n, MIN(updated_at) AS oldest FROM (
         SELECT updated_at FROM tasks WHERE project_id = ? AND claimable = 1 AND assignee_id IS NULL AND updated_at <= ? LIMIT ?) AS counted`,
      projectId,
      since,
      least * 10,
    );
    const waiting = row === undefined ? 0 : toInt(row, 'n');
    if (row !== undefined && waiting >= least) found.push({ projectId, waiting, oldest: toInt(row, 'oldest') });
  }
  return found;
}

export async function markBacklogTold(tx: Tx, projectId: string, now: number): Promise<void> {
  await tx.run('UPDATE task_counts SET backlog_told_at = ? WHERE project_id = ?', now, projectId);
}
