// rookery config: every setting with its value, and with --explain where it came from and where else it can be given. Secrets are not shown.

import type { Command } from 'commander';
import { environmentName, type Setting, settingNames } from '../config.ts';
import { databaseName } from '../database-place.ts';
import { addCommand, type CommonFlags, configOf } from './command.ts';
import { openTerminal, table } from './terminal.ts';

/** A database's URL may hold its password. */
const SECRETS: readonly Setting[] = ['token', 'enrol', 'databaseUrl'];

export function registerConfig(program: Command): void {
  addCommand(program, 'config', 'the settings in force', 'rookery config --explain')
    .option('--explain', 'also say where each value came from')
    .action((flags: CommonFlags & { explain?: boolean }) => {
      const config = configOf(flags);
      const terminal = openTerminal(config);
      const settings = settingNames.map((name) => ({
        name,
        value: SECRETS.includes(name) && config[name] !== undefined ? '(set, not shown)' : config[name],
        source: config.sources[name],
        environment: environmentName(name) ?? null,
      }));
      const places = {
        home: config.home,
        database: databaseName(config),
        backups: config.backupDir,
        doorbells: config.bellDir,
        ...projectOf(config.place),
      };
      if (flags.json === true) return terminal.json({ places, settings });
      for (const [name, value] of Object.entries(places)) for (const line of table([name.padEnd(16), value], [])) terminal.line(line);
      terminal.line();
      const explained = flags.explain === true;
      const rows = settings.map(({ name, value, source, environment }) => [
        name,
        value === undefined ? '-' : typeof value === 'string' ? value : JSON.stringify(value),
        ...(explained ? [source, environment ?? '-'] : []),
      ]);
      for (const line of table(['setting', 'value', ...(explained ? ['source', 'environment'] : [])], rows)) terminal.line(line);
      if (explained)
        terminal.line(`\nPrecedence: flag, environment, .rookery/config.json of the project, config.json of the hub’s folder, default.`);
    });
}

function projectOf({ project, workRoot }: ReturnType<typeof configOf>['place']) {
  return { project: project.id, project_root: project.root, work_root: workRoot };
}
