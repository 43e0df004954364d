// The one way a task changes. Every accepted change is checked against the table of states, raises the version by one, leaves a row in the
// history and an event, and carries the task's trace: so versions have no gaps, and a task can be followed from its creation to its end.

import { insertHistory } from '../store/task-history.ts';
import { countOpen, findTask, saveTask, type TaskRow, type TaskState } from '../store/tasks.ts';
import type { Caller } from './caller.ts';
import type { Act } from './command.ts';
import { HubError } from './errors.ts';
import { dropOwedReviews } from './review-ends.ts';
import { isEnded, isHeld, TASK_TRANSITIONS, type TaskAct } from './task-states.ts';
import { spanOf, traceTask } from './task-traces.ts';
import { toTraceparent } from './trace.ts';

/** Who is written down as having done it. */
export type Actor = Pick<Caller, 'agentId' | 'name'> & { sessionId: string | null };

export const HUB_ACTOR: Actor = { agentId: 'hub', name: 'hub', sessionId: null };

export type TaskChange = {
  act: TaskAct;
  by: Actor;
  to?: TaskState;
  set?: Partial<Omit<TaskRow, 'id' | 'projectId' | 'seq' | 'state' | 'version'>>;
  /** In the words of whoever acts; it stands in the history, never in an event. */
  note?: string | undefined;
  /** Names and numbers, for history and event. */
  facts?: Record<string, unknown>;
};

/** What has not happened to a new task. */
export const BLANK = {
  reason: null,
  failureCause: null,
  openChildren: 0,
  claimable: false,
  announcedTo: null,
  announcedAt: null,
  announcementId: null,
  handoffTo: null,
  handoffUntil: null,
  holderId: null,
  fencingToken: 0,
  attempt: 1,
  claimedAt: null,
  leaseUntil: null,
  leaseLimitAt: null,
  leaseRenewedAt: null,
  revision: 0,
  progress: null,
  progressSeq: 0,
  askId: null,
  verification: null,
  resultN: null,
  reusedFrom: null,
  overdueToldAt: null,
  closedAt: null,
} as const;

/** Changes a task, or throws `conflict` when its state does not allow it. The row is read again, so nothing older is written over it. */
export async function changeTask(act: Act, taskId: string, change: TaskChange): Promise<TaskRow> {
  const before = await findTask(act.tx, act.projectId, taskId);
  if (before === undefined) throw noTask(taskId);
  const to = change.to ?? before.state;
  if (!TASK_TRANSITIONS[before.state].includes(to)) throw illegal(before, to);
  const next: TaskRow = { ...before, ...change.set, state: to, version: before.version + 1, updatedAt: act.now };
  next.closedAt = isEnded(next) ? (before.closedAt ?? act.now) : null;
  if (!isHeld(next)) Object.assign(next, { leaseUntil: null, leaseLimitAt: null, leaseRenewedAt: null, claimedAt: null });
  if (!isHeld(next) && next.state !== 'in_review') next.holderId = null;
  if (next.state !== 'input_required') next.askId = null;
  // How far somebody came is not how far the next one is.
  if (next.state === 'submitted' || (next.state === 'working' && before.state === 'in_review')) next.progress = null;
  if (!isHeld(next) && next.state !== 'submitted') Object.assign(next, { handoffTo: null, handoffUntil: null });
  next.claimable = isClaimable(next, act.now);
  if (!(await saveTask(act.tx, next))) throw new Error(`task ${taskId} was changed within its own transaction`);
  if (isEnded(next) !== isEnded(before)) await countOpen(act.tx, act.projectId, isEnded(next) ? -1 : 1);
  await writeDown(act, next, before.state, change);
  if (before.state === 'in_review')
    await dropOwedReviews(act, next.id, (revision) => next.state !== 'in_review' || revision < next.revision);
  return next;
}

/** The first row of a task's history, or the next one. */
export async function writeDown(act: Act, task: TaskRow, from: TaskState | null, change: TaskChange): Promise<void> {
  const facts = change.facts ?? {};
  await insertHistory(act.tx, {
    taskId: task.id,
    version: task.version,
    at: act.now,
    act: change.act,
    fromState: from,
    toState: task.state,
    actorId: change.by.agentId,
    sessionId: change.by.sessionId,
    fencingToken: task.fencingToken,
    note: change.note ?? null,
    facts: JSON.stringify(facts),
  });
  await traceTask(act, task, isEnded(task));
  if (change.act === 'created') return; // its event came first: it gave the task its place in the order
  await act.emit(`task.${change.act}`, task.id, {
    by: change.by.name,
    version: task.version,
    state: task.state,
    token: task.fencingToken,
    trace: traceparentOf(task),
    ...facts,
  });
}

/** Whether anybody who can do it may claim it now. */
export function isClaimable(task: TaskRow, now: number): boolean {
  return (
    task.state === 'submitted' &&
    task.waitingOn === 0 &&
    task.openChildren === 0 &&
    task.handoffTo === null &&
    (task.notBefore === null || task.notBefore <= now)
  );
}

/** The W3C traceparent of a task as it stands: what follows from it names this as its parent. */
export function traceparentOf(task: Pick<TaskRow, 'id' | 'version' | 'traceId'>): string {
  return toTraceparent({ traceId: task.traceId, spanId: spanOf(task.id, task.version) });
}

export function noTask(taskId: string, field = ''): HubError {
  return new HubError(
    'not_found',
    `${field === '' ? 'No' : `${field}no`} task ${taskId.slice(0, 40)} in this project; nothing was changed.`,
    {
      hint: 'list_tasks shows what there is.',
    },
  );
}

function illegal(task: TaskRow, to: TaskState): HubError {
  const allowed = TASK_TRANSITIONS[task.state].filter((state) => state !== task.state);
  return new HubError('conflict', `${task.id} is ${task.state} and cannot become ${to}; nothing was changed.`, {
    hint: allowed.length === 0 ? 'That state is final: create another task.' : `From ${task.state} it may become ${allowed.join(', ')}.`,
  });
}
