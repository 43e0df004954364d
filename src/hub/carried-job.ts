// A job as it is carried from hub to hub: each of its tasks with its whole history, its results and verdicts. By names, never by ids of agents.

import type { ReviewState } from '../store/reviews.ts';
import type { DependencyPolicy } from '../store/task-graph.ts';
import type { FailureCause, OverduePolicy, Priority, TaskState, Verification } from '../store/tasks.ts';
import { toIso, toIsoOrNull } from './clock.ts';
import type { TaskView } from './task-views.ts';

export type CarriedResult = { by: string; at: string; fencing_token: number; revision: number; result: string; artifacts: string[] };

export type CarriedTask = {
  id: string;
  title: string;
  body: string;
  state: TaskState;
  reason: string | null;
  failure_cause: FailureCause | null;
  creator: string;
  assignee: string | null;
  holder: string | null;
  parent_id: string | null;
  priority: Priority;
  capabilities: string[];
  labels: string[];
  effort_minutes: number | null;
  depends_on: { task_id: string; on_failure: DependencyPolicy; state: TaskState; settled: boolean }[];
  expected_artifacts: string[];
  verification: Verification | null;
  reviewers: string[];
  quorum: number;
  revision: number;
  progress: number | null;
  cache_key: string | null;
  reused_from: string | null;
  created_at: string;
  not_before: string | null;
  deadline_at: string | null;
  overdue: OverduePolicy;
  closed_at: string | null;
  attempt: number;
  fencing_token: number;
  version: number;
  traceparent: string;
  result: CarriedResult | null;
  late_results: CarriedResult[];
  reviews: {
    revision: number;
    reviewer: string;
    verdict: ReviewState;
    findings: string[];
    requested_at: string;
    decided_at: string | null;
  }[];
  history: {
    version: number;
    at: string;
    act: string;
    by: string;
    session: string | null;
    from: TaskState | null;
    to: TaskState;
    fencing_token: number;
    span_id: string;
    parent_span_id: string | null;
    note: string | null;
    facts: Record<string, unknown>;
  }[];
};

/** A task as it is shown, in the form in which it is carried. */
export function toCarried({ task, dependsOn, result, late, reviewers, reviews, history, traceparent }: TaskView): CarriedTask {
  return {
    id: task.id,
    title: task.title,
    body: task.body,
    state: task.state,
    reason: task.reason,
    failure_cause: task.failureCause,
    creator: task.creator,
    assignee: task.assignee,
    holder: task.holder,
    parent_id: task.parentId,
    priority: task.priority,
    capabilities: task.needs,
    labels: task.labels,
    effort_minutes: task.effortMinutes,
    depends_on: dependsOn.map((one) => ({ task_id: one.taskId, on_failure: one.policy, state: one.state, settled: one.settled })),
    expected_artifacts: task.expectedArtifacts,
    verification: task.verification,
    reviewers,
    quorum: task.quorum,
    revision: task.revision,
    progress: task.progress,
    cache_key: task.cacheKey,
    reused_from: task.reusedFrom,
    created_at: toIso(task.createdAt),
    not_before: toIsoOrNull(task.notBefore),
    deadline_at: toIsoOrNull(task.deadlineAt),
    overdue: task.overduePolicy,
    closed_at: toIsoOrNull(task.closedAt),
    attempt: task.attempt,
    fencing_token: task.fencingToken,
    version: task.version,
    traceparent,
    result: result === null ? null : toCarriedResult(result),
    late_results: late.map(toCarriedResult),
    reviews: reviews.map((one) => ({
      revision: one.revision,
      reviewer: one.reviewer,
      verdict: one.state,
      findings: one.findings,
      requested_at: toIso(one.requestedAt),
      decided_at: toIsoOrNull(one.decidedAt),
    })),
    history: history.map((step) => ({
      version: step.version,
      at: toIso(step.at),
      act: step.act,
      by: step.by,
      session: step.sessionId,
      from: step.fromState,
      to: step.toState,
      fencing_token: step.fencingToken,
      span_id: step.spanId,
      parent_span_id: step.parentSpanId,
      note: step.note,
      facts: JSON.parse(step.facts) as Record<string, unknown>,
    })),
  };
}

function toCarriedResult(one: NonNullable<TaskView['result']>): CarriedResult {
  return {
    by: one.by,
    at: toIso(one.at),
    fencing_token: one.fencingToken,
    revision: one.revision,
    result: one.result,
    artifacts: one.artifacts,
  };
}
