// What every command has: --json, --project, --home, a help text with an example; and how it gets its configuration.

import { type Command, Option } from 'commander';
import { type Config, readProcessConfig } from '../config.ts';

/** The heading of the options that every command has. */
export const EVERYWHERE = 'Everywhere:';

export type CommonFlags = { home?: string; project?: string; json?: boolean };

/** Adds a command. `words`: name and arguments as commander has them; `example`: one line that works; `isDefault`: its name may be left out. */
export function addCommand(parent: Command, words: string, description: string, example: string, isDefault = false): Command {
  return parent
    .command(words, { isDefault })
    .description(description)
    .addOption(everywhere('--json', 'print JSON: the same fields in every version'))
    .addOption(everywhere('--project <path-or-name>', 'the project, if not the working directory’s'))
    .addOption(everywhere('--home <folder>', 'the hub’s folder, if not ROOKERY_HOME or ~/.rookery'))
    .addHelpText('after', exampleText(example));
}

/** Adds a name under which other commands stand. */
export function addGroup(parent: Command, name: string, description: string, example: string): Command {
  return parent.command(name).description(description).addHelpText('after', exampleText(example));
}

function exampleText(example: string): string {
  return `\nExample:\n  $ ${example}`;
}

/** What is the same for all commands stands apart from what is this one’s. */
function everywhere(flags: string, description: string): Option {
  return new Option(flags, description).helpGroup(EVERYWHERE);
}

/** The configuration of a command that takes nothing but the common flags. */
export function configOf({ home, project }: CommonFlags): Config {
  return readProcessConfig({ home, project });
}
