// Deadlines of tasks. When one passes, its owner and whoever has the task are told once, or the task fails, as was asked for; and what was not to
// begin before its time may be begun.

import type { Read } from '../store/db.ts';
import { nextTaskDeadline, overdueTasks } from '../store/task-duties.ts';
import { nextToWake, wakeDue } from '../store/task-graph.ts';
import { findTask } from '../store/tasks.ts';
import { toIso } from './clock.ts';
import type { HubContext } from './context.ts';
import { changeTask, HUB_ACTOR } from './task-changes.ts';
import type { TaskEnds } from './task-ends.ts';
import type { TaskNotices } from './task-notices.ts';
import { isEnded } from './task-states.ts';

export class TaskDeadlines {
  readonly #context: HubContext;
  readonly #ends: TaskEnds;
  readonly #notices: TaskNotices;

  constructor(context: HubContext, ends: TaskEnds, notices: TaskNotices) {
    this.#context = context;
    this.#ends = ends;
    this.#notices = notices;
  }

  /** Duty: answers how many deadlines had passed. */
  async passDue(): Promise<number> {
    const { db, time, limits, commands } = this.#context;
    const woken = await db.read((read) => nextToWake(read));
    if (woken !== null && woken <= time.now()) await db.write('', (tx) => wakeDue(tx, time.now(), limits.dueBatch));
    const overdue = await db.read((read) => overdueTasks(read, time.now(), limits.dueBatch));
    let passed = 0;
    for (const candidate of overdue) {
      passed += await commands.runAs(candidate.projectId, { agentId: HUB_ACTOR.agentId }, async (act) => {
        const task = await findTask(act.tx, act.projectId, candidate.id);
        if (task === undefined || task.overdueToldAt !== null || isEnded(task) || (task.deadlineAt ?? act.now + 1) > act.now) return 0;
        const facts = { deadline_at: task.deadlineAt };
        const late = await changeTask(act, task.id, { act: 'overdue', by: HUB_ACTOR, set: { overdueToldAt: act.now }, facts });
        if (task.overduePolicy === 'fail') {
          await this.#ends.fail(act, late, HUB_ACTOR, `its deadline ${toIso(task.deadlineAt ?? act.now)} passed`, 'deadline');
          return 1;
        }
        const body = `The deadline of ${task.id}, ${toIso(task.deadlineAt ?? act.now)}, has passed; it is ${task.state}.`;
        await this.#notices.tell(act, late, [task.creatorId, task.holderId, task.assigneeId], 'task overdue', body);
        return 1;
      });
    }
    return passed;
  }

  /** When the next deadline or beginning is due, for the scheduler. */
  async nextDue(): Promise<number | null> {
    return await this.#context.instants.next(nextDeadlineOrBeginning);
  }
}

async function nextDeadlineOrBeginning(read: Read): Promise<number | null> {
  const due = [await nextTaskDeadline(read), await nextToWake(read)].filter((time) => time !== null);
  return due.length === 0 ? null : Math.min(...due);
}
