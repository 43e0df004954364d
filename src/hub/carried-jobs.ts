// Bringing in a job that another hub exported: every task as it ended, with its history, results and verdicts, so that its export here is its
// export there. Only what has ended can be brought in: nobody comes to hold a task, or to owe a verdict, by a file.

import { findAgentByName } from '../store/agents.ts';
import type { Tx } from '../store/db.ts';
import { decideReview, dropReview, insertReview } from '../store/reviews.ts';
import { insertDependency } from '../store/task-graph.ts';
import { insertHistory, insertResult } from '../store/task-history.ts';
import { projectOfTask } from '../store/task-lists.ts';
import { countOpen, findTask, insertTask, saveTask, type TaskRow } from '../store/tasks.ts';
import { authorityOf, type Caller, HUB } from './caller.ts';
import type { CarriedTask } from './carried-job.ts';
import { toInstant } from './clock.ts';
import type { Act } from './command.ts';
import type { HubContext } from './context.ts';
import { HubError } from './errors.ts';
import { assertName } from './names.ts';
import { registerAgent } from './registering.ts';
import { BLANK, HUB_ACTOR } from './task-changes.ts';
import { isEnded } from './task-states.ts';

/** `leftOut`: what a task named that is neither here nor in the file, in words. */
export type Brought = { added: string[]; known: string[]; registered: string[]; leftOut: string[] };

const CHANGED = 'Export it again; the file was changed.';

type Arrival = { act: Act; names: Map<string, string>; brought: Brought };

export class CarriedJobs {
  readonly #context: HubContext;

  constructor(context: HubContext) {
    this.#context = context;
  }

  /**
   * Brings a job into the operator's project, parents before children: all of it, or nothing. A task that is here already stays as it is. Errors:
   * `forbidden`, `invalid_input` for what has not ended or does not fit together, `conflict` for another task under the same id.
   */
  async bring(caller: Caller, tasks: readonly CarriedTask[]): Promise<Brought> {
    if (authorityOf(caller.role) !== 'operator')
      throw new HubError('forbidden', 'Only the operator may import; nothing was changed.', { hint: 'Ask the operator.' });
    assertOnce(
      'tasks',
      tasks.map(({ id }) => id),
    );
    for (const task of tasks) assertWhole(task);
    return await this.#context.commands.run(caller, { tool: 'import' }, async (act) => {
      const arrival: Arrival = { act, names: new Map(), brought: { added: [], known: [], registered: [], leftOut: [] } };
      const arriving = [];
      for (const task of tasks) if (!(await isHere(arrival, task))) arriving.push(task);
      for (const task of arriving) await this.#people(arrival, task);
      for (const task of arriving) await bringTask(arrival, caller, task);
      for (const task of arriving) await bringDependencies(arrival, task);
      return arrival.brought;
    });
  }

  /** Whoever took part is known here, too; without a credential, so that nobody is them before they enrol. */
  async #people({ act, names, brought }: Arrival, task: CarriedTask): Promise<void> {
    const { creator, assignee, reviewers, reviews, history, late_results, result } = task;
    const acted = [...history, ...late_results, ...(result === null ? [] : [result])].map(({ by }) => by);
    const people = [creator, assignee, ...reviewers, ...reviews.map(({ reviewer }) => reviewer), ...acted];
    for (const name of people) {
      if (name === null || names.has(name)) continue;
      const here = name === HUB ? { id: HUB_ACTOR.agentId } : await findAgentByName(act.tx, act.projectId, name);
      if (here === undefined) {
        assertName(name);
        brought.registered.push(name);
      }
      names.set(name, (here ?? (await registerAgent(act, this.#context.ids, { name, nameSource: 'given', role: 'agent', client: '' }))).id);
    }
  }
}

function assertWhole(task: CarriedTask): void {
  const { id, state, version, closed_at, creator, assignee, reviewers, depends_on, reviews, history } = task;
  if (!isEnded({ state }) || closed_at === null || reviews.some(({ verdict }) => verdict === 'owed'))
    throw refused(`${id} is ${state}: only a job that has ended can be brought in`, 'End it where it is, and export it again.');
  const chains = history.every((step, n) => step.version === n + 1 && step.from === (history[n - 1]?.to ?? null));
  if (!chains || history.length !== version || version < 2 || history.at(-1)?.to !== state)
    throw refused(`${id}: its history does not lead to version ${version}, ${state}`, CHANGED);
  const people = [creator, assignee, ...reviewers, ...reviews.map(({ reviewer }) => reviewer)];
  if (people.includes(HUB)) throw refused(`${id}: the hub itself creates, takes and reviews no task`, CHANGED);
  if (depends_on.some(({ task_id }) => task_id === id)) throw refused(`${id} waits for itself`, CHANGED);
  assertOnce(
    `${id}: depends_on`,
    depends_on.map(({ task_id }) => task_id),
  );
  assertOnce(
    `${id}: reviews`,
    reviews.map(({ revision, reviewer }) => `revision ${revision} by ${reviewer}`),
  );
}

function assertOnce(field: string, names: readonly string[]): void {
  const twice = names.find((name, n) => names.indexOf(name) !== n);
  if (twice !== undefined) throw refused(`${field} names ${twice} twice`, CHANGED);
}

async function isHere({ act, brought }: Arrival, { id, version, state }: CarriedTask): Promise<boolean> {
  const place = await projectOfTask(act.tx, id);
  if (place === undefined) return false;
  const here = await findTask(act.tx, act.projectId, id);
  if (here?.version !== version || here.state !== state)
    throw new HubError(
      'conflict',
      `${id} is ${here === undefined ? 'in another project of this hub' : `here, and not as in the file`}; nothing was changed.`,
      {
        hint: 'Import it into another hub, for example with --home FOLDER.',
      },
    );
  brought.known.push(id);
  return true;
}

async function bringTask({ act, names, brought }: Arrival, caller: Caller, task: CarriedTask): Promise<void> {
  const idOf = (name: string) => names.get(name) ?? name;
  const [, traceId = ''] = task.traceparent.split('-');
  const parent = await present(act.tx, act.projectId, task.parent_id, `${task.id}: its parent`, brought);
  const reusedFrom = await present(act.tx, act.projectId, task.reused_from, `${task.id}: whose result it reused`, brought);
  const row: TaskRow = {
    ...BLANK,
    id: task.id,
    projectId: act.projectId,
    seq: await act.emit('task.imported', task.id, { by: caller.name, version: task.version, state: task.state }),
    title: task.title,
    body: task.body,
    creatorId: idOf(task.creator),
    parentId: parent?.id ?? null,
    depth: parent === undefined ? 0 : parent.depth + 1,
    needs: task.capabilities,
    labels: task.labels,
    effortMinutes: task.effort_minutes,
    expectedArtifacts: task.expected_artifacts,
    reviewers: task.reviewers.map(idOf),
    quorum: task.quorum,
    cacheKey: task.cache_key,
    traceId,
    parentSpanId: task.history[0]?.parent_span_id ?? null,
    notBefore: instantOf(task.not_before),
    deadlineAt: instantOf(task.deadline_at),
    overduePolicy: task.overdue,
    createdAt: toInstant(task.created_at) ?? act.now,
    priority: task.priority,
    ownRank: 0,
    rank: 0,
    state: 'submitted',
    version: task.version - 1,
    waitingOn: 0,
    assigneeId: task.assignee === null ? null : idOf(task.assignee),
    reusedFrom: reusedFrom?.id ?? null,
    updatedAt: act.now,
  };
  await insertTask(act.tx, row);
  const resultN = await bringResults(act.tx, task, idOf);
  const ended: TaskRow = {
    ...row,
    state: task.state,
    version: task.version,
    reason: task.reason,
    failureCause: task.failure_cause,
    verification: task.verification,
    fencingToken: task.fencing_token,
    attempt: task.attempt,
    revision: task.revision,
    progress: task.progress,
    resultN,
    closedAt: instantOf(task.closed_at),
  };
  if (!(await saveTask(act.tx, ended))) throw new Error(`task ${task.id} was changed within its own transaction`);
  await countOpen(act.tx, act.projectId, -1);
  for (const step of task.history) {
    await insertHistory(act.tx, {
      taskId: task.id,
      version: step.version,
      at: toInstant(step.at) ?? act.now,
      act: step.act,
      fromState: step.from,
      toState: step.to,
      actorId: idOf(step.by),
      sessionId: step.session,
      fencingToken: step.fencing_token,
      note: step.note,
      facts: JSON.stringify(step.facts),
    });
  }
  await bringReviews(act, task, idOf);
  brought.added.push(task.id);
}

/** All results in the order in which they came; answers the number of the one that counts. */
async function bringResults(tx: Tx, { id, result, late_results }: CarriedTask, idOf: (name: string) => string): Promise<number | null> {
  let counts: number | null = null;
  const all = [...late_results.map((one) => ({ one, late: true })), ...(result === null ? [] : [{ one: result, late: false }])];
  for (const { one, late } of all.sort((a, b) => (toInstant(a.one.at) ?? 0) - (toInstant(b.one.at) ?? 0))) {
    const { by, fencing_token: fencingToken, at, ...rest } = one;
    const n = await insertResult(tx, { ...rest, taskId: id, late, fencingToken, agentId: idOf(by), at: toInstant(at) ?? 0 });
    if (!late) counts = n;
  }
  return counts;
}

async function bringReviews({ tx, projectId, now }: Act, task: CarriedTask, idOf: (name: string) => string): Promise<void> {
  const author = { agentId: idOf(task.result?.by ?? task.creator), sessionId: '' };
  for (const { reviewer, revision, verdict, findings, requested_at, decided_at } of task.reviews) {
    const key = { taskId: task.id, revision, reviewerId: idOf(reviewer) };
    const decidedAt = instantOf(decided_at) ?? now;
    await insertReview(tx, { ...key, projectId, author, messageId: null, requestedAt: toInstant(requested_at) ?? now });
    if (verdict === 'passed' || verdict === 'not_passed') await decideReview(tx, { ...key, state: 'owed' }, verdict, findings, decidedAt);
    else await dropReview(tx, key, decidedAt);
  }
}

async function bringDependencies({ act, brought }: Arrival, task: CarriedTask): Promise<void> {
  for (const { task_id, on_failure, settled } of task.depends_on) {
    const other = await present(act.tx, act.projectId, task_id, `${task.id}: what it waited for`, brought);
    if (other === undefined) continue;
    const settledAt = settled ? (other.closedAt ?? act.now) : null;
    await insertDependency(act.tx, { taskId: task.id, dependsOn: other.id, policy: on_failure, settledAt });
  }
}

async function present(tx: Tx, projectId: string, id: string | null, what: string, brought: Brought): Promise<TaskRow | undefined> {
  const found = id === null ? undefined : await findTask(tx, projectId, id);
  if (id !== null && found === undefined) brought.leftOut.push(`${what}, ${id}`);
  return found;
}

function instantOf(text: string | null): number | null {
  return text === null ? null : (toInstant(text) ?? null);
}

function refused(words: string, hint: string): HubError {
  return new HubError('invalid_input', `${words}; nothing was changed.`, { hint });
}
