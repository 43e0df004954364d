// What the operator repairs: dead letters, paused threads, parked reminders. Each says why it stands still and has the act that moves it.

import type { WaitingReply } from '../../../../src/views/waiting.ts';
import { Button, Refused } from '../../parts/button.tsx';
import { Id, ThreadLink, Words } from '../../parts/frame.tsx';
import { Arrow } from '../../parts/marks.tsx';
import { Ago } from '../../parts/time.tsx';
import { useAct } from '../../store.ts';

export function DeadCard({ letter }: { letter: WaitingReply['dead'][number] }) {
  const act = useAct();
  const { message_id, from, to, subject, excerpt, attempts, reason, closed_at, accepted_at } = letter;
  return (
    <article class="card" aria-label={`Dead letter from ${from} to ${to}`}>
      <header>
        <strong>
          {from}
          <Arrow />
          {to}
        </strong>
        set aside <Ago at={closed_at ?? accepted_at} />
      </header>
      {subject === '' ? null : <p class="subject">{subject}</p>}
      <Words>{excerpt}</Words>
      <p class="why">
        {reason}; shown {attempts} {attempts === 1 ? 'time' : 'times'}
      </p>
      <footer>
        <Button act={act} kind="main" onClick={() => void act.run('requeue_dead', { message_id, to }, `It is back in ${to}’s inbox.`)}>
          Requeue
        </Button>
        <ThreadLink id={letter.thread_id} />
      </footer>
      <Refused act={act} />
    </article>
  );
}

export function PausedCard({ paused }: { paused: WaitingReply['paused'][number] }) {
  const act = useAct();
  const { thread_id, reason, paused_at } = paused;
  return (
    <article class="card" aria-label="Paused thread">
      <header>
        <strong>A thread was paused</strong> <Ago at={paused_at} />
      </header>
      <p class="why">{reason}</p>
      <footer>
        <Button act={act} kind="main" onClick={() => void act.run('resume_thread', { thread_id }, 'The thread goes on.')}>
          Let it go on
        </Button>
        <ThreadLink id={thread_id} />
      </footer>
      <Refused act={act} />
    </article>
  );
}

export function ParkedCard({ reminder }: { reminder: WaitingReply['parked'][number] }) {
  const act = useAct();
  const { reminder_id, owner, target, message, error, attempts, due_at } = reminder;
  return (
    <article class="card" aria-label={`Parked reminder of ${owner}`}>
      <header>
        <strong>{owner === target ? owner : `${owner} for ${target}`}</strong> due <Ago at={due_at} />
      </header>
      <Words>{message}</Words>
      <p class="why">
        {error} Tried {attempts} times.
      </p>
      <footer>
        <Button act={act} kind="main" onClick={() => void act.run('retry_reminder', { reminder_id }, 'It is tried again at once.')}>
          Retry
        </Button>
        <Button act={act} onClick={() => void act.run('cancel_reminder', { reminder_id }, 'It never fires.')}>
          Cancel it
        </Button>
        <Id>{reminder_id}</Id>
      </footer>
      <Refused act={act} />
    </article>
  );
}
