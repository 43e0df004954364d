// Agents: everybody of the project, those who are there first; by name, role, client or status. Or what their turns cost.

import { useState } from 'preact/hooks';
import { AgentLine } from '../parts/agent-line.tsx';
import { Empty, Viewed } from '../parts/frame.tsx';
import { Rows } from '../parts/rows.tsx';
import { Spending } from '../parts/spending.tsx';
import { type Place, refine } from '../router.ts';
import { useView } from '../store.ts';

const PAGE = 200;
const STATES = ['stalled', 'busy', 'ready', 'waiting', 'starting', 'idle', 'gone'] as const;

export function AgentsPage({ place }: { place: Place }) {
  const asCosts = place.params.get('as') === 'costs';
  return (
    <>
      <h1>Agents</h1>
      <div class="filters">
        <fieldset class="choice">
          <legend class="visually-hidden">Shown as</legend>
          <button type="button" aria-pressed={!asCosts} onClick={() => refine(place, { as: '' })}>
            who is there
          </button>
          <button type="button" aria-pressed={asCosts} onClick={() => refine(place, { as: 'costs' })}>
            what they cost
          </button>
        </fieldset>
      </div>
      {asCosts ? <Spending /> : <Everybody place={place} />}
    </>
  );
}

function Everybody({ place }: { place: Place }) {
  const q = place.params.get('q') ?? '';
  const state = place.params.get('state') ?? '';
  const [limit, setLimit] = useState(PAGE);
  const agents = useView('agents', { q, state, limit });
  return (
    <>
      <div class="filters">
        <input
          type="search"
          placeholder="Name, role, client or status"
          aria-label="Find agents"
          value={q}
          onInput={(event) => refine(place, { q: event.currentTarget.value })}
        />
        <fieldset class="choice">
          <legend class="visually-hidden">Presence</legend>
          <button type="button" aria-pressed={state === ''} onClick={() => refine(place, { state: '' })}>
            all
          </button>
          {STATES.filter((name) => name === state || (agents.value?.states[name] ?? 0) > 0).map((name) => (
            <button type="button" key={name} aria-pressed={name === state} onClick={() => refine(place, { state: name })}>
              {name} <span class="faint">{agents.value?.states[name] ?? 0}</span>
            </button>
          ))}
        </fieldset>
      </div>
      <Viewed of={agents}>
        {(value) =>
          value.total === 0 ? (
            <Empty title={q === '' && state === '' ? 'No agent has joined this project yet.' : 'No agent is like that.'}>
              <p>An agent appears here with its first call to the hub.</p>
            </Empty>
          ) : (
            <Rows
              items={value.agents}
              height={64}
              label="Agents"
              keyOf={(agent) => agent.name}
              onEnd={value.agents.length < value.total && limit < 1_000 ? () => setLimit(Math.min(1_000, limit + PAGE)) : undefined}
            >
              {(agent) => <AgentLine agent={agent} wide />}
            </Rows>
          )
        }
      </Viewed>
    </>
  );
}
