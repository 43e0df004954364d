// What turns cost: by day as a plot, by agent and by model as tables; and of which tokens nobody knows the price.

import { useState } from 'preact/hooks';
import type { ReportReply } from '../../../src/views/stats.ts';
import { useView } from '../store.ts';
import { Empty, Section, Viewed } from './frame.tsx';
import { Plot } from './plot.tsx';
import { Table } from './table.tsx';
import { span } from './time.tsx';

type Tokens = ReportReply<'tokens'>;
type Spent = Tokens['total'];

const WINDOWS = [
  ['24h', 'day'],
  ['7d', 'week'],
  ['30d', 'month'],
] as const;

/** Of the whole project, or of one agent. */
export function Spending({ agent = '' }: { agent?: string }) {
  const [since, setSince] = useState<(typeof WINDOWS)[number][0]>('7d');
  const stats = useView('stats', { report: 'tokens', since, agent });
  const choice = (
    <fieldset class="choice">
      <legend class="visually-hidden">Window</legend>
      {WINDOWS.map(([name, word]) => (
        <button type="button" key={name} aria-pressed={name === since} onClick={() => setSince(name)}>
          {word}
        </button>
      ))}
    </fieldset>
  );
  return (
    <Section title="What it cost" aside={choice}>
      <Viewed of={stats}>{(value) => (value.report === 'tokens' ? <Report report={value} whole={agent === ''} /> : null)}</Viewed>
    </Section>
  );
}

function Report({ report, whole }: { report: Tokens; whole: boolean }) {
  const { total, prices, by_day, by_agent, by_model, unpriced, more } = report;
  if (total.turns === 0)
    return (
      <Empty title="No turn was told of in this time.">
        <p>
          What a turn took is told by the hooks of a client: <code>rookery install</code> sets them up.
        </p>
      </Empty>
    );
  const row = (name: string, one: Spent) => [
    name === '' ? 'model unknown' : name,
    one.turns,
    tokens(one.input_tokens + one.cache_read_tokens + one.cache_write_tokens),
    tokens(one.output_tokens),
    one.cost === null ? '–' : money(one.cost, prices.currency),
  ];
  return (
    <>
      <Plot
        at={by_day.map(({ day }) => Date.parse(day) / 1000)}
        say={(value) => money(value, prices.currency)}
        lines={[{ label: 'cost per day', values: by_day.map(({ cost }) => cost), colour: '--plot-1', as: 'bars' }]}
        caption={`${total.cost === null ? 'nothing has a price' : money(total.cost, prices.currency)} for ${total.turns.toLocaleString()} turns, ${span(total.turn_ms)} of work; list prices of ${prices.as_of}`}
      />
      {unpriced.length === 0 ? null : (
        <p class="why">
          {tokens(total.unpriced_tokens)} tokens have no price and are not in it:{' '}
          {unpriced.map((name) => name || 'model unknown').join(', ')}. Prices are set in config.json.
        </p>
      )}
      {whole ? <Table head={['agent', 'turns', 'read', 'written', 'cost']} rows={by_agent.map((one) => row(one.agent, one))} /> : null}
      <Table head={['model', 'turns', 'read', 'written', 'cost']} rows={by_model.map((one) => row(one.model, one))} />
      {more === 0 ? null : <p class="faint">and {more} more: rookery stats tokens lists them all</p>}
    </>
  );
}

export function money(value: number, currency: string): string {
  const small = value !== 0 && Math.abs(value) < 1;
  return value.toLocaleString(undefined, { style: 'currency', currency, minimumFractionDigits: 2, maximumFractionDigits: small ? 4 : 2 });
}

/** A number of tokens, as people say it. */
export function tokens(count: number): string {
  if (count >= 1e6) return `${(count / 1e6).toFixed(1)} M`;
  return count >= 10_000 ? `${Math.round(count / 1_000)} k` : count.toLocaleString();
}
