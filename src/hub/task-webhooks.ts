// The end of a task, told from outside a session: by a build machine or a monitor that was given the task's own secret (M-15). Who signs with
// that secret may end this task and nothing else. A task without a secret refuses everybody (T-10); one webhook is one change, however often
// it is sent.

import { findProject } from '../store/projects.ts';
import { findWebhook, insertSecret, insertWebhook, secretOf } from '../store/task-webhooks.ts';
import { type FailureCause, findTask, type TaskState } from '../store/tasks.ts';
import { checkArtifacts } from './artifacts.ts';
import type { Act } from './command.ts';
import type { HubContext } from './context.ts';
import { wellFormed } from './drafts.ts';
import { HubError } from './errors.ts';
import { type Actor, noTask } from './task-changes.ts';
import type { TaskEnds } from './task-ends.ts';
import { toArtifact, toText } from './task-orders.ts';
import { isEnded } from './task-states.ts';

export type Told = {
  taskId: string;
  end: 'completed' | 'failed';
  /** The result, or why it failed. */
  words: string;
  artifacts: readonly string[];
  cause: FailureCause;
};

/** How often a refused webhook is written down, and for how many tasks at once that is remembered. */
const TRACE_MS = 60_000;
const TRACES = 1_000;

const OUTSIDE: Actor = { agentId: 'webhook', name: 'webhook', sessionId: null };

export class TaskWebhooks {
  readonly #context: HubContext;
  readonly #ends: TaskEnds;
  readonly #recordedAt = new Map<string, number>();

  constructor(context: HubContext, ends: TaskEnds) {
    this.#context = context;
    this.#ends = ends;
  }

  /** Gives a task its secret, in the form of Standard Webhooks. It is told once, to whoever created the task. */
  async give(act: Act, taskId: string): Promise<string> {
    const secret = `whsec_${Buffer.from(this.#context.ids.token()).toString('base64')}`;
    await insertSecret(act.tx, taskId, secret);
    return secret;
  }

  /**
   * Applies an end that was told under this webhook id, once. `isSigned` says whether its signature is that of the task's secret and is fresh.
   * Errors: `unauthorized`, whatever is wrong with task, secret or signature; `conflict` when the task has ended otherwise.
   */
  async end(webhookId: string, told: Told, isSigned: (secret: string) => boolean): Promise<{ state: TaskState; replayed: boolean }> {
    const known = await this.#context.db.read((read) => secretOf(read, told.taskId));
    if (known === undefined || !isSigned(known.secret)) {
      if (known !== undefined) await this.#record(known.projectId, told.taskId);
      throw new HubError('unauthorized', 'This is not signed by the secret of that task; nothing was changed.', {
        hint: 'Sign id, timestamp and body as Standard Webhooks has it, with the secret that create_task answered.',
      });
    }
    const { db, commands, limits } = this.#context;
    if (Buffer.byteLength(told.words) > limits.resultBytes)
      throw new HubError('too_large', `data.result may have ${limits.resultBytes} bytes; nothing was changed.`, {
        hint: 'Name a file in artifacts.',
      });
    const task = await db.read((read) => findTask(read, known.projectId, told.taskId));
    const roots = [(await db.read((read) => findProject(read, known.projectId)))?.root ?? ''].filter((root) => root !== '');
    const artifacts = told.artifacts.map((text) => toArtifact(text, roots));
    // Who signs speaks from another machine, as a session over HTTP does: what is not here is attested by its digest.
    const checked = await checkArtifacts(this.#context, { door: 'http' }, task?.expectedArtifacts ?? [], artifacts, roots);
    return await commands.runAs(known.projectId, { agentId: OUTSIDE.agentId }, async (act) => {
      const before = await findWebhook(act.tx, told.taskId, webhookId);
      if (before !== undefined) return { ...(JSON.parse(before) as { state: TaskState }), replayed: true };
      const now = await findTask(act.tx, act.projectId, told.taskId);
      if (now === undefined) throw noTask(told.taskId);
      if (isEnded(now))
        throw new HubError('conflict', `${told.taskId} is already ${now.state}; nothing was changed.`, {
          hint: 'Its history tells how it ended.',
        });
      const words = wellFormed(told.words);
      const { state } =
        told.end === 'failed'
          ? await this.#ends.fail(act, now, OUTSIDE, words, told.cause)
          : await this.#ends.complete(act, now, OUTSIDE, { result: words, artifacts: artifacts.map(toText), ...checked });
      await insertWebhook(act.tx, told.taskId, webhookId, JSON.stringify({ state }), act.now);
      return { state, replayed: false };
    });
  }

  /** A refusal leaves a trace, without anything of what was sent; one a minute and task, because anybody may knock. */
  async #record(projectId: string, taskId: string): Promise<void> {
    const now = this.#context.clock.monotonic();
    if (now - (this.#recordedAt.get(taskId) ?? Number.NEGATIVE_INFINITY) < TRACE_MS) return;
    this.#recordedAt.set(taskId, now);
    for (const oldest of this.#recordedAt.keys()) {
      if (this.#recordedAt.size <= TRACES) break;
      this.#recordedAt.delete(oldest);
    }
    await this.#context.commands.runAs(projectId, { agentId: OUTSIDE.agentId }, async (act) => {
      await act.emit('task.webhook_refused', taskId, {});
    });
  }
}
