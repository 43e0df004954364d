// Tasks among the open threads: what an agent holds or is to take, what it waits for, and what nobody goes on with unless somebody decides.

import type { Read } from '../store/db.ts';
import { namesOf, openTasksBy, openTasksIn, tasksNeedingAttention } from '../store/task-lists.ts';
import { announcedTo, heldBy } from '../store/task-queue.ts';
import type { TaskRow } from '../store/tasks.ts';
import { toIso } from './clock.ts';
import type { OpenThread } from './open-threads.ts';
import { isHeld } from './task-states.ts';

/** The state of a task that the reader is to decide about. */
export const TO_SETTLE = 'needs attention';

/** What an agent holds, is to take or decline, and has others do. */
export async function taskThreadsOf(read: Read, agentId: string, limit: number): Promise<OpenThread[]> {
  const held = await heldBy(read, agentId, limit + 1);
  const told = (await announcedTo(read, agentId, limit + 1)).filter((task) => task.holderId !== agentId);
  const wanted = (await openTasksBy(read, agentId, limit + 1)).filter((task) => task.parentId === null && task.holderId !== agentId);
  const names = await namesOf(
    read,
    [...held, ...told, ...wanted].flatMap((task) => [task.creatorId, task.holderId, task.assigneeId]),
  );
  const name = (id: string | null) => (id === null ? 'nobody' : (names.get(id) ?? 'unknown'));
  return [
    ...held.map((task) => ({
      ...base(task, 'task', name(task.creatorId)),
      state: heldState(task),
      dueAt: task.deadlineAt ?? task.leaseUntil,
    })),
    ...told.map((task) => ({ ...base(task, 'task', name(task.creatorId)), state: 'for you to claim or decline' })),
    ...wanted.map((task) => ({ ...base(task, 'task_out', name(task.holderId ?? task.assigneeId)), state: task.state })),
  ];
}

/** Every open task of a project, under the agent whose turn it is. */
export async function taskThreadsIn(read: Read, projectId: string, limit: number): Promise<OpenThread[]> {
  const tasks = await openTasksIn(read, projectId, limit + 1);
  const names = await namesOf(
    read,
    tasks.flatMap((task) => [task.creatorId, task.holderId, task.assigneeId]),
  );
  const name = (id: string | null) => (id === null ? 'nobody' : (names.get(id) ?? 'unknown'));
  return tasks.map((task) => ({
    ...base(task, 'task', name(task.creatorId)),
    owner: name(task.holderId ?? task.assigneeId),
    state: isHeld(task) ? heldState(task) : task.state,
  }));
}

/** What needs a decision of those who oversee the project; its owner's own are among what it waits for. */
export async function tasksToSettle(read: Read, projectId: string, but: string, limit: number): Promise<OpenThread[]> {
  const tasks = (await tasksNeedingAttention(read, projectId, limit + 1)).filter((task) => task.creatorId !== but);
  const names = await namesOf(
    read,
    tasks.map(({ creatorId }) => creatorId),
  );
  return tasks.map((task) => ({
    ...base(task, 'task', names.get(task.creatorId) ?? 'unknown'),
    state: `${TO_SETTLE}: ${(task.reason ?? '').slice(0, 200)}`,
  }));
}

function heldState(task: TaskRow): string {
  const lease = task.leaseUntil === null ? '' : `, lease until ${toIso(task.leaseUntil)}`;
  return `${task.state}, fencing_token ${task.fencingToken}${lease}`;
}

function base(task: TaskRow, kind: 'task' | 'task_out', counterpart: string): OpenThread {
  return {
    kind,
    id: task.id,
    counterpart,
    text: task.title,
    state: task.state,
    since: task.claimedAt ?? task.createdAt,
    dueAt: task.deadlineAt,
  };
}
