// One agent: its card, what waits for it and what it owes, exactly as it sees them itself, how it is woken, its checkpoint, and how its turns
// and calls went. Looking takes nothing from its inbox.

import type { AgentReply } from '../../../src/views/agent.ts';
import { DOORS } from '../parts/agent-line.tsx';
import { Empty, Section, Viewed } from '../parts/frame.tsx';
import { Badge, PresenceMark, StateMark } from '../parts/marks.tsx';
import { Plot } from '../parts/plot.tsx';
import { money, Spending, tokens } from '../parts/spending.tsx';
import { Table } from '../parts/table.tsx';
import { Ago, latency, Sentence, span } from '../parts/time.tsx';
import { hrefOf, type Place } from '../router.ts';
import { useView } from '../store.ts';
import { Checkpoint, Refusals, Waking } from './agent/details.tsx';

export function AgentPage({ place }: { place: Place }) {
  const agent = useView('agent', { name: place.id });
  return (
    <>
      <p class="trail">
        <a href={hrefOf('agents')}>Agents</a>
      </p>
      <h1>{place.id}</h1>
      <Viewed of={agent}>{(value) => <Agent agent={value} />}</Viewed>
    </>
  );
}

function Agent({ agent }: { agent: AgentReply }) {
  return (
    <>
      <Card agent={agent} />
      <div class="columns">
        <div class="column">
          <Section title="Inbox" count={agent.inbox.length}>
            <Inbox agent={agent} />
          </Section>
          <Section title="Open" count={agent.open.length + agent.open_more}>
            <Open agent={agent} />
          </Section>
          <Section title="Checkpoint">
            <Checkpoint checkpoint={agent.checkpoint} />
          </Section>
          <Section title="Waking">
            <Waking agent={agent} />
          </Section>
        </div>
        <div class="column">
          <Section title="Turns">
            <Turns agent={agent} />
          </Section>
          <Spending agent={agent.name} />
          {agent.refusals.length === 0 ? null : (
            <Section title="Refused to its client">
              <Refusals refusals={agent.refusals} />
            </Section>
          )}
          <Section title="Calls">
            <Calls calls={agent.calls} />
          </Section>
          <Section title="Sessions">
            <Sessions agent={agent} />
          </Section>
        </div>
      </div>
    </>
  );
}

function Card({ agent }: { agent: AgentReply }) {
  const { state, role, description, status, capabilities = [], client, model, last_seen, wake, parent, since, quarantined } = agent;
  return (
    <div class="agent-card">
      <p class="agent-now">
        <PresenceMark state={state} />
        {quarantined === true ? <Badge tone="bad">in quarantine</Badge> : null}
        {status === undefined ? null : <span>{status}</span>}
      </p>
      {description === undefined ? null : <p class="why">{description}</p>}
      <dl class="facts">
        <Fact name="role">{role}</Fact>
        {client === undefined ? null : <Fact name="client">{client}</Fact>}
        {model === undefined ? null : <Fact name="model">{model}</Fact>}
        <Fact name="learns of mail">
          {DOORS[wake.door] ?? wake.door}
          {wake.proven_at === undefined ? null : (
            <>
              , proven <Ago at={wake.proven_at} />
            </>
          )}
        </Fact>
        {parent === undefined ? null : <Fact name="sub-agent of">{parent}</Fact>}
        {agent.context === null ? null : (
          <Fact name="context">
            {agent.context.percent} % full{agent.context.checkpoint_owed ? ', a checkpoint is asked for' : ''}
          </Fact>
        )}
        <Fact name="reminders">
          {agent.reminders.pending} pending, {agent.reminders.fired} fired
          {agent.reminders.parked === 0 ? '' : `, ${agent.reminders.parked} parked`}
        </Fact>
        <Fact name="last seen">
          <Ago at={last_seen} />
        </Fact>
        <Fact name="known for">
          <Ago at={since} since />
        </Fact>
        {capabilities.length === 0 ? null : <Fact name="can">{capabilities.join(', ')}</Fact>}
        <Fact name="did">
          <a href={hrefOf('events', '', { actor: agent.name })}>its events</a>
        </Fact>
      </dl>
    </div>
  );
}

function Fact({ name, children }: { name: string; children: preact.ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Inbox({ agent }: { agent: AgentReply }) {
  if (agent.inbox.length === 0) return <Empty title="Nothing waits in its inbox." />;
  return (
    <ul class="lines">
      {agent.inbox.map((one) => (
        <li key={one.message_id}>
          <div class="stuck-head">
            <span class="who">{one.from}</span>
            <StateMark state={one.state} />
            {one.urgent ? <Badge tone="bad">urgent</Badge> : null}
            {one.attempts > 1 ? <Badge tone="warn">shown {one.attempts} times</Badge> : null}
            <Ago at={one.accepted_at} />
          </div>
          <p class="excerpt">
            <a href={hrefOf('threads', one.thread_id)}>{one.subject === '' ? one.excerpt : one.subject}</a>
          </p>
        </li>
      ))}
    </ul>
  );
}

/** The words for the kinds of open threads, from the agent’s side. */
const KINDS: Record<string, string> = {
  ask_in: 'is asked by',
  ask_out: 'asks',
  message: 'message from',
  reminder: 'reminder for',
  approval: 'approval with',
  review: 'owes a verdict to',
  task: 'task for',
  task_out: 'task with',
  reservation: 'keeps',
  paused: 'paused thread',
};

function Open({ agent }: { agent: AgentReply }) {
  if (agent.open.length === 0) return <Empty title="It owes nothing and waits for nothing." />;
  return (
    <ul class="lines">
      {agent.open.map((one) => (
        <li key={one.id}>
          <div class="stuck-head">
            <span>
              {KINDS[one.kind] ?? one.kind} {one.kind === 'reservation' ? null : <span class="who">{one.counterpart}</span>}
            </span>
            <span class="faint">
              <Sentence>{one.kind === 'task' ? plainState(one.state) : one.state}</Sentence>
            </span>
            {one.due === undefined ? null : (
              <span class="faint">
                due <Ago at={one.due} />
              </span>
            )}
          </div>
          <p class="excerpt">{one.text}</p>
        </li>
      ))}
      {agent.open_more === 0 ? null : <li class="faint">and {agent.open_more} more</li>}
    </ul>
  );
}

/** Without the token, which is the agent’s to know. */
function plainState(state: string): string {
  return (state.split(', fencing_token')[0] ?? state).replace(/_/g, ' ');
}

function Turns({ agent }: { agent: AgentReply }) {
  const turns = [...agent.turns].reverse();
  if (turns.length === 0)
    return (
      <Empty title="No turn is known.">
        <p>
          What a turn took is told by the hooks of a client: <code>rookery install</code> sets them up.
        </p>
      </Empty>
    );
  const took = turns.reduce((sum, turn) => sum + Date.parse(turn.ended_at) - Date.parse(turn.started_at), 0);
  const input = turns.reduce((sum, turn) => sum + (turn.input_tokens ?? 0) + (turn.cache_read_tokens ?? 0), 0);
  const output = turns.reduce((sum, turn) => sum + (turn.output_tokens ?? 0), 0);
  const woken = turns.filter((turn) => turn.woken_by !== null).length;
  const at = turns.map((turn) => Date.parse(turn.ended_at) / 1000);
  return (
    <>
      <Plot
        at={at}
        even
        say={tokens}
        lines={[{ label: 'tokens written per turn', values: turns.map((turn) => turn.output_tokens), colour: '--plot-1', as: 'bars' }]}
        caption={`${turns.length} turns, ${span(took)} of work${woken === 0 ? '' : `, ${woken} after a wake-up`}; ${tokens(input)} tokens read, ${tokens(output)} written`}
      />
      {turns.every((turn) => turn.cost === null) ? null : (
        <Plot
          at={at}
          even
          say={(value) => money(value, agent.currency)}
          lines={[{ label: 'cost per turn', values: turns.map((turn) => turn.cost), colour: '--plot-3', as: 'bars' }]}
          caption={`${money(
            turns.reduce((sum, turn) => sum + (turn.cost ?? 0), 0),
            agent.currency,
          )} for these`}
        />
      )}
    </>
  );
}

export function Calls({ calls }: { calls: AgentReply['calls'] }) {
  if (calls.length === 0) return <Empty title="No call is recorded." />;
  return (
    <Table
      head={['tool', 'calls', 'refused', 'half within', '19 of 20 within']}
      rows={calls.map((one) => [one.tool, one.calls, one.refused === 0 ? '' : one.refused, latency(one.p50_ms), latency(one.p95_ms)])}
    />
  );
}

function Sessions({ agent }: { agent: AgentReply }) {
  if (agent.sessions.length === 0) return <Empty title="It has never been connected." />;
  return (
    <Table
      head={['session', 'client', 'door', 'began', 'ended']}
      rows={agent.sessions.map((one) => [
        <span title={`${one.session_id}, process ${one.pid} in ${one.root}`}>{one.epoch}</span>,
        one.client,
        one.door,
        <Ago at={one.started_at} />,
        one.ended_at === null ? (
          <StateMark state="ok" word="open" />
        ) : (
          <span title={one.end_reason ?? ''}>
            <Ago at={one.ended_at} /> ({one.end_reason})
          </span>
        ),
      ])}
    />
  );
}
