// create_task: work that is to be done by somebody, once.

import { z } from 'zod';
import { LIMITS } from '../hub/limits.ts';
import { OVERDUE_POLICIES, PRIORITIES, TASK_STATES } from '../hub/vocabulary.ts';
import { taskId } from './task-words.ts';
import { defineTool } from './tool.ts';

const tag = z.string().min(1).max(60);
/** A year: farther ahead is a plan, not a task. */
const LATEST = 31_536_000;

export const createTask = defineTool({
  name: 'create_task',
  title: 'Create a task',
  description:
    'Hand out work: to assignee, or to whoever has the capabilities. It is leased to one holder at a time and completed once; you are told how it ends.',
  access: 'write',
  toolset: 'work',
  as: true,
  input: () => ({
    title: z.string().min(1).max(200),
    body: z.string().optional().describe('all it takes'),
    assignee: z.string().min(1).max(40).optional().describe('an agent'),
    capabilities: z.array(tag).optional().describe('tags or roles, like typescript, node>=20'),
    priority: z.enum(PRIORITIES).optional(),
    depends_on: z
      .array(z.string().min(1).max(80))
      .optional()
      .describe('ids; id:cancel or id:ignore: what its failure does (default block)'),
    parent_id: taskId.optional().describe('a task of yours; done after its children'),
    labels: z.array(tag).optional(),
    effort_minutes: z.int().min(1).max(100_000).optional(),
    deadline_seconds: z.int().min(1).max(LATEST).optional(),
    overdue: z.enum(OVERDUE_POLICIES).optional(),
    not_before_seconds: z.int().min(1).max(LATEST).optional(),
    expected_artifacts: z.array(z.string().min(1).max(1_100)).optional().describe('"path", "path sha256:hex" or "sha256:hex"'),
    reviewers: z.array(z.string().min(1).max(40)).optional(),
    quorum: z.int().min(1).max(LIMITS.taskTags.hard).optional().describe('of reviewers; default all'),
    template: z.string().min(1).max(40).optional().describe('of a manager'),
    params: z.array(z.string().min(1).max(4_000)).max(100).optional().describe('name=value, for template'),
    external: z.boolean().optional().describe('answers a secret for POST /hooks/task'),
    cache_key: z.string().min(1).max(200).optional().describe('reuses a result under it'),
  }),
  output: () => ({
    task_id: z.string(),
    state: z.enum(TASK_STATES),
    why: z.string().optional().describe('why nobody works on it yet'),
    steps: z.array(z.object({ key: z.string(), task_id: z.string() })).optional(),
    webhook_secret: z.string().optional().describe('shown this once: signs POST /hooks/task (Standard Webhooks)'),
    notes: z.array(z.string()).optional(),
  }),
  async run({ hub, caller, key, args, traceparent }, input) {
    const ms = (seconds: number | undefined) => (seconds === undefined ? undefined : seconds * 1000);
    const request = {
      ...input,
      effortMinutes: input.effort_minutes,
      dependsOn: input.depends_on,
      parentId: input.parent_id,
      deadlineMs: ms(input.deadline_seconds),
      notBeforeMs: ms(input.not_before_seconds),
      expectedArtifacts: input.expected_artifacts,
      cacheKey: input.cache_key,
      traceparent,
    };
    const { taskId: id, notes, steps, secret, replayed } = await hub.tasks.create(caller, request, { tool: 'create_task', key, args });
    const { task } = await hub.taskViews.get(caller, id);
    return {
      task_id: id,
      state: task.state,
      ...(task.waitsBecause === null ? {} : { why: task.waitsBecause }),
      ...(steps.length === 0 ? {} : { steps: steps.map((step) => ({ key: step.key, task_id: step.taskId })) }),
      ...(secret === undefined ? {} : { webhook_secret: secret }),
      ...(notes.length === 0 ? {} : { notes }),
      ...(replayed === true ? { replayed } : {}),
    };
  },
});
