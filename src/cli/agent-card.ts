// rookery agents show and revoke: one agent as it stands, with what it would see itself; and the end of one. Looking takes nothing from its inbox.

import type { Command } from 'commander';
import { agent as agentView } from '../views/agent.ts';
import { asOperator } from './as-operator.ts';
import { addCommand, type CommonFlags } from './command.ts';
import { assertPerson } from './person.ts';
import { printSafeLine } from './print-safe.ts';
import { renderThings } from './render.ts';
import type { Terminal } from './terminal.ts';

/** `agents`: the command that they belong below. */
export function registerAgentCard(agents: Command): void {
  addCommand(
    agents,
    'show <name>',
    'one agent: its inbox, what it owes as it would see it, its sessions and calls; it is shown nothing by that',
    'rookery agents show reviewer',
  )
    .alias('inspect')
    .action((name: string, _flags: CommonFlags, command: Command) => show(name, command.optsWithGlobals<CommonFlags>()));
  addCommand(
    agents,
    'revoke <name>',
    'end an agent: its session, tokens and enrolment; nobody can be it or write to it until it is made again',
    'rookery agents revoke reviewer',
  ).action((name: string, _flags: CommonFlags, command: Command) => revoke(name, command.optsWithGlobals<CommonFlags>()));
}

async function show(name: string, flags: CommonFlags): Promise<void> {
  await asOperator(flags, async ({ look, terminal }) => {
    const card = await look(agentView, { name });
    if (flags.json === true) return terminal.json(card);
    const facts: [string, string | undefined][] = [
      ['agent', `${card.name} (${card.role})${card.revoked_at === null ? '' : `, revoked at ${card.revoked_at}`}`],
      ['state', `${card.state}${card.quarantined === true ? ', in quarantine' : ''}, last seen ${card.last_seen}`],
      ['what for', card.description],
      ['status', card.status],
      ['knows', card.capabilities?.join(', ')],
      ['client', card.client],
      ['model', card.model],
      ['made by', card.spawned_by],
      ['woken by', card.wake.proven_at === undefined ? card.wake.door : `${card.wake.door}, proven at ${card.wake.proven_at}`],
    ];
    for (const [label, value] of facts)
      if (value !== undefined && value !== '') terminal.line(`${terminal.paint('bold', label.padEnd(9))}  ${printSafeLine(value)}`);
    section(terminal, 'inbox, not taken', card.inbox, ({ message_id, from, state, attempts, subject, excerpt }) => ({
      message: message_id,
      from,
      state: attempts > 0 ? `${state} (attempt ${attempts})` : state,
      words: subject === '' ? excerpt : subject,
    }));
    section(terminal, 'open, as it would see it', card.open, ({ kind, id, counterpart, state, text }) => ({
      kind,
      id,
      with: counterpart,
      state,
      text,
    }));
    section(terminal, 'sessions', card.sessions.slice(0, 5), ({ session_id, door, client, started_at, ended_at, end_reason }) => ({
      session: session_id,
      door,
      client,
      started: started_at,
      ended: ended_at === null ? '-' : `${ended_at} (${end_reason ?? ''})`,
    }));
    section(terminal, 'calls', card.calls, ({ tool, calls, refused, p50_ms, p95_ms }) => ({
      tool,
      calls,
      refused,
      p50: `${p50_ms} ms`,
      p95: `${p95_ms} ms`,
    }));
  });
}

function section<T>({ line, paint }: Terminal, title: string, things: readonly T[], toRow: (thing: T) => Record<string, unknown>): void {
  line(`\n${paint('bold', title)}`);
  for (const text of renderThings(things.map(toRow))) line(text);
}

async function revoke(name: string, flags: CommonFlags): Promise<void> {
  await asOperator(flags, async ({ hub, config, caller, terminal }) => {
    await assertPerson(hub, config);
    const { tokens, sessionId } = await hub.revoking.revoke(caller, name);
    if (flags.json === true) return terminal.json({ revoked: name, tokens, session_id: sessionId });
    const session = sessionId === null ? 'It was not connected' : `Its session ${sessionId} is over`;
    terminal.line(
      printSafeLine(`${name} is revoked. ${session}; tokens revoked: ${tokens}. rookery agents create ${name} lets it in again.`),
    );
  });
}
