// Rows of `sweeps`: when a project is swept next, and what its last sweep took. Whoever moves `due_at` on holds the sweep until then.

import { toInt, toIntOrNull, toText } from './columns.ts';
import type { Read, Row, Tx } from './db.ts';

/** How many rows went, by table. */
export type Counts = Record<string, number>;
export type SweepRow = { scope: string; dueAt: number; endedAt: number | null; swept: Counts };

/** The scope of what belongs to no single project's sweep: diagnostics, by age, of all projects at once. */
export const WHOLE_HUB = '';

const toSweep = (row: Row): SweepRow => ({
  scope: toText(row, 'scope'),
  dueAt: toInt(row, 'due_at'),
  endedAt: toIntOrNull(row, 'ended_at'),
  swept: JSON.parse(toText(row, 'swept')) as Counts,
});

export async function findSweep(read: Read, scope: string): Promise<SweepRow | undefined> {
  const row = await read.get('SELECT * FROM sweeps WHERE scope = ?', scope);
  return row && toSweep(row);
}

/** Takes the sweep of a scope, if it is due. Answers whether this call did. */
export async function claimSweep(tx: Tx, scope: string, now: number, nextAt: number): Promise<boolean> {
  const changes = await tx.run(
    `INSERT INTO sweeps (scope, due_at, swept) VALUES (?, ?, '{}')
     ON CONFLICT (scope) DO UPDATE SET due_at = excluded.due_at WHERE sweeps.due_at <= ?`,
    scope,
    nextAt,
    now,
  );
  return changes === 1;
}

export async function reportSweep(tx: Tx, scope: string, now: number, swept: Counts): Promise<void> {
  await tx.run('UPDATE sweeps SET ended_at = ?, swept = ? WHERE scope = ?', now, JSON.stringify(swept), scope);
}

export async function listSweeps(read: Read): Promise<SweepRow[]> {
  return (await read.all('SELECT * FROM sweeps ORDER BY scope')).map(toSweep);
}

/** Gives a sweep back that could not be finished: it is due again at once. */
export async function reopenSweep(tx: Tx, scope: string, now: number): Promise<void> {
  await tx.run('UPDATE sweeps SET due_at = ? WHERE scope = ?', now, scope);
}
