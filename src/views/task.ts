// task: one task with its result, what it waits for, and its whole history: what get_task says.

import * as z from 'zod';
import { Connection } from '../tools/connection.ts';
import { getTask } from '../tools/get-task.ts';
import type { renderHead } from '../tools/task-words.ts';
import { defineView } from './view.ts';

export const task = defineView({
  name: 'task',
  what: 'One task with its result, what it waits for, and a page of its history',
  input: { task_id: z.string().min(1).max(64), after_version: z.coerce.number().int().min(0).optional() },
  async run({ hub, caller }, input) {
    const call = { hub, caller, connection: Connection.fixed(hub, caller, []), key: undefined, args: input, signal: undefined };
    return toTask(await getTask.run(call, input));
  },
});
export type TaskReply = Awaited<ReturnType<typeof task.run>>;

type Outcome = { by: string; at: string; result: string; artifacts?: string[] };
export type TaskStep = { version: number; at: string; act: string; by: string; state: string; note?: string };

/** What a page shows of the tool's answer. */
type Shown = {
  task: ReturnType<typeof renderHead>;
  body?: string;
  depends_on?: { task_id: string; state: string; on_failure: string; settled: boolean }[];
  children?: Record<string, number>;
  expected_artifacts?: string[];
  reviewers?: string[];
  quorum?: number;
  failure_cause?: string;
  result?: Outcome;
  late_results?: Outcome[];
  history: TaskStep[];
  next_version?: number;
};

function toTask(result: Record<string, unknown>): Shown {
  return result as Shown;
}
