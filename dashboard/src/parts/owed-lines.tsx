// Who owes whom what: an answer, a verdict, a result, a decision; what is due first first, and who of them is not even there.

import type { OverviewReply } from '../../../src/views/overview.ts';
import { hrefOf } from '../router.ts';
import { Empty } from './frame.tsx';
import { Badge } from './marks.tsx';
import { Ago, isPast } from './time.tsx';

type Owed = OverviewReply['owed'][number];

const WHAT: Record<Owed['kind'], string> = {
  answer: 'an answer',
  verdict: 'a verdict',
  result: 'a result',
  decision: 'a decision',
};

export function OwedLines({ owed, more }: { owed: readonly Owed[]; more: number }) {
  if (owed.length === 0 && more === 0)
    return (
      <Empty title="No agent owes an answer, a verdict, a result or a decision.">
        <p>
          Open questions, tasks in hand, reviews and approvals stand here, under whoever has to act, until they are settled. Mail that waits
          to be acknowledged or answered is counted beside each agent.
        </p>
      </Empty>
    );
  return (
    <ul class="lines">
      {owed.map((one) => (
        <li key={`${one.kind} ${one.id} ${one.by}`}>
          <OwedLine owed={one} />
        </li>
      ))}
      {more === 0 ? null : <li class="faint">and {more} more</li>}
    </ul>
  );
}

function OwedLine({ owed }: { owed: Owed }) {
  const { kind, by, to, text, since, due_at, present } = owed;
  const late = due_at !== null && isPast(due_at);
  return (
    <>
      <div class="stuck-head">
        <span>
          <span class="who">{by}</span> owes <span class="who">{to === 'operator' ? 'you' : to}</span> {WHAT[kind]}
        </span>
        {present ? null : <Badge tone="warn">not there</Badge>}
        {late ? <Badge tone="bad">late</Badge> : null}
        {due_at === null ? (
          <span class="faint">
            for <Ago at={since} since />
          </span>
        ) : (
          <span class="faint">
            due <Ago at={due_at} />
          </span>
        )}
      </div>
      <p class="excerpt">
        <WayTo owed={owed}>{text}</WayTo>
      </p>
    </>
  );
}

function WayTo({ owed, children }: { owed: Owed; children: string }) {
  if (owed.kind === 'answer') return <a href={hrefOf('threads', owed.thread_id ?? '')}>{children}</a>;
  if (owed.kind === 'decision') return <a href={hrefOf('waiting')}>{children}</a>;
  return <a href={hrefOf('tasks', owed.id)}>{children}</a>;
}
