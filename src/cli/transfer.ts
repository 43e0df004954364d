// rookery export and import: what a hub is set up with, carried to another. A file of lines that people can read, version control can keep and
// nobody can take a credential from. What was said and done stays where it was: that is what backup is for.

import { closeSync, fsyncSync, openSync, unlinkSync, writeSync } from 'node:fs';
import type { Command } from 'commander';
import { exportLines, readExport } from '../care/export-file.ts';
import { assertGivenFile } from '../care/given-file.ts';
import type { Config } from '../config.ts';
import { HubError } from '../hub/errors.ts';
import type { Hub } from '../hub/hub.ts';
import type { Profile, Setup } from '../hub/profile.ts';
import type { Change, ImportMode } from '../hub/profile-changes.ts';
import { addCommand, type CommonFlags, configOf } from './command.ts';
import { usage } from './failure.ts';
import { assertPerson } from './person.ts';
import { printSafeLine } from './print-safe.ts';
import { openTerminal, progressBar, type Style, type Terminal } from './terminal.ts';
import { writeOut } from './write-out.ts';

type ImportFlags = CommonFlags & { overwrite?: boolean; remove?: boolean; dryRun?: boolean; from?: string; restart?: boolean };
/** What becomes of one project of the file. */
type Brought = { project: { id: string; name: string }; changes: readonly Change[] };

const SIGNS: Readonly<Record<Change['act'], [string, Style]>> = {
  add: ['+', 'green'],
  change: ['~', 'yellow'],
  remove: ['-', 'red'],
  keep: ['=', 'dim'],
  extra: [' ', 'dim'],
};

const ONE = { projects: 'project', agents: 'agent', templates: 'template', policies: 'policy', reminders: 'reminder' } as const;

export function registerTransfer(program: Command): void {
  addCommand(
    program,
    'export [file]',
    'what this hub is set up with, for another hub: projects, agents, templates, policies, reminders; no messages, and never a secret',
    'rookery export hub.ndjson',
  )
    .summary('what this hub is set up with, to carry it to another')
    .option('--everything', 'the whole hub, to move it: every message and agent, and what proves agents who they are')
    .addHelpText(
      'after',
      `\nWithout a file it is written to standard output. --project takes one project; otherwise all are exported, with the policies
that hold in all of them. With --everything it is a file, which rookery import puts where no hub is: on another machine, or on
the other engine (rookery move does both).`,
    )
    .action(async (file: string | undefined, flags: CommonFlags & { everything?: boolean }) => {
      if (flags.everything !== true) return await exportTo(file, flags);
      await (await import('./move.ts')).exportEverything(file, flags);
    });
  addCommand(
    program,
    'import <file>',
    'bring in what another hub exported; agents come without credentials and enrol anew',
    'rookery import hub.ndjson --dry-run',
  )
    .option('--overwrite', 'what both have becomes as in the file; otherwise it stays as it is here')
    .option('--remove', 'with --overwrite: what only this hub has is ended, agents are revoked')
    .option('--dry-run', 'show what would change, and change nothing')
    .option('--from <name>', 'only this project of the file')
    .option('--restart', 'begin an unfinished import of a whole hub anew')
    .addHelpText(
      'after',
      `\n- as the file is standard input. With --project, one project of the file is brought into that one, whatever it was called.
Policies that hold in all projects come with a whole file only, not with --from or --project.`,
    )
    .action(async (file: string, flags: ImportFlags) => {
      const { importEverything, isWholeHub } = await import('./move.ts');
      if (file !== '-') assertGivenFile(file, { hint: 'rookery export FILE makes one.' });
      if (!(await isWholeHub(file))) return await importFrom(file, flags);
      await importEverything(file, flags);
    });
}

async function exportTo(file: string | undefined, flags: CommonFlags): Promise<void> {
  await withHub(flags, async (hub, config) => {
    const all = await hub.projects.list();
    const wanted = flags.project === undefined ? all : all.filter(({ id }) => id === config.place.project.id);
    if (wanted.length === 0 && flags.project !== undefined)
      throw new HubError('not_found', `This hub has no project ${printSafeLine(flags.project)}.`, {
        hint: 'rookery status shows where you are.',
      });
    const bar = progressBar('exporting', wanted.length);
    const profiles: Profile[] = [];
    const policies = flags.project === undefined ? await hub.profiles.everywhere() : undefined;
    for (const { id, name, root } of wanted) {
      profiles.push(await hub.profiles.read({ id, name, root }));
      bar.add(1);
    }
    bar.end();
    if (file === undefined) {
      for (const line of exportLines({ policies, profiles })) writeOut(line);
      return;
    }
    writeNew(file, exportLines({ policies, profiles }));
    const count = (of: (profile: Profile) => readonly unknown[]) => profiles.reduce((sum, profile) => sum + of(profile).length, 0);
    const counts = {
      projects: profiles.length,
      agents: count(({ agents }) => agents),
      templates: count(({ templates }) => templates),
      policies: count((profile) => profile.policies) + (policies ?? []).length,
      reminders: count(({ reminders }) => reminders),
    };
    const terminal = openTerminal(config);
    if (flags.json === true) return terminal.json({ file, ...counts });
    const words = Object.entries(counts).map(([what, n]) => (n === 1 ? `1 ${ONE[what as keyof typeof ONE]}` : `${n} ${what}`));
    terminal.line(
      `Exported ${words.join(', ')} to ${printSafeLine(file)}. It holds no credential: agents enrol anew where it is imported.`,
    );
  });
}

async function importFrom(file: string, flags: ImportFlags): Promise<void> {
  if (flags.remove === true && flags.overwrite !== true)
    throw usage('--remove belongs to --overwrite.', 'For example: rookery import hub.ndjson --overwrite --remove --dry-run');
  const mode: ImportMode = { overwrite: flags.overwrite === true, remove: flags.remove === true };
  const dry = flags.dryRun === true;
  const read = await readExport(file === '-' ? process.stdin : file);
  await withHub(flags, async (hub, config) => {
    const { policies, profiles } = placed(read, flags, config);
    if (!dry) await assertPerson(hub, config);
    const bar = progressBar(
      'importing',
      profiles.reduce((sum, { agents }) => sum + agents.length, 0),
    );
    const brought: Brought[] = [];
    // Everything is looked at before anything is changed, so that a file that does not fit changes nothing in any project.
    const everywhere = policies === undefined ? [] : await hub.profiles.previewEverywhere(policies, mode);
    for (const profile of profiles)
      brought.push({ project: profile.project, changes: await hub.profiles.preview(profile.project, profile, mode) });
    if (!dry) {
      if (policies !== undefined && everywhere.length > 0) {
        const operator = await hub.projects.operator(profiles[0]?.project ?? config.place.project, 'cli');
        await hub.profiles.bringEverywhere(operator, policies, mode);
      }
      for (const profile of profiles) {
        const caller = await hub.projects.operator(profile.project, 'cli');
        await hub.profiles.bring(caller, profile.project, profile, mode, () => bar.add(1));
      }
    }
    bar.end();
    const terminal = openTerminal(config);
    if (flags.json === true) return terminal.json({ dry_run: dry, all_projects: everywhere.map(toRow), projects: brought.map(toJson) });
    if (everywhere.length > 0) terminal.line(terminal.paint('bold', 'All projects'));
    for (const change of everywhere) show(terminal, change);
    for (const { project, changes } of brought) {
      terminal.line(`${terminal.paint('bold', printSafeLine(project.name))} (${printSafeLine(project.id)})`);
      if (changes.length === 0) terminal.line('  nothing to do: it is as in the file');
      for (const change of changes) show(terminal, change);
    }
    if (everywhere.length + brought.length === 0) terminal.line('The file holds nothing.');
    const came = brought.some(({ changes }) => changes.some(({ act, kind }) => kind === 'agent' && act === 'add'));
    const next = came ? ' rookery agents create NAME, or token create --agent NAME, gives an agent its credential.' : '';
    terminal.line(dry ? '\nNothing was changed (--dry-run).' : `\nDone.${next}`);
  });
}

/** Where each profile of the file belongs: where it was, or all that is wanted of it into the project that is named. */
function placed(read: Setup, flags: ImportFlags, config: Config): Setup {
  if (flags.from === undefined && flags.project === undefined) return read;
  const wanted =
    flags.from === undefined
      ? read.profiles
      : read.profiles.filter(({ project }) => project.name === flags.from || project.id === flags.from);
  const names = read.profiles.map(({ project }) => project.name).join(', ');
  if (wanted.length === 0)
    throw new HubError('not_found', 'The file holds no such project; nothing was changed.', { hint: `It holds: ${printSafeLine(names)}.` });
  if (flags.project === undefined) return { policies: undefined, profiles: wanted };
  const [only, ...others] = wanted;
  if (only === undefined || others.length > 0)
    throw usage(
      `The file holds ${wanted.length} projects; one can be brought into ${printSafeLine(flags.project)}.`,
      `Name it with --from: ${printSafeLine(names)}.`,
    );
  return { policies: undefined, profiles: [{ ...only, project: config.place.project }] };
}

async function withHub(flags: CommonFlags, work: (hub: Hub, config: Config) => Promise<void>): Promise<void> {
  const config = configOf(flags);
  const { openHub } = await import('../open.ts');
  const hub = await openHub(config);
  try {
    await work(hub, config);
  } finally {
    await hub.close();
  }
}

function writeNew(path: string, lines: Iterable<string>): void {
  let handle: number;
  try {
    handle = openSync(path, 'wx', 0o600);
  } catch (error) {
    const exists = error instanceof Error && 'code' in error && error.code === 'EEXIST';
    throw usage(`${path} ${exists ? 'exists already' : 'cannot be written'}; nothing was exported.`, 'Choose another file.');
  }
  try {
    for (const line of lines) writeSync(handle, line);
    fsyncSync(handle);
  } catch (error) {
    unlinkSync(path);
    throw error;
  } finally {
    closeSync(handle);
  }
}

function toJson({ project, changes }: Brought) {
  return {
    project: project.name,
    project_id: project.id,
    changes: changes.map(toRow),
  };
}

function toRow({ act, kind, name, fields }: Change) {
  return { act, kind, name, fields };
}

function show({ line, paint }: Terminal, change: Change): void {
  const [sign, style] = SIGNS[change.act];
  const value = change.kind === 'policy' && change.fields.length === 0 ? ` = ${JSON.stringify(change.policy.value)}` : '';
  const note = change.act === 'keep' ? ' (differs; kept as it is here)' : change.act === 'extra' ? ' (only here; kept)' : '';
  line(paint(style, printSafeLine(`  ${sign} ${change.kind} ${change.name}${value}${note}`)));
  for (const { field, here, file } of change.fields) line(paint(style, printSafeLine(`      ${field}: ${here} -> ${file}`)));
}
