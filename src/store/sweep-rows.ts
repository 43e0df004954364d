// Sweeping what ends by itself and is pointed to by little: reminders, approvals, reservations, sessions; and by age alone, of all projects at once:
// credentials that ran out, keys, attempts to wake. Each function takes the oldest, at most `limit`, and answers how many rows went, by table.

import { toInt, toText } from './columns.ts';
import { foldCalls, foldToolUses, foldTurns } from './days.ts';
import type { Read, Tx } from './db.ts';
import type { Counts } from './sweeps.ts';

async function oldIds(read: Read, sql: string, ...args: (string | number)[]): Promise<string[]> {
  return (await read.all(sql, ...args)).map((row) => toText(row, 'id'));
}

/** Reminders that ended before then, and the firings of old instants of those that go on. */
export async function sweepReminders(tx: Tx, projectId: string, before: number, limit: number): Promise<Counts> {
  const counts = { reminders: 0, reminder_firings: 0 };
  const over = await oldIds(
    tx,
    'SELECT id FROM reminders WHERE project_id = ? AND closed_at < ? ORDER BY closed_at LIMIT ?',
    projectId,
    before,
    limit,
  );
  for (const id of over) {
    counts.reminder_firings += await tx.run('DELETE FROM reminder_firings WHERE reminder_id = ?', id);
    counts.reminders += await tx.run('DELETE FROM reminders WHERE id = ?', id);
  }
  // The instant that is due next is what keeps it from being fired twice, so that one stays.
  const going = await tx.all('SELECT id, due_at FROM reminders WHERE project_id = ? AND closed_at IS NULL AND runs > 0', projectId);
  for (const row of going) {
    counts.reminder_firings += await tx.run(
      'DELETE FROM reminder_firings WHERE reminder_id = ? AND due_at < ? AND fired_at < ?',
      toText(row, 'id'),
      Math.min(before, toInt(row, 'due_at')),
      before,
    );
  }
  return counts;
}

/** Approvals that were asked for before then, are over, and whose request nobody has still to read. */
export async function sweepApprovals(tx: Tx, projectId: string, before: number, limit: number): Promise<Counts> {
  const approvals = await tx.run(
    `DELETE FROM approvals WHERE id IN (SELECT p.id FROM approvals p
       WHERE p.project_id = ? AND p.requested_at < ? AND p.state NOT IN ('pending', 'approved')
         AND NOT EXISTS (SELECT 1 FROM deliveries d
           WHERE d.message_id = p.message_id AND (d.state IN ('ready', 'leased') OR (d.state = 'acked' AND d.done_at IS NULL)))
       ORDER BY p.requested_at LIMIT ?)`,
    projectId,
    before,
    limit,
  );
  return { approvals };
}

export async function sweepReservations(tx: Tx, projectId: string, before: number, limit: number): Promise<Counts> {
  const reservations = await tx.run(
    `DELETE FROM reservations WHERE id IN
       (SELECT id FROM reservations WHERE state <> 'held' AND ended_at < ? AND project_id = ? ORDER BY ended_at LIMIT ?)`,
    before,
    projectId,
    limit,
  );
  return { reservations };
}

/** Sessions that ended before then and that nothing points to. The last one of an agent stays: it says when the agent was last there. */
export async function sweepSessions(tx: Tx, projectId: string, before: number, limit: number): Promise<Counts> {
  const sessions = await tx.run(
    `DELETE FROM sessions WHERE id IN (SELECT s.id FROM sessions s
       WHERE s.project_id = ? AND s.ended_at < ? AND s.epoch < (SELECT a.epoch FROM agents a WHERE a.id = s.agent_id)
         AND NOT EXISTS (SELECT 1 FROM agents c WHERE c.parent_session_id = s.id)
         AND NOT EXISTS (SELECT 1 FROM wake_doors w WHERE w.agent_id = s.agent_id AND w.session_id = s.id)
         AND NOT EXISTS (SELECT 1 FROM turns t WHERE t.session_id = s.id)
         AND NOT EXISTS (SELECT 1 FROM tool_uses u WHERE u.session_id = s.id)
       ORDER BY s.ended_at LIMIT ?)`,
    projectId,
    before,
    limit,
  );
  return { sessions };
}

/** When the `nth` newest of the ended sessions ended; 0 when there are fewer. */
export async function nthNewestSessionEnd(read: Read, projectId: string, nth: number): Promise<number> {
  const row = await read.get(
    'SELECT ended_at FROM sessions WHERE project_id = ? AND ended_at IS NOT NULL ORDER BY ended_at DESC LIMIT 1 OFFSET ?',
    projectId,
    nth - 1,
  );
  return row === undefined ? 0 : toInt(row, 'ended_at');
}

/** Which agent a session of a client was, where that was long ago. */
export async function sweepBindings(tx: Tx, projectId: string, before: number, limit: number): Promise<Counts> {
  const bindings = await tx.run(
    `DELETE FROM client_bindings WHERE project_id = ? AND client_key IN (SELECT b.client_key FROM client_bindings b
       WHERE b.project_id = ? AND b.bound_at < ?
         AND NOT EXISTS (SELECT 1 FROM sessions s WHERE s.agent_id = b.agent_id AND s.client_key = b.client_key AND s.ended_at IS NULL)
       LIMIT ?)`,
    projectId,
    projectId,
    before,
    limit,
  );
  return { client_bindings: bindings };
}

/** The instant of the `limit`th oldest row before `before`: what is deleted up to it is a batch, and rows of one instant stay together. */
async function batchEnd(read: Read, table: string, column: string, before: number, limit: number): Promise<number> {
  const row = await read.get(
    `SELECT ${column} AS at FROM ${table} WHERE ${column} < ? ORDER BY ${column} LIMIT 1 OFFSET ?`,
    before,
    limit - 1,
  );
  return row === undefined ? before - 1 : toInt(row, 'at');
}

/** Turns, as sums by day. */
export async function sweepTurns(tx: Tx, before: number, limit: number): Promise<Counts> {
  return { turns: await foldTurns(tx, await batchEnd(tx, 'turns', 'ended_at', before, limit)) };
}

export async function sweepToolUses(tx: Tx, before: number, limit: number): Promise<Counts> {
  return { tool_uses: await foldToolUses(tx, await batchEnd(tx, 'tool_uses', 'started_at', before, limit)) };
}

export async function sweepCalls(tx: Tx, before: number, limit: number): Promise<Counts> {
  return { tool_calls: await foldCalls(tx, await batchEnd(tx, 'tool_calls', 'started_at', before, limit)) };
}

/** When the `nth` newest call began; 0 when there are fewer. */
export async function nthNewestCall(read: Read, nth: number): Promise<number> {
  const row = await read.get('SELECT started_at FROM tool_calls WHERE started_at > 0 ORDER BY started_at DESC LIMIT 1 OFFSET ?', nth - 1);
  return row === undefined ? 0 : toInt(row, 'started_at');
}

export async function sweepKeys(tx: Tx, before: number, limit: number): Promise<Counts> {
  const upTo = await batchEnd(tx, 'idempotency_keys', 'created_at', before, limit);
  return { idempotency_keys: await tx.run('DELETE FROM idempotency_keys WHERE created_at <= ?', upTo) };
}

export async function sweepWakeAttempts(tx: Tx, before: number, limit: number): Promise<Counts> {
  const attempts = await tx.run(
    `DELETE FROM wake_attempts WHERE id IN
       (SELECT id FROM wake_attempts WHERE started_at < ? AND ended_at IS NOT NULL ORDER BY started_at LIMIT ?)`,
    before,
    limit,
  );
  return { wake_attempts: attempts };
}

export async function sweepEnrolments(tx: Tx, before: number, limit: number): Promise<Counts> {
  const enrolments = await tx.run(
    'DELETE FROM enrolments WHERE id IN (SELECT id FROM enrolments WHERE expires_at < ? ORDER BY expires_at LIMIT ?)',
    before,
    limit,
  );
  return { enrolments };
}

/** Tokens that ran out before then; one that was revoked goes when it would have run out. */
export async function sweepTokens(tx: Tx, before: number, limit: number): Promise<Counts> {
  const tokens = await tx.run(
    'DELETE FROM tokens WHERE id IN (SELECT id FROM tokens WHERE expires_at < ? ORDER BY expires_at LIMIT ?)',
    before,
    limit,
  );
  return { tokens };
}

/** Codes and sessions of browsers that ran out before then. */
export async function sweepSignIns(tx: Tx, before: number, limit: number): Promise<Counts> {
  const signIns = await tx.run(
    `DELETE FROM sign_ins WHERE id IN
       (SELECT id FROM sign_ins WHERE offered_at < ? AND COALESCE(expires_at, code_expires_at) < ? ORDER BY offered_at LIMIT ?)`,
    before,
    before,
    limit,
  );
  return { sign_ins: signIns };
}
