// Rows of `asks` and `late_answers`: questions that end in an answer, a refusal, a withdrawal or a deadline, never in silence (C7).

import { flag, toFlag, toInt, toIntOrNull, toText, toTextOrNull, toTexts, toWord } from './columns.ts';
import type { Read, Row, Tx } from './db.ts';

export const ASK_STATES = ['open', 'answered', 'declined', 'cancelled', 'expired'] as const;
export type AskState = (typeof ASK_STATES)[number];

export type AskRow = {
  id: string;
  projectId: string;
  askerId: string;
  targetId: string;
  /** The message that carries the question. */
  messageId: string;
  threadId: string;
  question: string;
  options: string[];
  multi: boolean;
  state: AskState;
  askedAt: number;
  deadlineAt: number;
  /** What was chosen or said: one text, or several where the ask allows it. */
  answer: string[] | null;
  reason: string | null;
  closedAt: number | null;
  closedBy: string | null;
  absenceToldAt: number | null;
};

const toAsk = (row: Row): AskRow => ({
  id: toText(row, 'id'),
  projectId: toText(row, 'project_id'),
  askerId: toText(row, 'asker_id'),
  targetId: toText(row, 'target_id'),
  messageId: toText(row, 'message_id'),
  threadId: toText(row, 'thread_id'),
  question: toText(row, 'question'),
  options: toTexts(row, 'options'),
  multi: toFlag(row, 'multi'),
  state: toWord(row, 'state', ASK_STATES),
  askedAt: toInt(row, 'asked_at'),
  deadlineAt: toInt(row, 'deadline_at'),
  answer: row.answer === null ? null : toTexts(row, 'answer'),
  reason: toTextOrNull(row, 'reason'),
  closedAt: toIntOrNull(row, 'closed_at'),
  closedBy: toTextOrNull(row, 'closed_by'),
  absenceToldAt: toIntOrNull(row, 'absence_told_at'),
});

export async function insertAsk(tx: Tx, ask: AskRow): Promise<void> {
  await tx.run(
    `INSERT INTO asks (id, project_id, asker_id, target_id, message_id, thread_id, question, options, multi, state, asked_at, deadline_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'open', ?, ?)`,
    ask.id,
    ask.projectId,
    ask.askerId,
    ask.targetId,
    ask.messageId,
    ask.threadId,
    ask.question,
    JSON.stringify(ask.options),
    flag(ask.multi),
    ask.askedAt,
    ask.deadlineAt,
  );
}

export async function findAsk(read: Read, projectId: string, id: string): Promise<AskRow | undefined> {
  const row = await read.get('SELECT * FROM asks WHERE id = ? AND project_id = ?', id, projectId);
  return row && toAsk(row);
}

/** Asks of one asker, newest first, of one state or (null) of any. */
export async function asksBy(read: Read, askerId: string, state: AskState | null, limit: number): Promise<AskRow[]> {
  const rows = await read.all(
    'SELECT * FROM asks WHERE asker_id = ? AND (CAST(? AS TEXT) IS NULL OR state = ?) ORDER BY asked_at DESC LIMIT ?',
    askerId,
    state,
    state,
    limit,
  );
  return rows.map(toAsk);
}

/** Open asks to one target, oldest first. */
export async function asksTo(read: Read, targetId: string, limit: number): Promise<AskRow[]> {
  return (await read.all(`SELECT * FROM asks WHERE target_id = ? AND state = 'open' ORDER BY asked_at LIMIT ?`, targetId, limit)).map(
    toAsk,
  );
}

/** Asks of a project, newest first, of one state or (null) of any. */
export async function asksIn(read: Read, projectId: string, state: AskState | null, limit: number): Promise<AskRow[]> {
  const rows = await read.all(
    'SELECT * FROM asks WHERE project_id = ? AND (CAST(? AS TEXT) IS NULL OR state = ?) ORDER BY asked_at DESC LIMIT ?',
    projectId,
    state,
    state,
    limit,
  );
  return rows.map(toAsk);
}

export async function countOpenAsks(read: Read, askerId: string): Promise<number> {
  const row = await read.get(`SELECT COUNT(*) AS n FROM asks WHERE asker_id = ? AND state = 'open'`, askerId);
  return row === undefined ? 0 : toInt(row, 'n');
}

/** Ends an ask that is open. Answers whether this call did. */
export async function closeAsk(
  tx: Tx,
  id: string,
  end: { state: Exclude<AskState, 'open'>; answer: string[] | null; reason: string | null; by: string },
  now: number,
): Promise<boolean> {
  const changes = await tx.run(
    `UPDATE asks SET state = ?, answer = ?, reason = ?, closed_at = ?, closed_by = ? WHERE id = ? AND state = 'open'`,
    end.state,
    end.answer === null ? null : JSON.stringify(end.answer),
    end.reason,
    now,
    end.by,
    id,
  );
  return changes === 1;
}

/** `at` is no instant of another one of this ask. */
export async function insertLateAnswer(tx: Tx, askId: string, answer: string[], at: number): Promise<void> {
  await tx.run('INSERT INTO late_answers (ask_id, at, answer) VALUES (?, ?, ?)', askId, at, JSON.stringify(answer));
}

export async function lateAnswers(read: Read, askId: string): Promise<{ at: number; answer: string[] }[]> {
  const rows = await read.all('SELECT at, answer FROM late_answers WHERE ask_id = ? ORDER BY at', askId);
  return rows.map((row) => ({ at: toInt(row, 'at'), answer: toTexts(row, 'answer') }));
}

/** Open asks whose deadline has passed, over all projects. */
export async function overdueAsks(read: Read, now: number, limit: number): Promise<AskRow[]> {
  return (await read.all(`SELECT * FROM asks WHERE state = 'open' AND deadline_at <= ? ORDER BY deadline_at LIMIT ?`, now, limit)).map(
    toAsk,
  );
}

export async function nextDeadline(read: Read): Promise<number | null> {
  const row = await read.get(`SELECT MIN(deadline_at) AS next FROM asks WHERE state = 'open'`);
  return row === undefined ? null : toIntOrNull(row, 'next');
}

/** Open asks whose target has no open session and whose asker was not told so yet. The operator has no sessions and is not meant. */
export async function asksToAbsent(read: Read, askedBefore: number, limit: number): Promise<AskRow[]> {
  const rows = await read.all(
    `SELECT k.* FROM asks k JOIN agents a ON a.id = k.target_id
     WHERE k.state = 'open' AND k.absence_told_at IS NULL AND k.asked_at <= ? AND a.role <> 'operator' AND a.last_seen_at <= ?
       AND NOT EXISTS (SELECT 1 FROM sessions s WHERE s.agent_id = COALESCE(a.parent_id, a.id) AND s.ended_at IS NULL)
     ORDER BY k.asked_at LIMIT ?`,
    askedBefore,
    askedBefore,
    limit,
  );
  return rows.map(toAsk);
}

export async function markAbsenceTold(tx: Tx, id: string, now: number): Promise<void> {
  await tx.run('UPDATE asks SET absence_told_at = ? WHERE id = ?', now, id);
}
