// The life of a task, in the words of A2A:
//
//   submitted -> working <-> input_required;  working -> in_review -> completed;  ends: completed | failed | canceled | rejected
//
// Every change of a task is checked against this table before it is written (task-changes.ts); the schema and docs/lifecycles.md say the same.

import type { TaskRow, TaskState } from '../store/tasks.ts';
import { HubError } from './errors.ts';

/** What may follow what. A state that follows itself is a change within it: another holder, progress, a new revision. */
export const TASK_TRANSITIONS: Readonly<Record<TaskState, readonly TaskState[]>> = {
  submitted: ['submitted', 'working', 'in_review', 'completed', 'failed', 'canceled', 'rejected', 'needs_attention'],
  working: ['working', 'input_required', 'in_review', 'completed', 'failed', 'canceled', 'submitted', 'needs_attention'],
  input_required: ['input_required', 'working', 'in_review', 'completed', 'failed', 'canceled', 'submitted', 'needs_attention'],
  in_review: ['in_review', 'working', 'submitted', 'completed', 'failed', 'canceled', 'needs_attention'],
  needs_attention: ['needs_attention', 'submitted', 'completed', 'failed', 'canceled'],
  failed: ['submitted'],
  rejected: ['submitted'],
  completed: [],
  canceled: [],
};

/** What can be done to a task; each is an event `task.<act>` and a row of its history. */
export const TASK_ACTS = [
  'created',
  'unblocked',
  'claimed',
  'progressed',
  'asked',
  'resumed',
  'released',
  'lease_lost',
  'handoff_offered',
  'handoff_ended',
  'handed_over',
  'offer_declined',
  'assigned',
  'reprioritised',
  'child_failed',
  'submitted_for_review',
  'changes_requested',
  'completed',
  'failed',
  'canceled',
  'rejected',
  'needs_attention',
  'retried',
  'overdue',
] as const;
export type TaskAct = (typeof TASK_ACTS)[number];

const ENDED: readonly TaskState[] = ['completed', 'failed', 'canceled', 'rejected'];
const HELD: readonly TaskState[] = ['working', 'input_required'];

export function isEnded(task: Pick<TaskRow, 'state'>): boolean {
  return ENDED.includes(task.state);
}

/** Held under a lease: its holder alone may write to it. */
export function isHeld(task: Pick<TaskRow, 'state'>): boolean {
  return HELD.includes(task.state);
}

/** Nothing more happens to it unless somebody decides so. */
export function isSettled(task: Pick<TaskRow, 'state'>): boolean {
  return isEnded(task) || task.state === 'needs_attention';
}

/** Whether a task has too few reviewers who may judge the work of this hand. `hands`: those of its reviewers. */
export function lacksReviewers(task: Pick<TaskRow, 'quorum'>, hands: readonly string[], hand: string): boolean {
  return hands.filter((one) => one !== hand).length < task.quorum;
}

/** The refusal to give a task to who is needed to review it. */
export function neededToReview(field: string, name: string): HubError {
  return new HubError(
    'invalid_input',
    `${field}: ${name}, or a hand of ${name}, is needed to review it, and nobody reviews their own work; nothing was changed.`,
    {
      hint: 'Name another agent, more reviewers, or a smaller quorum.',
    },
  );
}
