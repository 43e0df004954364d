// rookery move, and export --everything and import of a whole hub: from a file to a server and back, or to another machine. What was brought is read
// back and verified before the command says so.

import { existsSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import type { Config } from '../config.ts';
import { databaseName, hasHub } from '../database-place.ts';
import { HubError } from '../hub/errors.ts';
import { filesOf, hubHome } from '../hub-home.ts';
import { checkHub, printChecked, step, toReport } from './care.ts';
import { addCommand, type CommonFlags, configOf } from './command.ts';
import { usage } from './failure.ts';
import { assertPerson } from './person.ts';
import { printSafeLine } from './print-safe.ts';
import { openTerminal } from './terminal.ts';

type MoveFlags = CommonFlags & { to: string; force?: boolean; dryRun?: boolean };
type ImportFlags = CommonFlags & { overwrite?: boolean; remove?: boolean; from?: string; dryRun?: boolean; restart?: boolean };

export function registerMove(program: Command): void {
  addCommand(
    program,
    'move',
    'carry the whole hub to another database: from its file to PostgreSQL, or back; it stays where it was, too',
    'rookery move --to postgres://rookery@db.example/rookery',
  )
    .requiredOption('--to <url-or-folder>', 'the database, or the folder of a hub; nothing may be there yet')
    .option('--force', 'also while agents are at work: what they do from now on stays behind')
    .option('--dry-run', 'say what would be moved, and change nothing')
    .addHelpText(
      'after',
      `\nStopped in between, the same command goes on. A password is better kept out of the command line: ~/.pgpass or PGPASSWORD hold it.`,
    )
    .action(move);
}

/** Whether a file is the export of a whole hub. */
export async function isWholeHub(file: string): Promise<boolean> {
  if (file === '-') return false;
  const { kindOf } = await import('../care/move-file.ts');
  return kindOf(file) === 'hub';
}

export async function exportEverything(file: string | undefined, flags: CommonFlags): Promise<void> {
  if (file === undefined) throw usage('--everything is written to a file.', 'For example: rookery export hub.ndjson --everything');
  if (flags.project !== undefined) throw usage('--everything is the whole hub, not one project.', 'Leave --project out.');
  const config = configOf(flags);
  await assertPersonOf(config);
  const { exportHub, workingOn } = await import('../care/move.ts');
  const { rows, digest } = await exportHub(config, file, step);
  const working = await workingOn(config);
  const terminal = openTerminal(config);
  if (flags.json === true) return terminal.json({ file, rows: sum(rows), tables: rows, digest });
  terminal.line(
    `Exported ${sum(rows)} rows of ${Object.keys(rows).length} tables to ${printSafeLine(file)}, digest ${digest.slice(0, 16)}.`,
  );
  terminal.line(
    'It holds every message, the hashes that prove agents who they are and the secrets of webhooks: keep it as you keep the database.',
  );
  if (working.length > 0) terminal.line(printSafeLine(`At work meanwhile: ${working.join(', ')}. What they do from now on is not in it.`));
}

export async function importEverything(file: string, flags: ImportFlags): Promise<void> {
  const given = (['overwrite', 'remove', 'from', 'project'] as const).find((flag) => flags[flag] !== undefined);
  if (given !== undefined)
    throw usage(`This file is a whole hub: --${given} is for the export of what hubs are set up with.`, `rookery import ${file}`);
  const config = configOf(flags);
  await assertPerson(undefined, config);
  const { importHub } = await import('../care/move.ts');
  const dryRun = flags.dryRun === true;
  const brought = await importHub(config, file, { dryRun, restart: flags.restart === true ? 'always' : 'never' }, step);
  await report(config, flags, config, brought, dryRun);
}

async function move(flags: MoveFlags): Promise<void> {
  if (flags.project !== undefined) throw usage('A move is of the whole hub, not of one project.', 'Leave --project out.');
  const config = configOf(flags);
  const isUrl = /^postgres(ql)?:\/\//.test(flags.to);
  const files = isUrl ? {} : flags.dryRun === true && !existsSync(flags.to) ? filesOf(resolve(flags.to)) : filesOf(hubHome(flags.to));
  const target: Config = { ...config, ...files, databaseUrl: isUrl ? flags.to : undefined };
  if (placeOf(target) === placeOf(config)) throw usage('The hub is there already.', 'Name another database, or another folder.');
  await assertPersonOf(config);
  const { exportHub, importHub, workingOn } = await import('../care/move.ts');
  const working = await workingOn(config);
  const dryRun = flags.dryRun === true;
  if (working.length > 0 && flags.force !== true && !dryRun)
    throw new HubError('conflict', `The hub is in use by ${working.join(', ')}; nothing was moved.`, {
      hint: 'End those first, or repeat with --force: what they do meanwhile stays behind.',
    });
  const file = join(config.backupDir, 'move.ndjson');
  await exportHub(config, file, step, true);
  const brought = await importHub(target, file, { dryRun, restart: 'other' }, step);
  rmSync(file);
  await report(config, flags, target, brought, dryRun);
  if (dryRun || flags.json === true) return;
  const { line } = openTerminal(config);
  line();
  line(
    isUrl
      ? `The hub as it was is still at ${printSafeLine(databaseName(config))}. For every process to take the other one, put "databaseUrl" into config.json of each hub’s folder, or ROOKERY_DATABASE_URL into their environment.`
      : `The hub as it was is still at ${printSafeLine(databaseName(config))}. For every process to take the other one, take "databaseUrl" out of config.json and ROOKERY_DATABASE_URL out of their environment.`,
  );
}

type Outcome = Awaited<ReturnType<typeof import('../care/move.ts')['importHub']>>;

async function report(config: Config, flags: CommonFlags, target: Config, brought: Outcome, dryRun: boolean): Promise<void> {
  const { rows, digest, name, state } = brought;
  const terminal = openTerminal(config);
  const moved = { dry_run: dryRun, to: name, resumed: state.is === 'unfinished', rows: sum(rows), tables: rows, digest };
  if (dryRun) {
    if (flags.json === true) return terminal.json(moved);
    for (const [table, n] of Object.entries(rows)) if (n > 0) terminal.line(`  ${String(n).padStart(9)}  ${printSafeLine(table)}`);
    return terminal.line(`${sum(rows)} rows would be brought into ${printSafeLine(name)}. Nothing was changed (--dry-run).`);
  }
  const { openHub } = await import('../open.ts');
  await (await openHub(target)).close(); // the proof that a start succeeds; rows of an older schema are brought up to date by it
  const checked = await checkHub(target);
  if (checked.problems.length > 0) process.exitCode = 1;
  if (flags.json === true) return terminal.json({ ...moved, verified: toReport(checked) });
  terminal.line(`${sum(rows)} rows of ${Object.keys(rows).length} tables are in ${printSafeLine(name)} now, and read back as they were.`);
  terminal.line(
    checked.problems.length === 0
      ? terminal.paint('green', 'sound')
      : terminal.paint('red', 'exactly as it was, and it was damaged before:'),
  );
  printChecked(terminal, checked);
}

/** Only a person takes a whole hub with it: asked of the hub itself, which knows its agents’ processes. */
async function assertPersonOf(config: Config): Promise<void> {
  if (!hasHub(config))
    throw new HubError('not_found', `There is no hub in ${config.home}.`, { hint: 'rookery status shows where you are.' });
  const { openHub } = await import('../open.ts');
  const hub = await openHub(config);
  try {
    await assertPerson(hub, config);
  } finally {
    await hub.close();
  }
}

function placeOf({ databaseUrl, databasePath }: Config): string {
  return databaseUrl ?? databasePath;
}

function sum(rows: Readonly<Record<string, number>>): number {
  return Object.values(rows).reduce((all, n) => all + n, 0);
}
