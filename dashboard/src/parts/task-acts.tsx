// What the operator decides about a task: have it tried again, accept it as it is, cancel it, each with a note.

import { useState } from 'preact/hooks';
import { useAct } from '../store.ts';
import { Button, Refused } from './button.tsx';

export function TaskActs({ task }: { task: { id: string; title: string; state: string } }) {
  const act = useAct();
  const [note, setNote] = useState('');
  const { id, title, state } = task;
  const ended = ['completed', 'failed', 'canceled', 'rejected'].includes(state);
  const words = note.trim() === '' ? {} : { note: note.trim() };
  return (
    <>
      <textarea
        rows={1}
        value={note}
        aria-label={`Your note on ${title}`}
        placeholder="A note, if you like"
        onInput={(event) => setNote(event.currentTarget.value)}
      />
      <footer class="acts">
        {state === 'needs_attention' ? (
          <Button
            act={act}
            kind="main"
            onClick={() => void act.run('update_task', { task_id: id, state: 'completed', ...words }, 'It counts as completed.')}
          >
            Accept as it is
          </Button>
        ) : null}
        <Button act={act} onClick={() => void act.run('update_task', { task_id: id, state: 'submitted', ...words }, 'It is to do again.')}>
          Try again
        </Button>
        {ended ? null : (
          <Button
            act={act}
            kind="danger"
            onClick={() =>
              void act.run(
                'cancel_task',
                { task_id: id, ...(note.trim() === '' ? {} : { reason: note.trim() }) },
                'It is canceled, with all below it.',
              )
            }
          >
            Cancel it
          </Button>
        )}
      </footer>
      <Refused act={act} />
    </>
  );
}
