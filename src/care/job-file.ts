// The file of a job: what `rookery job export` writes and `rookery job import` reads. Everything in it is checked before any of it is believed.

import * as z from 'zod';
import { type CarriedTask, toCarried } from '../hub/carried-job.ts';
import { HubError } from '../hub/errors.ts';
import type { TaskView } from '../hub/task-views.ts';
import { REVIEW_STATES } from '../store/reviews.ts';
import { DEPENDENCY_POLICIES } from '../store/task-graph.ts';
import { FAILURE_CAUSES, OVERDUE_POLICIES, PRIORITIES, TASK_STATES, VERIFICATIONS } from '../store/tasks.ts';

const FORMAT = 'rookery.job/1';

const id = z.string().regex(/^tsk_[0-9a-z]{1,60}$/);
/** PostgreSQL stores no NUL in a text. */
const words = (most: number) =>
  z
    .string()
    .max(most)
    .regex(/^[^\0]*$/, 'holds a NUL character');
const name = words(40).min(1);
const text = words(262_144);
const path = words(2_000);
const tags = z.array(words(200)).max(200);
const instant = z.iso.datetime();
const count = z.int().min(0);
const state = z.enum(TASK_STATES);
const span = z.string().regex(/^[0-9a-f]{16}$/);
const result = z.strictObject({
  by: name,
  at: instant,
  fencing_token: count,
  revision: count,
  result: text,
  artifacts: z.array(path).max(1_000),
});
const task = z.strictObject({
  id,
  title: words(200).min(1),
  body: text,
  state,
  reason: text.nullable(),
  failure_cause: z.enum(FAILURE_CAUSES).nullable(),
  creator: name,
  assignee: name.nullable(),
  holder: name.nullable(),
  parent_id: id.nullable(),
  priority: z.enum(PRIORITIES),
  capabilities: tags,
  labels: tags,
  effort_minutes: z.int().min(1).nullable(),
  depends_on: z.array(z.strictObject({ task_id: id, on_failure: z.enum(DEPENDENCY_POLICIES), state, settled: z.boolean() })).max(1_000),
  expected_artifacts: z.array(path).max(1_000),
  verification: z.enum(VERIFICATIONS).nullable(),
  reviewers: z.array(name).max(200),
  quorum: count,
  revision: count,
  progress: z.int().min(0).max(100).nullable(),
  cache_key: words(200).nullable(),
  reused_from: id.nullable(),
  created_at: instant,
  not_before: instant.nullable(),
  deadline_at: instant.nullable(),
  overdue: z.enum(OVERDUE_POLICIES),
  closed_at: instant.nullable(),
  attempt: z.int().min(1),
  fencing_token: count,
  version: z.int().min(1),
  traceparent: z.string().regex(/^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/),
  result: result.nullable(),
  late_results: z.array(result).max(10_000),
  reviews: z
    .array(
      z.strictObject({
        revision: z.int().min(1),
        reviewer: name,
        verdict: z.enum(REVIEW_STATES),
        findings: z.array(text).max(1_000),
        requested_at: instant,
        decided_at: instant.nullable(),
      }),
    )
    .max(10_000),
  history: z
    .array(
      z.strictObject({
        version: z.int().min(1),
        at: instant,
        act: z.string().regex(/^[a-z_]{1,40}$/),
        by: name,
        session: words(60).nullable(),
        from: state.nullable(),
        to: state,
        fencing_token: count,
        span_id: span,
        parent_span_id: span.nullable(),
        note: text.nullable(),
        facts: z.record(z.string().max(60), z.unknown()),
      }),
    )
    .max(100_000),
}) satisfies z.ZodType<CarriedTask>;
const file = z.strictObject({ format: z.literal(FORMAT), cut: z.literal(false), tasks: z.array(task).min(1).max(10_000) });

/** A job as data: every order, dependency, result, verdict and step, parents before children. `cut`: there is more than is in it. */
export function jobFile(views: readonly TaskView[], cut: boolean) {
  return { format: FORMAT, cut, tasks: views.map(toCarried) };
}

/** The tasks of a job in the text of its file. Errors: `invalid_input`, naming the place in it. */
export function readJobFile(given: string): CarriedTask[] {
  let value: unknown;
  try {
    value = JSON.parse(given);
  } catch {
    throw bad('the file is not JSON');
  }
  const read = file.safeParse(value);
  if (read.success) return read.data.tasks;
  const [issue] = read.error.issues;
  const place = (issue?.path ?? []).map(String).join('.');
  if (place === 'cut') throw bad('cut: the export was too large to be whole');
  throw bad(`${place === '' ? 'the file' : place}: ${issue?.message ?? 'is not as it should be'}`);
}

function bad(words: string): HubError {
  return new HubError('invalid_input', `${words}; nothing was changed.`, {
    hint: `Give a file that \`rookery job export ID\` wrote (format ${FORMAT}).`,
  });
}
