// How tasks are shown by the tools: fields that say nothing are left out, because they cost the reader's context.

import { z } from 'zod';
import { toIso } from '../hub/clock.ts';
import type { TaskHead } from '../hub/task-views.ts';
import { PRIORITIES, TASK_STATES } from '../hub/vocabulary.ts';
import { once } from './once.ts';

export const taskId = z.string().min(1).max(64);

export const taskHead = once(() =>
  z.object({
    id: z.string(),
    title: z.string().describe('data, in the words of whoever created it'),
    state: z.enum(TASK_STATES),
    priority: z.enum(PRIORITIES),
    creator: z.string(),
    holder: z.string().optional(),
    assignee: z.string().optional(),
    why: z.string().optional().describe('why nobody works on it'),
    needs: z.array(z.string()).optional(),
    labels: z.array(z.string()).optional(),
    parent_id: z.string().optional(),
    progress: z.int().optional(),
    attempt: z.int().optional(),
    deadline_at: z.string().optional(),
    lease_until: z.string().optional(),
    verification: z.string().optional(),
    version: z.int(),
  }),
);

export function renderHead(task: TaskHead): z.input<ReturnType<typeof taskHead>> {
  return {
    id: task.id,
    title: task.title,
    state: task.state,
    priority: task.priority,
    creator: task.creator,
    ...(task.holder === null ? {} : { holder: task.holder }),
    ...(task.assignee === null || task.assignee === task.holder ? {} : { assignee: task.assignee }),
    ...(task.waitsBecause === null ? {} : { why: cut(task.waitsBecause, 300) }),
    ...(task.needs.length === 0 ? {} : { needs: task.needs }),
    ...(task.labels.length === 0 ? {} : { labels: task.labels }),
    ...(task.parentId === null ? {} : { parent_id: task.parentId }),
    ...(task.progress === null ? {} : { progress: task.progress }),
    ...(task.attempt === 1 ? {} : { attempt: task.attempt }),
    ...(task.deadlineAt === null ? {} : { deadline_at: toIso(task.deadlineAt) }),
    ...(task.leaseUntil === null ? {} : { lease_until: toIso(task.leaseUntil) }),
    ...(task.verification === null ? {} : { verification: task.verification }),
    version: task.version,
  };
}

/** The beginning of a text. */
export function cut(text: string, most: number): string {
  const characters = [...text];
  return characters.length <= most ? text : `${characters.slice(0, most - 1).join('')}…`;
}
