// rookery config: every setting with its value, and with --explain where it came from and where else it can be given. Secrets are not shown.

import type { Command } from 'commander';
import { environmentName, type Setting, settingNames } from '../config.ts';
import { addressName, databaseName } from '../database-place.ts';
import { addCommand, addGroup, type CommonFlags, configOf } from './command.ts';
import { registerPolicies, showPolicies } from './policies.ts';
import { printSafeLine } from './print-safe.ts';
import { table } from './table.ts';
import { openTerminal } from './terminal.ts';

/** A database's URL may hold its password. */
const SECRETS: readonly Setting[] = ['token', 'enrol', 'databaseUrl'];

export function registerConfig(program: Command): void {
  const config = addGroup(
    program,
    'config',
    'settings of this process, and policies of the hub: what holds, from where, and changing it',
    'rookery config --explain',
  );
  registerPolicies(config);
  addCommand(config, 'show [key]', 'the settings in force, or one setting or policy', 'rookery config show --explain', true)
    .option('--explain', 'also say where each value came from')
    .option('--agent <name>', 'of a policy: as it holds for this agent')
    .action(async (key: string | undefined, flags: CommonFlags & { explain?: boolean; agent?: string }) => {
      if (key !== undefined && !settingNames.some((name) => name === key)) return await showPolicies(flags, key);
      const config = configOf(flags);
      const terminal = openTerminal(config);
      const settings = settingNames
        .filter((name) => key === undefined || name === key)
        .map((name) => ({
          name,
          value: shown(name, config[name]),
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
      if (key === undefined)
        for (const [name, value] of Object.entries(places)) terminal.line(`${name.padEnd(16)}  ${printSafeLine(value)}`);
      terminal.line();
      const explained = flags.explain === true;
      const rows = settings.map(({ name, value, source, environment }) => [
        name,
        value === undefined ? '-' : typeof value === 'string' ? value : JSON.stringify(value),
        ...(explained ? [source, environment ?? '-'] : []),
      ]);
      for (const line of table(['setting', 'value', ...(explained ? ['source', 'environment'] : [])], rows)) terminal.line(line);
      if (explained && key === undefined)
        terminal.line(
          `\nPrecedence: flag, environment, .rookery/config.json of the project, config.json of the hub’s folder, default.\nPolicies, which the operator sets while the hub runs: rookery config list --explain`,
        );
    });
}

function shown(name: Setting, value: unknown): unknown {
  if (value === undefined) return undefined;
  if (SECRETS.includes(name)) return '(set, not shown)';
  return name === 'url' ? addressName(String(value)) : value;
}

function projectOf({ project, workRoot }: ReturnType<typeof configOf>['place']) {
  return { project: project.id, project_root: project.root, work_root: workRoot };
}
