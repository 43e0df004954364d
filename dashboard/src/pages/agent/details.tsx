// What is known of an agent beside its mail: what it wrote down for the day its context is gone, by which doors it is woken and what came of
// it, and what its client was kept from doing.

import type { AgentReply } from '../../../../src/views/agent.ts';
import { Empty, Words } from '../../parts/frame.tsx';
import { Badge, StateMark } from '../../parts/marks.tsx';
import { Table } from '../../parts/table.tsx';
import { Ago, Sentence } from '../../parts/time.tsx';

export function Checkpoint({ checkpoint }: { checkpoint: AgentReply['checkpoint'] }) {
  if (checkpoint === null)
    return (
      <Empty title="It has saved none.">
        <p>
          With <code>save_checkpoint</code> an agent writes down what it needs to know again when its context is gone; from 60 percent on it
          is asked to.
        </p>
      </Empty>
    );
  const { current_task, files, decisions, open_questions, blockers, git, note, saved_at, observed_at } = checkpoint;
  const lists: [string, readonly string[]][] = [
    ['decided', decisions],
    ['open', open_questions],
    ['blocked by', blockers],
    ['files', files],
  ];
  return (
    <>
      <p class="why">
        {current_task === null ? 'Seen by its hooks ' : 'In its own words, '}
        <Ago at={saved_at} />
        {observed_at === null || current_task === null ? null : (
          <>
            ; its hooks saw more <Ago at={observed_at} />
          </>
        )}
      </p>
      {current_task === null ? null : <Words>{current_task}</Words>}
      <dl class="notes">
        {lists
          .filter(([, entries]) => entries.length > 0)
          .map(([name, entries]) => (
            <div key={name}>
              <dt>{name}</dt>
              {entries.slice(0, 12).map((entry) => (
                <dd key={entry}>{name === 'files' ? <code>{entry}</code> : entry}</dd>
              ))}
              {entries.length > 12 ? <dd class="faint">and {entries.length - 12} more</dd> : null}
            </div>
          ))}
        {git === null ? null : (
          <div>
            <dt>git</dt>
            <dd>{git}</dd>
          </div>
        )}
        {note === '' ? null : (
          <div>
            <dt>note</dt>
            <dd>{note}</dd>
          </div>
        )}
      </dl>
    </>
  );
}

const WAKES: Record<string, string> = { claimed: 'leased', sent: 'leased', read: 'ok', failed: 'fail', no_effect: 'warn' };

export function Waking({ agent }: { agent: AgentReply }) {
  const { doors, wakes } = agent;
  if (doors.length === 0 && wakes.length === 0)
    return (
      <Empty title="It has no wake door.">
        <p>
          It learns of mail on its next call. <code>rookery install</code> opens doors in its client; <code>rookery agents wake</code>{' '}
          registers one for an agent without a process of its own.
        </p>
      </Empty>
    );
  return (
    <>
      {doors.length === 0 ? null : (
        <Table
          head={['door', 'now', 'proven', 'failures since']}
          rows={doors.map(({ door, open, registered, proven_at, failures }) => [
            <span key="door">
              {door.replace(/_/g, ' ')} {registered ? <Badge>registered</Badge> : null}
            </span>,
            open ? <StateMark state="ok" word="open" /> : <StateMark state="expired" word="closed" />,
            proven_at === null ? 'not yet' : <Ago at={proven_at} />,
            failures === 0 ? '' : failures,
          ])}
        />
      )}
      {wakes.length === 0 ? null : (
        <ul class="lines">
          {wakes.slice(0, 8).map(({ door, at, unread, outcome, state }) => (
            <li key={at} class="stuck-head">
              <StateMark state={WAKES[state] ?? 'unknown'} word={door.replace(/_/g, ' ')} />
              <span class="faint">
                {unread} unread: <Sentence>{outcome}</Sentence>
              </span>
              <Ago at={at} />
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

export function Refusals({ refusals }: { refusals: AgentReply['refusals'] }) {
  return (
    <>
      <p class="why">Held back by the guard until they are approved, or because another holds the files.</p>
      <ul class="lines">
        {refusals.map(({ tool, sub_agent, at, reason }) => (
          <li key={at + tool} class="stuck-head">
            <StateMark state="denied" word={tool} />
            {sub_agent === '' ? null : <span class="faint">by its sub-agent {sub_agent}</span>}
            <Ago at={at} />
            {reason === '' ? null : <span class="why">{reason}</span>}
          </li>
        ))}
      </ul>
    </>
  );
}
