// What a person is told who used a command wrongly: what is wrong, in one sentence, and where the right way stands.

import type { CommanderError } from 'commander';
import { HubError } from '../hub/errors.ts';

/** Words that people try first, and what they find here. */
const MEANT: Readonly<Record<string, string>> = {
  list: 'agents, tasks, asks, approvals, reminders or threads are lists of their own',
  ls: 'agents, tasks, asks, approvals, reminders or threads are lists of their own',
  ps: 'rookery agents, or rookery status',
  start: 'rookery serve',
  run: 'rookery serve',
  server: 'rookery serve',
  init: 'rookery install',
  setup: 'rookery install',
  mail: 'rookery recv, or rookery inbox NAME',
  message: 'rookery send, or rookery thread ID',
  messages: 'rookery recv, or rookery inbox NAME',
  log: 'rookery watch --after 0',
  logs: 'rookery watch --after 0',
  events: 'rookery watch',
  health: 'rookery doctor',
  check: 'rookery doctor, or rookery verify',
  ui: 'rookery dashboard',
  web: 'rookery dashboard',
  login: 'rookery dashboard',
  reject: 'rookery deny',
  version: 'rookery --version',
};

/** A refusal that is the user's to correct: exit code 2. */
export function usage(message: string, hint: string): HubError {
  return new HubError('invalid_input', message, { hint });
}

/** `words`: the command line without the program; the first ones name the command. */
export function usageError(error: CommanderError, words: readonly string[]): HubError {
  const [first] = words;
  const help = first === undefined || first.startsWith('-') ? 'rookery --help' : `rookery ${first} --help`;
  const message = error.message.replace(/^error: /, '').trim();
  const [main = '', ...suggested] = message.split('\n');
  const near = /Did you mean (?:one of )?(.+?)\?\)?$/.exec(suggested.join(' '))?.[1];
  const meant = near === undefined ? '' : ` Did you mean ${near}?`;
  const quoted = /'([^']*)'/.exec(main)?.[1] ?? '';
  switch (error.code) {
    case 'commander.unknownCommand': {
      const other = near === undefined && quoted === first ? MEANT[quoted] : undefined;
      const hint = quoted === first ? 'rookery --help lists the commands.' : `${help} explains it.`;
      return usage(`There is no command ${quoted.slice(0, 60)}.${meant}`, other === undefined ? hint : `Perhaps: ${other}. ${hint}`);
    }
    case 'commander.unknownOption':
      return usage(`There is no option ${quoted.slice(0, 60)} here.${meant}`, `${help} lists them.`);
    case 'commander.missingArgument':
      return usage(`<${quoted}> is missing.`, `${help} shows an example.`);
    case 'commander.missingMandatoryOptionValue':
      return usage(`${quoted} is missing.`, `${help} shows an example.`);
    case 'commander.optionMissingArgument':
      return usage(`${quoted} needs its value.`, `${help} shows an example.`);
    case 'commander.excessArguments':
      return usage(`There are more words than this command takes.`, `Quote what belongs together. ${help} shows an example.`);
    case 'commander.invalidArgument': {
      const allowed = /Allowed choices are (.+?)\.?$/.exec(main)?.[1];
      return usage(
        allowed === undefined ? `${main}` : `${quoted.slice(0, 60)} does not fit: it must be one of ${allowed}.`,
        `${help} explains it.`,
      );
    }
    default:
      return usage(`${main.replace(/[.?!]?$/, '.')}`, `${help} explains it.`);
  }
}
