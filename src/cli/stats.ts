// rookery stats: reports on agents, tasks, tools and tokens, from the same views that the dashboard has. Without the name of one, all of them.

import type { Command } from 'commander';
import { counted } from '../hub/counted.ts';
import type { Hub } from '../hub/hub.ts';
import { REPORTS, type ReportReply, stats } from '../views/stats.ts';
import { asOperator } from './as-operator.ts';
import { addCommand, type CommonFlags } from './command.ts';
import { usage } from './failure.ts';
import { table } from './table.ts';
import type { Terminal } from './terminal.ts';

type Flags = CommonFlags & { since: string; agent?: string };

const DEFAULT_SINCE = '24h';

export function registerStats(program: Command): void {
  addCommand(
    program,
    'stats [report]',
    `reports: ${REPORTS.join(', ')} (with what they cost); all of them when none is named`,
    'rookery stats tokens --since 30d',
  )
    .option('--since <window>', 'since when: 24h, 7d, 30d, or a day such as 2026-01-31', DEFAULT_SINCE)
    .option('--agent <name>', 'of this agent only; the report on tasks is of all')
    .action(async (named: string | undefined, flags: Flags) => {
      const asked = REPORTS.filter((report) => named === undefined || report === named);
      if (asked.length === 0) throw usage(`There is no report "${String(named).slice(0, 40)}".`, `Reports: ${REPORTS.join(', ')}.`);
      await asOperator(flags, async ({ hub, caller, terminal }) => {
        const look = { hub, caller, everyProject: true, examine: undefined };
        const replies: Awaited<ReturnType<typeof stats.run>>[] = [];
        for (const report of asked) replies.push(await stats.run(look, { report, since: flags.since, agent: flags.agent }));
        const [first] = replies;
        if (flags.json === true)
          return terminal.json(named === undefined ? Object.fromEntries(replies.map((reply) => [reply.report, reply])) : first);
        terminal.line(terminal.paint('dim', `Since ${first?.since ?? flags.since}.`));
        for (const reply of replies) {
          terminal.line('');
          print(terminal, hub, reply);
        }
      });
    });
}

function print(terminal: Terminal, hub: Hub, reply: Awaited<ReturnType<typeof stats.run>>): void {
  if (reply.report === 'agents') printAgents(terminal, reply);
  else if (reply.report === 'tasks') printTasks(terminal, reply);
  else if (reply.report === 'tools') printTools(terminal, reply);
  else printTokens(terminal, hub, reply);
}

function printAgents(terminal: Terminal, { agents, more }: ReportReply<'agents'>): void {
  section(
    terminal,
    'Agents',
    [
      'agent',
      'sent',
      'received',
      'acked',
      'dead',
      'again',
      'shown after',
      'acked after',
      'tasks',
      'failed',
      'calls',
      'refused',
      'held back',
      'reminders',
      'turns',
      'cost',
    ],
    agents.map((one) => [
      ...[one.agent, one.sent, one.received, one.acked, one.dead, one.redeliveries],
      ...[halfAndMost(one.shown_p50_ms, one.shown_p95_ms), halfAndMost(one.acked_p50_ms, one.acked_p95_ms)],
      ...[
        `${one.tasks.completed} of ${one.tasks.claimed}`,
        one.tasks.failed,
        one.calls,
        one.refused,
        one.held_back,
        remindersOf(one.reminders),
        one.turns,
        money(one.cost),
      ],
    ]),
    more,
  );
}

function remindersOf({ pending, parked, fired }: ReportReply<'agents'>['agents'][number]['reminders']): string {
  return pending + parked + fired === 0 ? '-' : `${pending} pending${parked === 0 ? '' : `, ${parked} parked`}, ${fired} fired`;
}

function printTasks(terminal: Terminal, reply: ReportReply<'tasks'>): void {
  const words = (counts: Partial<Record<string, number>>) =>
    Object.entries(counts)
      .map(([name, count]) => `${count} ${name}`)
      .join(', ') || 'none';
  terminal.line(terminal.paint('bold', 'Tasks'));
  const facts: [string, string][] = [
    ['created', String(reply.created)],
    [
      'ended',
      `${words(reply.ended)}${reply.success === null ? '' : ` (${(reply.success * 100).toFixed(1)} % of those done were completed)`}`,
    ],
    ['now', words(reply.now)],
    ['waited to be claimed', halfAndMost(reply.waited.p50_ms, reply.waited.p95_ms)],
    ['from claim to end', halfAndMost(reply.worked.p50_ms, reply.worked.p95_ms)],
    ['verdicts', `${reply.reviews.passed} passed, ${reply.reviews.not_passed} not passed`],
    ['besides', `${reply.retried} retried, ${reply.leases_lost} leases lost, ${reply.late_results} late results, ${reply.reused} reused`],
  ];
  for (const line of table(['', ''], facts, Number.POSITIVE_INFINITY).slice(1)) terminal.line(line);
  const days = reply.by_day.map(({ day, created, ended }) => [day, created, words(ended)]);
  if (days.length > 0) section(terminal, '', ['day', 'created', 'ended'], days);
  const toRow = ({ kind, tasks, ended }: { kind: string; tasks: number; ended: Record<string, number> }) => [
    kind || '-',
    tasks,
    words(ended),
  ];
  if (reply.by_label.length > 0) section(terminal, '', ['label', 'ended', 'how'], reply.by_label.map(toRow));
  if (reply.by_capabilities.some(({ kind }) => kind !== ''))
    section(terminal, '', ['needs', 'ended', 'how'], reply.by_capabilities.map(toRow), reply.more);
}

function printTools(terminal: Terminal, { tools, client_tools: used, more }: ReportReply<'tools'>): void {
  section(
    terminal,
    'Tools of the hub',
    ['tool', 'calls', 'refused', 'half within', '95 % within', 'longest', 'codes'],
    tools.map((one) => [
      ...[one.tool, one.calls, one.refused, duration(one.p50_ms), duration(one.p95_ms), duration(one.longest_ms)],
      Object.entries(one.codes)
        .filter(([code]) => code !== 'ok')
        .map(([code, count]) => `${code} ${count}`)
        .join(', ') || '-',
    ]),
  );
  terminal.line('');
  section(
    terminal,
    'Tools of their clients, as transcripts told',
    ['tool', 'uses'],
    used.map(({ tool, uses }) => [tool, uses]),
    more,
  );
}

function printTokens(terminal: Terminal, hub: Hub, reply: ReportReply<'tokens'>): void {
  const head = ['turns', 'in', 'out', 'cache read', 'cache written', `cost (${reply.prices.currency})`];
  const cells = (one: (typeof reply)['total']) => [
    ...[one.turns, one.input_tokens, one.output_tokens, one.cache_read_tokens, one.cache_write_tokens],
    money(one.cost),
  ];
  section(
    terminal,
    'Tokens',
    ['agent', ...head],
    [...reply.by_agent.map((one) => [one.agent, ...cells(one)]), ['all', ...cells(reply.total)]],
  );
  if (reply.by_model.length > 0) {
    terminal.line('');
    section(
      terminal,
      '',
      ['model', ...head],
      reply.by_model.map((one) => [`${one.model || 'not told'}${one.priced ? '' : ' (unpriced)'}`, ...cells(one)]),
    );
    terminal.line('');
    section(
      terminal,
      '',
      ['day', ...head],
      reply.by_day.map((one) => [one.day, ...cells(one)]),
      reply.more,
    );
  }
  terminal.line('');
  terminal.line(`Reckoned by the prices of ${reply.prices.as_of}, as if every token were paid singly; a subscription costs what it costs.`);
  if (reply.total.unpriced_tokens > 0)
    terminal.line(
      `${reply.total.unpriced_tokens} tokens have no price (${reply.unpriced.map((model) => model || 'model not told').join(', ')}) and are not in the cost: "prices" in config.json names them, see docs/reports.md.`,
    );
  if (reply.total.untold_turns > 0) terminal.line(`${counted(reply.total.untold_turns, 'turn')} told no tokens.`);
  if (reply.total.turns === 0)
    terminal.line(
      `No turn was told of within ${Math.round(hub.limits.turnKeptMs / 86_400_000)} days or that window. rookery install puts hooks into clients.`,
    );
}

function section(
  terminal: Terminal,
  title: string,
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
  more = 0,
): void {
  if (title !== '') terminal.line(terminal.paint('bold', title));
  if (rows.length === 0) terminal.line('  none');
  else
    for (const line of table(
      head,
      rows.map((row) => row.map(String)),
    ))
      terminal.line(line);
  if (more > 0) terminal.line(`${more} more are not shown (limits.statsRows).`);
}

function halfAndMost(p50: number | null, p95: number | null): string {
  return p50 === null ? '-' : `${duration(p50)}, 95 % ${duration(p95)}`;
}

function duration(ms: number | null): string {
  if (ms === null) return '-';
  if (ms < 1_000) return `${ms} ms`;
  const seconds = ms / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  return seconds < 3_600 ? `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s` : `${(seconds / 3_600).toFixed(1)} h`;
}

function money(cost: number | null): string {
  return cost === null ? '-' : cost.toFixed(cost < 10 ? 4 : 2);
}
