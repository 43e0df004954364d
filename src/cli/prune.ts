// rookery prune: retention at once, and sooner than the limits say; rookery untrack: a project goes with everything that is its own.

import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import type { Config } from '../config.ts';
import { assertFile } from '../database-place.ts';
import { toIso } from '../hub/clock.ts';
import { isHubError } from '../hub/errors.ts';
import type { Hub } from '../hub/hub.ts';
import { addCommand, type CommonFlags, configOf } from './command.ts';
import { usage } from './failure.ts';
import { assertPerson } from './person.ts';
import { printSafeLine } from './print-safe.ts';
import { table } from './table.ts';
import { counter, openTerminal, type Progress, type Terminal } from './terminal.ts';

const DAY_MS = 86_400_000;
const UNITS: Record<string, number> = { h: 3_600_000, d: DAY_MS, w: 7 * DAY_MS };
type Rows = Record<string, number>;
type PruneFlags = CommonFlags & { dryRun?: boolean; olderThan?: string; audit?: boolean; compact: boolean };
type UntrackFlags = CommonFlags & { dryRun?: boolean; yes?: boolean; force?: boolean };

export function registerPrune(program: Command): void {
  addCommand(
    program,
    'prune',
    'sweep what is over and past its time, now; what is open is never touched',
    'rookery prune --older-than 30d --dry-run',
  )
    .option('--dry-run', 'say what would go, by trying it on a copy; nothing is changed')
    .option(
      '--older-than <age>',
      'what has been over for so long (30d, 12w; at least 1d), instead of each kind’s own time (docs/limits.md)',
    )
    .option('--audit', 'of the audit, too: events and approvals, which otherwise keep their own time')
    .option('--no-compact', 'leave the space to the hub: giving it back to the disk holds others up for a moment')
    .action(async (flags: PruneFlags) => {
      const olderThanMs = flags.olderThan === undefined ? undefined : toAge(flags.olderThan);
      const config = configOf(flags);
      const terminal = openTerminal(config);
      const work = (place: Config) =>
        prune(place, { olderThanMs, audit: flags.audit === true, oneProject: flags.project !== undefined, compact: flags.compact });
      const { onCopy } = await import('../care/rehearsal.ts');
      const { withBallast } = await import('../care/full-disk.ts');
      const { wholeSizeOf } = await import('../care/files.ts');
      if (flags.dryRun === true) assertFile(config, 'prune --dry-run', 'rookery config list --explain says what is kept how long.');
      const before = wholeSizeOf(config.databasePath);
      const done = flags.dryRun === true ? await onCopy(config, work) : await withBallast(config, () => work(config));
      if (done.bytes !== null && flags.dryRun === true) done.bytes.before = before;
      const total = sum(done.rows);
      if (flags.json === true)
        return terminal.json({
          dry_run: flags.dryRun === true,
          rows: done.rows,
          total,
          ...(done.bytes === null ? {} : { bytes: done.bytes }),
        });
      printRows(terminal, done.rows, flags.dryRun === true ? 'would go' : 'went');
      if (done.bytes !== null)
        terminal.line(
          `The database ${flags.dryRun === true ? 'would take' : 'takes'} ${mib(done.bytes.after)} instead of ${mib(done.bytes.before)}.`,
        );
    });

  addCommand(
    program,
    'untrack <name>',
    'remove a project with everything that is its own, its history included',
    'rookery untrack old-experiment --dry-run',
  )
    .option('--dry-run', 'say what would go')
    .option('--yes', 'without asking for the name once more')
    .option('--force', 'also while sessions are live in it: their next call is refused')
    .action(async (named: string, flags: UntrackFlags) => {
      const config = configOf(flags);
      const terminal = openTerminal(config);
      await withHub(config, async (hub) => {
        const project = await hub.untracking.find(named);
        const rows = nonZero(await hub.untracking.count(project.id));
        const facts = { project: project.id, name: project.name, root: project.root, since: toIso(project.createdAt) };
        if (flags.dryRun === true) {
          if (flags.json === true) return terminal.json({ dry_run: true, ...facts, rows });
          return printRows(terminal, rows, 'would go');
        }
        await assertPerson(hub, config);
        if (flags.yes !== true) await confirm(terminal, project.name, rows);
        const operator = await hub.projects.operator(project, 'cli');
        const removed = await hub.untracking.remove(operator, project.id, flags.force === true);
        if (flags.json === true) return terminal.json({ dry_run: false, ...facts, rows: nonZero(removed.rows) });
        printRows(terminal, nonZero(removed.rows), 'went');
        terminal.line(`${printSafeLine(project.name)} is no longer tracked. Backups made before still hold it.`);
      });
    });
}

/** Sweeps the hub that a configuration names, and answers what went and how large it is then. */
async function prune(config: Config, wish: { olderThanMs: number | undefined; audit: boolean; oneProject: boolean; compact: boolean }) {
  return await withHub(config, async (hub) => {
    await assertPerson(hub, config);
    const operator = await hub.projects.operator(config.place.project, 'cli');
    const bar: Progress = counter('sweeping', 'rows');
    const { olderThanMs, audit } = wish;
    const projectId = wish.oneProject ? config.place.project.id : undefined;
    const rows = await hub.sweeps.prune(operator, { olderThanMs, audit, projectId }, (went) => bar.add(sum(went)));
    bar.end();
    return { rows, bytes: wish.compact && sum(rows) > 0 ? await compacted(hub) : null };
  });
}

/** The file is written anew for it, which may not fit on the disk; what was freed inside it is used again all the same. */
async function compacted(hub: Hub): Promise<{ before: number; after: number } | null> {
  try {
    return await hub.sweeps.compact();
  } catch (error) {
    if (!isHubError(error) || error.code !== 'storage_full') throw error;
    process.stderr.write('The disk has no room to make the file smaller; what is free inside it is used first from now on.\n');
    return null;
  }
}

async function withHub<T>(config: Config, work: (hub: Hub) => Promise<T>): Promise<T> {
  const { openHub } = await import('../open.ts');
  const hub = await openHub(config);
  try {
    return await work(hub);
  } finally {
    await hub.close();
  }
}

/** Errors: `invalid_input` where nobody can type the name, or another is typed. */
async function confirm(terminal: Terminal, name: string, rows: Rows): Promise<void> {
  if (process.stdin.isTTY !== true)
    throw usage('Nobody is there to confirm it; nothing was removed.', 'Repeat with --yes, or run it in a terminal.');
  printRows(terminal, rows, 'would go');
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  const typed = await lines
    .question(`This cannot be undone. Type the name of the project (${printSafeLine(name)}) to remove it: `)
    .finally(() => lines.close());
  if (typed.trim() !== name)
    throw usage('That is not its name; nothing was removed.', 'rookery backup makes a copy first, if you are not sure.');
}

function toAge(text: string): number {
  const match = /^(\d{1,5})([hdw])$/.exec(text);
  const age = match === null ? 0 : Number(match[1]) * (UNITS[match[2] ?? ''] ?? 0);
  if (age < DAY_MS) throw usage('--older-than is an age of at least a day: 30d, 12w, 48h.', 'rookery prune --older-than 30d');
  return age;
}

function printRows(terminal: Terminal, rows: Rows, verb: string): void {
  const list = Object.entries(rows).sort(([, a], [, b]) => b - a);
  if (list.length === 0) terminal.line(`Nothing ${verb}: everything is open, or within its time.`);
  else
    for (const line of table(
      ['table', `rows that ${verb}`],
      list.map(([name, n]) => [name, n.toLocaleString('en')]),
    ))
      terminal.line(line);
}

function nonZero(rows: Rows): Rows {
  return Object.fromEntries(Object.entries(rows).filter(([, n]) => n > 0));
}

function sum(rows: Rows): number {
  return Object.values(rows).reduce((total, n) => total + n, 0);
}

function mib(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(1)} MiB`;
}
