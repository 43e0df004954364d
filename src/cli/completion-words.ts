// What can stand where on a command line, read off the commands themselves: subcommands, flags, the values of a flag, and which arguments are
// names or ids that only the hub knows.

import type { Argument, Command, Option } from 'commander';

/** What the hub can be asked for. */
export const LISTS = ['agents', 'asks', 'approvals', 'reminders', 'tasks', 'dead', 'threads', 'tokens', 'projects'] as const;
export type List = (typeof LISTS)[number];

export type Values = { list: List } | { words: readonly string[] } | { files: true } | { none: true };
export type Flag = { flag: string; about: string; values: Values | undefined };
/** `path`: the words that name the command, without the program's. */
export type Place = { path: string; words: { word: string; about: string }[]; flags: Flag[]; args: Values[] };

/** Arguments and values by the name that they have in a usage line. */
const BY_NAME: Readonly<Record<string, List>> = {
  name: 'agents',
  agent: 'agents',
  ask: 'asks',
  'ask-id': 'asks',
  approval: 'approvals',
  'approval-id': 'approvals',
  reminder: 'reminders',
  'reminder-id': 'reminders',
  task: 'tasks',
  'task-id': 'tasks',
  'task-or-name': 'tasks',
  message: 'dead',
  thread: 'threads',
  'thread-id': 'threads',
  'path-or-name': 'projects',
};
/** Where the name alone does not tell. */
const BY_PLACE: Readonly<Record<string, List>> = {
  'thread id': 'threads',
  'task show id': 'tasks',
  'task graph id': 'tasks',
  'task cancel id': 'tasks',
  'task retry id': 'tasks',
  'task accept id': 'tasks',
  'task assign id': 'tasks',
  'job export id': 'tasks',
  'cancel id': 'asks',
  'token revoke id': 'tokens',
  'send --to': 'agents',
  'ask --to': 'agents',
  'remind --to': 'agents',
};
const FILES = new Set(['file', 'files', 'folder', 'command', 'program']);
/** Names that are made up, not chosen. */
const FRESH = new Set(['agents create name']);

/** Every place of the program, the program itself first. */
export function placesOf(program: Command): Place[] {
  const walk = (command: Command, path: readonly string[]): Place[] => {
    const visible = command
      .createHelp()
      .visibleCommands(command)
      .filter((one) => one.name() !== 'help');
    const below = visible.flatMap((one) => [one.name(), ...one.aliases()].flatMap((name) => walk(one, [...path, name])));
    const here = path.join(' ');
    return [
      {
        path: here,
        words: visible.flatMap((one) => [one.name(), ...one.aliases()].map((word) => ({ word, about: aboutOf(one) }))),
        flags: command
          .createHelp()
          .visibleOptions(command)
          .flatMap((option) => flagsOf(here, option)),
        args: command.registeredArguments.map((argument) => argumentOf(here, argument)),
      },
      ...below,
    ];
  };
  return walk(program, []);
}

function aboutOf(command: Command): string {
  return oneLine(command.summary() || command.description());
}

function flagsOf(path: string, option: Option): Flag[] {
  if (option.long === undefined || option.long === null) return [];
  const taken = option.required || option.optional;
  return [{ flag: option.long, about: oneLine(option.description), values: taken ? valuesOf(path, option) : undefined }];
}

function valuesOf(path: string, option: Option): Values {
  const shown = /<([^>]+)>/.exec(option.flags)?.[1] ?? '';
  const words = option.argChoices ?? (shown.includes('|') ? shown.split('|') : undefined) ?? listedWords(option.description);
  return words === undefined ? known(path, option.long ?? '', shown) : { words };
}

/** `mermaid or dot`, `user or project; ...`: the values are the words of a description that names nothing else. */
function listedWords(description: string): string[] | undefined {
  const [first = ''] = description.split(/[;:]/);
  const words = first.split(/,| or /).map((word) => word.trim());
  return words.length > 1 && words.every((word) => /^[a-z_0-9-]+$/.test(word)) ? words : undefined;
}

function argumentOf(path: string, argument: Argument): Values {
  return argument.argChoices === undefined ? known(path, argument.name(), argument.name()) : { words: argument.argChoices };
}

function known(path: string, name: string, shown: string): Values {
  const list = FRESH.has(`${path} ${name}`) ? undefined : (BY_PLACE[`${path} ${name}`] ?? BY_NAME[shown]);
  if (list !== undefined) return { list };
  return FILES.has(shown.replace(/\.+$/, '')) ? { files: true } : { none: true };
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
