// rookery completion: the script by which a shell completes commands, flags, names and ids. With --list, which the scripts call, the names or ids
// of one kind; a hub that is not there, or cannot be read, has none, and is not made by asking.

import { existsSync } from 'node:fs';
import { Argument, type Command } from 'commander';
import { OPERATOR } from '../hub/caller.ts';
import { asOperator, type Operator } from './as-operator.ts';
import { type CommonFlags, configOf } from './command.ts';
import { completionScript, SHELLS, type Shell } from './completion-scripts.ts';
import { LISTS, type List, placesOf } from './completion-words.ts';
import { usage } from './failure.ts';
import { printSafeLine } from './print-safe.ts';
import { writeOut } from './write-out.ts';

type Flags = CommonFlags & { list?: string };

const ROWS = 50;
const ABOUT_CHARS = 60;

const INTO: Record<Shell, string> = {
  bash: 'rookery completion bash > ~/.local/share/bash-completion/completions/rookery',
  zsh: 'rookery completion zsh > ~/.zfunc/_rookery   # with ~/.zfunc in $fpath',
  fish: 'rookery completion fish > ~/.config/fish/completions/rookery.fish',
};

/** `whole`: the program with all of its commands. */
export function registerCompletion(program: Command, whole: () => Promise<Command>): void {
  program
    .command('completion')
    .addArgument(new Argument('[shell]', 'your shell').choices(SHELLS))
    .description(`the script by which ${SHELLS.join(', ')} complete commands, flags, names and ids`)
    .option('--list <kind>', `names or ids of one kind: ${LISTS.join(', ')}`)
    .option('--json', 'errors as JSON')
    .option('--project <path-or-name>', 'with --list: the project, if not the working directory’s')
    .option('--home <folder>', 'with --list: the hub’s folder, if not ROOKERY_HOME or ~/.rookery')
    .addHelpText('after', `\nExample:\n  $ source <(rookery completion bash)\n  $ ${INTO.bash}\n  $ ${INTO.zsh}\n  $ ${INTO.fish}`)
    .action(async (given: string | undefined, flags: Flags) => {
      if (flags.list !== undefined) return await list(flags.list, flags);
      const shell = SHELLS.find((one) => one === given);
      if (shell === undefined) throw usage(`The shell must be ${SHELLS.join(', ')}.`, 'For example: source <(rookery completion bash)');
      writeOut(completionScript(shell, placesOf(await whole())));
    });
}

/** A name or id per line, and after a tab what it is. */
async function list(given: string, flags: Flags): Promise<void> {
  const kind = LISTS.find((one) => one === given);
  if (kind === undefined) throw usage(`--list must be ${LISTS.join(', ')}.`, 'For example: rookery completion --list agents');
  try {
    if (!existsSync(configOf(flags).databasePath)) return;
    await asOperator(flags, async (operator) => {
      for (const [word, about] of await NAMES[kind](operator)) writeOut(`${word}\t${printSafeLine(about).slice(0, ABOUT_CHARS)}\n`);
    });
  } catch {
    // Completion has nobody to tell.
  }
}

type Row = readonly [string, string];

const NAMES: Record<List, (operator: Operator) => Promise<Row[]>> = {
  agents: async ({ hub, caller }) =>
    (await hub.agents.list(caller, { waitMs: 0 })).agents
      .filter(({ agent }) => agent.role !== OPERATOR)
      .map(({ agent, state }) => [agent.name, `${agent.role}, ${state}`] as const),
  asks: async ({ hub, caller }) =>
    (await hub.asks.list(caller, { state: 'open', everybody: true, limit: ROWS })).map((one) => [one.id, one.question] as const),
  approvals: async ({ hub, caller }) =>
    (await hub.approvals.list(caller, { pending: true, limit: ROWS })).map((one) => [one.id, one.action] as const),
  reminders: async ({ hub, caller }) =>
    (await hub.reminders.list(caller, { state: null, everybody: true, limit: ROWS }))
      .filter(({ state }) => state === 'pending' || state === 'parked')
      .map((one) => [one.id, one.message] as const),
  tasks: async ({ hub, caller }) =>
    (await hub.taskViews.list(caller, { state: null, limit: ROWS })).tasks.map((one) => [one.id, one.title] as const),
  dead: async ({ hub, caller }) => (await hub.overview.dead(caller, ROWS)).map((one) => [one.messageId, one.reason ?? ''] as const),
  threads: async ({ hub, caller }) =>
    (await hub.threads.list(caller, { words: undefined, before: undefined, limit: ROWS })).threads.map(
      (one) => [one.threadId, one.title] as const,
    ),
  tokens: async ({ hub, caller }) =>
    (await hub.tokens.list(caller))
      .filter(({ revokedAt }) => revokedAt === null)
      .map((one) => [one.id, `${one.agent} ${one.label}`] as const),
  projects: async ({ hub }) => (await hub.projects.list()).map((one) => [one.name, one.root] as const),
};
