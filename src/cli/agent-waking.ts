// rookery agents wake: how an agent is woken that has no process of its own. What is run or called then is a person's word, never an agent's.

import type { Command } from 'commander';
import { toIso, toIsoOrNull } from '../hub/clock.ts';
import type { WakeTarget } from '../hub/wake-doors.ts';
import { findProgram } from '../wake/program.ts';
import { toWebhookUrl } from '../wake/webhook.ts';
import { asOperator, type Operator } from './as-operator.ts';
import { addCommand, type CommonFlags } from './command.ts';
import { usage } from './failure.ts';
import { assertPerson } from './person.ts';
import { printSafeLine } from './print-safe.ts';
import { renderThings } from './render.ts';

type WakeFlags = CommonFlags & { command?: string; webhook?: string; allowPrivate?: boolean; codexThread?: string; none?: boolean };

/** `agents`: the command that it belongs below. */
export function registerAgentWaking(agents: Command): void {
  addCommand(
    agents,
    'wake <name> [args...]',
    'how an agent is woken: shows it, or registers a way for one without a process of its own',
    'rookery agents wake reviewer --command ./start-reviewer.sh -- --once',
  )
    .option('--command <program>', 'run this program, told on standard input whose mail waits (JSON); arguments after --')
    .option('--webhook <url>', 'post to this https address, signed (Standard Webhooks); the secret is shown this once')
    .option('--allow-private', 'the webhook may be on this machine or in your own network')
    .option('--codex-thread <id>', 'queue a notice into this thread of Codex')
    .option('--none', 'take back what was registered')
    .action((name: string, args: string[], _flags: WakeFlags, command: Command) => wake(name, args, command.optsWithGlobals<WakeFlags>()));
}

async function wake(name: string, args: string[], flags: WakeFlags): Promise<void> {
  const asked = [flags.command, flags.webhook, flags.codexThread, flags.none].filter((one) => one !== undefined);
  if (asked.length > 1) throw usage('Give one of --command, --webhook, --codex-thread and --none.', 'An agent has one registered door.');
  if (args.length > 0 && flags.command === undefined)
    throw usage('Arguments after -- belong to --command.', 'For example: --command ./wake.sh -- --once');
  if (flags.allowPrivate === true && flags.webhook === undefined)
    throw usage('--allow-private belongs to --webhook.', 'For example: --webhook http://127.0.0.1:9000/wake --allow-private');
  await asOperator(flags, async (operator) => {
    if (asked.length === 0) return await show(operator, name, flags);
    const { hub, config, caller, terminal } = operator;
    await assertPerson(hub, config);
    if (flags.none === true) {
      const { removed } = await hub.wakeDoors.unregister(caller, name);
      if (flags.json === true) return terminal.json({ agent: name, removed });
      return terminal.line(removed ? `${printSafeLine(name)} is no longer woken by what was registered.` : 'Nothing was registered.');
    }
    const target = toTarget(operator, args, flags);
    const { door } = await hub.wakeDoors.register(caller, name, target);
    const secret = target.kind === 'webhook' ? { secret: target.secret } : {};
    if (flags.json === true) return terminal.json({ agent: name, door, ...secret });
    if (target.kind === 'webhook') {
      terminal.line(target.secret);
      process.stderr.write(
        'This secret verifies the signatures (webhook-id, webhook-timestamp, webhook-signature). It is not shown again.\n',
      );
    }
    terminal.line(`${printSafeLine(name)} is woken by ${door} when mail waits and no process of its own can tell it.`);
  });
}

function toTarget({ hub, config }: Operator, args: readonly string[], flags: WakeFlags): WakeTarget {
  if (flags.webhook !== undefined) {
    const allowPrivate = flags.allowPrivate === true;
    const url = toWebhookUrl(flags.webhook, allowPrivate).href;
    return { kind: 'webhook', url, allowPrivate, secret: `whsec_${Buffer.from(hub.context.ids.token()).toString('base64')}` };
  }
  if (flags.codexThread !== undefined) {
    if (!/^[\w][\w .-]{0,127}$/.test(flags.codexThread))
      throw usage('--codex-thread must be the id or the name of a thread.', 'Codex prints the id when a session ends; /status shows it.');
    return { kind: 'codex_queue', thread: flags.codexThread };
  }
  const program = findProgram(flags.command ?? '', { path: config.childEnv.PATH ?? '', cwd: process.cwd() });
  if (program === undefined) throw usage(`${flags.command} is no program that can be run.`, 'Give its path, and make it executable.');
  return { kind: 'command', program, args };
}

async function show({ hub, caller, terminal }: Operator, name: string, flags: WakeFlags): Promise<void> {
  const doors = (await hub.wakeDoors.list(caller, name)).map((door) => ({
    door: door.kind,
    state: door.open ? 'open' : 'closed',
    of: door.registered ? 'the operator' : `process ${door.pid}`,
    proven: toIsoOrNull(door.provenAt),
    failures: door.failures,
    since: toIso(door.openedAt),
  }));
  if (flags.json === true) return terminal.json({ agent: name, doors });
  for (const line of renderThings(doors)) terminal.line(line);
}
