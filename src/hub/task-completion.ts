// Handing in a result: under the current token it counts, once what was expected has been checked; under an old one it is kept as late, shown to
// the owner, and never applied (C6).

import { findProject } from '../store/projects.ts';
import { insertResult, lateResults } from '../store/task-history.ts';
import { findTask, type TaskRow, type TaskState, type Verification } from '../store/tasks.ts';
import { type Checked, checkArtifacts } from './artifacts.ts';
import type { Caller } from './caller.ts';
import type { Act, Intent } from './command.ts';
import type { HubContext } from './context.ts';
import { wellFormed } from './drafts.ts';
import { HubError } from './errors.ts';
import { staleLease, staleness } from './holding.ts';
import { noTask } from './task-changes.ts';
import type { TaskEnds } from './task-ends.ts';
import type { TaskNotices } from './task-notices.ts';
import { toArtifact, toText } from './task-orders.ts';
import { isHeld } from './task-states.ts';

export type Completion = { fencingToken: number; result: string; artifacts?: readonly string[] | undefined };

export type Completed = {
  state: TaskState;
  version: number;
  revision: number;
  verification: Verification | null;
  missing: string[];
  /** Why the token did not count. */
  stale: string | null;
  replayed?: boolean;
};

export class TaskCompletion {
  readonly #context: HubContext;
  readonly #ends: TaskEnds;
  readonly #notices: TaskNotices;

  constructor(context: HubContext, ends: TaskEnds, notices: TaskNotices) {
    this.#context = context;
    this.#ends = ends;
    this.#notices = notices;
  }

  /**
   * Hands in a result. Answers the state that follows: completed, in_review, or needs_attention when expected artifacts are missing.
   * Errors: `stale_lease` (the result is kept as late), `conflict` (open children, or it has ended), `forbidden`, `too_large`.
   */
  async complete(caller: Caller, taskId: string, given: Completion, intent: Intent): Promise<Completed> {
    const { limits, commands } = this.#context;
    const bytes = Buffer.byteLength(given.result);
    if (bytes > limits.resultBytes)
      throw new HubError('too_large', `result has ${bytes} bytes; the limit is ${limits.resultBytes}. Nothing was handed in.`, {
        hint: 'Put the long part into a project file and name it in artifacts.',
      });
    const roots = await this.#roots(caller);
    const artifacts = (given.artifacts ?? []).map((text) => toArtifact(text, roots));
    // Looked at before the transaction: nothing but SQL is awaited inside one (invariant 5).
    const task = await commands.look(caller, (read) => findTask(read, caller.projectId, taskId));
    const checked = await checkArtifacts(this.#context, caller, task?.expectedArtifacts ?? [], artifacts, roots);
    const result = { ...given, result: wellFormed(given.result), artifacts: artifacts.map(toText) };
    const outcome = await commands.run(caller, intent, (act) => this.#handIn(act, caller, taskId, result, checked));
    // The late result is on disk; the caller is told that it does not count.
    if (outcome.stale !== null) throw staleLease(outcome.stale, true);
    return outcome;
  }

  async #handIn(act: Act, caller: Caller, taskId: string, given: Completion, checked: Checked): Promise<Completed> {
    const task = await findTask(act.tx, act.projectId, taskId);
    if (task === undefined) throw noTask(taskId);
    const stale = await staleness(act, caller, task, given.fencingToken);
    if (stale !== null) {
      await this.#keepLate(act, caller, task, given, stale);
      return { state: task.state, version: task.version, revision: task.revision, verification: null, missing: [], stale };
    }
    if (!isHeld(task) && task.state !== 'in_review')
      throw new HubError('conflict', `${taskId} is ${task.state}; nothing was changed.`, { hint: 'get_task shows what became of it.' });
    const next = await this.#ends.complete(act, task, caller, { ...given, artifacts: given.artifacts ?? [], ...checked });
    return {
      state: next.state,
      version: next.version,
      revision: next.revision,
      verification: next.verification,
      missing: checked.missing,
      stale: null,
    };
  }

  async #keepLate(act: Act, caller: Caller, task: TaskRow, given: Completion, why: string): Promise<void> {
    const { lateResults: most } = this.#context.limits;
    if ((await lateResults(act.tx, task.id)).length >= most)
      throw new HubError('stale_lease', `${why}. ${most} late results are kept already; this one was not.`, {
        hint: 'Send its owner a message if it still matters.',
      });
    const n = await insertResult(act.tx, {
      taskId: task.id,
      late: true,
      revision: task.revision,
      fencingToken: given.fencingToken,
      agentId: caller.agentId,
      result: given.result,
      artifacts: [...(given.artifacts ?? [])],
      at: act.now,
    });
    await act.emit('task.late_result', task.id, { by: caller.name, token: given.fencingToken, current: task.fencingToken, result: n });
    await this.#notices.say(act, task, caller, [task.creatorId], 'late result, not applied', given.result);
  }

  /** Where artifacts are looked for: the session's own folder, which may be a worktree, then the project's. */
  async #roots(caller: Caller): Promise<string[]> {
    const project = await this.#context.db.read((read) => findProject(read, caller.projectId));
    return [...new Set([caller.root, project?.root ?? ''])].filter((root) => root !== '');
  }
}
