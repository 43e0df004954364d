// All tasks of a project in one look: how many are in which state, and what waits for what. For whoever oversees it.

import { type OpenEdge, openEdges } from '../store/task-graph.ts';
import { countTasks } from '../store/task-lists.ts';
import type { TaskState } from '../store/tasks.ts';
import { assertOversees, type Caller } from './caller.ts';
import type { HubContext } from './context.ts';

export class TaskBoard {
  readonly #context: HubContext;

  constructor(context: HubContext) {
    this.#context = context;
  }

  async counts(caller: Caller): Promise<Partial<Record<TaskState, number>>> {
    assertOversees(caller, 'see the tasks of all');
    return await this.#context.commands.look(caller, (read) => countTasks(read, caller.projectId));
  }

  /** What waits for what, where one of both is open; at most `limit`. */
  async edges(caller: Caller, limit: number): Promise<OpenEdge[]> {
    assertOversees(caller, 'see the tasks of all');
    return await this.#context.commands.look(caller, (read) => openEdges(read, caller.projectId, limit));
  }
}
