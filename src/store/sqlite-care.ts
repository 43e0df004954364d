// Looking after a SQLite file without running a hub on it: look, check, copy. It never writes to the file it looks at, so it may be pointed
// at a live hub, a backup or a damaged file. Copies are made with VACUUM INTO in one read transaction: SQLite's backup API starts over
// whenever another process writes (measured: 26,459 restarts, never finished), VACUUM INTO took 274 ms for 100 MB.
// Invariant (H4): database files are opened by SQLite alone; opening one with `fs` in the same process would drop SQLite's locks.

import Database from 'better-sqlite3';
import type { Arg, Read, Row } from './db.ts';
import { APPLICATION_ID } from './migrate.ts';
import type { MoveSource } from './moving.ts';
import { SqliteSource } from './sqlite-moving.ts';
import { isTrustedSqlite } from './sqlite-open.ts';
import { pragma, prepared } from './sqlite-statements.ts';
import { toStorageError } from './storage-error.ts';

/** How long a look waits for another process that recovers the file. */
const WAIT_MS = 5_000;

export type FileFacts = { ours: boolean; schema: number; journalMode: string; synchronous: number };

/** A SQLite file, open for reading. */
export class SqliteFile {
  readonly path: string;
  readonly #db: Database.Database;

  /** Throws a HubError that names the remedy when the file is no database or damaged at its root. */
  constructor(path: string) {
    this.path = path;
    try {
      this.#db = new Database(path, { readonly: true, fileMustExist: true, timeout: WAIT_MS });
      this.#db.exec('PRAGMA cell_size_check = ON');
      this.#db.exec('PRAGMA trusted_schema = OFF');
      prepared(this.#db, 'SELECT count(*) FROM sqlite_master').get();
    } catch (error) {
      throw toStorageError(error);
    }
  }

  /** What marks the file, and what a connection to it reads back after asking for a full sync. */
  facts(): FileFacts {
    this.#db.exec('PRAGMA synchronous = FULL');
    return {
      ours: Number(pragma(this.#db, 'application_id')) === APPLICATION_ID,
      schema: Number(pragma(this.#db, 'user_version')),
      journalMode: String(pragma(this.#db, 'journal_mode')),
      synchronous: Number(pragma(this.#db, 'synchronous')),
    };
  }

  /** What the engine finds wrong with its own structure; empty when nothing. `deep` also compares every index with its table. */
  structureProblems(deep: boolean): string[] {
    try {
      const rows = prepared(this.#db, `PRAGMA ${deep ? 'integrity_check' : 'quick_check'}(20)`).all();
      return toTexts(rows).filter((text) => text !== 'ok');
    } catch (error) {
      return [error instanceof Error ? error.message : 'unknown damage'];
    }
  }

  /** Rows that point to rows which are not there. */
  foreignKeyProblems(): string[] {
    const rows = prepared(
      this.#db,
      'SELECT "table" AS child, parent, count(*) AS n FROM pragma_foreign_key_check GROUP BY 1, 2',
    ).all() as Row[];
    return rows.map((row) => `${String(row.n)} rows of ${String(row.child)} point to missing rows of ${String(row.parent)}`);
  }

  /** For the store's and the hub's reading functions, each look in a transaction of its own. */
  async read<T>(look: (read: Read) => Promise<T>): Promise<T> {
    this.#db.exec('BEGIN');
    try {
      return await look(new FileRead(this.#db));
    } catch (error) {
      throw toStorageError(error);
    } finally {
      this.#db.exec('ROLLBACK');
    }
  }

  /** The whole hub as it stands now, to be moved; others may go on writing meanwhile. */
  async readRows<T>(work: (source: MoveSource) => Promise<T>): Promise<T> {
    this.#db.exec('BEGIN');
    try {
      return await work(new SqliteSource(this.#db));
    } catch (error) {
      throw toStorageError(error);
    } finally {
      this.#db.exec('ROLLBACK');
    }
  }

  /** Writes a consistent, compact copy into `target`, which must not exist or be empty. Blocks until it is done. */
  copyInto(target: string): void {
    try {
      prepared(this.#db, 'VACUUM INTO ?').run(target);
    } catch (error) {
      throw toStorageError(error);
    }
  }

  close(): void {
    this.#db.close();
  }
}

/** Folds a write-ahead log into its database, so that one file holds everything. Answers whether it could. */
export function foldLog(path: string): boolean {
  let db: Database.Database | undefined;
  try {
    db = new Database(path, { fileMustExist: true, timeout: WAIT_MS });
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    return String(pragma(db, 'journal_mode = DELETE')) === 'delete';
  } catch {
    return false; // damaged or in use: its files are kept as they are
  } finally {
    db?.close();
  }
}

/** The SQLite that this program runs, and whether it is one that does not corrupt. Throws when the native part cannot be loaded. */
export function sqliteVersion(): { version: string; trusted: boolean } {
  const db = new Database(':memory:');
  try {
    const version = String(prepared(db, 'SELECT sqlite_version()').pluck().get());
    return { version, trusted: isTrustedSqlite(version) };
  } finally {
    db.close();
  }
}

export function sideFiles(path: string): string[] {
  return [`${path}-wal`, `${path}-shm`];
}

class FileRead implements Read {
  readonly #db: Database.Database;

  constructor(db: Database.Database) {
    this.#db = db;
  }

  async all(sql: string, ...args: Arg[]): Promise<Row[]> {
    return prepared(this.#db, sql).all(...args) as Row[];
  }

  async get(sql: string, ...args: Arg[]): Promise<Row | undefined> {
    return prepared(this.#db, sql).get(...args) as Row | undefined;
  }
}

function toTexts(rows: unknown): string[] {
  return (Array.isArray(rows) ? rows : []).flatMap((row: Row) => Object.values(row).map(String));
}
