// list_tasks: the tasks of the project, page by page.

import { z } from 'zod';
import { PRIORITIES, TASK_ORDERS, TASK_STATES } from '../hub/vocabulary.ts';
import { renderHead, taskHead, taskId } from './task-words.ts';
import { defineTool } from './tool.ts';

export const listTasks = defineTool({
  name: 'list_tasks',
  title: 'List tasks',
  description: 'The tasks of this project, each with its state and why nobody works on it.',
  access: 'read',
  toolset: 'work',
  input: () => ({
    state: z.enum(TASK_STATES).optional(),
    worker: z.string().min(1).max(40).optional().describe('holder or assignee'),
    mine: z.boolean().optional().describe('created by me'),
    parent_id: taskId.optional().describe('its children'),
    label: z.string().max(60).optional(),
    priority: z.enum(PRIORITIES).optional(),
    order: z.enum(TASK_ORDERS).optional().describe('next: as claimed; only newest shows ended ones'),
    limit: z.int().min(1).max(100).optional(),
    before_seq: z.int().min(1).optional(),
  }),
  output: () => ({
    tasks: z.array(taskHead()),
    next_before: z.int().optional().describe('pass it as before_seq'),
    revision: z.int().describe('grows with every change of the project'),
  }),
  async run({ hub, caller }, input) {
    const query = {
      ...input,
      agent: input.worker,
      parentId: input.parent_id,
      beforeSeq: input.before_seq,
      limit: input.limit ?? hub.limits.pageRows,
    };
    const { tasks, nextBefore, revision } = await hub.taskViews.list(caller, {
      state: query.state ?? null,
      agent: query.agent,
      mine: query.mine,
      parentId: query.parentId ?? null,
      label: query.label ?? null,
      priority: query.priority ?? null,
      order: query.order ?? 'newest',
      beforeSeq: query.beforeSeq ?? null,
      limit: query.limit,
    });
    return { tasks: tasks.map(renderHead), ...(nextBefore === null ? {} : { next_before: nextBefore }), revision };
  },
});
