// Forgetting the oldest events of a project. The chain of hashes then goes on from the last one that went, whose seq and hash stay with the project.

import { toInt } from './columns.ts';
import type { Read, Tx } from './db.ts';

/** Where the history of a project begins, and how many messages and deliveries that were accepted before were not swept before, either. */
export type Base = { seq: number; hash: string; messages: number; deliveries: number };

/** The seq of the `nth` newest event; 0 when there are fewer. */
export async function nthNewestEvent(read: Read, projectId: string, nth: number): Promise<number> {
  const row = await read.get('SELECT seq FROM events WHERE project_id = ? ORDER BY seq DESC LIMIT 1 OFFSET ?', projectId, nth - 1);
  return row === undefined ? 0 : toInt(row, 'seq');
}

export async function deleteEventsUpTo(tx: Tx, projectId: string, base: Base): Promise<number> {
  await tx.run(
    'UPDATE projects SET base_seq = ?, base_hash = ?, base_messages = ?, base_deliveries = ? WHERE id = ?',
    base.seq,
    base.hash,
    base.messages,
    base.deliveries,
    projectId,
  );
  return await tx.run('DELETE FROM events WHERE project_id = ? AND seq <= ?', projectId, base.seq);
}
