// Rows of `reviews`: who owes a verdict on which revision of a task, and the verdict that was given. A row belongs to one revision for ever:
// what was said of an older one stays and no longer counts.

import { toInt, toIntOrNull, toText, toTextOrNull, toTexts, toWord } from './columns.ts';
import type { Read, Row, Tx } from './db.ts';

export const REVIEW_STATES = ['owed', 'passed', 'not_passed', 'moot'] as const;
export type ReviewState = (typeof REVIEW_STATES)[number];

export type ReviewRow = {
  taskId: string;
  revision: number;
  reviewerId: string;
  projectId: string;
  state: ReviewState;
  findings: string[];
  /** Who handed the revision in, and in which session. */
  author: { agentId: string; sessionId: string };
  /** The message that asked for it. */
  messageId: string | null;
  requestedAt: number;
  decidedAt: number | null;
  /** When the task's creator was told that the verdict does not come. */
  overdueToldAt: number | null;
};

const toReview = (row: Row): ReviewRow => ({
  taskId: toText(row, 'task_id'),
  revision: toInt(row, 'revision'),
  reviewerId: toText(row, 'reviewer_id'),
  projectId: toText(row, 'project_id'),
  state: toWord(row, 'state', REVIEW_STATES),
  findings: toTexts(row, 'findings'),
  author: { agentId: toText(row, 'author_id'), sessionId: toText(row, 'author_session_id') },
  messageId: toTextOrNull(row, 'message_id'),
  requestedAt: toInt(row, 'requested_at'),
  decidedAt: toIntOrNull(row, 'decided_at'),
  overdueToldAt: toIntOrNull(row, 'overdue_told_at'),
});

export async function insertReview(
  tx: Tx,
  review: Pick<ReviewRow, 'taskId' | 'revision' | 'reviewerId' | 'projectId' | 'author' | 'messageId' | 'requestedAt'>,
): Promise<void> {
  await tx.run(
    `INSERT INTO reviews (task_id, revision, reviewer_id, project_id, state, findings, author_id, author_session_id, message_id, requested_at)
     VALUES (?, ?, ?, ?, 'owed', '[]', ?, ?, ?, ?)`,
    review.taskId,
    review.revision,
    review.reviewerId,
    review.projectId,
    review.author.agentId,
    review.author.sessionId,
    review.messageId,
    review.requestedAt,
  );
}

export async function findReview(read: Read, taskId: string, revision: number, reviewerId: string): Promise<ReviewRow | undefined> {
  const row = await read.get('SELECT * FROM reviews WHERE task_id = ? AND revision = ? AND reviewer_id = ?', taskId, revision, reviewerId);
  return row && toReview(row);
}

/** What is owed on a task, of whatever revision. */
export async function allOwedReviews(read: Read, taskId: string): Promise<ReviewRow[]> {
  return (await read.all(`SELECT * FROM reviews WHERE task_id = ? AND state = 'owed' ORDER BY revision, reviewer_id`, taskId)).map(
    toReview,
  );
}

/** The reviews of every revision of a task, the newest revision first. */
export async function allReviewsOf(read: Read, taskId: string, limit: number): Promise<ReviewRow[]> {
  return (
    await read.all('SELECT * FROM reviews WHERE task_id = ? ORDER BY revision DESC, requested_at, reviewer_id LIMIT ?', taskId, limit)
  ).map(toReview);
}

/** How many have passed this revision. */
export async function countPassed(read: Read, taskId: string, revision: number): Promise<number> {
  const row = await read.get(`SELECT COUNT(*) AS n FROM reviews WHERE task_id = ? AND revision = ? AND state = 'passed'`, taskId, revision);
  return row === undefined ? 0 : toInt(row, 'n');
}

/** Writes a verdict. Answers false when the review was decided or moot meanwhile. */
export async function decideReview(
  tx: Tx,
  review: Pick<ReviewRow, 'taskId' | 'revision' | 'reviewerId' | 'state'>,
  state: 'passed' | 'not_passed',
  findings: readonly string[],
  now: number,
): Promise<boolean> {
  const changes = await tx.run(
    'UPDATE reviews SET state = ?, findings = ?, decided_at = ? WHERE task_id = ? AND revision = ? AND reviewer_id = ? AND state = ?',
    state,
    JSON.stringify(findings),
    now,
    review.taskId,
    review.revision,
    review.reviewerId,
    review.state,
  );
  return changes === 1;
}

/** Nobody waits for this verdict any more. */
export async function dropReview(tx: Tx, review: Pick<ReviewRow, 'taskId' | 'revision' | 'reviewerId'>, now: number): Promise<boolean> {
  const changes = await tx.run(
    `UPDATE reviews SET state = 'moot', decided_at = ? WHERE task_id = ? AND revision = ? AND reviewer_id = ? AND state = 'owed'`,
    now,
    review.taskId,
    review.revision,
    review.reviewerId,
  );
  return changes === 1;
}

export type OwedReview = { taskId: string; revision: number; title: string; author: string; requestedAt: number };

/** What a reviewer owes, oldest first. */
export async function reviewsOwedBy(read: Read, reviewerId: string, limit: number): Promise<OwedReview[]> {
  const rows = await read.all(
    `SELECT r.task_id, r.revision, r.requested_at, t.title, COALESCE(h.name, c.name) AS author
     FROM reviews r JOIN tasks t ON t.id = r.task_id JOIN agents c ON c.id = t.creator_id LEFT JOIN agents h ON h.id = t.holder_id
     WHERE r.reviewer_id = ? AND r.state = 'owed' ORDER BY r.requested_at LIMIT ?`,
    reviewerId,
    limit,
  );
  return rows.map((row) => ({
    taskId: toText(row, 'task_id'),
    revision: toInt(row, 'revision'),
    title: toText(row, 'title'),
    author: toText(row, 'author'),
    requestedAt: toInt(row, 'requested_at'),
  }));
}

export type PendingReview = { taskId: string; title: string; reviewerId: string; authorId: string; requestedAt: number };

/** The verdicts that a whole project waits for, by reviewer; each task is its holder's, or nobody's but its creator's. */
export async function reviewsOwedIn(read: Read, projectId: string, limit: number): Promise<PendingReview[]> {
  const rows = await read.all(
    `SELECT r.task_id, r.reviewer_id, r.requested_at, t.title, COALESCE(t.holder_id, t.creator_id) AS author_id
     FROM agents a JOIN reviews r ON r.reviewer_id = a.id AND r.state = 'owed' JOIN tasks t ON t.id = r.task_id
     WHERE a.project_id = ? ORDER BY r.requested_at, r.task_id, r.reviewer_id LIMIT ?`,
    projectId,
    limit,
  );
  return rows.map((row) => ({
    taskId: toText(row, 'task_id'),
    title: toText(row, 'title'),
    reviewerId: toText(row, 'reviewer_id'),
    authorId: toText(row, 'author_id'),
    requestedAt: toInt(row, 'requested_at'),
  }));
}

/** Owed reviews of which nobody was told yet: asked for before `silentBefore`, or before `goneBefore` of a reviewer who is not connected since. */
export async function lateReviews(read: Read, silentBefore: number, goneBefore: number, limit: number): Promise<ReviewRow[]> {
  const rows = await read.all(
    `SELECT r.* FROM reviews r JOIN agents a ON a.id = r.reviewer_id
     WHERE r.state = 'owed' AND r.overdue_told_at IS NULL AND r.requested_at <= ? AND (
       r.requested_at <= ? OR (a.role <> 'operator' AND a.last_seen_at <= ?
         AND NOT EXISTS (SELECT 1 FROM sessions s WHERE s.agent_id = COALESCE(a.parent_id, a.id) AND s.ended_at IS NULL)))
     ORDER BY r.requested_at LIMIT ?`,
    Math.max(silentBefore, goneBefore),
    silentBefore,
    goneBefore,
    limit,
  );
  return rows.map(toReview);
}

export async function markOverdueTold(tx: Tx, review: Pick<ReviewRow, 'taskId' | 'revision' | 'reviewerId'>, now: number): Promise<void> {
  await tx.run(
    'UPDATE reviews SET overdue_told_at = ? WHERE task_id = ? AND revision = ? AND reviewer_id = ?',
    now,
    review.taskId,
    review.revision,
    review.reviewerId,
  );
}
