// rookery status: what is, at a glance. Who is there, what is on its way, what does not move and why, and what is degraded.

import type { Command } from 'commander';
import { counted } from '../hub/counted.ts';
import { attachedTo } from '../system/locks.ts';
import { residentBytes } from '../system/memory.ts';
import { agents as agentsView } from '../views/agents.ts';
import { overview as overviewView } from '../views/overview.ts';
import { projects as projectsView } from '../views/projects.ts';
import { waiting as waitingView } from '../views/waiting.ts';
import { asOperator, type Operator } from './as-operator.ts';
import { addCommand, type CommonFlags } from './command.ts';
import { printSafeLine } from './print-safe.ts';
import { renderThings } from './render.ts';
import { table } from './table.ts';

const ROWS = 20;
const AGENTS = 1_000;

export function registerStatus(program: Command): void {
  addCommand(program, 'status', 'the project at a glance: agents, deliveries, what is stuck and why', 'rookery status --json').action(
    async (flags: CommonFlags) => {
      await asOperator(flags, async (operator) => {
        const status = await statusOf(operator);
        if (flags.json === true) operator.terminal.json(status);
        else print(operator, status);
      });
    },
  );
  addCommand(program, 'projects', 'the projects of this hub, with what waits for you in each', 'rookery projects').action(
    async (flags: CommonFlags) => {
      await asOperator(flags, async ({ look, terminal }) => {
        const { projects } = await look(projectsView);
        if (flags.json === true) return terminal.json({ projects });
        const rows = projects.map(({ name, agents, waiting, id, root }) => ({ project: name, agents, 'waits for you': waiting, id, root }));
        for (const line of renderThings(rows)) terminal.line(line);
        terminal.line('\nrookery status --project NAME shows one; most lists have --all-projects.');
      });
    },
  );
}

type Status = Awaited<ReturnType<typeof statusOf>>;

async function statusOf({ hub, config, caller, look }: Operator) {
  const [{ states, agents }, seen, yours] = await Promise.all([
    look(agentsView, { limit: AGENTS }),
    look(overviewView),
    look(waitingView, { limit: ROWS }),
  ]);
  const pending = await hub.approvals.list(caller, { pending: true, limit: hub.limits.pageRows });
  const { unread, leased, unreplied } = await hub.inbox.counts(caller);
  const store = await hub.store();
  return {
    project: { id: config.place.project.id, name: config.place.project.name, root: config.place.project.root },
    agents: states,
    waking: {
      can: agents.filter(({ wake }) => wake.door !== 'none').length,
      cannot: agents.filter(({ state, wake }) => state !== 'gone' && wake.door === 'none').map(({ name }) => name),
    },
    deliveries: seen.deliveries,
    inbox: { unread, owed: leased + unreplied },
    asks: yours.asks.map(({ ask_id, from, question, deadline_at }) => ({ ask_id, from, question, deadline_at })),
    approvals: { pending: pending.length, yours: yours.approvals.length },
    tasks: await hub.taskViews.counts(caller),
    attention: yours.tasks.map(({ id, creator, why, title }) => ({ id, creator, why: why ?? '', title })),
    paused: yours.paused,
    parked: yours.parked.map(({ reminder_id, owner, message, error }) => ({ reminder_id, owner, message, error })),
    stuck: seen.stuck.map(({ message_id, from, to, state, accepted_at, attempts, why }) => ({
      message_id,
      from,
      to,
      state,
      accepted_at,
      attempts,
      why,
    })),
    dead: yours.dead.map(({ message_id, from, to, reason }) => ({ message_id, from, to, reason })),
    store: { path: store.name, bytes: store.bytes, wal_bytes: store.walBytes },
    queue_depth: seen.deliveries.ready + seen.deliveries.leased,
    processes: processesOf(config.databasePath),
    notices: seen.notices,
  };
}

/** Who has the database open beside this command, where the machine tells, and what memory each holds. */
function processesOf(databasePath: string): { pid: number; name: string; resident_bytes: number | null }[] {
  return (attachedTo(databasePath) ?? [])
    .filter(({ pid }) => pid !== process.pid)
    .map(({ pid, name }) => ({ pid, name, resident_bytes: residentBytes(pid) ?? null }));
}

function print({ terminal, hub }: Operator, status: Status): void {
  const { line, paint } = terminal;
  const counts = (of: Record<string, number>) =>
    Object.entries(of)
      .map(([name, count]) => `${count} ${name}`)
      .join(', ') || 'none';
  const asleep = status.waking.cannot.length === 0 ? '' : `; no wake door: ${status.waking.cannot.join(', ')}`;
  const facts: [string, string][] = [
    ['project', `${status.project.name} (${status.project.id}) ${status.project.root}`],
    ['agents', counts(status.agents)],
    ['waking', `${status.waking.can} can be woken${asleep}`],
    ['deliveries', counts(status.deliveries)],
    ['tasks', counts(status.tasks)],
    ['your inbox', `${counts(status.inbox)} (rookery recv shows it)`],
    ['approvals', `${counts(status.approvals)} (rookery approvals shows them)`],
    [
      'store',
      `${mib(status.store.bytes)}${hub.context.db.engine === 'sqlite' ? ` and ${mib(status.store.wal_bytes)} of WAL` : ''} in ${status.store.path}`,
    ],
    ['memory', memory(status)],
    ['hub', `${hub.instanceId}, schema ${hub.schema}`],
  ];
  for (const [name, value] of facts) line(`${paint('bold', name.padEnd(10))}  ${printSafeLine(value)}`);
  if (status.asks.length > 0) {
    line(`\n${paint('yellow', 'questions for you')} (rookery answer ASK "..." answers one)`);
    for (const text of renderThings(status.asks)) line(text);
  }
  if (status.attention.length > 0) {
    line(`\n${paint('red', 'tasks that need attention')} (rookery task retry|accept|cancel TASK decides)`);
    for (const text of renderThings(status.attention)) line(text);
  }
  if (status.stuck.length > 0) {
    line(`\n${paint('yellow', 'stuck')}`);
    const rows = status.stuck.map((one) => [one.message_id, one.from, one.to, one.state]);
    const lines = table(['message', 'from', 'to', 'state'], rows);
    for (const [index, text] of lines.entries()) {
      line(text);
      const why = status.stuck[index - 1]?.why;
      if (why !== undefined) line(`  ${printSafeLine(why)}`);
    }
  }
  if (status.dead.length > 0) {
    line(`\n${paint('red', 'dead letters')} (rookery requeue MESSAGE --to NAME puts one back)`);
    for (const text of renderThings(status.dead)) line(text);
  }
  if (status.paused.length > 0) {
    line(`\n${paint('yellow', 'paused threads')} (rookery resume THREAD lets one go on)`);
    for (const text of renderThings(status.paused)) line(text);
  }
  if (status.parked.length > 0) {
    line(`\n${paint('yellow', 'parked reminders')} (rookery retry REMINDER tries one again)`);
    for (const text of renderThings(status.parked)) line(text);
  }
  for (const notice of status.notices) line(`\n${paint('yellow', 'notice')}  ${printSafeLine(notice)}`);
}

function memory({ processes }: Status): string {
  if (processes.length === 0) return 'no process has the hub open, as far as this machine tells';
  const bytes = processes.reduce((sum, { resident_bytes }) => sum + (resident_bytes ?? 0), 0);
  const each = processes.map(({ pid, resident_bytes }) => `${pid}: ${resident_bytes === null ? 'unknown' : mib(resident_bytes)}`);
  return `${mib(bytes)} in ${counted(processes.length, 'process', 'processes')} (${each.join(', ')})`;
}

function mib(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(1)} MiB`;
}
