// The help of the whole program: what it can do, in the words of what a person wants. `rookery` alone says where to begin. A command that no
// heading names stands under the last one, so that none is ever hidden.

import type { Command, Help } from 'commander';
import { findTool } from '../tools/index.ts';
import { table } from './table.ts';
import { folded } from './terminal.ts';
import { invocation } from './this-program.ts';

/** Headings and their commands, in the order in which a newcomer meets them. */
const HEADINGS: readonly [string, readonly string[]][] = [
  ['Begin', ['demo', 'install', 'uninstall', 'serve', 'dashboard']],
  [
    'See what is',
    ['status', 'projects', 'watch', 'agents', 'inbox', 'threads', 'thread', 'open', 'dead', 'reservations', 'turns', 'stats'],
  ],
  ['Questions and approvals', ['asks', 'answer', 'approvals', 'approve', 'deny']],
  ['Messages and reminders', ['send', 'recv', 'ask', 'message-status', 'remind', 'reminders', 'requeue', 'retry', 'cancel', 'resume']],
  ['Work', ['tasks', 'task', 'job']],
  ['Who may do what', ['token', 'guard', 'policy', 'config']],
  ['Care of the data', ['doctor', 'backup', 'restore', 'verify', 'export', 'import', 'move', 'prune', 'untrack', 'quarantine', 'migrate']],
  ['Measured and proven', ['bench', 'prove']],
  ['For programs', ['stdio', 'hook', 'monitor', 'rewake', 'call', 'completion']],
];
const REST = 'More';

/** What `rookery` alone says. */
export function welcome(): string {
  const name = invocation();
  const lines = [
    ['rookery demo', 'see it work, in under a minute; nothing of it is left'],
    ['rookery install claude codex', 'put the hub into your clients (--dry-run shows what that changes)'],
    ['rookery serve', 'the dashboard in your browser, and the hub over HTTP'],
    ['rookery status', 'who is there, what waits for you, what is stuck and why'],
    ['rookery doctor', 'examine everything; for each finding one thing to do'],
  ];
  return [
    'Rookery, the coordination hub for coding agents.\n',
    ...table(
      ['', '', ''],
      lines.map((line) => ['', ...line]),
      Number.POSITIVE_INFINITY,
    ).slice(1),
    '\nrookery --help lists every command; rookery <command> --help explains one.',
    ...(name === 'rookery' ? [] : [`Here, rookery stands for: ${name}`]),
    '',
  ].join('\n');
}

/** The help of the program itself, grouped. */
export function programHelp(program: Command, help: Help): string {
  const commands = new Map(help.visibleCommands(program).map((command) => [command.alias() ?? command.name(), command]));
  const named = new Set(HEADINGS.flatMap(([, names]) => names));
  const isTool = (command: Command) => findTool(command.name().replaceAll('-', '_')) !== undefined;
  const others = [...commands].filter(([name]) => !named.has(name));
  const groups: [string, readonly string[]][] = [
    ...HEADINGS,
    [REST, others.filter(([name, command]) => name !== 'help' && !isTool(command)).map(([name]) => name)],
  ];
  const rows = groups.map(([heading, names]) => ({
    heading,
    lines: names.flatMap((name) => {
      const command = commands.get(name);
      return command === undefined ? [] : [['', name, command.summary() || command.description()]];
    }),
  }));
  const tools = others.filter(([, command]) => isTool(command)).map(([name]) => name);
  const width = Math.max(...rows.flatMap(({ lines }) => lines.map(([, name = '']) => name.length)));
  return [
    'Rookery, the coordination hub for coding agents.\n',
    'Usage: rookery <command> [arguments] [--flags]',
    ...rows.flatMap(({ heading, lines }) =>
      lines.length === 0 ? [] : [`\n${heading}`, ...lines.map(([, name = '', what]) => `  ${name.padEnd(width)}  ${what}`)],
    ),
    '\nEvery other tool of the agents is a command, too',
    ...folded(tools.join(', '), 96).map((line) => `  ${line}`),
    '\nrookery <command> --help explains one, with an example. Every command has --json; exit codes: 0 done, 1 refused, 2 used wrongly, 3 unavailable.',
    'Most have --project and --home, and work on the project of the folder that you are in.\n',
  ].join('\n');
}
