// Overview: in one sentence how things are, then what needs the operator, what does not move and why, who owes whom what, who is there, and how
// it has been going.

import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { ActivityReply } from '../../../src/views/activity.ts';
import type { AgentsReply } from '../../../src/views/agents.ts';
import type { OverviewReply } from '../../../src/views/overview.ts';
import { AgentLine } from '../parts/agent-line.tsx';
import { Empty, Section, Viewed } from '../parts/frame.tsx';
import { Arrow, StateMark } from '../parts/marks.tsx';
import { OwedLines } from '../parts/owed-lines.tsx';
import { Plot } from '../parts/plot.tsx';
import { Ago, latency, Sentence } from '../parts/time.tsx';
import { hrefOf } from '../router.ts';
import { useView } from '../store.ts';
import { WaitingSummary, waitingCount } from './waiting.tsx';

const AGENTS = 12;

export function OverviewPage() {
  const overview = useView('overview');
  const agents = useView('agents', { limit: AGENTS });
  const waiting = useView('waiting');
  return (
    <div class="overview">
      <Headline
        overview={overview.value}
        agents={agents.value}
        waiting={waiting.value === undefined ? undefined : waitingCount(waiting.value)}
      />
      {overview.value?.notices.map((notice) => (
        <p class="notice" role="status" key={notice}>
          <Sentence>{notice}</Sentence>
        </p>
      ))}
      <div class="columns">
        <div class="column">
          <Section title="Waiting for you" count={waitingCount(waiting.value)} aside={<a href={hrefOf('waiting')}>All of it</a>}>
            <Viewed of={waiting}>{(value) => <WaitingSummary waiting={value} />}</Viewed>
          </Section>
          <Section title="Stuck" count={stuckCount(overview.value)}>
            <Viewed of={overview}>{(value) => <Stuck overview={value} />}</Viewed>
          </Section>
          <Section title="Who owes whom what" count={owedByOthers(overview.value).length + (overview.value?.owed_more ?? 0)}>
            <Viewed of={overview}>{(value) => <OwedLines owed={owedByOthers(value)} more={value.owed_more} />}</Viewed>
          </Section>
        </div>
        <div class="column">
          <Section
            title="Agents"
            count={agents.value?.total}
            aside={(agents.value?.total ?? 0) > AGENTS ? <a href={hrefOf('agents')}>All of them</a> : null}
          >
            <Viewed of={agents}>{(value) => <Agents agents={value} />}</Viewed>
          </Section>
          <ActivitySection />
          <Section title="Messages">
            <Viewed of={overview}>{(value) => <Deliveries overview={value} />}</Viewed>
          </Section>
        </div>
      </div>
    </div>
  );
}

function Headline({
  overview,
  agents,
  waiting,
}: {
  overview: OverviewReply | undefined;
  agents: AgentsReply | undefined;
  waiting: number | undefined;
}) {
  if (overview === undefined || agents === undefined || waiting === undefined) return <h1 class="headline loading-line">&nbsp;</h1>;
  const here = Object.entries(agents.states).reduce((sum, [state, count]) => sum + (state === 'gone' ? 0 : (count ?? 0)), 0);
  const stuck = stuckCount(overview);
  const what = overview.stuck_tasks.length === 0 ? 'message' : overview.stuck.length === 0 ? 'task' : 'thing';
  return (
    <h1 class="headline">
      {here === 0 ? 'Nobody is here' : here === 1 ? 'One agent is here' : `${here} agents are here`}
      {', '}
      {waiting === 0 ? (
        'nothing waits for you'
      ) : (
        <a href={hrefOf('waiting')}>{waiting === 1 ? 'one thing waits for you' : `${waiting} things wait for you`}</a>
      )}
      {stuck === 0 ? ', and nothing is stuck.' : stuck === 1 ? `, and one ${what} is stuck.` : `, and ${stuck} ${what}s are stuck.`}
    </h1>
  );
}

function Agents({ agents }: { agents: AgentsReply }) {
  if (agents.total === 0) {
    return (
      <Empty title="No agent has joined this project yet.">
        <p>In the project’s folder, give the hub to your clients; an agent appears when its client starts:</p>
        <pre>rookery install claude codex</pre>
      </Empty>
    );
  }
  return (
    <ul class="lines">
      {agents.agents.map((agent) => (
        <li key={agent.name}>
          <AgentLine agent={agent} />
        </li>
      ))}
    </ul>
  );
}

/** What the operator owes stands above it, as what waits. */
function owedByOthers(overview: OverviewReply | undefined): OverviewReply['owed'] {
  return overview?.owed.filter(({ by }) => by !== 'operator') ?? [];
}

function stuckCount(overview: OverviewReply | undefined): number {
  return overview === undefined ? 0 : overview.stuck.length + overview.stuck_tasks.length;
}

function Stuck({ overview }: { overview: OverviewReply }) {
  if (stuckCount(overview) === 0) {
    return (
      <Empty title="Everything moves.">
        <p>
          Messages that were shown and not acknowledged for five minutes, or never looked at for thirty, and tasks that nobody has begun for
          thirty stand here, each with the reason.
        </p>
      </Empty>
    );
  }
  return (
    <ul class="lines">
      {overview.stuck_tasks.map((task) => (
        <li key={task.id} class="stuck">
          <div class="stuck-head">
            <span class="who">task of {task.creator}</span>
            <StateMark state={task.state} />
          </div>
          <p class="excerpt">
            <a href={hrefOf('tasks', task.id)}>{task.title}</a>
          </p>
          {task.why === undefined ? null : (
            <p class="why">
              <Sentence>{task.why}</Sentence>
            </p>
          )}
        </li>
      ))}
      {together(overview.stuck).map(([first, others]) => (
        <li key={`${first.message_id} ${first.to}`} class="stuck">
          <div class="stuck-head">
            <span class="who">
              {[...new Set([first, ...others].map(({ from }) => from))].join(', ')}
              <Arrow />
              {first.to}
            </span>
            <StateMark state={first.state} />
            <Ago at={first.accepted_at} />
          </div>
          <p class="excerpt">
            <a href={hrefOf('threads', first.thread_id)}>{first.subject === '' ? first.excerpt : first.subject}</a>
            {others.length === 0 ? null : (
              <span class="faint">
                {' and '}
                <a href={hrefOf('agents', first.to)}>{others.length} more</a>
              </span>
            )}
          </p>
          <p class="why">
            <Sentence>{first.why}</Sentence>
          </p>
        </li>
      ))}
    </ul>
  );
}

type StuckLine = OverviewReply['stuck'][number];

/** What does not move for the same recipient in the same state has the same reason: the oldest stands for the others. */
function together(stuck: readonly StuckLine[]): [StuckLine, StuckLine[]][] {
  const groups = new Map<string, [StuckLine, StuckLine[]]>();
  for (const one of stuck) {
    const key = `${one.state} ${one.to}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [one, []]);
    else group[1].push(one);
  }
  return [...groups.values()];
}

const PARTS: { state: 'ready' | 'leased' | 'acked' | 'dead' | 'expired' | 'recalled'; word: string }[] = [
  { state: 'ready', word: 'not shown yet' },
  { state: 'leased', word: 'shown' },
  { state: 'acked', word: 'acknowledged' },
  { state: 'dead', word: 'dead letters' },
  { state: 'expired', word: 'expired' },
  { state: 'recalled', word: 'taken back' },
];

function Deliveries({ overview }: { overview: OverviewReply }) {
  const { deliveries } = overview;
  const total = PARTS.reduce((sum, { state }) => sum + deliveries[state], 0);
  if (total === 0) return <Empty title="No message has been sent yet." />;
  return (
    <dl class="tally">
      {PARTS.filter(({ state }) => deliveries[state] > 0 || state === 'ready' || state === 'leased' || state === 'acked').map(
        ({ state, word }) => (
          <div key={state}>
            <dt>
              <StateMark state={state} word={word} />
            </dt>
            <dd>{deliveries[state].toLocaleString()}</dd>
          </div>
        ),
      )}
    </dl>
  );
}

const WINDOWS = [
  ['1h', 'hour'],
  ['24h', 'day'],
  ['7d', 'week'],
] as const;

function ActivitySection() {
  const [window, setWindow] = useState<(typeof WINDOWS)[number][0]>('1h');
  const activity = useView('activity', { window });
  const choice: ComponentChildren = (
    <fieldset class="choice">
      <legend class="visually-hidden">Window</legend>
      {WINDOWS.map(([name, word]) => (
        <button type="button" key={name} aria-pressed={name === window} onClick={() => setWindow(name)}>
          {word}
        </button>
      ))}
    </fieldset>
  );
  return (
    <Section title="Activity" aside={choice}>
      <Viewed of={activity}>{(value) => <Activity activity={value} />}</Viewed>
    </Section>
  );
}

function Activity({ activity }: { activity: ActivityReply }) {
  const { steps, complete } = activity;
  const accepted = steps.reduce((sum, step) => sum + step.accepted, 0);
  if (accepted === 0) return <Empty title="Nothing was sent in this time." />;
  const acked = steps.reduce((sum, step) => sum + step.acked, 0);
  const at = steps.map((step) => Date.parse(step.at) / 1000);
  const seen = steps.map((step) => step.shown_p50_ms).filter((ms) => ms !== null);
  const usual = seen.sort((a, b) => a - b)[Math.floor(seen.length / 2)];
  return (
    <>
      <Plot
        at={at}
        say={(value) => (Number.isInteger(value) ? String(value) : '')}
        lines={[
          { label: 'accepted', values: steps.map((step) => step.accepted), colour: '--plot-1', as: 'bars' },
          { label: 'acknowledged', values: steps.map((step) => step.acked), colour: '--plot-2', as: 'thin bars' },
        ]}
        caption={`${complete ? '' : 'the newest '}${accepted.toLocaleString()} accepted, ${acked.toLocaleString()} acknowledged`}
      />
      <Plot
        at={at}
        say={latency}
        ofTime
        lines={[
          { label: 'half are shown within', values: steps.map((step) => step.shown_p50_ms), colour: '--plot-1', as: 'line' },
          { label: '19 of 20', values: steps.map((step) => step.shown_p95_ms), colour: '--plot-3', as: 'line' },
        ]}
        caption={usual === undefined ? 'none of them was shown yet' : `from acceptance to the first look; usually ${latency(usual)}`}
      />
    </>
  );
}
