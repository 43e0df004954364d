// Whether somebody may still write to a task: only who holds it, under the token that its claim gave. A token that is no longer current is told
// from the current one, and changes nothing (I7).

import { findAgent } from '../store/agents.ts';
import { findTask, type TaskRow } from '../store/tasks.ts';
import type { Caller } from './caller.ts';
import type { Act } from './command.ts';
import { HubError } from './errors.ts';
import { noTask } from './task-changes.ts';
import { isHeld } from './task-states.ts';

/** The task, if the caller holds it under this token. Errors: `stale_lease`, `forbidden`, `not_found`, `invalid_input` for a token never given. */
export async function holding(act: Act, caller: Caller, taskId: string, token: number): Promise<TaskRow> {
  const task = await findTask(act.tx, act.projectId, taskId);
  if (task === undefined) throw noTask(taskId);
  const stale = await staleness(act, caller, task, token);
  if (stale !== null) throw staleLease(stale);
  if (!isHeld(task) && task.state !== 'in_review')
    throw new HubError('conflict', `${taskId} is ${task.state}; nothing was changed.`, { hint: 'get_task shows what became of it.' });
  return task;
}

/** Why this token no longer counts; null when it is the current one. Errors: `forbidden` for a stranger, `invalid_input`. */
export async function staleness(act: Pick<Act, 'tx'>, caller: Caller, task: TaskRow, token: number): Promise<string | null> {
  if (token > task.fencingToken)
    throw new HubError(
      'invalid_input',
      `fencing_token: ${token} was never given out for ${task.id}; the current one is ${task.fencingToken}.`,
      {
        hint: 'claim_task gives it, get_task repeats it to the holder.',
      },
    );
  if (token < task.fencingToken) {
    const holder =
      task.holderId === null
        ? `it is ${task.state}`
        : `it is ${task.state}, held by ${(await findAgent(act.tx, task.holderId))?.name ?? 'unknown'}`;
    return `token ${token} of ${task.id} is no longer current (now ${task.fencingToken}): ${holder}`;
  }
  if (task.holderId !== null && task.holderId !== caller.agentId) {
    const holder = (await findAgent(act.tx, task.holderId))?.name ?? 'another agent';
    throw new HubError('forbidden', `${task.id} is held by ${holder}; nothing was changed.`, { hint: 'Only its holder writes to it.' });
  }
  return null;
}

export function staleLease(why: string, kept = false): HubError {
  return new HubError(
    'stale_lease',
    `${why}. ${kept ? 'Your result is kept as late and shown to the owner; it was not applied.' : 'Nothing was changed.'}`,
    {
      hint: 'Stop working on it. claim_task takes it again if it is free.',
    },
  );
}
