// Opens a SQLite database the only way the hub trusts (references: SQLite's documentation of WAL and PRAGMA, and measurements of our own):
// refuse what is known to lose data, set every PRAGMA, and read back what matters. Invariant C20: no silent fallback; each refusal is one sentence with a remedy.

import { chmodSync, existsSync, mkdirSync, statfsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import type { Clock } from '../hub/clock.ts';
import { HubError } from '../hub/errors.ts';
import type { DbObserver } from './db.ts';
import { APPLICATION_ID, migrationsOf, schemaVersion } from './migrate.ts';
import { refuseUnknown } from './moving.ts';
import { acquire } from './sqlite-lock.ts';
import { keepIfOlder } from './sqlite-mark.ts';
import { pragma, prepared } from './sqlite-statements.ts';

export type SqliteOptions = {
  path: string;
  clock: Clock;
  /** Where the doorbell sockets live; see doorbell.ts. */
  bellDir: string;
  /** Opens on a network file system all the same. The operator's own risk: SQLite's WAL needs shared memory on one host. */
  allowNetworkFs?: boolean;
  /** The kind of file system a folder is on; replaced in tests. */
  fileSystemOf?: (folder: string) => FileSystemKind;
  /** What should be left of the disk, in bytes; less is said. */
  diskFloorBytes?: number | undefined;
  /** A copy is made here before a migration changes an existing database. */
  backupDir?: string;
  /** Opens a database that another process looks after, quickly: it is neither made, nor checked through, nor migrated. */
  asGuest?: boolean;
  /** The native part of SQLite, where its place is known: searching for it takes longer than loading it. */
  nativePart?: string | undefined;
  observer?: DbObserver | undefined;
};

export type FileSystemKind = 'local' | 'network' | 'unknown';

/** statfs magic numbers of file systems that cannot carry a WAL between hosts (linux/magic.h): NFS, SMB, SMB2, CIFS, 9p, FUSE, AFS, Ceph. */
const NETWORK_MAGIC = new Set([0x6969, 0x517b, 0xfe534d42, 0xff534d42, 0x01021997, 0x65735546, 0x5346414f, 0x00c36400]);

/** Looks at the file system of a folder. Only Linux gives a reliable answer; elsewhere it says so. */
export function fileSystemOf(folder: string): FileSystemKind {
  if (process.platform !== 'linux') return 'unknown';
  return NETWORK_MAGIC.has(statfsSync(folder).type >>> 0) ? 'network' : 'local';
}

/** SQLite before 3.51.3 can corrupt a WAL database that several processes share; 3.52.0 was withdrawn. */
export function isTrustedSqlite(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  if (version === '3.52.0') return false;
  return major > 3 || (major === 3 && (minor > 51 || (minor === 51 && patch >= 3)));
}

/** Opens, checks and migrates; answers the writing connection and the file's identity. */
export async function openSqliteFile(
  options: SqliteOptions,
): Promise<{ writer: Database.Database; reader: Database.Database; inode: string }> {
  const fresh = !existsSync(options.path) || statSync(options.path).size === 0;
  if (options.asGuest === true) return await openAsGuest(options, fresh);
  prepareFolder(options);
  if (!fresh) await acquire(options.clock, () => assertSoundAndOurs(options.path));
  const writer = connect(options.path);
  try {
    if (fresh) chmodSync(options.path, 0o600);
    await acquire(options.clock, () => configure(writer));
    await migrate(writer, options);
    keepIfOlder(writer);
    const reader = connect(options.path);
    await acquire(options.clock, () => configure(reader));
    reader.exec('PRAGMA query_only = ON');
    return { writer, reader, inode: inodeOf(options.path) };
  } catch (error) {
    writer.close();
    throw error;
  }
}

async function openAsGuest(
  options: SqliteOptions,
  fresh: boolean,
): Promise<{ writer: Database.Database; reader: Database.Database; inode: string }> {
  if (fresh) throw new HubError('unavailable', `There is no hub at ${options.path}.`, { hint: 'Start one: rookery serve' });
  const native = options.nativePart === undefined ? {} : { nativeBinding: options.nativePart };
  const writer = connect(options.path, native);
  try {
    await acquire(options.clock, () => configure(writer));
    const newest = schemaVersion('sqlite');
    assertOurs(writer, newest);
    if (Number(pragma(writer, 'user_version')) !== newest) {
      throw new HubError('unavailable', `${options.path} has not been brought to this program’s schema yet.`, {
        hint: 'Any server of the hub does it when it starts.',
      });
    }
    const reader = connect(options.path, native);
    await acquire(options.clock, () => configure(reader));
    reader.exec('PRAGMA query_only = ON');
    return { writer, reader, inode: inodeOf(options.path) };
  } catch (error) {
    writer.close();
    throw error;
  }
}

/** Larger files are left to `rookery doctor` and to the check of every backup: quick_check reads about 1.4 GB a second. */
const CHECKED_AT_OPEN_BYTES = 256 * 1024 * 1024;

/** Refuses a damaged or foreign file before anything may write to it: this connection cannot even move the log into it. */
function assertSoundAndOurs(path: string): void {
  const db = connect(path, { readonly: true });
  try {
    db.exec('PRAGMA cell_size_check = ON');
    assertOurs(db, schemaVersion('sqlite'));
    if (statSync(path).size <= CHECKED_AT_OPEN_BYTES && pragma(db, 'quick_check(1)') !== 'ok') throw damaged(path);
  } catch (error) {
    throw refusal(error, path);
  } finally {
    db.close();
  }
}

/** What tells this file from another of the same name. */
export function inodeOf(path: string): string {
  const { dev, ino } = statSync(path);
  return `${dev}:${ino}`;
}

export function prepareFolder(options: SqliteOptions): void {
  const folder = dirname(options.path);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { uid, mode } = statSync(folder);
  if (process.getuid !== undefined && uid !== process.getuid()) {
    throw new HubError('unavailable', `The hub folder ${folder} belongs to another user.`, {
      hint: 'Set ROOKERY_HOME to a folder of your own.',
    });
  }
  if ((mode & 0o077) !== 0) {
    throw new HubError('unavailable', `The hub folder ${folder} can be read by other users (mode ${(mode & 0o777).toString(8)}).`, {
      hint: `Run: chmod 700 ${folder}`,
    });
  }
  if ((options.fileSystemOf ?? fileSystemOf)(folder) === 'network' && options.allowNetworkFs !== true) {
    throw new HubError('unavailable', `${options.path} is on a network file system, where SQLite cannot keep its promises.`, {
      hint: 'Put ROOKERY_HOME on a local disk and let other hosts connect to `rookery serve` over HTTP.',
    });
  }
}

export function connect(path: string, options: { readonly?: boolean; nativeBinding?: string } = {}): Database.Database {
  try {
    return new Database(path, { ...options, timeout: 0 });
  } catch (error) {
    throw refusal(error, path);
  }
}

/** Sets every PRAGMA and reads back the two that carry the promise. better-sqlite3 builds WAL with synchronous=NORMAL unless told. */
export function configure(db: Database.Database): void {
  try {
    db.exec('PRAGMA journal_mode = WAL');
    db.exec('PRAGMA synchronous = FULL');
    db.exec('PRAGMA foreign_keys = ON');
    db.exec('PRAGMA trusted_schema = OFF');
    db.exec('PRAGMA cell_size_check = ON');
    db.exec('PRAGMA mmap_size = 0');
    db.exec('PRAGMA wal_autocheckpoint = 4000');
    db.exec('PRAGMA journal_size_limit = 67108864');
  } catch (error) {
    throw refusal(error, db.name);
  }
  assertTrusted(db);
}

/** The state without which no success may be answered: WAL, FULL, a SQLite that does not corrupt. */
export function assertTrusted(db: Database.Database): void {
  const version = String(prepared(db, 'SELECT sqlite_version() AS v').pluck().get());
  if (!isTrustedSqlite(version)) {
    throw new HubError('unavailable', `SQLite ${version} can corrupt a database that several processes share.`, {
      hint: 'Run: npm ci (it brings SQLite 3.51.3 or newer).',
    });
  }
  const mode = String(pragma(db, 'journal_mode'));
  if (mode !== 'wal') {
    throw new HubError('unavailable', `${db.name} could not be put into WAL mode (it is in ${mode} mode).`, {
      hint: 'Put ROOKERY_HOME on a local disk that supports shared memory and file locks.',
    });
  }
  if (Number(pragma(db, 'synchronous')) !== 2) {
    throw new HubError('unavailable', 'synchronous=FULL did not take effect.', { hint: 'Run: rookery doctor' });
  }
}

/** `upTo`: the newest version that it is brought to, for rows that are of an older one. */
export async function migrate(db: Database.Database, options: SqliteOptions, upTo = Number.POSITIVE_INFINITY): Promise<void> {
  const migrations = migrationsOf('sqlite').filter(({ version }) => version <= upTo);
  const newest = migrations.at(-1)?.version ?? 0;
  const found = Number(pragma(db, 'user_version'));
  if (found === newest) return assertOurs(db, newest);
  if (found > 0 && found < newest) keepCopy(db, found, options);
  await acquire(options.clock, () => db.exec('BEGIN IMMEDIATE'));
  try {
    // Another process may have migrated while this one waited for the lock.
    const version = Number(pragma(db, 'user_version'));
    assertOurs(db, newest);
    for (const migration of migrations.filter((candidate) => candidate.version > version)) db.exec(migration.sql);
    db.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
    db.exec(`PRAGMA user_version = ${newest}`);
    db.exec('COMMIT');
  } catch (error) {
    if (db.inTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

/** Before an existing database is changed, a copy of it as it was: VACUUM INTO is consistent whatever others write meanwhile. */
function keepCopy(db: Database.Database, version: number, options: SqliteOptions): void {
  if (options.backupDir === undefined) return;
  mkdirSync(options.backupDir, { recursive: true, mode: 0o700 });
  const copy = join(options.backupDir, `before-schema-${version + 1}-${options.clock.now()}.db`);
  prepared(db, 'VACUUM INTO ?').run(copy);
  chmodSync(copy, 0o600);
}

function assertOurs(db: Database.Database, newest: number): void {
  const version = Number(pragma(db, 'user_version'));
  const application = Number(pragma(db, 'application_id'));
  refuseUnknown(db.name, version, newest);
  const used = version > 0 || prepared(db, 'SELECT count(*) FROM sqlite_master').pluck().get() !== 0;
  if (used && application !== APPLICATION_ID) {
    throw new HubError('unavailable', `${db.name} is a SQLite database of another program.`, {
      hint: 'Set ROOKERY_HOME to another folder.',
    });
  }
}

function refusal(error: unknown, path: string): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code.startsWith('SQLITE_BUSY') || error instanceof HubError) return error;
  if (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB') return damaged(path, error);
  if (!code.startsWith('SQLITE_')) return error; // the native part is missing, or a defect
  return new HubError('unavailable', `${path} cannot be opened (${code}).`, {
    hint: 'Check that ROOKERY_HOME is a writable folder on a local disk.',
    cause: error,
  });
}

function damaged(path: string, cause?: unknown): HubError {
  return new HubError('unavailable', `${path} is damaged or not a database; it is kept as it is.`, {
    hint: 'Run `rookery restore FILE` with the newest file of ROOKERY_HOME/backups.',
    cause,
  });
}
