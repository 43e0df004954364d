// Putting a task below another: who may do so, and how deep and wide a tree may grow. A child keeps its parent open, and is canceled with it, so it is
// a word in the affairs of whoever owns or does the parent.

import { findTask, type TaskRow } from '../store/tasks.ts';
import { type Caller, oversees } from './caller.ts';
import type { Act } from './command.ts';
import { HubError } from './errors.ts';
import type { Limits } from './limits.ts';
import { noTask } from './task-changes.ts';
import { isEnded } from './task-states.ts';

/** The parent of a new task. Errors: `not_found`, `forbidden`, `conflict` when it has ended, `limit_reached`. */
export async function parentFor(act: Act, caller: Caller, parentId: string, limits: Limits): Promise<TaskRow> {
  const parent = await findTask(act.tx, act.projectId, parentId);
  if (parent === undefined) throw noTask(parentId, 'parent_id: ');
  if (![parent.creatorId, parent.holderId, parent.assigneeId].includes(caller.agentId) && !oversees(caller))
    throw new HubError(
      'forbidden',
      `parent_id: only the owner, the holder or the assignee of ${parentId}, a manager or the operator may add to it; nothing was created.`,
      { hint: 'Propose it to its owner (get_task names it) with send, or leave parent_id out.' },
    );
  if (isEnded(parent))
    throw new HubError('conflict', `parent_id: ${parentId} is ${parent.state}; nothing was created.`, {
      hint: 'Leave it out, or name an open task.',
    });
  if (parent.depth + 1 > limits.taskDepth)
    throw new HubError(
      'limit_reached',
      `parent_id: ${parentId} is at depth ${parent.depth}, the limit is ${limits.taskDepth}; nothing was created.`,
      { hint: 'Make it a sibling.' },
    );
  if (parent.openChildren >= limits.taskChildren)
    throw new HubError(
      'limit_reached',
      `parent_id: ${parentId} has ${parent.openChildren} open children, the limit; nothing was created.`,
      { hint: 'Gather some of them under a task of their own.' },
    );
  return parent;
}
