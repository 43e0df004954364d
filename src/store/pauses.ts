// Rows of `thread_pauses`, and the look at a thread that decides about one.

import { toInt, toIntOrNull, toText } from './columns.ts';
import type { Read, Row, Tx } from './db.ts';

export type PauseRow = { threadId: string; projectId: string; reason: string; pausedAt: number; resumedAt: number | null };

const toPause = (row: Row): PauseRow => ({
  threadId: toText(row, 'thread_id'),
  projectId: toText(row, 'project_id'),
  reason: toText(row, 'reason'),
  pausedAt: toInt(row, 'paused_at'),
  resumedAt: toIntOrNull(row, 'resumed_at'),
});

export async function findPause(read: Read, threadId: string): Promise<PauseRow | undefined> {
  const row = await read.get('SELECT * FROM thread_pauses WHERE thread_id = ?', threadId);
  return row && toPause(row);
}

export async function openPauses(read: Read, projectId: string, limit: number): Promise<PauseRow[]> {
  const rows = await read.all(
    'SELECT * FROM thread_pauses WHERE project_id = ? AND resumed_at IS NULL ORDER BY paused_at LIMIT ?',
    projectId,
    limit,
  );
  return rows.map(toPause);
}

export async function pauseThread(tx: Tx, pause: Omit<PauseRow, 'resumedAt'>): Promise<void> {
  await tx.run(
    `INSERT INTO thread_pauses (thread_id, project_id, reason, paused_at) VALUES (?, ?, ?, ?)
     ON CONFLICT (thread_id) DO UPDATE SET reason = excluded.reason, paused_at = excluded.paused_at, resumed_at = NULL`,
    pause.threadId,
    pause.projectId,
    pause.reason,
    pause.pausedAt,
  );
}

export async function resumeThread(tx: Tx, projectId: string, threadId: string, now: number): Promise<boolean> {
  const changes = await tx.run(
    'UPDATE thread_pauses SET resumed_at = ? WHERE thread_id = ? AND project_id = ? AND resumed_at IS NULL',
    now,
    threadId,
    projectId,
  );
  return changes === 1;
}

/** How often the sender changed among the newest messages of a thread since an instant. */
export async function alternationsSince(read: Read, threadId: string, since: number, limit: number): Promise<number> {
  const rows = await read.all(
    'SELECT sender_id FROM messages WHERE thread_id = ? AND created_at > ? ORDER BY seq DESC LIMIT ?',
    threadId,
    since,
    limit + 1,
  );
  const senders = rows.map((row) => toText(row, 'sender_id'));
  return senders.filter((sender, index) => index > 0 && sender !== senders[index - 1]).length;
}
