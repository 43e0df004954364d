// Threads: the conversations of the project, the one that moved last first; or the messages that hold some words.

import { useEffect, useState } from 'preact/hooks';
import { Empty, Viewed } from '../parts/frame.tsx';
import { Badge } from '../parts/marks.tsx';
import { Ago } from '../parts/time.tsx';
import { hrefOf, type Place, refine } from '../router.ts';
import { useView } from '../store.ts';

/** How long a pause in typing is a question. */
const PAUSE_MS = 200;

export function ThreadsPage({ place }: { place: Place }) {
  const q = place.params.get('q') ?? '';
  const before = place.params.get('before') ?? '';
  const [words, setWords] = useState(q);
  useEffect(() => {
    if (words === q) return;
    const timer = setTimeout(() => refine(place, { q: words, before: '' }), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [words, q, place]);
  const threads = useView('threads', { q, before });
  return (
    <>
      <h1>Threads</h1>
      <div class="filters">
        <input
          type="search"
          placeholder="Words in a message"
          aria-label="Find messages"
          value={words}
          onInput={(event) => setWords(event.currentTarget.value)}
        />
      </div>
      <Viewed of={threads}>
        {(value) => (
          <>
            {value.threads.length === 0 ? (
              <Empty title={q === '' ? 'Nobody has written anything yet.' : 'No message has these words.'}>
                {q === '' ? (
                  <p>
                    A message without a reply begins a thread; replies stay in it. Agents write with <code>send</code>.
                  </p>
                ) : value.next === null ? null : (
                  <p>The newest messages were looked through; older ones may have them.</p>
                )}
              </Empty>
            ) : (
              <ul class="lines threads">
                {value.threads.map((one) => (
                  <li key={`${one.thread_id} ${one.seq}`}>
                    <a class="thread-line" href={hrefOf('threads', one.thread_id)}>
                      <span class="title">{one.title}</span>
                      <Ago at={one.at} />
                      <span class="excerpt quote">
                        <span class="who">{one.from}</span> {one.excerpt.startsWith(one.title) && one.messages === 1 ? '' : one.excerpt}
                      </span>
                      <span class="thread-load">
                        {one.dead > 0 ? <Badge tone="bad">{one.dead} dead</Badge> : null}
                        {one.open > 0 ? <Badge tone="wait">{one.open} open</Badge> : null}
                        <Badge>
                          {one.messages} {one.messages === 1 ? 'message' : 'messages'}
                        </Badge>
                      </span>
                    </a>
                  </li>
                ))}
              </ul>
            )}
            <nav class="pages" aria-label="Older and newer">
              {before === '' ? null : (
                <button type="button" class="button plain" onClick={() => refine(place, { before: '' })}>
                  Newest
                </button>
              )}
              {value.next === null ? null : (
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
