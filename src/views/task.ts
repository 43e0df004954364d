// task: one task with its result, its verdicts, what it waits for, and its whole history: what get_task says, and the titles of what it waits for.

import * as z from 'zod';
import { Connection } from '../tools/connection.ts';
import { getTask } from '../tools/get-task.ts';
import type { renderHead } from '../tools/task-words.ts';
import { defineView } from './view.ts';

/** So many of what a task waits for are called by their titles. */
const NAMED = 20;

export const task = defineView({
  name: 'task',
  what: 'One task with its result, what it waits for, and a page of its history',
  input: { task_id: z.string().min(1).max(64), after_version: z.coerce.number().int().min(0).optional() },
  async run({ hub, caller }, input) {
    const call = { hub, caller, connection: Connection.fixed(hub, caller, []), key: undefined, args: input, signal: undefined };
    const shown = toTask(await getTask.run(call, input));
    const named = (shown.depends_on ?? []).slice(0, NAMED);
    const others = await Promise.all(named.map(({ task_id }) => hub.taskViews.get(caller, task_id)));
    return { ...shown, titles: Object.fromEntries(others.map(({ task }) => [task.id, task.title])) };
  },
});
export type TaskReply = Awaited<ReturnType<typeof task.run>>;

type Outcome = { by: string; at: string; fencing_token: number; revision: number; result: string; artifacts?: string[] };
export type TaskStep = { version: number; at: string; act: string; by: string; state: string; token: number; note?: string };

/** What a page shows of the tool's answer. */
type Shown = {
  task: ReturnType<typeof renderHead>;
  body?: string;
  depends_on?: { task_id: string; state: string; on_failure: string; settled: boolean }[];
  children?: Record<string, number>;
  expected_artifacts?: string[];
  reviewers?: string[];
  quorum?: number;
  reviews?: { reviewer: string; revision: number; state: string; findings?: string[]; at: string }[];
  revision: number;
  fencing_token: number;
  reused_from?: string;
  traceparent: string;
  failure_cause?: string;
  result?: Outcome;
  late_results?: Outcome[];
  history: TaskStep[];
  next_version?: number;
};

function toTask(result: Record<string, unknown>): Shown {
  return result as Shown;
}
