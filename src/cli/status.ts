// rookery status: what is, at a glance. Who is there, what is on its way, what does not move and why, and what is degraded.

import type { Command } from 'commander';
import { OPERATOR } from '../hub/caller.ts';
import { toIso } from '../hub/clock.ts';
import { asOperator, type Operator } from './as-operator.ts';
import { addCommand, type CommonFlags } from './command.ts';
import { printSafeLine } from './print-safe.ts';
import { renderThings } from './render.ts';
import { table } from './terminal.ts';

const ROWS = 20;

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
}

type Status = Awaited<ReturnType<typeof statusOf>>;

async function statusOf({ hub, config, caller }: Operator) {
  const { agents } = await hub.agents.list(caller, { waitMs: 0 });
  const present: Record<string, number> = {};
  for (const { agent, state } of agents) if (agent.role !== OPERATOR) present[state] = (present[state] ?? 0) + 1;
  const others = agents.filter(({ agent }) => agent.role !== OPERATOR);
  const stuck = await hub.overview.stuck(caller, ROWS);
  const dead = await hub.overview.dead(caller, ROWS);
  const { unread, leased, unreplied } = await hub.inbox.counts(caller);
  const { tasks: attention } = await hub.taskViews.list(caller, { state: 'needs_attention', limit: ROWS });
  const asks = await hub.asks.list(caller, { state: 'open', everybody: true, limit: ROWS });
  const pending = await hub.approvals.list(caller, { pending: true, limit: hub.limits.pageRows });
  const store = await hub.store();
  return {
    project: { id: config.place.project.id, name: config.place.project.name, root: config.place.project.root },
    agents: present,
    waking: {
      can: others.filter(({ wake }) => wake.door !== 'none').length,
      cannot: others.filter(({ state, wake }) => state !== 'gone' && wake.door === 'none').map(({ agent }) => agent.name),
    },
    deliveries: await hub.overview.deliveries(caller),
    inbox: { unread, owed: leased + unreplied },
    questions: asks
      .filter((ask) => ask.targetId === caller.agentId)
      .map((ask) => ({ ask_id: ask.id, from: ask.asker, question: ask.question, deadline_at: toIso(ask.deadlineAt) })),
    approvals: { pending: pending.length, yours: pending.filter(({ mine }) => mine).length },
    tasks: await hub.taskViews.counts(caller),
    attention: attention.map((task) => ({ task_id: task.id, owner: task.creator, why: task.reason ?? '', title: task.title })),
    stuck: stuck.map(({ messageId, from, to, state, createdAt, attempt, why }) => ({
      message_id: messageId,
      from,
      to,
      state,
      accepted_at: toIso(createdAt),
      attempts: attempt,
      why,
    })),
    dead: dead.map(({ messageId, from, to, reason }) => ({ message_id: messageId, from, to, reason })),
    store: { path: store.name, bytes: store.bytes, wal_bytes: store.walBytes },
    notices: hub.notices(),
  };
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
    ['hub', `${hub.instanceId}, schema ${hub.schema}`],
  ];
  for (const [name, value] of facts) line(`${paint('bold', name.padEnd(10))}  ${printSafeLine(value)}`);
  if (status.questions.length > 0) {
    line(`\n${paint('yellow', 'questions for you')} (rookery answer ASK "..." answers one)`);
    for (const text of renderThings(status.questions)) line(text);
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
  for (const notice of status.notices) line(`\n${paint('yellow', 'notice')}  ${printSafeLine(notice)}`);
}

function mib(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(1)} MiB`;
}
