// What reports on messages and tasks count. A message belongs to the window in which it was accepted, a task to those in which it was created
// and ended; days are those of UTC.

import { toInt, toText, toTextOrNull } from './columns.ts';
import type { Read } from './db.ts';
import { type Spread, spread } from './stats-turns.ts';

const DAY_MS = 86_400_000;

export async function sentByAgent(read: Read, projectId: string, afterSeq: number): Promise<{ agentId: string; sent: number }[]> {
  const rows = await read.all(
    'SELECT sender_id, COUNT(*) AS n FROM messages WHERE project_id = ? AND seq > ? GROUP BY sender_id',
    projectId,
    afterSeq,
  );
  return rows.map((row) => ({ agentId: toText(row, 'sender_id'), sent: toInt(row, 'n') }));
}

/** What became, until now, of the messages to one agent. `redelivered` were shown more than once, `redeliveries` says how often. */
export type Received = {
  agentId: string;
  received: number;
  acked: number;
  dead: number;
  expired: number;
  open: number;
  redelivered: number;
  redeliveries: number;
};

export async function receivedByAgent(read: Read, projectId: string, afterSeq: number): Promise<Received[]> {
  const rows = await read.all(
    `SELECT d.recipient_id, COUNT(*) AS received, SUM(CASE WHEN d.state = 'acked' THEN 1 ELSE 0 END) AS acked,
       SUM(CASE WHEN d.state = 'dead' THEN 1 ELSE 0 END) AS dead, SUM(CASE WHEN d.state = 'expired' THEN 1 ELSE 0 END) AS expired,
       SUM(CASE WHEN d.state IN ('ready', 'leased') THEN 1 ELSE 0 END) AS open,
       SUM(CASE WHEN d.attempt > 1 THEN 1 ELSE 0 END) AS redelivered, SUM(CASE WHEN d.attempt > 1 THEN d.attempt - 1 ELSE 0 END) AS redeliveries
     FROM messages m JOIN deliveries d ON d.message_id = m.id WHERE m.project_id = ? AND m.seq > ? GROUP BY d.recipient_id`,
    projectId,
    afterSeq,
  );
  return rows.map((row) => ({
    agentId: toText(row, 'recipient_id'),
    received: toInt(row, 'received'),
    acked: toInt(row, 'acked'),
    dead: toInt(row, 'dead'),
    expired: toInt(row, 'expired'),
    open: toInt(row, 'open'),
    redelivered: toInt(row, 'redelivered'),
    redeliveries: toInt(row, 'redeliveries'),
  }));
}

const ARRIVED = `messages m JOIN deliveries d ON d.message_id = m.id WHERE m.project_id = ? AND m.seq > ?`;

/** From acceptance to the first showing, by recipient. */
export function shownSpread(read: Read, projectId: string, afterSeq: number): Promise<Spread[]> {
  const waits = `SELECT d.recipient_id AS k, d.first_shown_at - m.created_at AS v FROM ${ARRIVED} AND d.first_shown_at IS NOT NULL`;
  return spread(read, waits, projectId, afterSeq);
}

/** From the first showing to the acknowledgement, by recipient. */
export function ackedSpread(read: Read, projectId: string, afterSeq: number): Promise<Spread[]> {
  const holds = `SELECT d.recipient_id AS k, d.acked_at - d.first_shown_at AS v FROM ${ARRIVED} AND d.acked_at IS NOT NULL AND d.first_shown_at IS NOT NULL`;
  return spread(read, holds, projectId, afterSeq);
}

/** How one agent did its tasks: `completed` with its result, `late` what it handed in too late. */
export type Worked = { agentId: string; claims: number; completed: number; failed: number; late: number };

export async function workByAgent(read: Read, projectId: string, since: number): Promise<Worked[]> {
  const rows = await read.all(
    `SELECT agent_id, SUM(claims) AS claims, SUM(completed) AS completed, SUM(failed) AS failed, SUM(late) AS late FROM (
       SELECT h.actor_id AS agent_id, SUM(CASE WHEN h.act = 'claimed' THEN 1 ELSE 0 END) AS claims, 0 AS completed,
         SUM(CASE WHEN h.act = 'failed' THEN 1 ELSE 0 END) AS failed, 0 AS late
       FROM tasks t JOIN task_history h ON h.task_id = t.id
       WHERE t.project_id = ? AND t.updated_at >= ? AND h.at >= ? AND h.act IN ('claimed', 'failed') GROUP BY h.actor_id
       UNION ALL
       SELECT r.agent_id, 0, SUM(CASE WHEN t.state = 'completed' AND t.closed_at >= ? AND r.n = t.result_n THEN 1 ELSE 0 END), 0,
         SUM(CASE WHEN r.late = 1 AND r.at >= ? THEN 1 ELSE 0 END)
       FROM tasks t JOIN task_results r ON r.task_id = t.id
       WHERE t.project_id = ? AND (t.updated_at >= ? OR r.at >= ?) GROUP BY r.agent_id
     ) AS work GROUP BY agent_id`,
    projectId,
    since,
    since,
    since,
    since,
    projectId,
    since,
    since,
  );
  return rows.map((row) => ({
    agentId: toText(row, 'agent_id'),
    claims: toInt(row, 'claims'),
    completed: toInt(row, 'completed'),
    failed: toInt(row, 'failed'),
    late: toInt(row, 'late'),
  }));
}

/** Tasks that were created (`state` null) or ended so on that day. */
export type TaskDay = { dayAt: number; state: string | null; tasks: number };

export async function tasksByDay(read: Read, projectId: string, since: number): Promise<TaskDay[]> {
  const rows = await read.all(
    `SELECT created_at / ${DAY_MS} AS day, NULL AS state, COUNT(*) AS n FROM tasks WHERE project_id = ? AND created_at >= ?
     GROUP BY created_at / ${DAY_MS}
     UNION ALL
     SELECT closed_at / ${DAY_MS}, state, COUNT(*) FROM tasks WHERE project_id = ? AND closed_at >= ? GROUP BY closed_at / ${DAY_MS}, state`,
    projectId,
    since,
    projectId,
    since,
  );
  return rows.map((row) => ({ dayAt: toInt(row, 'day') * DAY_MS, state: toTextOrNull(row, 'state'), tasks: toInt(row, 'n') }));
}

/** Tasks of one kind that ended so. `kind` is a label or the capabilities that they need. */
export type TaskKind = { kind: string; state: string; tasks: number };

export async function endedByLabel(read: Read, projectId: string, since: number): Promise<TaskKind[]> {
  const rows = await read.all(
    `SELECT l.label AS kind, t.state, COUNT(*) AS n FROM tasks t JOIN task_labels l ON l.task_id = t.id AND l.project_id = t.project_id
     WHERE t.project_id = ? AND t.closed_at >= ? GROUP BY l.label, t.state`,
    projectId,
    since,
  );
  return rows.map(toKind);
}

export async function endedByNeeds(read: Read, projectId: string, since: number): Promise<TaskKind[]> {
  const rows = await read.all(
    'SELECT needs AS kind, state, COUNT(*) AS n FROM tasks WHERE project_id = ? AND closed_at >= ? GROUP BY needs, state',
    projectId,
    since,
  );
  return rows.map(toKind);
}

function toKind(row: Parameters<typeof toText>[0]): TaskKind {
  return { kind: toText(row, 'kind'), state: toText(row, 'state'), tasks: toInt(row, 'n') };
}

/** Of the tasks that completed: from creation to the first claim (`waited`), from there to the end (`worked`), from creation to the end (`took`). */
export async function taskSpread(read: Read, projectId: string, since: number): Promise<Spread[]> {
  const claimed = `(SELECT MIN(h.at) FROM task_history h WHERE h.task_id = t.id AND h.act = 'claimed')`;
  const ended = `tasks t WHERE t.project_id = ? AND t.state = 'completed' AND t.closed_at >= ?`;
  return await spread(
    read,
    `SELECT 'took' AS k, t.closed_at - t.created_at AS v FROM ${ended}
     UNION ALL SELECT 'waited', ${claimed} - t.created_at FROM ${ended} AND ${claimed} IS NOT NULL
     UNION ALL SELECT 'worked', t.closed_at - ${claimed} FROM ${ended} AND ${claimed} IS NOT NULL`,
    projectId,
    since,
    projectId,
    since,
    projectId,
    since,
  );
}

/** What else is told of the tasks of a window: counts by name. */
export type TaskCounts = { verdicts: Record<string, number>; late: number; retried: number; leasesLost: number; reused: number };

export async function taskCounts(read: Read, projectId: string, since: number): Promise<TaskCounts> {
  const verdicts = await read.all(
    `SELECT r.state, COUNT(*) AS n FROM reviews r JOIN tasks t ON t.id = r.task_id
     WHERE t.project_id = ? AND r.decided_at >= ? AND r.state IN ('passed', 'not_passed') GROUP BY r.state`,
    projectId,
    since,
  );
  const row = await read.get(
    `SELECT
       (SELECT COUNT(*) FROM task_results r JOIN tasks t ON t.id = r.task_id WHERE t.project_id = ? AND r.late = 1 AND r.at >= ?) AS late,
       (SELECT COUNT(*) FROM task_history h JOIN tasks t ON t.id = h.task_id
         WHERE t.project_id = ? AND t.updated_at >= ? AND h.at >= ? AND h.act = 'retried') AS retried,
       (SELECT COUNT(*) FROM task_history h JOIN tasks t ON t.id = h.task_id
         WHERE t.project_id = ? AND t.updated_at >= ? AND h.at >= ? AND h.act = 'lease_lost') AS lost,
       (SELECT COUNT(*) FROM tasks WHERE project_id = ? AND closed_at >= ? AND reused_from IS NOT NULL) AS reused`,
    ...[projectId, since, projectId, since, since, projectId, since, since, projectId, since],
  );
  if (row === undefined) throw new Error('counting returned no row');
  return {
    verdicts: Object.fromEntries(verdicts.map((one) => [toText(one, 'state'), toInt(one, 'n')])),
    late: toInt(row, 'late'),
    retried: toInt(row, 'retried'),
    leasesLost: toInt(row, 'lost'),
    reused: toInt(row, 'reused'),
  };
}
