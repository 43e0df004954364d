// task: one task with its result, its verdicts, what it waits for, and its whole history: what get_task says, and the titles of what it waits for.

import * as z from 'zod';
import { Connection } from '../tools/connection.ts';
import { getTask } from '../tools/get-task.ts';
import { defineView } from './view.ts';

/** So many of what a task waits for are called by their titles. */
const NAMED = 20;

export const task = defineView({
  name: 'task',
  what: 'One task with its result, what it waits for, and a page of its history',
  input: { task_id: z.string().min(1).max(64), after_version: z.coerce.number().int().min(0).optional() },
  async run({ hub, caller }, input) {
    const call = { hub, caller, connection: Connection.fixed(hub, caller, []), key: undefined, args: input, signal: undefined };
    const shown = await getTask.run(call, input);
    const named = (shown.depends_on ?? []).slice(0, NAMED);
    const others = await Promise.all(named.map(({ task_id }) => hub.taskViews.get(caller, task_id)));
    return { ...shown, titles: Object.fromEntries(others.map(({ task }) => [task.id, task.title])) };
  },
});
export type TaskReply = Awaited<ReturnType<typeof task.run>>;

export type TaskStep = TaskReply['history'][number];
