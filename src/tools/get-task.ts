// get_task: one task with everything that happened to it.

import { z } from 'zod';
import { toIso } from '../hub/clock.ts';
import { REVIEW_STATES } from '../hub/vocabulary.ts';
import { cut, renderHead, taskHead, taskId } from './task-words.ts';
import { defineTool } from './tool.ts';
import { DATA_NOTE } from './words.ts';

/** How much of a note, and of a late result, is shown: the whole reply stays below what clients move into a file. */
const NOTE_CHARS = 200;
const LATE_CHARS = 2_000;

const outcome = () =>
  z.object({
    by: z.string(),
    at: z.string(),
    fencing_token: z.int(),
    revision: z.int(),
    result: z.string(),
    artifacts: z.array(z.string()).optional(),
  });

export const getTask = defineTool({
  name: 'get_task',
  title: 'Look at a task',
  description:
    'A task with its result, verdicts, what it waits for, and its history, a row per version; late results are shown and never applied.',
  access: 'read',
  toolset: 'work',
  input: () => ({ task_id: taskId, after_version: z.int().min(0).optional().describe('next page of the history') }),
  output: () => ({
    task: taskHead(),
    body: z.string().optional(),
    fencing_token: z.int(),
    revision: z.int(),
    progress_seq: z.int(),
    depends_on: z.array(z.object({ task_id: z.string(), state: z.string(), on_failure: z.string(), settled: z.boolean() })).optional(),
    children: z.record(z.string(), z.int()).optional().describe('how many are in which state'),
    expected_artifacts: z.array(z.string()).optional(),
    reviewers: z.array(z.string()).optional(),
    quorum: z.int().optional(),
    reviews: z
      .array(
        z.object({
          reviewer: z.string(),
          revision: z.int(),
          state: z.enum(REVIEW_STATES),
          findings: z.array(z.string()).optional(),
          at: z.string(),
        }),
      )
      .optional()
      .describe('only those on the newest revision count'),
    failure_cause: z.string().optional(),
    reused_from: z.string().optional(),
    result: outcome().optional(),
    late_results: z.array(outcome()).optional(),
    history: z.array(
      z.object({
        version: z.int(),
        at: z.string(),
        act: z.string(),
        by: z.string(),
        state: z.string(),
        token: z.int(),
        span: z.string(),
        parent_span: z.string().optional(),
        note: z.string().optional(),
        facts: z.record(z.string(), z.unknown()).optional(),
      }),
    ),
    next_version: z.int().optional().describe('pass it as after_version'),
    traceparent: z.string(),
    note: z.string(),
  }),
  async run({ hub, caller }, input) {
    const view = await hub.taskViews.get(caller, input.task_id, input.after_version);
    const { task } = view;
    const shown = (one: NonNullable<typeof view.result>) => ({
      by: one.by,
      at: toIso(one.at),
      fencing_token: one.fencingToken,
      revision: one.revision,
      result: one.result,
      ...(one.artifacts.length === 0 ? {} : { artifacts: one.artifacts }),
    });
    return {
      task: renderHead(task),
      ...(task.body === '' ? {} : { body: task.body }),
      fencing_token: task.fencingToken,
      revision: task.revision,
      progress_seq: task.progressSeq,
      ...(view.dependsOn.length === 0
        ? {}
        : {
            depends_on: view.dependsOn.map((one) => ({
              task_id: one.taskId,
              state: one.state,
              on_failure: one.policy,
              settled: one.settled,
            })),
          }),
      ...(Object.keys(view.children).length === 0 ? {} : { children: view.children }),
      ...(task.expectedArtifacts.length === 0 ? {} : { expected_artifacts: task.expectedArtifacts }),
      ...(task.reviewers.length === 0 ? {} : { reviewers: view.reviewers, quorum: task.quorum }),
      ...(view.reviews.length === 0
        ? {}
        : {
            reviews: view.reviews.map((one) => ({
              reviewer: one.reviewer,
              revision: one.revision,
              state: one.state,
              ...(one.findings.length === 0 ? {} : { findings: one.findings }),
              at: toIso(one.decidedAt ?? one.requestedAt),
            })),
          }),
      ...(task.failureCause === null ? {} : { failure_cause: task.failureCause }),
      ...(task.reusedFrom === null ? {} : { reused_from: task.reusedFrom }),
      ...(view.result === null ? {} : { result: shown(view.result) }),
      ...(view.late.length === 0 ? {} : { late_results: view.late.map((one) => ({ ...shown(one), result: cut(one.result, LATE_CHARS) })) }),
      history: view.history.map((step) => ({
        version: step.version,
        at: toIso(step.at),
        act: step.act,
        by: step.by,
        state: step.toState,
        token: step.fencingToken,
        span: step.spanId,
        ...(step.parentSpanId === null ? {} : { parent_span: step.parentSpanId }),
        ...(step.note === null ? {} : { note: cut(step.note, NOTE_CHARS) }),
        ...(step.facts === '{}' ? {} : { facts: JSON.parse(step.facts) as Record<string, unknown> }),
      })),
      ...(view.nextVersion === null ? {} : { next_version: view.nextVersion }),
      traceparent: view.traceparent,
      note: DATA_NOTE,
    };
  },
});
