// Is this file a sound hub? Structure by SQLite, references by its foreign keys, words and history by the chain of hashes, and the count of
// deliveries (I5, I12, I13). Both engines of proof are needed: of 300 flipped bits integrity_check found 13 %, the chain 83 %.
// Invariant: checking never changes the file, and a damaged one yields findings, not a crash.

import { statSync } from 'node:fs';
import { HubError, isHubError } from '../hub/errors.ts';
import { type Verified, verifyProjects } from '../hub/verify.ts';
import { schemaVersion } from '../store/migrate.ts';
import { refuseUnknown } from '../store/moving.ts';
import { conservation, walkLength } from '../store/overview.ts';
import { SqliteFile } from '../store/sqlite-care.ts';
import { assertGivenFile } from './given-file.ts';

/** Told what is being done, and how much of it when that can be counted. */
export type Step = (label: string, total: number) => { add(done: number): void; end(): void };

export type Checked = { path: string; bytes: number; schema: number; projects: Verified[]; problems: string[] };

/** Checks everything there is to check. Throws a HubError when the file is no hub of a version that this program knows. `name`: what people call it. */
export async function checkFile(path: string, step: Step, name = path): Promise<Checked> {
  const file = openHubFile(path, name);
  try {
    const { schema } = file.facts();
    const structure = step('checking the structure', 1);
    const problems = [...file.structureProblems(true), ...guarded(() => file.foreignKeyProblems())];
    structure.end();
    const { projects, problems: further } = await walk(file, step);
    return { path: name, bytes: statSync(path).size, schema, projects, problems: [...problems, ...further] };
  } finally {
    file.close();
  }
}

/** The chain of every project and the count of deliveries. */
export async function walk(file: SqliteFile, step: Step): Promise<{ projects: Verified[]; problems: string[] }> {
  const problems: string[] = [];
  let projects: Verified[] = [];
  let bar: ReturnType<Step> | undefined;
  try {
    bar = step('verifying the history', await file.read(walkLength));
    const { add } = bar;
    projects = await verifyProjects({ db: file }, (rows) => add(rows));
    problems.push(...projects.flatMap((project) => project.problems.map((problem) => `project ${project.name}: ${problem}`)));
    const { numbered, present, swept } = await file.read(conservation);
    if (present + swept !== numbered) problems.push(`${numbered} deliveries were accepted, ${present} are there and ${swept} were swept`);
  } catch (error) {
    problems.push(isHubError(error) ? error.message : error instanceof Error ? error.message : 'unreadable');
  } finally {
    bar?.end();
  }
  return { projects, problems };
}

/** Opens a file that must be a hub's. Errors: `invalid_input` for another program's, `unavailable` for damage or a newer schema. */
export function openHubFile(path: string, name = path): SqliteFile {
  assertGivenFile(path, { hint: 'rookery backup makes one.', name });
  const file = openFile(path, name);
  const { ours, schema } = file.facts();
  const known = schemaVersion('sqlite');
  if (ours && schema === known) return file;
  file.close();
  if (!ours)
    throw new HubError('invalid_input', `${name} is not a hub: another program wrote it.`, {
      hint: 'Name a file that rookery backup made.',
    });
  refuseUnknown(name, schema, known);
  throw new HubError('unavailable', `${name} has schema ${schema}; this program knows ${known}.`, {
    hint: 'Start the hub on it once, which migrates it.',
  });
}

function openFile(path: string, name: string): SqliteFile {
  try {
    return new SqliteFile(path);
  } catch (error) {
    if (!isHubError(error)) throw error;
    throw new HubError(error.code, `${name} cannot be read as a database: it is damaged or none. It was not changed.`, {
      hint: 'Run rookery restore FILE with the newest backup; rookery doctor tells more.',
      cause: error,
    });
  }
}

function guarded(find: () => string[]): string[] {
  try {
    return find();
  } catch (error) {
    return [error instanceof Error ? error.message : 'unreadable'];
  }
}
