// Rows of `task_history` and `task_results`: what happened to a task, version by version, and what was handed in for it. Only ever added to.

import { flag, toFlag, toInt, toText, toTextOrNull, toTexts, toWord } from './columns.ts';
import type { Read, Row, Tx } from './db.ts';
import { TASK_STATES, type TaskState } from './tasks.ts';

export type HistoryRow = {
  taskId: string;
  version: number;
  at: number;
  /** What was done, as in the event of the same moment without its `task.`. */
  act: string;
  fromState: TaskState | null;
  toState: TaskState;
  actorId: string;
  sessionId: string | null;
  fencingToken: number;
  /** In the words of whoever acted. */
  note: string | null;
  /** JSON of names and numbers; never anybody's words. */
  facts: string;
};

const toHistory = (row: Row): HistoryRow => ({
  taskId: toText(row, 'task_id'),
  version: toInt(row, 'version'),
  at: toInt(row, 'at'),
  act: toText(row, 'act'),
  fromState: row.from_state === null ? null : toWord(row, 'from_state', TASK_STATES),
  toState: toWord(row, 'to_state', TASK_STATES),
  actorId: toText(row, 'actor_id'),
  sessionId: toTextOrNull(row, 'session_id'),
  fencingToken: toInt(row, 'fencing_token'),
  note: toTextOrNull(row, 'note'),
  facts: toText(row, 'facts'),
});

export async function insertHistory(tx: Tx, row: HistoryRow): Promise<void> {
  await tx.run(
    `INSERT INTO task_history (task_id, version, at, act, from_state, to_state, actor_id, session_id, fencing_token, note, facts)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    row.taskId,
    row.version,
    row.at,
    row.act,
    row.fromState,
    row.toState,
    row.actorId,
    row.sessionId,
    row.fencingToken,
    row.note,
    row.facts,
  );
}

/** The changes of a task after a version, oldest first. */
export async function historyOf(read: Read, taskId: string, afterVersion: number, limit: number): Promise<HistoryRow[]> {
  const rows = await read.all(
    'SELECT * FROM task_history WHERE task_id = ? AND version > ? ORDER BY version LIMIT ?',
    taskId,
    afterVersion,
    limit,
  );
  return rows.map(toHistory);
}

/** The newest change of a task that somebody said something about. */
export async function lastNoteOf(read: Read, taskId: string): Promise<HistoryRow | undefined> {
  const row = await read.get('SELECT * FROM task_history WHERE task_id = ? AND note IS NOT NULL ORDER BY version DESC LIMIT 1', taskId);
  return row && toHistory(row);
}

export type ResultRow = {
  taskId: string;
  n: number;
  /** Came under a token that was no longer current: kept, shown to the owner, never applied. */
  late: boolean;
  revision: number;
  fencingToken: number;
  agentId: string;
  result: string;
  /** Each a path from the project root or a URI, perhaps with ` sha256:` and the digest. */
  artifacts: string[];
  at: number;
};

const toResult = (row: Row): ResultRow => ({
  taskId: toText(row, 'task_id'),
  n: toInt(row, 'n'),
  late: toFlag(row, 'late'),
  revision: toInt(row, 'revision'),
  fencingToken: toInt(row, 'fencing_token'),
  agentId: toText(row, 'agent_id'),
  result: toText(row, 'result'),
  artifacts: toTexts(row, 'artifacts'),
  at: toInt(row, 'at'),
});

/** Keeps what was handed in; answers its number. */
export async function insertResult(tx: Tx, result: Omit<ResultRow, 'n'>): Promise<number> {
  const row = await tx.get('SELECT COALESCE(MAX(n), 0) + 1 AS n FROM task_results WHERE task_id = ?', result.taskId);
  const n = row === undefined ? 1 : toInt(row, 'n');
  await tx.run(
    `INSERT INTO task_results (task_id, n, late, revision, fencing_token, agent_id, result, artifacts, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    result.taskId,
    n,
    flag(result.late),
    result.revision,
    result.fencingToken,
    result.agentId,
    result.result,
    JSON.stringify(result.artifacts),
    result.at,
  );
  return n;
}

export async function findResult(read: Read, taskId: string, n: number): Promise<ResultRow | undefined> {
  const row = await read.get('SELECT * FROM task_results WHERE task_id = ? AND n = ?', taskId, n);
  return row && toResult(row);
}

/** What came too late, oldest first. */
export async function lateResults(read: Read, taskId: string): Promise<ResultRow[]> {
  return (await read.all('SELECT * FROM task_results WHERE task_id = ? AND late = 1 ORDER BY n', taskId)).map(toResult);
}
