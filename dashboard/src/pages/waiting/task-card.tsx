// A task that nobody can go on with: the operator, or its owner, decides what becomes of it.

import type { WaitingReply } from '../../../../src/views/waiting.ts';
import { TaskActs } from '../../parts/task-acts.tsx';
import { Sentence } from '../../parts/time.tsx';
import { hrefOf } from '../../router.ts';

export function TaskCard({ task }: { task: WaitingReply['tasks'][number] }) {
  return (
    <article class="card" aria-label={`Task ${task.title}`}>
      <header>
        <strong>
          <a href={hrefOf('tasks', task.id)}>{task.title}</a>
        </strong>
        created by {task.creator}
      </header>
      {task.why === undefined ? null : (
        <p class="why">
          <Sentence>{task.why}</Sentence>
        </p>
      )}
      <TaskActs task={task} />
    </article>
  );
}
