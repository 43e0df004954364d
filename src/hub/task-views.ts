// Tasks as they are shown: one with its whole history, pages of them, and waiting for several. Every member of a project sees its tasks;
// a task of another project does not exist (C16).

import { findAgentByName } from '../store/agents.ts';
import type { Read } from '../store/db.ts';
import { findProject } from '../store/projects.ts';
import { allOwedReviews, allReviewsOf, type ReviewRow } from '../store/reviews.ts';
import { childStates, type DependencyPolicy, dependenciesOf } from '../store/task-graph.ts';
import { findResult, type HistoryRow, historyOf, lastNoteOf, lateResults, type ResultRow } from '../store/task-history.ts';
import { countTasks, namesOf, type TaskFilter, tasksOf } from '../store/task-lists.ts';
import { findTask, type TaskRow, type TaskState } from '../store/tasks.ts';
import type { Caller } from './caller.ts';
import { Candidates } from './candidates.ts';
import { toIso } from './clock.ts';
import type { HubContext } from './context.ts';
import { counted } from './counted.ts';
import { HubError } from './errors.ts';
import { noTask, traceparentOf } from './task-changes.ts';
import { isEnded, isHeld, isSettled, lacksReviewers } from './task-states.ts';
import { spanOf } from './task-traces.ts';
import type { WaitEnd } from './waiting.ts';

export type TaskHead = TaskRow & {
  creator: string;
  assignee: string | null;
  holder: string | null;
  /** Why nobody works on it, where nobody does. */
  waitsBecause: string | null;
};

export type TaskStep = Omit<HistoryRow, 'actorId'> & { by: string; spanId: string; parentSpanId: string | null };

export type TaskView = {
  task: TaskHead;
  dependsOn: { taskId: string; policy: DependencyPolicy; state: TaskState; settled: boolean }[];
  children: Partial<Record<TaskState, number>>;
  result: (ResultRow & { by: string }) | null;
  late: (ResultRow & { by: string })[];
  /** The names of its reviewers. */
  reviewers: string[];
  /** Verdicts, given and owed, those on the newest revision first. */
  reviews: (Pick<ReviewRow, 'revision' | 'state' | 'findings' | 'requestedAt' | 'decidedAt'> & { reviewer: string })[];
  history: TaskStep[];
  /** The newest change that somebody said something about: why it was given back, handed on, or is to be done again. */
  lastNote: Pick<TaskStep, 'act' | 'by' | 'at' | 'note'> | null;
  /** The version after which the next page of the history begins. */
  nextVersion: number | null;
  traceparent: string;
};

export type TaskQuery = Partial<Pick<TaskFilter, 'state' | 'parentId' | 'label' | 'priority' | 'order' | 'beforeSeq'>> & {
  /** A name: who works on it or is meant to. */
  agent?: string | undefined;
  mine?: boolean | undefined;
  limit: number;
};

export class TaskViews {
  readonly #context: HubContext;

  constructor(context: HubContext) {
    this.#context = context;
  }

  /** A task with a page of its history, oldest first. Errors: `not_found`. */
  async get(caller: Caller, taskId: string, afterVersion = 0): Promise<TaskView> {
    return await this.#context.commands.look(caller, async (read, now) => {
      const task = await findTask(read, caller.projectId, taskId);
      if (task === undefined) throw noTask(taskId);
      const page = this.#context.limits.taskHistoryRows;
      const candidates = new Candidates(this.#context, read, caller.projectId);
      const history = await historyOf(read, taskId, afterVersion, page + 1);
      const result = task.resultN === null ? undefined : await findResult(read, taskId, task.resultN);
      const late = await lateResults(read, taskId);
      const noted = await lastNoteOf(read, taskId);
      const reviews = await allReviewsOf(read, taskId, page);
      const names = await namesOf(read, [
        ...history.map(({ actorId }) => actorId),
        ...late.map(({ agentId }) => agentId),
        result?.agentId ?? null,
        noted?.actorId ?? null,
        ...task.reviewers,
        ...reviews.map(({ reviewerId }) => reviewerId),
      ]);
      const by = (id: string) => names.get(id) ?? id;
      const shown = history.slice(0, page);
      return {
        task: await this.#head(read, task, now, candidates),
        dependsOn: (await dependenciesOf(read, taskId)).map(({ dependsOn, policy, state, settledAt }) => ({
          taskId: dependsOn,
          policy,
          state,
          settled: settledAt !== null,
        })),
        children: await childStates(read, taskId),
        result: result === undefined ? null : { ...result, by: by(result.agentId) },
        late: late.map((one) => ({ ...one, by: by(one.agentId) })),
        reviewers: task.reviewers.map(by),
        reviews: reviews.map(({ reviewerId, revision, state, findings, requestedAt, decidedAt }) => ({
          reviewer: by(reviewerId),
          revision,
          state,
          findings,
          requestedAt,
          decidedAt,
        })),
        history: shown.map(({ actorId, ...step }) => ({
          ...step,
          by: by(actorId),
          spanId: spanOf(taskId, step.version),
          parentSpanId: step.version === 1 ? task.parentSpanId : spanOf(taskId, step.version - 1),
        })),
        lastNote: noted === undefined ? null : { act: noted.act, by: by(noted.actorId), at: noted.at, note: noted.note },
        nextVersion: history.length > page ? (shown.at(-1)?.version ?? null) : null,
        traceparent: traceparentOf(task),
      };
    });
  }

  /** A page of tasks, the newest first. `revision` grows with every change of the project: an older answer is known by it. */
  async list(caller: Caller, query: TaskQuery): Promise<{ tasks: TaskHead[]; nextBefore: number | null; revision: number }> {
    return await this.#context.commands.look(caller, async (read, now) => {
      const agent = query.agent === undefined ? undefined : await findAgentByName(read, caller.projectId, query.agent);
      if (query.agent !== undefined && agent === undefined)
        throw new HubError('not_found', `agent: nobody of this project is called "${query.agent.slice(0, 48)}".`, {
          hint: 'list_agents shows who there is.',
        });
      if (query.parentId != null && (await findTask(read, caller.projectId, query.parentId)) === undefined)
        throw noTask(query.parentId, 'parent_id: ');
      const filter: TaskFilter = {
        state: query.state ?? null,
        agentId: agent?.id ?? null,
        creatorId: query.mine === true ? caller.agentId : null,
        parentId: query.parentId ?? null,
        label: query.label ?? null,
        priority: query.priority ?? null,
        order: query.order ?? 'newest',
        beforeSeq: query.beforeSeq ?? null,
      };
      const rows = await tasksOf(read, caller.projectId, filter, query.limit + 1);
      const page = rows.slice(0, query.limit);
      const candidates = new Candidates(this.#context, read, caller.projectId);
      const tasks: TaskHead[] = [];
      for (const task of page) tasks.push(await this.#head(read, task, now, candidates));
      return {
        tasks,
        nextBefore: rows.length > query.limit && filter.order === 'newest' ? (page.at(-1)?.seq ?? null) : null,
        revision: (await findProject(read, caller.projectId))?.eventSeq ?? 0,
      };
    });
  }

  /** How many tasks of the project are in which state. */
  counts(caller: Caller): Promise<Partial<Record<TaskState, number>>> {
    return this.#context.commands.look(caller, (read) => countTasks(read, caller.projectId));
  }

  /** Waits until every one of the tasks has ended or needs attention; answers how each stands then. Errors: `not_found`. */
  async await(
    caller: Caller,
    taskIds: readonly string[],
    ms: number,
    signal?: AbortSignal,
  ): Promise<{ tasks: TaskHead[]; done: boolean; end: WaitEnd }> {
    const ids = [...new Set(taskIds)];
    const look = () =>
      this.#context.commands.look(caller, async (read, now) => {
        const candidates = new Candidates(this.#context, read, caller.projectId);
        const tasks: TaskHead[] = [];
        for (const id of ids) {
          const task = await findTask(read, caller.projectId, id);
          if (task === undefined) throw noTask(id);
          tasks.push(await this.#head(read, task, now, candidates));
        }
        return tasks;
      });
    const first = await look();
    const done = (tasks: readonly TaskHead[]) => tasks.every(isEnded);
    if (ms <= 0 || first.every(isSettled)) return { tasks: first, done: done(first), end: first.every(isSettled) ? 'found' : 'timeout' };
    const { end, value } = await this.#context.waiting.until(ms, signal, async () => {
      const tasks = await look();
      return tasks.every(isSettled) ? { found: tasks } : {};
    });
    const tasks = value ?? (await look());
    return { tasks, done: done(tasks), end };
  }

  async #head(read: Read, task: TaskRow, now: number, candidates: Candidates): Promise<TaskHead> {
    const names = await namesOf(read, [task.creatorId, task.assigneeId, task.holderId, task.handoffTo]);
    const name = (id: string | null) => (id === null ? null : (names.get(id) ?? 'unknown'));
    return {
      ...task,
      creator: name(task.creatorId) ?? 'unknown',
      assignee: name(task.assigneeId),
      holder: name(task.holderId),
      waitsBecause: isHeld(task) || isEnded(task) ? null : await this.#why(read, task, name, now, candidates),
    };
  }

  /** Why nobody works on a task, in one sentence. */
  async #why(read: Read, task: TaskRow, name: (id: string | null) => string | null, now: number, candidates: Candidates): Promise<string> {
    if (task.state === 'in_review') {
      const owed = await allOwedReviews(read, task.id);
      const names = await namesOf(
        read,
        owed.map(({ reviewerId }) => reviewerId),
      );
      return `waits for the verdict of ${owed.map(({ reviewerId }) => names.get(reviewerId) ?? 'unknown').join(', ')} on revision ${task.revision}`;
    }
    if (task.state !== 'submitted') return task.reason ?? `it is ${task.state}`;
    if (task.handoffTo !== null && (task.handoffUntil ?? 0) > now)
      return `handed to ${name(task.handoffTo)}, who has until ${toIso(task.handoffUntil ?? now)} to accept`;
    if (task.waitingOn > 0) {
      const open = (await dependenciesOf(read, task.id)).filter(({ settledAt }) => settledAt === null);
      return `waits for ${open
        .slice(0, 5)
        .map(({ dependsOn, state }) => `${dependsOn} (${state})`)
        .join(', ')}${open.length > 5 ? ` and ${open.length - 5} more` : ''}`;
    }
    if (task.openChildren > 0) return `waits for its ${counted(task.openChildren, 'open child', 'open children')}`;
    if (task.notBefore !== null && task.notBefore > now) return `not before ${toIso(task.notBefore)}`;
    if (task.assigneeId !== null) return `assigned to ${name(task.assigneeId)}, who has not claimed it`;
    return await this.#whoCould(task, candidates);
  }

  async #whoCould(task: TaskRow, candidates: Candidates): Promise<string> {
    const hands = new Map(
      task.reviewers.length === 0 ? [] : (await candidates.all()).map(({ agent }) => [agent.id, agent.parentId ?? agent.id]),
    );
    const reviewers = task.reviewers.map((id) => hands.get(id) ?? id);
    const fitting = await candidates.fitting(task.needs);
    const able = fitting.filter(({ agent }) => reviewers.length === 0 || !lacksReviewers(task, reviewers, hands.get(agent.id) ?? agent.id));
    if (able.length === 0 && fitting.length > 0) return 'only its reviewers could do it, and nobody reviews their own work';
    if (able.length === 0) return task.needs.length === 0 ? 'nobody is in this project' : `no agent has declared ${task.needs.join(', ')}`;
    const live = able.filter(({ present }) => present).length;
    return live === 0
      ? able.length === 1
        ? `${able[0]?.agent.name} could do it, and is not connected`
        : `none of the ${able.length} agents that could do it is connected`
      : `ready: ${live} connected ${live === 1 ? 'agent' : 'agents'} could claim it`;
  }
}
