// Waiting for you: everything that stands still until the operator acts, each with what it takes to settle it in place.

import type { WaitingReply } from '../../../src/views/waiting.ts';
import { Empty, Section, Viewed } from '../parts/frame.tsx';
import { Badge } from '../parts/marks.tsx';
import { Ago } from '../parts/time.tsx';
import { hrefOf } from '../router.ts';
import { useView } from '../store.ts';
import { ApprovalCard, DecidedLately } from './waiting/approval-card.tsx';
import { AskCard } from './waiting/ask-card.tsx';
import { MailCard, Notices } from './waiting/mail-cards.tsx';
import { DeadCard, ParkedCard, PausedCard } from './waiting/repair-cards.tsx';
import { TaskCard } from './waiting/task-card.tsx';

/** What counts as waiting: the hub's own notices tell of what is listed anyway. */
export function waitingCount(waiting: WaitingReply | undefined): number {
  if (waiting === undefined) return 0;
  return (
    waiting.approvals.length +
    waiting.tasks.length +
    waiting.asks.length +
    waiting.paused.length +
    waiting.dead.length +
    waiting.parked.length +
    waiting.mail.filter(fromAgents).length
  );
}

const fromAgents = ({ from }: { from: string }) => from !== 'hub';

export function WaitingPage() {
  const waiting = useView('waiting');
  return (
    <>
      <h1>Waiting for you</h1>
      <Viewed of={waiting}>{(value) => <Everything waiting={value} />}</Viewed>
    </>
  );
}

function Everything({ waiting }: { waiting: WaitingReply }) {
  const { approvals, tasks, asks, paused, dead, parked, mail } = waiting;
  const notices = mail.filter((one) => !fromAgents(one));
  const letters = mail.filter(fromAgents);
  return (
    <>
      {waitingCount(waiting) === 0 ? (
        <Empty title="Nothing waits for you.">
          <p>
            Acts that agents ask you to allow, questions that they ask you, threads that went in circles, messages that nobody acknowledged
            and reminders that fail come here, each with what it takes to settle it. An agent asks you with <code>ask</code> to{' '}
            <code>operator</code>.
          </p>
        </Empty>
      ) : null}
      {approvals.length === 0 ? null : (
        <Section title="Approvals" count={approvals.length}>
          {approvals.map((approval) => (
            <ApprovalCard key={approval.approval_id} approval={approval} />
          ))}
        </Section>
      )}
      {tasks.length === 0 ? null : (
        <Section title="Tasks that need a decision" count={tasks.length}>
          {tasks.map((task) => (
            <TaskCard key={task.id} task={task} />
          ))}
        </Section>
      )}
      {asks.length === 0 ? null : (
        <Section title="Questions" count={asks.length}>
          {asks.map((ask) => (
            <AskCard key={ask.ask_id} ask={ask} />
          ))}
        </Section>
      )}
      {paused.length === 0 ? null : (
        <Section title="Paused threads" count={paused.length}>
          {paused.map((one) => (
            <PausedCard key={one.thread_id} paused={one} />
          ))}
        </Section>
      )}
      {dead.length === 0 ? null : (
        <Section title="Dead letters" count={dead.length}>
          {dead.map((one) => (
            <DeadCard key={`${one.message_id} ${one.to}`} letter={one} />
          ))}
        </Section>
      )}
      {parked.length === 0 ? null : (
        <Section title="Parked reminders" count={parked.length}>
          {parked.map((one) => (
            <ParkedCard key={one.reminder_id} reminder={one} />
          ))}
        </Section>
      )}
      {letters.length === 0 ? null : (
        <Section title="Messages to you" count={letters.length}>
          {letters.map((one) => (
            <MailCard key={one.message_id} letter={one} />
          ))}
        </Section>
      )}
      {notices.length === 0 ? null : <Notices notices={notices} />}
      <DecidedLately />
    </>
  );
}

const SUMMARY = 5;

/** The first of everything, in a line each. */
export function WaitingSummary({ waiting }: { waiting: WaitingReply }) {
  const lines = [
    ...waiting.approvals.map((one) => ({
      id: one.approval_id,
      what: 'approval',
      tone: 'warn' as const,
      who: one.from,
      words: one.action,
      at: one.requested_at,
    })),
    ...waiting.tasks.map((one) => ({ id: one.id, what: 'task', tone: 'bad' as const, who: one.creator, words: one.title, at: '' })),
    ...waiting.asks.map((one) => ({
      id: one.ask_id,
      what: 'question',
      tone: 'busy' as const,
      who: one.from,
      words: one.question,
      at: one.asked_at,
    })),
    ...waiting.paused.map((one) => ({
      id: one.thread_id,
      what: 'paused',
      tone: 'warn' as const,
      who: 'thread',
      words: one.reason,
      at: one.paused_at,
    })),
    ...waiting.dead.map((one) => ({
      id: one.message_id + one.to,
      what: 'dead letter',
      tone: 'bad' as const,
      who: `${one.from} → ${one.to}`,
      words: one.subject === '' ? one.excerpt : one.subject,
      at: one.closed_at ?? one.accepted_at,
    })),
    ...waiting.parked.map((one) => ({
      id: one.reminder_id,
      what: 'parked',
      tone: 'bad' as const,
      who: one.owner,
      words: one.message,
      at: one.due_at,
    })),
    ...waiting.mail.filter(fromAgents).map((one) => ({
      id: one.message_id,
      what: 'message',
      tone: 'wait' as const,
      who: one.from,
      words: one.subject === '' ? one.excerpt : one.subject,
      at: one.accepted_at,
    })),
  ];
  if (lines.length === 0)
    return (
      <Empty title="Nothing waits for you.">
        <p>Questions, paused threads, dead letters and failing reminders come here.</p>
      </Empty>
    );
  return (
    <ul class="lines">
      {lines.slice(0, SUMMARY).map(({ id, what, tone, who, words, at }) => (
        <li key={id}>
          <a class="waiting-line" href={hrefOf('waiting')}>
            <Badge tone={tone}>{what}</Badge>
            <span class="who">{who}</span>
            <span class="excerpt">{words}</span>
            {at === '' ? null : <Ago at={at} />}
          </a>
        </li>
      ))}
      {lines.length > SUMMARY ? (
        <li class="faint">
          <a href={hrefOf('waiting')}>and {lines.length - SUMMARY} more</a>
        </li>
      ) : null}
    </ul>
  );
}
