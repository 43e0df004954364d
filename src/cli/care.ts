// rookery backup, verify and restore: care of the data, by files. They work when the hub itself cannot be opened.

import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Checked, Step } from '../care/check.ts';
import type { Config } from '../config.ts';
import { counted } from '../hub/counted.ts';
import { addCommand, type CommonFlags, configOf } from './command.ts';
import { printSafeLine } from './print-safe.ts';
import { openTerminal, progressBar, type Terminal } from './terminal.ts';

export function registerCare(program: Command): void {
  addCommand(program, 'backup [file]', 'a verified copy of the database, while the hub runs', 'rookery backup').action(
    async (file: string | undefined, flags: CommonFlags) => {
      const config = configOf(flags);
      const { backUp } = await import('../care/backup.ts');
      const checked = await backUp(config, file, step);
      const terminal = openTerminal(config);
      if (flags.json === true) return terminal.json(toReport(checked));
      terminal.line(`Backed up to ${printSafeLine(checked.path)}`);
      printChecked(terminal, checked);
    },
  );

  addCommand(
    program,
    'verify [file]',
    'prove that nothing was altered or lost: structure, chain, counts',
    'rookery verify backups/hub.db',
  ).action(async (file: string | undefined, flags: CommonFlags) => {
    const config = configOf(flags);
    const checked = await checkHub(config, file);
    const { path } = checked;
    const terminal = openTerminal(config);
    if (flags.json === true) terminal.json(toReport(checked));
    else {
      terminal.line(
        checked.problems.length === 0
          ? `${terminal.paint('green', 'sound')}  ${printSafeLine(path)}`
          : `${terminal.paint('red', 'damaged')}  ${printSafeLine(path)}`,
      );
      printChecked(terminal, checked);
    }
    if (checked.problems.length > 0) process.exitCode = 1;
  });

  addCommand(
    program,
    'restore <file>',
    'put a backup in the place of the database, which is kept',
    'rookery restore ~/.rookery/backups/hub-2026-11-20.db',
  )
    .option('--force', 'also while sessions are live: they then refuse to go on')
    .action(async (file: string, flags: CommonFlags & { force?: boolean }) => {
      const config = configOf(flags);
      const { restore } = await import('../care/restore.ts');
      const { checked, kept } = await restore(config, file, flags.force === true, step);
      const { openHub } = await import('../open.ts');
      const hub = await openHub(config); // the proof that a start succeeds
      await hub.close();
      const terminal = openTerminal(config);
      if (flags.json === true) return terminal.json({ ...toReport(checked), restored_to: config.databasePath, kept });
      terminal.line(`Restored ${printSafeLine(checked.path)}`);
      if (kept !== null) terminal.line(`The replaced database is kept as ${printSafeLine(kept)}`);
      printChecked(terminal, checked);
    });
}

/** Verifies the hub itself, or a file. */
export async function checkHub(config: Config, file?: string): Promise<Checked> {
  if (file === undefined && config.databaseUrl !== undefined) return await checkServer(config);
  const { checkFile } = await import('../care/check.ts');
  return await checkFile(file === undefined ? config.databasePath : resolve(file), step);
}

/** The history of a hub on PostgreSQL; its structure is the server's own business (amcheck, checksums). */
async function checkServer(config: Config): Promise<Checked> {
  const { openHub } = await import('../open.ts');
  const hub = await openHub(config);
  try {
    const bar = step('verifying the history', 1);
    const projects = await hub.verify();
    bar.end();
    const problems = projects.flatMap((project) => project.problems.map((problem) => `project ${project.name}: ${problem}`));
    const { name: path, bytes } = await hub.store();
    return { path, bytes, schema: hub.schema, projects, problems };
  } finally {
    await hub.close();
  }
}

export const step: Step = (label, total) => progressBar(label, total);

export function toReport({ path, bytes, schema, projects, problems }: Checked) {
  const shown = projects.map(({ project, name, events, messages, deliveries, swept, head }) => ({
    project: name,
    project_id: project,
    events,
    messages,
    deliveries,
    swept,
    head,
  }));
  return { file: path, ok: problems.length === 0, bytes, schema, projects: shown, problems };
}

export function printChecked({ line }: Terminal, { bytes, schema, projects, problems }: Checked): void {
  line(`  ${(bytes / 1_048_576).toFixed(1)} MiB, schema ${schema}`);
  for (const { name, events, messages, swept, head } of projects) {
    line(`  project ${printSafeLine(name)}: ${counted(events, 'event')}, ${counted(messages, 'message')}, head ${head.slice(0, 16)}`);
    if (swept.messages > 0)
      line(
        `    ${counted(swept.messages, 'more message was swept after its time', 'more messages were swept after their time')}, as the history says`,
      );
    if (swept.events > 0)
      line(`    the history begins at event ${swept.events + 1}: older ones were forgotten after their time, as it says`);
  }
  for (const problem of problems) line(`  ${printSafeLine(problem)}`);
}
