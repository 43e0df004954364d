// rookery job: a task with everything below it as a document, and such a document brought into another hub.

import { readFileSync, statSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import { assertGivenFile } from '../care/given-file.ts';
import { jobFile, readJobFile } from '../care/job-file.ts';
import type { Brought } from '../hub/carried-jobs.ts';
import { asOperator } from './as-operator.ts';
import { addCommand, addGroup, type CommonFlags } from './command.ts';
import { usage } from './failure.ts';
import { printSafeLine } from './print-safe.ts';
import { toMarkdown, toOtlp } from './task-documents.ts';

/** Far more than the largest job that is exported whole. */
const LONGEST_FILE_BYTES = 256 * 1024 * 1024;

export function registerJobs(program: Command): void {
  const job = addGroup(program, 'job', 'a task with everything below it, as a document', 'rookery job export tsk_… --format markdown');
  addCommand(job, 'export <id>', 'the whole of a job: orders, histories, results', 'rookery job export tsk_… --format markdown > job.md')
    .option('--format <format>', 'json, markdown, or otlp: the trace for OpenTelemetry', 'json')
    .action(exportJob);
  addCommand(
    job,
    'import <file>',
    'bring in a finished job that was exported as JSON, to look into it; it is as it was, and sets nothing going',
    'rookery job import job.json',
  )
    .addHelpText(
      'after',
      '\n- as the file is standard input. Whoever took part becomes known here, without a credential. What is here already stays as it is. Like every\nfinished task it is kept as long as `rookery config --explain` says, counted from its end.',
    )
    .action(importJob);
}

async function exportJob(id: string, flags: CommonFlags & { format?: string }): Promise<void> {
  if (flags.format !== 'json' && flags.format !== 'markdown' && flags.format !== 'otlp')
    throw usage('--format must be json, markdown or otlp.', 'For example: rookery job export tsk_… --format markdown');
  await asOperator(flags, async ({ hub, caller, terminal }) => {
    const { tasks, cut } = await hub.taskTrees.job(caller, id);
    if (flags.format === 'otlp') return terminal.json(toOtlp(tasks));
    if (flags.format === 'json' || flags.json === true) return terminal.json(jobFile(tasks, cut));
    for (const line of toMarkdown(tasks, cut)) terminal.line(line);
  });
}

async function importJob(file: string, flags: CommonFlags): Promise<void> {
  const tasks = readJobFile(file === '-' ? await text(process.stdin) : readGiven(file));
  await asOperator({ ...flags, begins: true }, async ({ hub, caller, terminal }) => {
    const brought = await hub.carriedJobs.bring(caller, tasks);
    if (flags.json === true)
      return terminal.json({ added: brought.added, known: brought.known, registered: brought.registered, left_out: brought.leftOut });
    for (const line of inWords(brought)) terminal.line(printSafeLine(line));
  });
}

function readGiven(file: string): string {
  assertGivenFile(file, { hint: 'rookery job export ID > job.json makes one.' });
  if (statSync(file).size <= LONGEST_FILE_BYTES) return readFileSync(file, 'utf8');
  throw usage(`${file} is larger than ${LONGEST_FILE_BYTES} bytes.`, 'Is it the right file?');
}

function inWords({ added, known, registered, leftOut }: Brought): string[] {
  const [first] = added;
  const count = (n: number) => `${n} ${n === 1 ? 'task' : 'tasks'}`;
  return [
    `${count(added.length)} brought in${known.length === 0 ? '' : `, ${known.length} here already`}.`,
    ...(registered.length === 0 ? [] : [`Now known here, without a credential: ${registered.join(', ')}.`]),
    ...leftOut.map((words) => `Left out, because it is not here: ${words}.`),
    ...(first === undefined ? [] : [`\`rookery task ${first}\` shows it.`]),
  ];
}
