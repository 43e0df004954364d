// One thread: who said what, answers below what they answer, and for every recipient the truth: accepted, first shown, acknowledged, done, and why
// it is not further.

import { useState } from 'preact/hooks';
import type { ThreadReply } from '../../../src/views/thread.ts';
import { Button, Refused } from '../parts/button.tsx';
import { Trouble, Viewed, Words } from '../parts/frame.tsx';
import { Badge, StateMark } from '../parts/marks.tsx';
import { Ago, exactly, Sentence } from '../parts/time.tsx';
import { hrefOf, type Place, refine } from '../router.ts';
import { useAct, useDesk, useView } from '../store.ts';

type Message = ThreadReply['messages'][number];
type Recipient = Message['recipients'][number];

const DEEPEST = 5;

export function ThreadPage({ place }: { place: Place }) {
  const before = place.params.get('before') ?? '';
  const thread = useView('thread', { thread_id: place.id, before_seq: before });
  const first = thread.value?.messages[0];
  return (
    <>
      <p class="trail">
        <a href={hrefOf('threads')}>Threads</a>
      </p>
      <h1>{first === undefined || first.subject === '' ? 'A thread' : first.subject}</h1>
      <Viewed of={thread}>{(value) => <Thread thread={value} place={place} />}</Viewed>
    </>
  );
}

function Thread({ thread, place }: { thread: ThreadReply; place: Place }) {
  const act = useAct();
  return (
    <>
      {thread.paused === null ? null : (
        <div class="notice thread-notice" role="status">
          <span>
            Paused <Ago at={thread.paused.paused_at} />: {thread.paused.reason}
          </span>
          <Button
            act={act}
            kind="main"
            onClick={() => void act.run('resume_thread', { thread_id: thread.thread_id }, 'The thread goes on.')}
          >
            Let it go on
          </Button>
          <Refused act={act} />
        </div>
      )}
      {thread.damaged === 0 ? null : <p class="trouble">{thread.damaged} messages of this page are damaged and left out.</p>}
      <Places thread={thread} place={place} />
      <ol class="thread">
        {thread.messages.map((message) => (
          <li key={message.id} class={`level-${Math.min(message.depth, DEEPEST)}`}>
            <MessageCard message={message} />
          </li>
        ))}
      </ol>
    </>
  );
}

/** The ways to earlier and later messages, where there are any. */
function Places({ thread, place }: { thread: ThreadReply; place: Place }) {
  const back = place.params.get('before') !== null;
  if (!thread.has_more && !back) return null;
  return (
    <nav class="pages" aria-label="Older and newer">
      {thread.has_more ? (
        <button type="button" class="button plain" onClick={() => refine(place, { before: String(thread.first_seq) })}>
          Earlier messages
        </button>
      ) : null}
      {back ? (
        <button type="button" class="button plain" onClick={() => refine(place, { before: '' })}>
          The newest
        </button>
      ) : null}
    </nav>
  );
}

function MessageCard({ message }: { message: Message }) {
  const { from, to, at, kind, urgent, subject, body, whole, expects_reply, attachments, recipients } = message;
  return (
    <article class="message" aria-label={`Message from ${from}`}>
      <header>
        <a class="who" href={hrefOf('agents', from)}>
          {from}
        </a>
        <span class="faint">to {to.split(',').join(', ')}</span>
        {kind === 'note' ? null : <Badge>{kind}</Badge>}
        {urgent ? <Badge tone="bad">urgent</Badge> : null}
        {expects_reply ? <Badge tone="busy">expects a reply</Badge> : null}
        <Ago at={at} />
      </header>
      {subject === '' ? null : <p class="subject">{subject}</p>}
      {whole ? <Words>{body}</Words> : <LongWords id={message.id} begins={body} />}
      {attachments.length === 0 ? null : <p class="why">With {attachments.join(', ')}</p>}
      <ul class="recipients">
        {recipients.map((one) => (
          <li key={one.recipient}>
            <RecipientLine recipient={one} />
          </li>
        ))}
      </ul>
    </article>
  );
}

function RecipientLine({ recipient }: { recipient: Recipient }) {
  const { recipient: name, state, why, done_at } = recipient;
  const steps: [string, string | null][] = [
    ['accepted', recipient.accepted_at],
    ['first shown', recipient.first_shown_at],
    ['acknowledged', recipient.acked_at],
    ['done', done_at],
  ];
  return (
    <details>
      <summary>
        <StateMark state={state} word={done_at === null || state !== 'acked' ? undefined : 'done'} />
        <span class="who">{name}</span>
        <span class="why">
          <Sentence>{why}</Sentence>
        </span>
      </summary>
      <dl class="facts">
        {steps.map(([word, time]) => (
          <div key={word}>
            <dt>{word}</dt>
            <dd>{time === null ? 'not yet' : exactly(new Date(time))}</dd>
          </div>
        ))}
        <div>
          <dt>shown to</dt>
          <dd>{recipient.first_shown_to ?? 'nobody yet'}</dd>
        </div>
        <div>
          <dt>attempts</dt>
          <dd>{recipient.attempts}</dd>
        </div>
        {recipient.wake_attempts.map((wake) => (
          <div key={`${wake.door} ${wake.at}`}>
            <dt>woken by {wake.door}</dt>
            <dd>{wake.outcome}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

/** A body too long to be shown whole at once; the rest is fetched when somebody wants it. */
function LongWords({ id, begins }: { id: string; begins: string }) {
  const { client } = useDesk();
  const [text, setText] = useState(begins);
  const [next, setNext] = useState<number | undefined>(0);
  const [error, setError] = useState<unknown>();
  const more = async () => {
    const part = toPart(await client.act('get_message', { message_id: id, offset: next }));
    setText(next === 0 ? part.body : text + part.body);
    setNext(part.next_offset);
  };
  return (
    <>
      <Words>{text}</Words>
      {next === undefined ? null : (
        <button type="button" class="quiet-button" onClick={() => void more().catch(setError)}>
          Show the rest
        </button>
      )}
      {error === undefined ? null : <Trouble error={error} />}
    </>
  );
}

function toPart(result: Record<string, unknown>): { body: string; next_offset?: number } {
  return result as { body: string; next_offset?: number };
}
