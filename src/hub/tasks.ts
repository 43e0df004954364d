// Tasks: creating them. A task is stored with all that its order needs (rank, queue, counters), so that claiming it is one look into an index.
// Who it is meant for is told in the same transaction.

import { type AgentRow, findAgent } from '../store/agents.ts';
import { countChild, countWaiters, insertDependency } from '../store/task-graph.ts';
import { findResult, insertResult } from '../store/task-history.ts';
import { cachedTask, countOpenTasks, countQueues } from '../store/task-lists.ts';
import { findTask, insertTask, needsKey, type TaskRow } from '../store/tasks.ts';
import { resolveAudience } from './addresses.ts';
import type { Caller } from './caller.ts';
import type { Act, Intent } from './command.ts';
import type { HubContext } from './context.ts';
import { HubError } from './errors.ts';
import { isNeededToReview } from './hands.ts';
import { BLANK, changeTask, isClaimable, noTask, writeDown } from './task-changes.ts';
import type { TaskNotices } from './task-notices.ts';
import { assertNoCircle, pullBlockers, rankOf } from './task-order.ts';
import { assertOrder, type Edge, quorumOf, type TaskRequest, toArtifact, toEdges, toText, wordsOf } from './task-orders.ts';
import { parentFor } from './task-parents.ts';
import { isEnded, neededToReview } from './task-states.ts';
import type { TaskTemplates } from './task-templates.ts';
import { spanOf } from './task-traces.ts';
import type { TaskWebhooks } from './task-webhooks.ts';
import { derivedId, traceOf } from './trace.ts';

export type Created = {
  taskId: string;
  notes: string[];
  steps: { key: string; taskId: string }[];
  /** The secret of its webhook, told this once. */
  secret?: string | undefined;
  replayed?: boolean;
};

export class Tasks {
  readonly #context: HubContext;
  readonly #notices: TaskNotices;
  readonly #templates: TaskTemplates;
  readonly #webhooks: TaskWebhooks;

  constructor(context: HubContext, notices: TaskNotices, templates: TaskTemplates, webhooks: TaskWebhooks) {
    this.#context = context;
    this.#notices = notices;
    this.#templates = templates;
    this.#webhooks = webhooks;
  }

  /**
   * Creates a task and tells its assignee. Errors: `invalid_input`, `not_found` (assignee, parent, dependency), `forbidden` (a parent
   * that is not the caller's), `conflict` (a circle, with its path; a parent that has ended), `limit_reached`.
   */
  async create(caller: Caller, request: TaskRequest, intent: Intent): Promise<Created> {
    const { template } = request;
    if (template === undefined) assertOrder(request, this.#context.limits);
    if (!(await this.#context.commands.isRetry(caller, intent))) this.#context.rates.take(caller);
    // A secret is no part of a result that is kept for a repeated key: it is told once.
    let secret: string | undefined;
    const created = await this.#context.commands.run(caller, intent, async (act) => {
      const notes: string[] = [];
      const make = (order: TaskRequest) => this.createWithin(act, caller, order, notes);
      if (template === undefined) {
        const task = await make(request);
        if (request.external === true && !isEnded(task)) secret = await this.#webhooks.give(act, task.id);
        return { taskId: task.id, notes, steps: [] };
      }
      const { task, steps } = await this.#templates.instantiate(act, { ...request, template }, make);
      return { taskId: task.id, notes, steps };
    });
    return { ...created, secret };
  }

  /** The same within a transaction, of a request that was checked. */
  async createWithin(act: Act, caller: Caller, request: TaskRequest, notes: string[]): Promise<TaskRow> {
    await this.#assertRoom(act, request);
    const assignee = request.assignee === undefined ? undefined : await this.#agent(act, caller, 'assignee', request.assignee);
    const reviewers = new Set<string>();
    for (const name of request.reviewers ?? []) reviewers.add((await this.#agent(act, caller, 'reviewers', name)).id);
    if (assignee !== undefined && (await isNeededToReview(act.tx, { reviewers: [...reviewers], quorum: quorumOf(request) }, assignee.id)))
      throw neededToReview('assignee', assignee.name);
    const parent = request.parentId === undefined ? undefined : await parentFor(act, caller, request.parentId, this.#context.limits);
    const edges = toEdges(request.dependsOn ?? []);
    const waitsFor = await this.#dependencies(act, edges, parent);
    const task = await this.#insert(act, caller, request, { assignee, reviewers: [...reviewers], parent, waitsFor });
    for (const edge of edges) {
      const open = waitsFor.includes(edge.dependsOn);
      await insertDependency(act.tx, { taskId: task.id, ...edge, settledAt: open ? null : act.now });
    }
    if (parent !== undefined) await countChild(act.tx, parent.id, 1, act.now);
    await pullBlockers(act, task);
    if (request.cacheKey !== undefined) {
      const reused = await this.#reuse(act, caller, task, request.cacheKey, notes);
      if (reused !== undefined) return reused;
    }
    if (assignee !== undefined && task.claimable) await this.announceTo(act, task, assignee);
    return task;
  }

  /** Tells an agent that a task is meant for it. */
  async announceTo(act: Act, task: TaskRow, assignee: AgentRow): Promise<void> {
    const creator = await findAgent(act.tx, task.creatorId);
    if (creator === undefined) return;
    await this.#notices.announce(act, task, assignee, creator, 'assigned', howToTake(task.id));
  }

  async #insert(
    act: Act,
    caller: Caller,
    request: TaskRequest,
    given: { assignee: AgentRow | undefined; reviewers: string[]; parent: TaskRow | undefined; waitsFor: readonly string[] },
  ): Promise<TaskRow> {
    const { assignee, reviewers, parent, waitsFor } = given;
    const id = this.#context.ids.next('tsk');
    const trace = traceOf(act.traceparent ?? request.traceparent);
    const order = {
      priority: request.priority ?? ('normal' as const),
      createdAt: act.now,
      deadlineAt: request.deadlineMs === undefined ? null : act.now + request.deadlineMs,
    };
    const rank = rankOf(order);
    const roots = [caller.root].filter((root) => root !== '');
    const draft: TaskRow = {
      ...order,
      ...wordsOf(request),
      id,
      projectId: act.projectId,
      seq: 0,
      creatorId: caller.agentId,
      parentId: parent?.id ?? null,
      depth: parent === undefined ? 0 : parent.depth + 1,
      needs: [...new Set(request.capabilities ?? [])].sort(),
      labels: [...new Set(request.labels ?? [])].sort(),
      effortMinutes: request.effortMinutes ?? null,
      expectedArtifacts: (request.expectedArtifacts ?? []).map((text) => toText(toArtifact(text, roots, 'expected_artifacts'))),
      reviewers,
      quorum: quorumOf(request),
      cacheKey: request.cacheKey ?? null,
      traceId: parent?.traceId ?? trace?.traceId ?? derivedId(id, 32),
      parentSpanId: parent === undefined ? (trace?.spanId ?? null) : spanOf(parent.id, parent.version),
      notBefore: request.notBeforeMs === undefined ? null : act.now + request.notBeforeMs,
      overduePolicy: request.overdue ?? 'tell',
      ownRank: rank,
      rank: Math.min(rank, parent?.rank ?? rank),
      state: 'submitted',
      version: 1,
      waitingOn: waitsFor.length,
      assigneeId: assignee?.id ?? null,
      ...BLANK,
      updatedAt: act.now,
    };
    const seq = await act.emit('task.created', id, {
      by: caller.name,
      version: 1,
      state: 'submitted',
      parent_id: draft.parentId,
      depends_on: waitsFor,
      assignee: assignee?.name ?? null,
      needs: draft.needs,
      priority: draft.priority,
      trace: `00-${draft.traceId}-${spanOf(id, 1)}-01`,
    });
    const task = { ...draft, seq, claimable: isClaimable(draft, act.now) };
    await insertTask(act.tx, task);
    await writeDown(act, task, null, { act: 'created', by: caller, facts: { depends_on: waitsFor, parent_id: draft.parentId } });
    return task;
  }

  /** A result that was kept under this key answers for the new task, which says where it came from. */
  async #reuse(act: Act, caller: Caller, task: TaskRow, cacheKey: string, notes: string[]): Promise<TaskRow | undefined> {
    const found = await cachedTask(act.tx, act.projectId, cacheKey, act.now - this.#context.limits.taskCacheMs);
    const kept = found === undefined || found.resultN === null ? undefined : await findResult(act.tx, found.id, found.resultN);
    if (found === undefined || kept === undefined) return undefined;
    const resultN = await insertResult(act.tx, { ...kept, taskId: task.id, fencingToken: 0, at: act.now });
    notes.push(`The result of ${found.id}, completed under the same cache_key, was reused; leave cache_key out to have it done again.`);
    const set = { resultN, reusedFrom: found.id, verification: found.verification };
    const reused = await changeTask(act, task.id, { act: 'completed', to: 'completed', by: caller, set, facts: { reused_from: found.id } });
    if (reused.parentId !== null) await countChild(act.tx, reused.parentId, -1, act.now);
    return reused;
  }

  /** Which of the dependencies are still to be waited for. */
  async #dependencies(act: Act, edges: readonly Edge[], parent: TaskRow | undefined): Promise<string[]> {
    const open: string[] = [];
    for (const { dependsOn, policy } of edges) {
      const awaited = await findTask(act.tx, act.projectId, dependsOn);
      if (awaited === undefined) throw noTask(dependsOn, 'depends_on: ');
      if (parent !== undefined) await assertNoCircle(act, parent.id, dependsOn, `${parent.id} -> this task`);
      if (awaited.state === 'completed' || (isEnded(awaited) && policy === 'ignore')) continue;
      if (isEnded(awaited) && policy === 'cancel')
        throw new HubError(
          'conflict',
          `depends_on: ${dependsOn} is ${awaited.state}, so this task would be canceled at once; nothing was created.`,
          {
            hint: awaited.state === 'canceled' ? 'Use another policy.' : 'Use another policy, or try that task again first.',
          },
        );
      const { taskDependents } = this.#context.limits;
      if ((await countWaiters(act.tx, dependsOn, taskDependents)) >= taskDependents)
        throw new HubError(
          'limit_reached',
          `depends_on: ${taskDependents} tasks wait for ${dependsOn} already, the limit; nothing was created.`,
          {
            hint: 'Let one task wait for it, and make the others its children.',
          },
        );
      open.push(dependsOn);
    }
    return open;
  }

  async #assertRoom(act: Act, request: TaskRequest): Promise<void> {
    const { openTasks, taskQueues } = this.#context.limitsOf({ projectId: act.projectId });
    const open = await countOpenTasks(act.tx, act.projectId);
    if (open >= openTasks)
      throw new HubError('limit_reached', `This project has ${open} open tasks, the limit; nothing was created.`, {
        hint: 'Cancel or finish some.',
      });
    const { queues } = await countQueues(act.tx, act.projectId, needsKey(request.capabilities ?? []), taskQueues);
    if (queues >= taskQueues)
      throw new HubError(
        'limit_reached',
        `capabilities: the open tasks need ${queues} different combinations already, the limit; nothing was created.`,
        { hint: 'Use the same few words for what tasks need.' },
      );
  }

  async #agent(act: Act, caller: Caller, field: string, name: string): Promise<AgentRow> {
    const { recipients, byMembership } = await resolveAudience(act.tx, caller, name, act.now, this.#context.limits).catch((error) => {
      if (!(error instanceof HubError) || error.code !== 'not_found') throw error;
      const hint = error.hint ?? 'list_agents shows who there is.';
      throw new HubError('not_found', `${field}: nobody of this project is called "${name.slice(0, 40)}"; nothing was created.`, { hint });
    });
    const [agent] = recipients;
    if (agent === undefined || byMembership || recipients.length > 1)
      throw new HubError('invalid_input', `${field}: "${name.slice(0, 40)}" is not one agent; nothing was created.`, {
        hint: 'Name an agent from list_agents; capabilities leave the choice to the hub.',
      });
    return agent;
  }
}

/** How the words that announce a task end. */
export function howToTake(taskId: string): string {
  return `claim_task({task_id: "${taskId}"}) takes it; update_task with state rejected and a note declines it.`;
}
