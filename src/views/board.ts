// board: the tasks of a project by state, the newest first, with how many there are of each, and what waits for what.

import * as z from 'zod';
import { TASK_STATES } from '../hub/vocabulary.ts';
import { renderHead } from '../tools/task-words.ts';
import { defineView, pageSize } from './view.ts';

const EDGES = 200;

export const board = defineView({
  name: 'board',
  what: 'Tasks by state, the newest first, with how many there are of each, and the open dependencies',
  input: {
    worker: z.string().max(64).optional().describe('holder or assignee'),
    label: z.string().max(60).optional(),
    limit: pageSize(30, 100),
  },
  async run({ hub, caller }, { worker, label, limit }) {
    const states = await Promise.all(
      TASK_STATES.map(async (state) => {
        const { tasks, nextBefore } = await hub.taskViews.list(caller, {
          state,
          agent: worker || undefined,
          label: label || null,
          limit,
        });
        return { state, tasks: tasks.map(renderHead), more: nextBefore !== null };
      }),
    );
    const edges = await hub.taskBoard.edges(caller, EDGES);
    return {
      counts: await hub.taskBoard.counts(caller),
      states,
      edges: edges.map((edge) => ({
        task: { id: edge.taskId, title: edge.title, state: edge.waiter },
        depends_on: { id: edge.dependsOn, title: edge.dependsOnTitle, state: edge.state },
        on_failure: edge.policy,
        settled: edge.settledAt !== null,
      })),
    };
  },
});
export type BoardReply = Awaited<ReturnType<typeof board.run>>;
