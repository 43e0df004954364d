// Mail to the operator: messages of agents, each to be replied to or acknowledged, and the hub's own notices, acknowledged together.

import { useState } from 'preact/hooks';
import type { DeliveryLine } from '../../../../src/views/overview.ts';
import { Button, Refused } from '../../parts/button.tsx';
import { Section, ThreadLink, Words } from '../../parts/frame.tsx';
import { Badge } from '../../parts/marks.tsx';
import { Ago } from '../../parts/time.tsx';
import { useAct } from '../../store.ts';

export function MailCard({ letter }: { letter: DeliveryLine }) {
  const act = useAct();
  const [words, setWords] = useState('');
  const { message_id, from, subject, excerpt, accepted_at, urgent, expects_reply } = letter;
  const reply = () => act.run('send', { to: from, body: words.trim(), in_reply_to: message_id }, `Your reply to ${from} is accepted.`);
  return (
    <article class="card" aria-label={`Message from ${from}`}>
      <header>
        <strong>{from}</strong> wrote <Ago at={accepted_at} />
        {urgent ? <Badge tone="bad">urgent</Badge> : null}
        {expects_reply ? <Badge tone="busy">expects a reply</Badge> : null}
      </header>
      {subject === '' ? null : <p class="subject">{subject}</p>}
      <Words>{excerpt}</Words>
      <textarea
        rows={1}
        value={words}
        aria-label={`Your reply to ${from}`}
        placeholder="Reply"
        onInput={(event) => setWords(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && words.trim() !== '') void reply();
        }}
      />
      <footer>
        <Button act={act} kind="main" disabled={words.trim() === ''} onClick={() => void reply()}>
          Reply
        </Button>
        <Button act={act} onClick={() => void act.run('ack', { ids: [message_id] }, 'Acknowledged.')}>
          Acknowledge
        </Button>
        <ThreadLink id={letter.thread_id} />
      </footer>
      <Refused act={act} />
    </article>
  );
}

export function Notices({ notices }: { notices: readonly DeliveryLine[] }) {
  const act = useAct();
  const ids = notices.map(({ message_id }) => message_id);
  const all = (
    <Button act={act} onClick={() => void act.run('ack', { ids }, 'Acknowledged.')}>
      Acknowledge all
    </Button>
  );
  return (
    <Section title="Notices of the hub" aside={all}>
      <ul class="lines">
        {notices.map(({ message_id, subject, excerpt, accepted_at }) => (
          <li key={message_id} class="notice-line">
            <span>
              {subject === '' ? null : <strong>{subject} </strong>}
              {excerpt}
            </span>
            <Ago at={accepted_at} />
          </li>
        ))}
      </ul>
      <Refused act={act} />
    </Section>
  );
}
