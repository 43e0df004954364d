// tasks: the tasks of a project, the newest first, each with why nobody works on it; page by page.

import * as z from 'zod';
import { TASK_STATES } from '../hub/vocabulary.ts';
import { renderHead } from '../tools/task-words.ts';
import { defineView, pageSize } from './view.ts';

export const tasks = defineView({
  name: 'tasks',
  what: 'Tasks, the newest first; next is the seq to go on before',
  input: {
    state: z.enum(TASK_STATES).optional(),
    worker: z.string().max(64).optional().describe('holder or assignee'),
    label: z.string().max(60).optional(),
    before: z.coerce.number().int().min(1).optional(),
    limit: pageSize(50, 100),
  },
  async run({ hub, caller }, { state, worker, label, before, limit }) {
    const page = await hub.taskViews.list(caller, {
      state: state ?? null,
      agent: worker || undefined,
      label: label || null,
      beforeSeq: before ?? null,
      limit,
    });
    return { tasks: page.tasks.map(renderHead), next: page.nextBefore, revision: page.revision };
  },
});
export type TasksReply = Awaited<ReturnType<typeof tasks.run>>;
