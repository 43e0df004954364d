// Threads that were stopped (C17), and letting them go on.

import { findPause, openPauses, type PauseRow, resumeThread } from '../store/pauses.ts';
import { findProject } from '../store/projects.ts';
import { messagesWith, type ThreadHead, threadHeads } from '../store/threads.ts';
import { assertOversees, type Caller } from './caller.ts';
import type { Intent } from './command.ts';
import type { HubContext } from './context.ts';
import { HubError } from './errors.ts';

/** A search looks at so many events' worth of messages at once, and says where to go on. */
const LOOKED_AT = 50_000;

export class Threads {
  readonly #context: HubContext;

  constructor(context: HubContext) {
    this.#context = context;
  }

  /**
   * Threads by their newest message, or with `words` the messages that hold them, newest first. `next`: the seq to go on before, or null when
   * there are no more.
   */
  async list(
    caller: Caller,
    wanted: { words?: string | undefined; before?: number | undefined; limit: number },
  ): Promise<{ threads: ThreadHead[]; next: number | null }> {
    assertOversees(caller, 'list the threads of all');
    return await this.#context.commands.look(caller, async (read) => {
      const head = (await findProject(read, caller.projectId))?.eventSeq ?? 0;
      const before = Math.min(wanted.before ?? Number.MAX_SAFE_INTEGER, head + 1);
      const words = wanted.words?.trim() ?? '';
      const floor = words === '' ? 0 : Math.max(0, before - 1 - LOOKED_AT);
      const threads =
        words === ''
          ? await threadHeads(read, caller.projectId, before, wanted.limit)
          : await messagesWith(read, caller.projectId, words, { before, floor, limit: wanted.limit });
      const last = threads.length === wanted.limit ? (threads.at(-1)?.seq ?? 0) : floor === 0 ? 0 : floor + 1;
      return { threads, next: last > 1 ? last : null };
    });
  }

  /** Why a thread is paused; undefined when it is not. */
  async pauseOf(caller: Caller, threadId: string): Promise<PauseRow | undefined> {
    assertOversees(caller, 'see paused threads');
    const pause = await this.#context.commands.look(caller, (read) => findPause(read, threadId));
    return pause?.projectId === caller.projectId && pause.resumedAt === null ? pause : undefined;
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
