// Several tasks in one look: the graph of what waits for what, and a job (a task with everything below it) with its whole history.

import { dependenciesOf, descendantsOf } from '../store/task-graph.ts';
import { namesOf, openTasksIn } from '../store/task-lists.ts';
import { findTask, type TaskRow, type TaskState } from '../store/tasks.ts';
import type { Caller } from './caller.ts';
import type { HubContext } from './context.ts';
import { noTask } from './task-changes.ts';
import type { TaskView, TaskViews } from './task-views.ts';

export type TaskNode = { id: string; title: string; state: TaskState; holder: string | null };
export type TaskLink = { from: string; to: string; kind: 'depends_on' | 'child_of'; policy: string | null; settled: boolean };
export type TaskGraphView = { nodes: TaskNode[]; links: TaskLink[] /** Whether there is more than is shown. */; cut: boolean };

export class TaskTrees {
  readonly #context: HubContext;
  readonly #views: TaskViews;

  constructor(context: HubContext, views: TaskViews) {
    this.#context = context;
    this.#views = views;
  }

  /** What waits for what: below one task, or among everything that is open. `from` waits for `to`; a parent waits for its children. */
  async graph(caller: Caller, taskId: string | undefined): Promise<TaskGraphView> {
    const limit = this.#context.limits.taskGraphNodes;
    return await this.#context.commands.look(caller, async (read) => {
      const roots =
        taskId === undefined
          ? await openTasksIn(read, caller.projectId, limit + 1)
          : await descendantsOf(read, caller.projectId, taskId, limit + 1);
      if (taskId !== undefined && roots.length === 0) throw noTask(taskId);
      const tasks = new Map<string, TaskRow>(roots.map((task) => [task.id, task]));
      const links: TaskLink[] = [];
      for (const task of roots.slice(0, limit)) {
        for (const edge of await dependenciesOf(read, task.id)) {
          links.push({ from: task.id, to: edge.dependsOn, kind: 'depends_on', policy: edge.policy, settled: edge.settledAt !== null });
          const awaited = tasks.has(edge.dependsOn) ? undefined : await findTask(read, caller.projectId, edge.dependsOn);
          if (awaited !== undefined) tasks.set(awaited.id, awaited);
        }
        if (task.parentId !== null && tasks.has(task.parentId))
          links.push({ from: task.parentId, to: task.id, kind: 'child_of', policy: null, settled: task.closedAt !== null });
      }
      const shown = [...tasks.values()].slice(0, limit);
      const names = await namesOf(
        read,
        shown.map(({ holderId }) => holderId),
      );
      const known = new Set(shown.map(({ id }) => id));
      return {
        nodes: shown.map((task) => ({ id: task.id, title: task.title, state: task.state, holder: names.get(task.holderId ?? '') ?? null })),
        links: links.filter(({ from, to }) => known.has(from) && known.has(to)),
        cut: tasks.size > limit,
      };
    });
  }

  /** A task and everything below it, each with its whole history, parents before children. Errors: `not_found`. */
  async job(caller: Caller, taskId: string): Promise<{ tasks: TaskView[]; cut: boolean }> {
    const limit = this.#context.limits.taskGraphNodes;
    const rows = await this.#context.commands.look(caller, (read) => descendantsOf(read, caller.projectId, taskId, limit + 1));
    if (rows.length === 0) throw noTask(taskId);
    const tasks: TaskView[] = [];
    for (const { id } of rows.slice(0, limit)) tasks.push(await this.whole(caller, id));
    return { tasks, cut: rows.length > limit };
  }

  /** A task with every page of its history. */
  async whole(caller: Caller, taskId: string): Promise<TaskView> {
    const view = await this.#views.get(caller, taskId);
    while (view.nextVersion !== null) {
      const page = await this.#views.get(caller, taskId, view.nextVersion);
      view.history.push(...page.history);
      view.nextVersion = page.nextVersion;
    }
    return view;
  }
}
