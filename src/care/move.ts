// Moving a whole hub: out of a database into a file, and from a file into a database without a hub, whichever engines they are of.
// Invariants: the file is one moment of the hub, whatever is written meanwhile; a database that is being filled opens for no hub until all of it is
// there and reads back as the file; whoever is killed in between goes on with the next batch.

import type { Config } from '../config.ts';
import { HubError } from '../hub/errors.ts';
import type { Db } from '../store/db.ts';
import { schemaVersion } from '../store/migrate.ts';
import type { MoveSource, MoveTarget, Table, TargetState, Values } from '../store/moving.ts';
import { findHub } from '../store/projects.ts';
import { openSessions } from '../store/sessions.ts';
import { systemClock } from '../system/clock.ts';
import { openHubFile, type Step } from './check.ts';
import { assertGivenFile } from './given-file.ts';
import { assertFits, type Contents, checkMoveFile, type MoveFile, readMoveFile, writeLines, writeMoveFile } from './move-file.ts';
import { usersOf } from './restore.ts';

/** Where a hub is: the settings that say so. */
export type Place = Pick<Config, 'home' | 'databasePath' | 'bellDir' | 'backupDir' | 'allowNetworkFs' | 'databaseUrl'>;

export type Brought = MoveFile & { name: string; state: TargetState };
/** `restart`: whether an unfinished import is begun anew: never, always, or where it is of another file. */
export type BringOptions = { dryRun: boolean; restart: 'never' | 'always' | 'other' };

/** Rows of so much text, or so many of them, are committed together: what a killed import does again at most. */
const BATCH_BYTES = 2_000_000;
const BATCH_ROWS = 2_000;
/** A hub whose duties ran so recently is still at work. */
const BEAT_MS = 30_000;

/** Writes all of a hub into a file. Errors: `not_found`, `conflict` for a file that is there, `unavailable`, `storage_full`. */
export async function exportHub(place: Place, file: string, step: Step, replace = false): Promise<Contents> {
  return await readHub(place, async (source) => {
    const bar = await barFor('exporting', source, step);
    const contents = await writeMoveFile(file, source, bar.add, replace);
    bar.end();
    return contents;
  });
}

/** Brings the hub of a file into a database without one. Errors: `conflict` where a hub is, `invalid_input`, `unavailable`. */
export async function importHub(place: Place, file: string, options: BringOptions, step: Step): Promise<Brought> {
  assertGivenFile(file, { hint: 'rookery export --everything FILE makes one.' });
  const checking = step('checking the file', 1);
  const given = checkMoveFile(file);
  checking.end();
  assertSchema(given, place);
  const target = await targetAt(place);
  try {
    const state = await target.look();
    const goesOn = isAllowed(target.name, state, given, options.restart);
    if (state.is === 'empty') await assertIdle(place, target.name);
    const brought = { ...given, name: target.name, state };
    if (options.dryRun) return brought;
    if (!goesOn) await target.begin(given);
    await fill(target, file, given, goesOn && state.is === 'unfinished' ? state.done : 0, step);
    const settling = step('holding the rows against each other', 1);
    await target.settle();
    settling.end();
    await compare(target, given, step);
    await target.finish();
    return brought;
  } finally {
    await target.close();
  }
}

/** Who works on a hub, in words. */
export async function workingOn(place: Place): Promise<string[]> {
  if (place.databaseUrl === undefined) return await usersOf(place);
  const db = await openGuest(place.databaseUrl);
  try {
    const [sessions, hub] = await db.read(async (read) => [await openSessions(read, null), await findHub(read)] as const);
    const now = systemClock.now();
    const live = sessions
      .filter(({ heartbeatAt }) => now - heartbeatAt <= BEAT_MS)
      .map(({ clientName, host }) => `${clientName} on ${host}`);
    const beats = hub !== undefined && hub.beatAt > hub.createdAt && now - hub.beatAt <= BEAT_MS;
    return beats ? [...live, 'a hub that runs its duties'] : live;
  } finally {
    await db.close();
  }
}

async function readHub<T>(place: Place, work: (source: MoveSource) => Promise<T>): Promise<T> {
  if (place.databaseUrl === undefined) {
    const file = openHubFile(place.databasePath);
    try {
      return await file.readRows(work);
    } finally {
      file.close();
    }
  }
  // Refuses what is not current, half there, or no hub.
  await (await openGuest(place.databaseUrl)).close();
  const { readPostgres } = await import('../store/postgres-moving.ts');
  const pool = await patientPool(place.databaseUrl);
  try {
    return await readPostgres(pool, work);
  } finally {
    await pool.close();
  }
}

async function targetAt(place: Place): Promise<MoveTarget> {
  if (place.databaseUrl !== undefined) {
    const { PostgresTarget } = await import('../store/postgres-moving.ts');
    const pool = await patientPool(place.databaseUrl);
    return new PostgresTarget(pool, pool.schema);
  }
  const { SqliteTarget } = await import('../store/sqlite-moving.ts');
  const { databasePath: path, bellDir, allowNetworkFs } = place;
  return new SqliteTarget({ path, bellDir, allowNetworkFs, clock: systemClock });
}

/** Two connections, and no limit to what one statement may take. */
async function patientPool(url: string) {
  const [{ ServerPool }, { pgSettings }] = await Promise.all([
    import('../store/postgres-pool.ts'),
    import('../store/postgres-settings.ts'),
  ]);
  return new ServerPool(pgSettings(url), systemClock, 2, 0);
}

async function openGuest(url: string): Promise<Db> {
  const { openPostgres } = await import('../store/postgres-open.ts');
  return await openPostgres({ url, clock: systemClock, connections: 2, asGuest: true });
}

function assertSchema({ schema }: MoveFile, place: Place): void {
  const known = schemaVersion(place.databaseUrl === undefined ? 'sqlite' : 'postgres');
  if (schema <= known) return;
  throw new HubError('unavailable', `This export is of schema ${schema}; this Rookery knows ${known}. Nothing was changed.`, {
    hint: 'Update Rookery here, or export with the version that is here.',
  });
}

/** Whether an unfinished import of the same file is gone on with. */
function isAllowed(name: string, state: TargetState, given: MoveFile, restart: BringOptions['restart']): boolean {
  if (state.is === 'used') {
    const words = Object.entries(state.rows).flatMap(([what, n]) => (n > 0 ? [`${n} ${what.replaceAll('_', ' ')}`] : []));
    throw new HubError('conflict', `There is a hub at ${name} already (${words.join(', ')}); nothing was changed.`, {
      hint: 'A whole hub is brought where none is: another folder (--home), another database, or another schema in its URL.',
    });
  }
  if (state.is === 'empty' && state.schema > given.schema)
    throw new HubError('conflict', `The hub at ${name} has schema ${state.schema}, the export ${given.schema}; nothing was changed.`, {
      hint: 'Bring it where no hub was opened yet, or export again after starting the other hub with this program.',
    });
  if (state.is !== 'unfinished' || restart === 'always') return false;
  if (state.move.digest === given.digest) return true;
  if (restart === 'other') return false;
  throw new HubError('conflict', `An import of another file into ${name} is not finished; nothing was changed.`, {
    hint: 'Go on with that file, or begin anew with this one: --restart',
  });
}

async function assertIdle(place: Place, name: string): Promise<void> {
  const users = await workingOn(place);
  if (users.length === 0) return;
  throw new HubError('conflict', `The hub at ${name} is in use by ${users.join(', ')}; nothing was changed.`, {
    hint: 'End it and repeat the command half a minute later.',
  });
}

/** Puts the rows after the line `done`, batch by batch. */
async function fill(target: MoveTarget, file: string, { rows }: MoveFile, done: number, step: Step): Promise<void> {
  const tables = new Map((await target.tables()).map((table) => [table.name, table]));
  const bar = step('importing', total(rows));
  bar.add(Math.max(0, done - Object.keys(rows).length));
  let table: Table | undefined;
  let batch: Values[] = [];
  let bytes = 0;
  let from = done;
  let to = done;
  const flush = async () => {
    if (table === undefined || batch.length === 0) return;
    await target.put(table, batch, from, to);
    bar.add(batch.length);
    [from, batch, bytes] = [to, [], 0];
  };
  for (const line of readMoveFile(file, done)) {
    if (line.is === 'table') {
      await flush();
      table = assertFits(tables.get(line.name), line);
      continue;
    }
    batch.push(line.values);
    bytes += line.bytes;
    to = line.number;
    if (bytes >= BATCH_BYTES || batch.length >= BATCH_ROWS) await flush();
  }
  await flush();
  bar.end();
}

/** What was put reads back as the file, byte by byte. */
async function compare(target: MoveTarget, given: MoveFile, step: Step): Promise<void> {
  const found = await target.read(async (source) => {
    const bar = await barFor('reading back', source, step);
    const contents = await writeLines(source, () => {}, bar.add);
    bar.end();
    return contents;
  });
  if (found.digest === given.digest) return;
  const differs = Object.entries(given.rows).find(([table, n]) => found.rows[table] !== n);
  const what =
    differs === undefined ? 'rows read back otherwise' : `${found.rows[differs[0]] ?? 0} of ${differs[1]} rows of ${differs[0]} are there`;
  throw new HubError('unavailable', `What stands in ${target.name} is not what the file holds (${what}); no hub opens on it.`, {
    hint: 'Did something else write there? End it, and begin anew: --restart',
  });
}

async function barFor(label: string, source: MoveSource, step: Step): Promise<ReturnType<Step>> {
  let rows = 0;
  for (const table of source.tables) rows += await source.count(table);
  return step(label, rows);
}

function total(rows: MoveFile['rows']): number {
  return Object.values(rows).reduce((sum, n) => sum + n, 0);
}
