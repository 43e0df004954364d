// The doctor on the database: whether it opens, is ours and sound, how large its log is, who holds it, and what its rows say.
// It reads through a connection that cannot write, so a damaged file stays as it is. It is loaded only when the native module is there.

import { existsSync } from 'node:fs';
import type { Step } from '../care/check.ts';
import { walk } from '../care/check.ts';
import { sizeOf } from '../care/files.ts';
import type { Config } from '../config.ts';
import { counted } from '../hub/counted.ts';
import { isHubError } from '../hub/errors.ts';
import { schemaVersion } from '../store/migrate.ts';
import { FILLING } from '../store/moving.ts';
import { SqliteFile } from '../store/sqlite-care.ts';
import { olderNotices } from '../store/sqlite-mark.ts';
import type { Evidence } from './client-hooks.ts';
import type { Probes } from './doctor.ts';
import { type Finding, fail, ok, unknown, warn, wordsOf } from './finding.ts';
import { checkRows } from './rows.ts';

const WAL_MAX_BYTES = 64 * 1_048_576;
const HOLDER_LOOKS = 3;
const HOLDER_PAUSE_MS = 100;

export type DatabaseReport = { findings: Finding[]; opened: boolean; bornAt: number | undefined; evidence: Evidence | undefined };

const NOTHING = { bornAt: undefined, evidence: undefined };

export async function checkDatabase(config: Config, deep: boolean, probes: Probes, step: Step): Promise<DatabaseReport> {
  const path = config.databasePath;
  if (!existsSync(path))
    return { findings: [ok('database', 'there is none yet; the first session or command makes it')], opened: true, ...NOTHING };
  let file: SqliteFile;
  try {
    file = new SqliteFile(path);
  } catch (error) {
    return { findings: [unreadable(config, path, error), await checkWriter(path, probes)], opened: false, ...NOTHING };
  }
  try {
    const schema = checkSchema(file, path);
    const findings = [
      ok('database', `${path} opens, ${mib(sizeOf(path))} MiB`),
      schema,
      ...olderNotices(path).map((sentence) =>
        fail('database_age', sentence, 'What is missing was acknowledged.', `rookery restore FILE, with the newest of ${config.backupDir}`),
      ),
      checkSettings(file),
      checkWal(path),
      await checkWriter(path, probes),
    ];
    if (schema.status !== 'ok') return { findings, opened: false, ...NOTHING };
    const structure = checkStructure(file, deep, step);
    if (structure.status !== 'ok') return { findings: [...findings, structure], opened: false, ...NOTHING };
    const rows = await checkRows(config, file, probes);
    return {
      findings: [...findings, structure, ...(deep ? await checkHistory(file, step) : []), ...rows.findings],
      opened: true,
      bornAt: rows.bornAt,
      evidence: rows.evidence,
    };
  } finally {
    file.close();
  }
}

function unreadable(config: Config, path: string, error: unknown): Finding {
  const fix = `rookery restore FILE, with the newest of ${config.backupDir}`;
  return fail(
    'database',
    `${path} cannot be opened: ${isHubError(error) ? error.message : wordsOf(error)}`,
    'No agent can send or receive.',
    fix,
  );
}

function checkSchema(file: SqliteFile, path: string): Finding {
  const { ours, schema } = file.facts();
  const known = schemaVersion('sqlite');
  if (schema > FILLING)
    return fail(
      'schema',
      `an import into ${path} is not finished`,
      'No hub opens on it: part of it is missing.',
      'Run the same rookery import FILE, or rookery move, again: it goes on where it stopped.',
    );
  if (schema > known)
    return fail(
      'schema',
      `schema ${schema}; this program knows ${known}`,
      'An older program never opens a newer database.',
      'Update Rookery.',
    );
  if (!ours && schema > 0)
    return fail('schema', `${path} was written by another program`, 'It is no hub.', 'Set ROOKERY_HOME to another folder.');
  return ok('schema', schema === known ? `schema ${schema}` : `schema ${schema}; the next start brings it to ${known}`);
}

function checkSettings(file: SqliteFile): Finding {
  const { journalMode, synchronous } = file.facts();
  const what = `journal_mode ${journalMode}, synchronous ${synchronous === 2 ? 'FULL' : synchronous}`;
  if (synchronous !== 2) return fail('settings', what, 'What was accepted could be lost in a power cut.', 'npm ci');
  // A restored copy is in another mode until the next start, which sets and checks it.
  return journalMode === 'wal' ? ok('settings', what) : ok('settings', `${what}; the next start sets WAL`);
}

function checkWal(path: string): Finding {
  const bytes = sizeOf(`${path}-wal`);
  const what = `${mib(bytes)} MiB`;
  return bytes <= WAL_MAX_BYTES
    ? ok('wal', what)
    : warn(
        'wal',
        what,
        'A reader that does not end keeps the log from being folded in; reads get slower.',
        'End the oldest session: rookery agents',
      );
}

function checkStructure(file: SqliteFile, deep: boolean, step: Step): Finding {
  const check = deep ? 'integrity_check' : 'quick_check';
  const bar = step('checking the structure', 1);
  const problems = file.structureProblems(deep);
  const dangling = deep && problems.length === 0 ? file.foreignKeyProblems() : [];
  bar.end();
  const [first] = [...problems, ...dangling];
  return first === undefined
    ? ok(check, deep ? 'structure and references are sound' : 'the structure is sound; --deep looks further')
    : fail(check, first, 'Part of the file is damaged; the hub does not start on it.', 'rookery restore FILE, with the newest good backup');
}

async function checkHistory(file: SqliteFile, step: Step): Promise<Finding[]> {
  const { projects, problems } = await walk(file, step);
  const [first] = problems;
  const events = projects.reduce((sum, project) => sum + project.events, 0);
  return [
    first === undefined
      ? ok('chain', `${counted(events, 'event')} of ${counted(projects.length, 'project')} verify`)
      : fail(
          'chain',
          first,
          'Something that was said or done was altered or lost.',
          'rookery verify shows all; rookery restore FILE goes back',
        ),
  ];
}

/** A lock that the same process holds in every look is no transaction of milliseconds. */
async function checkWriter(path: string, { writers, sleep }: Probes): Promise<Finding> {
  const check = 'write_lock';
  let held = writers(path);
  if (held === undefined) return unknown(check, 'who writes cannot be told on this platform');
  for (let look = 1; look < HOLDER_LOOKS && held.length > 0; look++) {
    await sleep(HOLDER_PAUSE_MS);
    const now = new Set((writers(path) ?? []).map(({ pid }) => pid));
    held = held.filter(({ pid }) => now.has(pid));
  }
  const [holder] = held;
  if (holder === undefined) return ok(check, 'nobody holds it for long');
  const what = `${holder.name} (pid ${holder.pid}) holds it${holder.stopped ? ' and is stopped' : ''}`;
  return holder.stopped
    ? fail(check, what, 'Nobody can send, receive or acknowledge until it goes on.', `kill -CONT ${holder.pid}`)
    : warn(check, what, 'Others wait for it.', `If it does not end: kill ${holder.pid}`);
}

function mib(bytes: number): string {
  return (bytes / 1_048_576).toFixed(1);
}
