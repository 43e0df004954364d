// Events: the log of the project as it grows, newest first, with filters. It is the audit log; it shows who did what to what, never a body.

import { useState } from 'preact/hooks';
import type { EventsReply } from '../../../src/views/events.ts';
import { Empty, Viewed } from '../parts/frame.tsx';
import { Rows } from '../parts/rows.tsx';
import { Ago } from '../parts/time.tsx';
import { type Place, refine } from '../router.ts';
import { useView } from '../store.ts';

type Event = EventsReply['events'][number];

const PAGE = 100;
const MOST = 500;

export function EventsPage({ place }: { place: Place }) {
  const kinds = (place.params.get('kinds') ?? '').split(',').filter((kind) => kind !== '');
  const actor = place.params.get('actor') ?? '';
  const subject = place.params.get('subject') ?? '';
  const [limit, setLimit] = useState(PAGE);
  const before = place.params.get('before') ?? '';
  const events = useView('events', { kinds: kinds.join(','), actor, subject, before, limit });
  const toggle = (kind: string) =>
    refine(place, { kinds: (kinds.includes(kind) ? kinds.filter((one) => one !== kind) : [...kinds, kind]).join(','), before: '' });
  return (
    <>
      <h1>Events</h1>
      <div class="filters">
        <input
          type="search"
          placeholder="Who: an agent’s name"
          aria-label="Only what this agent did"
          value={actor}
          onChange={(event) => refine(place, { actor: event.currentTarget.value.trim(), before: '' })}
        />
        <input
          type="search"
          placeholder="About: an id"
          aria-label="Only what is about this id"
          value={subject}
          onChange={(event) => refine(place, { subject: event.currentTarget.value.trim(), before: '' })}
        />
        <fieldset class="choice">
          <legend class="visually-hidden">Kinds of events</legend>
          {(events.value?.kinds ?? kinds).map((kind) => (
            <button type="button" key={kind} aria-pressed={kinds.includes(kind)} onClick={() => toggle(kind)}>
              {kind.replace('_', ' ')}
            </button>
          ))}
        </fieldset>
      </div>
      <Viewed of={events}>
        {(value) => (
          <>
            {value.events.length === 0 ? (
              <Empty title="No event is like that.">
                {value.next === null ? null : <p>The newest of them were looked through; older ones may match.</p>}
              </Empty>
            ) : (
              <Rows
                items={value.events}
                height={44}
                label="Events"
                keyOf={(event) => String(event.seq)}
                onEnd={value.events.length === limit && limit < MOST ? () => setLimit(Math.min(MOST, limit + PAGE)) : undefined}
              >
                {(event) => <EventLine event={event} place={place} />}
              </Rows>
            )}
            <nav class="pages" aria-label="Older and newer">
              {before === '' ? null : (
                <button type="button" class="button plain" onClick={() => refine(place, { before: '' })}>
                  Newest
                </button>
              )}
              {value.next === null ? (
                <span class="faint">The beginning of time.</span>
              ) : (
                <button type="button" class="button plain" onClick={() => refine(place, { before: String(value.next) })}>
                  Older
                </button>
              )}
            </nav>
          </>
        )}
      </Viewed>
    </>
  );
}

function EventLine({ event, place }: { event: Event; place: Place }) {
  const [kind = '', act = ''] = event.type.split('.');
  return (
    <div class="event-line">
      <span class="seq">{event.seq}</span>
      <span class="type">
        <span class="kind">{kind.replace(/_/g, ' ')}</span> {act.replace(/_/g, ' ')}
      </span>
      <button type="button" class="link" onClick={() => refine(place, { actor: event.actor, before: '' })}>
        {event.actor}
      </button>
      <span class="details">{details(event.data)}</span>
      <button type="button" class="link id" onClick={() => refine(place, { subject: event.subject, before: '' })}>
        {event.subject}
      </button>
      <Ago at={event.at} />
    </div>
  );
}

/** What else the event says, without digests. */
function details(data: Record<string, unknown>): string {
  return Object.entries(data)
    .filter(([key, value]) => key !== 'digest' && value !== null && value !== '' && value !== false)
    .map(([key, value]) => `${key.replace(/_/g, ' ')} ${words(key, value)}`)
    .join(' · ');
}

function words(key: string, value: unknown): string {
  if (key.endsWith('_at') && typeof value === 'number') return new Date(value).toLocaleString();
  if (Array.isArray(value)) return value.map(String).join(', ');
  return typeof value === 'string' ? value : JSON.stringify(value);
}
