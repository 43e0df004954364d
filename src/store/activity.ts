// What the plots of the dashboard are made from: when messages were accepted, first shown and acknowledged. Messages are numbered in the
// order of time, so a window of time is a range of seq, found by halving.

import { toInt, toIntOrNull } from './columns.ts';
import type { Read } from './db.ts';

/** The last event of a project at or before an instant; 0 when there is none. */
export async function seqAt(read: Read, projectId: string, at: number, head: number): Promise<number> {
  let low = 0;
  let high = head;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    const row = await read.get('SELECT at FROM events WHERE project_id = ? AND seq = ?', projectId, middle);
    // A pruned event is as good as one before the window.
    if (row === undefined || toInt(row, 'at') <= at) low = middle;
    else high = middle - 1;
  }
  return low;
}

export type Passage = { acceptedAt: number; firstShownAt: number | null; ackedAt: number | null };

/** The newest `limit` deliveries of messages after `seq`, newest first. */
export async function passagesAfter(read: Read, projectId: string, seq: number, limit: number): Promise<Passage[]> {
  const rows = await read.all(
    `SELECT m.created_at, d.first_shown_at, d.acked_at FROM messages m JOIN deliveries d ON d.message_id = m.id
     WHERE m.project_id = ? AND m.seq > ? ORDER BY m.seq DESC LIMIT ?`,
    projectId,
    seq,
    limit,
  );
  return rows.map((row) => ({
    acceptedAt: toInt(row, 'created_at'),
    firstShownAt: toIntOrNull(row, 'first_shown_at'),
    ackedAt: toIntOrNull(row, 'acked_at'),
  }));
}
