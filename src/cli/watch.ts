// rookery watch: events as they happen, from now or from any seq, and a command of the user's for each. It survives: when the hub cannot
// be read for a while it says so, opens it again, and goes on after the last event it printed, so that nothing is missed or doubled.

import { statSync } from 'node:fs';
import type { Command } from 'commander';
import type { FeedEvent } from '../hub/feed.ts';
import { systemClock } from '../system/clock.ts';
import { asOperator, type Operator } from './as-operator.ts';
import { addCommand, type CommonFlags } from './command.ts';
import { usage } from './failure.ts';
import { printSafeLine } from './print-safe.ts';
import { runForEvent } from './run-for-event.ts';

type Flags = CommonFlags & { agent?: string; after?: string; exec?: string };

const REOPEN_MS = 1_000;
const FILE_LOOK_MS = 500;

export function registerWatch(program: Command): void {
  addCommand(
    program,
    'watch [args...]',
    'events as they happen; runs a command for each with --exec',
    'rookery watch --agent reviewer --exec ./on-event.sh -- --verbose',
  )
    .option('--agent <name>', 'only what this agent did or what concerns it')
    .option('--after <seq>', 'from this event on; 0 from the beginning')
    .option('--exec <command>', 'run this program for each event, its JSON on standard input; arguments after --')
    .action(async (args: string[], flags: Flags) => {
      const after = flags.after === undefined ? undefined : Number(flags.after);
      if (after !== undefined && !(Number.isInteger(after) && after >= 0))
        throw usage('--after must be a seq, 0 or more.', 'For example: --after 0');
      if (flags.exec === undefined && args.length > 0)
        throw usage('Arguments after -- belong to --exec.', 'For example: --exec ./run.sh -- --fast');
      await watch(flags, args, after);
    });
}

/** Follows until the user ends it. Only a first failure ends the command: later ones are waited out. */
async function watch(flags: Flags, args: readonly string[], after: number | undefined): Promise<void> {
  const place: { seq: number | undefined; done: boolean } = { seq: after, done: false };
  for (let opened = false; !place.done; ) {
    try {
      await asOperator({ ...flags, begins: true }, async (operator) => {
        opened = true;
        await follow(operator, flags, args, place);
        place.done = operator.signal.aborted;
      });
    } catch (error) {
      if (!opened) throw error;
      const what = error instanceof Error ? error.message : 'unknown reason';
      process.stderr.write(`rookery: ${printSafeLine(what)} Trying again.\n`);
      await systemClock.sleep(REOPEN_MS);
    }
  }
}

async function follow(
  { hub, config, caller, terminal, signal }: Operator,
  flags: Flags,
  args: readonly string[],
  place: { seq: number | undefined },
): Promise<void> {
  const head = await hub.feed.head(caller);
  if (place.seq !== undefined && place.seq > head) process.stderr.write(`rookery: the history ends at ${head} now; going on from there.\n`);
  place.seq = Math.min(place.seq ?? head, head);
  const replaced = new AbortController();
  const over = AbortSignal.any([signal, replaced.signal]);
  void whenReplaced(config.databasePath, over).then(() => replaced.abort());
  let names = new Map<string, string>();
  const nameOf = async (id: string) => {
    if (!names.has(id)) names = new Map((await hub.agents.list(caller, { waitMs: 0 })).agents.map(({ agent }) => [agent.id, agent.name]));
    return names.get(id) ?? id;
  };
  for await (const page of hub.feed.follow(caller, place.seq, over)) {
    for (const event of page) {
      const shown = { ...event, actor: await nameOf(event.actor) };
      if (flags.agent === undefined || concerns(shown, flags.agent)) {
        if (flags.json === true) terminal.json(shown);
        else terminal.line(eventLine(shown));
        if (flags.exec !== undefined) await runForEvent(flags.exec, args, shown, signal);
      }
      place.seq = event.seq;
    }
  }
}

/** A restored database is another file: what has the old one open would follow a history that goes no further. */
async function whenReplaced(path: string, over: AbortSignal): Promise<void> {
  const inode = () => statSync(path, { throwIfNoEntry: false })?.ino;
  for (const opened = inode(); !over.aborted && inode() === opened; ) await systemClock.sleep(FILE_LOOK_MS, over);
}

/** Whether the agent did it or is named in it. */
function concerns(event: FeedEvent, name: string): boolean {
  return (
    event.actor === name || Object.values(event.data).some((value) => value === name || (Array.isArray(value) && value.includes(name)))
  );
}

function eventLine({ seq, at, type, actor, subject, data }: FeedEvent): string {
  const words = Object.entries(data)
    .filter(([key]) => key !== 'digest')
    .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return printSafeLine([String(seq).padStart(6), at, type.padEnd(18), actor, subject, ...words].join('  '));
}
