// Rows of `task_secrets` and `task_webhooks`: by what an end of a task may be told from outside a session, and what was told already.

import { toText, toTextOrNull } from './columns.ts';
import type { Read, Tx } from './db.ts';

export async function insertSecret(tx: Tx, taskId: string, secret: string): Promise<void> {
  await tx.run('INSERT INTO task_secrets (task_id, secret) VALUES (?, ?)', taskId, secret);
}

/** The secret of a task with the project it is in; undefined when it has none, or an empty one. */
export async function secretOf(read: Read, taskId: string): Promise<{ secret: string; projectId: string } | undefined> {
  const row = await read.get(
    'SELECT s.secret, t.project_id FROM task_secrets s JOIN tasks t ON t.id = s.task_id WHERE s.task_id = ?',
    taskId,
  );
  const secret = row === undefined ? null : toTextOrNull(row, 'secret');
  return row === undefined || secret === null || secret === '' ? undefined : { secret, projectId: toText(row, 'project_id') };
}

/** What was answered to a webhook of that id before. */
export async function findWebhook(read: Read, taskId: string, webhookId: string): Promise<string | undefined> {
  const row = await read.get('SELECT outcome FROM task_webhooks WHERE task_id = ? AND webhook_id = ?', taskId, webhookId);
  return row && toText(row, 'outcome');
}

export async function insertWebhook(tx: Tx, taskId: string, webhookId: string, outcome: string, now: number): Promise<void> {
  await tx.run('INSERT INTO task_webhooks (task_id, webhook_id, at, outcome) VALUES (?, ?, ?, ?)', taskId, webhookId, now, outcome);
}
