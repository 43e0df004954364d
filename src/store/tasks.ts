// Rows of `tasks`. What a task is asked to be is written once; what becomes of it is written as a whole by `saveTask`, which moves its version
// on by one and refuses a version that is no longer current.

import { flag, toFlag, toInt, toIntOrNull, toText, toTextOrNull, toTexts, toWord } from './columns.ts';
import type { Read, Row, Tx } from './db.ts';

export const TASK_STATES = [
  'submitted',
  'working',
  'input_required',
  'in_review',
  'completed',
  'failed',
  'canceled',
  'rejected',
  'needs_attention',
] as const;
export type TaskState = (typeof TASK_STATES)[number];

export const PRIORITIES = ['low', 'normal', 'high', 'urgent'] as const;
export type Priority = (typeof PRIORITIES)[number];

/** Why a task failed, in classes that decide what helps: another agent, another try, other input. */
export const FAILURE_CAUSES = ['agent', 'infra', 'input', 'dependency', 'deadline'] as const;
export type FailureCause = (typeof FAILURE_CAUSES)[number];

export const OVERDUE_POLICIES = ['tell', 'fail'] as const;
export type OverduePolicy = (typeof OVERDUE_POLICIES)[number];

export const VERIFICATIONS = ['verified', 'attested', 'unverified'] as const;
export type Verification = (typeof VERIFICATIONS)[number];

/** What was asked for. Never changes, but for the priority, which the order of claims follows. */
type TaskOrder = {
  id: string;
  projectId: string;
  seq: number;
  title: string;
  body: string;
  creatorId: string;
  parentId: string | null;
  depth: number;
  /** The required capabilities, sorted. */
  needs: string[];
  labels: string[];
  effortMinutes: number | null;
  expectedArtifacts: string[];
  /** Ids of agents. */
  reviewers: string[];
  /** How many reviewers must pass it; 0: it is not reviewed. */
  quorum: number;
  cacheKey: string | null;
  traceId: string;
  parentSpanId: string | null;
  notBefore: number | null;
  deadlineAt: number | null;
  overduePolicy: OverduePolicy;
  createdAt: number;
};

/** What became of it. */
type TaskLife = {
  priority: Priority;
  ownRank: number;
  /** The order of claims, lowest first. */
  rank: number;
  state: TaskState;
  /** How many changes were accepted: the history has a row for each. */
  version: number;
  reason: string | null;
  failureCause: FailureCause | null;
  /** How many dependencies are not settled. */
  waitingOn: number;
  openChildren: number;
  /** Anybody who may and can do it may claim it now. */
  claimable: boolean;
  assigneeId: string | null;
  announcedTo: string | null;
  announcedAt: number | null;
  announcementId: string | null;
  handoffTo: string | null;
  handoffUntil: number | null;
  holderId: string | null;
  fencingToken: number;
  attempt: number;
  claimedAt: number | null;
  leaseUntil: number | null;
  leaseLimitAt: number | null;
  leaseRenewedAt: number | null;
  /** How often a result was handed in for review: verdicts are bound to it. */
  revision: number;
  progress: number | null;
  progressSeq: number;
  askId: string | null;
  verification: Verification | null;
  /** Which of its results counts. */
  resultN: number | null;
  reusedFrom: string | null;
  overdueToldAt: number | null;
  updatedAt: number;
  closedAt: number | null;
};

export type TaskRow = TaskOrder & TaskLife;

const words = (text: string): string[] => (text === '' ? [] : text.split(' '));
/** The required capabilities as the queue knows them. */
export const needsKey = (needs: readonly string[]): string => [...new Set(needs)].sort().join(' ');

export const toTask = (row: Row): TaskRow => ({
  id: toText(row, 'id'),
  projectId: toText(row, 'project_id'),
  seq: toInt(row, 'seq'),
  title: toText(row, 'title'),
  body: toText(row, 'body'),
  creatorId: toText(row, 'creator_id'),
  parentId: toTextOrNull(row, 'parent_id'),
  depth: toInt(row, 'depth'),
  needs: words(toText(row, 'needs')),
  labels: toTexts(row, 'labels'),
  effortMinutes: toIntOrNull(row, 'effort_minutes'),
  expectedArtifacts: toTexts(row, 'expected_artifacts'),
  reviewers: toTexts(row, 'reviewers'),
  quorum: toInt(row, 'quorum'),
  cacheKey: toTextOrNull(row, 'cache_key'),
  traceId: toText(row, 'trace_id'),
  parentSpanId: toTextOrNull(row, 'parent_span_id'),
  notBefore: toIntOrNull(row, 'not_before'),
  deadlineAt: toIntOrNull(row, 'deadline_at'),
  overduePolicy: toWord(row, 'overdue_policy', OVERDUE_POLICIES),
  createdAt: toInt(row, 'created_at'),
  priority: toWord(row, 'priority', PRIORITIES),
  ownRank: toInt(row, 'own_rank'),
  rank: toInt(row, 'rank'),
  state: toWord(row, 'state', TASK_STATES),
  version: toInt(row, 'version'),
  reason: toTextOrNull(row, 'reason'),
  failureCause: row.failure_cause === null ? null : toWord(row, 'failure_cause', FAILURE_CAUSES),
  waitingOn: toInt(row, 'waiting_on'),
  openChildren: toInt(row, 'open_children'),
  claimable: toFlag(row, 'claimable'),
  assigneeId: toTextOrNull(row, 'assignee_id'),
  announcedTo: toTextOrNull(row, 'announced_to'),
  announcedAt: toIntOrNull(row, 'announced_at'),
  announcementId: toTextOrNull(row, 'announcement_id'),
  handoffTo: toTextOrNull(row, 'handoff_to'),
  handoffUntil: toIntOrNull(row, 'handoff_until'),
  holderId: toTextOrNull(row, 'holder_id'),
  fencingToken: toInt(row, 'fencing_token'),
  attempt: toInt(row, 'attempt'),
  claimedAt: toIntOrNull(row, 'claimed_at'),
  leaseUntil: toIntOrNull(row, 'lease_until'),
  leaseLimitAt: toIntOrNull(row, 'lease_limit_at'),
  leaseRenewedAt: toIntOrNull(row, 'lease_renewed_at'),
  revision: toInt(row, 'revision'),
  progress: toIntOrNull(row, 'progress'),
  progressSeq: toInt(row, 'progress_seq'),
  askId: toTextOrNull(row, 'ask_id'),
  verification: row.verification === null ? null : toWord(row, 'verification', VERIFICATIONS),
  resultN: toIntOrNull(row, 'result_n'),
  reusedFrom: toTextOrNull(row, 'reused_from'),
  overdueToldAt: toIntOrNull(row, 'overdue_told_at'),
  updatedAt: toInt(row, 'updated_at'),
  closedAt: toIntOrNull(row, 'closed_at'),
});

export async function findTask(read: Read, projectId: string, id: string): Promise<TaskRow | undefined> {
  const row = await read.get('SELECT * FROM tasks WHERE id = ? AND project_id = ?', id, projectId);
  return row && toTask(row);
}

export async function findTaskByAsk(read: Read, askId: string): Promise<TaskRow | undefined> {
  const row = await read.get('SELECT * FROM tasks WHERE ask_id = ?', askId);
  return row && toTask(row);
}

export async function insertTask(tx: Tx, task: TaskRow): Promise<void> {
  await tx.run(
    `INSERT INTO tasks (id, project_id, seq, title, body, creator_id, parent_id, depth, needs, labels, effort_minutes, expected_artifacts,
       reviewers, quorum, cache_key, trace_id, parent_span_id, not_before, deadline_at, overdue_policy, priority, own_rank, rank, state, version,
       reason, waiting_on, claimable, assignee_id, reused_from, created_at, updated_at, closed_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    task.id,
    task.projectId,
    task.seq,
    task.title,
    task.body,
    task.creatorId,
    task.parentId,
    task.depth,
    needsKey(task.needs),
    JSON.stringify(task.labels),
    task.effortMinutes,
    JSON.stringify(task.expectedArtifacts),
    JSON.stringify(task.reviewers),
    task.quorum,
    task.cacheKey,
    task.traceId,
    task.parentSpanId,
    task.notBefore,
    task.deadlineAt,
    task.overduePolicy,
    task.priority,
    task.ownRank,
    task.rank,
    task.state,
    task.version,
    task.reason,
    task.waitingOn,
    flag(task.claimable),
    task.assigneeId,
    task.reusedFrom,
    task.createdAt,
    task.updatedAt,
    task.closedAt,
  );
  await countOpen(tx, task.projectId, 1);
  for (const label of new Set(task.labels)) {
    await tx.run(
      'INSERT INTO task_labels (project_id, label, task_seq, task_id) VALUES (?, ?, ?, ?)',
      task.projectId,
      label,
      task.seq,
      task.id,
    );
  }
}

/** Writes what became of a task that was read at the version before this one. Answers false when somebody else changed it meanwhile. */
export async function saveTask(tx: Tx, task: TaskRow): Promise<boolean> {
  const changes = await tx.run(
    `UPDATE tasks SET priority = ?, own_rank = ?, rank = ?, state = ?, version = ?, reason = ?, failure_cause = ?, waiting_on = ?, open_children = ?,
       claimable = ?, assignee_id = ?, announced_to = ?, announced_at = ?, announcement_id = ?, handoff_to = ?, handoff_until = ?, holder_id = ?,
       fencing_token = ?, attempt = ?, claimed_at = ?, lease_until = ?, lease_limit_at = ?, lease_renewed_at = ?, revision = ?, progress = ?,
       progress_seq = ?, ask_id = ?, verification = ?, result_n = ?, reused_from = ?, overdue_told_at = ?, updated_at = ?, closed_at = ?
     WHERE id = ? AND version = ? AND fencing_token <= ?`,
    task.priority,
    task.ownRank,
    task.rank,
    task.state,
    task.version,
    task.reason,
    task.failureCause,
    task.waitingOn,
    task.openChildren,
    flag(task.claimable),
    task.assigneeId,
    task.announcedTo,
    task.announcedAt,
    task.announcementId,
    task.handoffTo,
    task.handoffUntil,
    task.holderId,
    task.fencingToken,
    task.attempt,
    task.claimedAt,
    task.leaseUntil,
    task.leaseLimitAt,
    task.leaseRenewedAt,
    task.revision,
    task.progress,
    task.progressSeq,
    task.askId,
    task.verification,
    task.resultN,
    task.reusedFrom,
    task.overdueToldAt,
    task.updatedAt,
    task.closedAt,
    task.id,
    task.version - 1,
    task.fencingToken,
  );
  return changes === 1;
}

/** Counts a task that opens (1) or ends (-1). */
export async function countOpen(tx: Tx, projectId: string, by: 1 | -1): Promise<void> {
  await tx.run(
    `INSERT INTO task_counts (project_id, open) VALUES (?, 1) ON CONFLICT (project_id) DO UPDATE SET open = task_counts.open + ?`,
    projectId,
    by,
  );
}

/** Remembers whom the hub told of a task, and by which message. It is no change of the task. */
export async function setAnnouncement(tx: Tx, taskId: string, to: string | null, messageId: string | null, now: number): Promise<void> {
  await tx.run(
    'UPDATE tasks SET announced_to = ?, announcement_id = ?, announced_at = ? WHERE id = ?',
    to,
    messageId,
    to === null ? null : now,
    taskId,
  );
}
