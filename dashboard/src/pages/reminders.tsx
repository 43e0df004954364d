// Reminders: what the hub will tell whom, and when; what it could not, and what is over.

import type { RemindersReply } from '../../../src/views/reminders.ts';
import { Button, Refused } from '../parts/button.tsx';
import { Empty, Viewed } from '../parts/frame.tsx';
import { Arrow, Badge } from '../parts/marks.tsx';
import { Ago } from '../parts/time.tsx';
import { type Place, refine } from '../router.ts';
import { useAct, useView } from '../store.ts';

type Reminder = RemindersReply['reminders'][number];

const STATES = ['pending', 'parked', 'done', 'cancelled'] as const;

export function RemindersPage({ place }: { place: Place }) {
  const state = STATES.find((name) => name === place.params.get('state')) ?? 'pending';
  const reminders = useView('reminders', { state });
  return (
    <>
      <h1>Reminders</h1>
      <div class="filters">
        <fieldset class="choice">
          <legend class="visually-hidden">State</legend>
          {STATES.map((name) => (
            <button type="button" key={name} aria-pressed={name === state} onClick={() => refine(place, { state: name })}>
              {name}
            </button>
          ))}
        </fieldset>
      </div>
      <Viewed of={reminders}>
        {(value) =>
          value.reminders.length === 0 ? (
            <Empty title={`No reminder is ${state}.`}>
              <p>
                Agents set them with <code>remind</code>: once, at an instant, or again and again. They survive restarts, and one that fails
                five times is parked for you.
              </p>
            </Empty>
          ) : (
            <ul class="lines">
              {value.reminders.map((one) => (
                <li key={one.reminder_id}>
                  <ReminderLine reminder={one} />
                </li>
              ))}
            </ul>
          )
        }
      </Viewed>
    </>
  );
}

function ReminderLine({ reminder }: { reminder: Reminder }) {
  const act = useAct();
  const { reminder_id, owner, target, message, state, due_at, cron, timezone, runs, max_runs, attempts, error, closed_at } = reminder;
  const open = state === 'pending' || state === 'parked';
  return (
    <div class="reminder-line">
      <div class="stuck-head">
        <span class="who">
          {owner}
          {target === owner ? null : (
            <>
              <Arrow />
              {target}
            </>
          )}
        </span>
        {cron === null ? null : (
          <Badge>
            {cron} {timezone}
          </Badge>
        )}
        {runs > 0 ? (
          <span class="faint">
            fired {runs} {max_runs === null ? '' : `of ${max_runs} `}times
          </span>
        ) : null}
        {attempts > 0 ? <Badge tone="bad">failed {attempts} times</Badge> : null}
        <Ago at={open ? due_at : (closed_at ?? due_at)} />
      </div>
      <p class="words">{message}</p>
      {error === null ? null : <p class="why">{error}</p>}
      {open ? (
        <p class="acts">
          {attempts > 0 ? (
            <Button act={act} onClick={() => void act.run('retry_reminder', { reminder_id }, 'It is tried again at once.')}>
              Retry
            </Button>
          ) : null}
          <Button
            act={act}
            label={`Cancel the reminder of ${owner}`}
            onClick={() => void act.run('cancel_reminder', { reminder_id }, 'It never fires.')}
          >
            Cancel
          </Button>
        </p>
      ) : null}
      <Refused act={act} />
    </div>
  );
}
