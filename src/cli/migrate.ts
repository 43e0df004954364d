// rookery migrate: the state of the schema, and bringing it up to this program, which every start does, too. A copy is kept before anything changes.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { assertFile } from '../database-place.ts';
import { addCommand, type CommonFlags, configOf } from './command.ts';
import { printSafeLine } from './print-safe.ts';
import { table } from './table.ts';
import { openTerminal } from './terminal.ts';

export function registerMigrate(program: Command): void {
  addCommand(
    program,
    'migrate',
    'bring the database to the schema of this program, keeping a copy; every start does it, too',
    'rookery migrate --dry-run',
  )
    .option('--dry-run', 'say what would be done')
    .action(async (flags: CommonFlags & { dryRun?: boolean }) => {
      const config = configOf(flags);
      const terminal = openTerminal(config);
      assertFile(config, 'migrate', 'A server’s database is brought up to date by the first hub that opens it.');
      const { schemaState } = await import('../care/schema.ts');
      const state = schemaState(config);
      const does = flags.dryRun !== true && state.pending.length > 0;
      if (does) {
        const { openHub } = await import('../open.ts');
        await (await openHub(config)).close();
      }
      const copy = does ? keptCopy(config.backupDir, state.schema) : null;
      if (flags.json === true) return terminal.json({ dry_run: flags.dryRun === true, ...state, migrated: does, copy });
      terminal.line(`${printSafeLine(state.path)} has schema ${state.schema}; this program writes ${state.known}.`);
      if (state.pending.length === 0) return terminal.line('Nothing is to be done.');
      for (const line of table(
        ['migration', does ? 'done' : 'to do'],
        state.pending.map(({ version, name }) => [String(version), name]),
      ))
        terminal.line(line);
      terminal.line(
        does
          ? `The database as it was is kept as ${printSafeLine(copy ?? 'a copy')}.`
          : 'A copy of the database is kept before anything changes.',
      );
    });
}

/** The copy that opening made of the older database. */
function keptCopy(folder: string, schema: number): string | null {
  const name = readdirSync(folder)
    .filter((one) => one.startsWith(`before-schema-${schema + 1}-`))
    .sort()
    .at(-1);
  return name === undefined ? null : join(folder, name);
}
