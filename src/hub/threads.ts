// Threads that were stopped (C17), and letting them go on.

import { openPauses, type PauseRow, resumeThread } from '../store/pauses.ts';
import { assertOversees, type Caller } from './caller.ts';
import type { Intent } from './command.ts';
import type { HubContext } from './context.ts';
import { HubError } from './errors.ts';

export class Threads {
  readonly #context: HubContext;

  constructor(context: HubContext) {
    this.#context = context;
  }

  /** Threads that wait for a person, the longest paused first. */
  async paused(caller: Caller, limit: number): Promise<PauseRow[]> {
    assertOversees(caller, 'see paused threads');
    return await this.#context.commands.look(caller, (read) => openPauses(read, caller.projectId, limit));
  }

  /** Lets a paused thread go on: hops and alternations are counted anew. Errors: `forbidden`, `not_found` when it is not paused. */
  async resume(caller: Caller, threadId: string, intent: Intent): Promise<{ thread_id: string; replayed?: boolean }> {
    assertOversees(caller, 'let a paused thread go on');
    return await this.#context.commands.run(caller, intent, async (act) => {
      if (!(await resumeThread(act.tx, act.projectId, threadId, act.now))) {
        throw new HubError('not_found', 'No paused thread of that id in this project.', {
          hint: 'get_open_threads with scope group lists paused threads.',
        });
      }
      await act.emit('thread.resumed', threadId, { by: caller.name });
      return { thread_id: threadId };
    });
  }
}
