// A hub in a SQLite file as what is moved from and into (moving.ts). Rows go in without being held against each other, because a row may come
// before the one that it points to; at the end all of them are.

import { chmodSync, existsSync, statSync } from 'node:fs';
import type Database from 'better-sqlite3';
import { HubError } from '../hub/errors.ts';
import { schemaVersion } from './migrate.ts';
import {
  FILLING,
  FILLING_TABLE,
  isHubTable,
  type Move,
  type MoveSource,
  type MoveTarget,
  OWNED,
  overtaken,
  refuseUnknown,
  type Table,
  type TargetState,
  tableOf,
  toType,
  type Values,
} from './moving.ts';
import { acquire } from './sqlite-lock.ts';
import { configure, connect, migrate, prepareFolder, type SqliteOptions } from './sqlite-open.ts';
import { pragma, prepared } from './sqlite-statements.ts';

const PAGE = 500;

/** Reads through a connection whose transaction is open. */
export class SqliteSource implements MoveSource {
  readonly schema: number;
  readonly tables: readonly Table[];
  readonly #db: Database.Database;

  constructor(db: Database.Database, schema = Number(pragma(db, 'user_version'))) {
    this.#db = db;
    this.schema = schema;
    this.tables = tablesOf(db);
  }

  async count({ name }: Table): Promise<number> {
    return Number(prepared(this.#db, `SELECT COUNT(*) FROM ${name}`).pluck().get());
  }

  async *pages({ name, columns, keys }: Table): AsyncGenerator<readonly Values[]> {
    const key = columns.slice(0, keys).map((column) => column.name);
    const all = `SELECT ${columns.map((column) => column.name).join(', ')} FROM ${name}`;
    const order = `ORDER BY ${key.join(', ')} LIMIT ${PAGE}`;
    const first = prepared(this.#db, `${all} ${order}`).raw();
    const next = prepared(this.#db, `${all} WHERE (${key.join(', ')}) > (${key.map(() => '?').join(', ')}) ${order}`).raw();
    for (let page = first.all() as Values[]; page.length > 0; ) {
      yield page;
      page = page.length < PAGE ? [] : (next.all(...(page.at(-1) ?? []).slice(0, keys)) as Values[]);
    }
  }
}

export class SqliteTarget implements MoveTarget {
  readonly name: string;
  readonly #options: SqliteOptions;
  #opened: Database.Database | undefined;

  constructor(options: SqliteOptions) {
    this.name = options.path;
    this.#options = options;
  }

  async look(): Promise<TargetState> {
    const { path } = this.#options;
    if (!existsSync(path) || statSync(path).size === 0) return { is: 'absent' };
    const db = await this.#open();
    const schema = Number(pragma(db, 'user_version'));
    if (schema === 0 && prepared(db, 'SELECT count(*) FROM sqlite_master').pluck().get() === 0) return { is: 'absent' };
    if (schema > FILLING) {
      const row = prepared(db, `SELECT digest, done FROM ${FILLING_TABLE}`).get() as { digest: string; done: number };
      return { is: 'unfinished', move: { digest: row.digest, schema: schema - FILLING }, done: row.done };
    }
    refuseUnknown(path, schema, schemaVersion('sqlite'));
    const rows = ownedIn(db);
    return Object.values(rows).some((n) => n > 0) ? { is: 'used', rows } : { is: 'empty', schema };
  }

  async begin({ digest, schema }: Move): Promise<void> {
    const fresh = !existsSync(this.#options.path);
    const db = await this.#open();
    if (fresh) chmodSync(this.#options.path, 0o600);
    if (Number(pragma(db, 'user_version')) < FILLING) await migrate(db, this.#options, schema);
    await this.#within((open) => {
      if (Number(pragma(open, 'user_version')) < FILLING && Object.values(ownedIn(open)).some((n) => n > 0)) throw overtaken(this.name);
      for (const { name } of tablesOf(open)) open.exec(`DELETE FROM ${name}`);
      open.exec(`CREATE TABLE IF NOT EXISTS ${FILLING_TABLE} (digest TEXT NOT NULL, done INTEGER NOT NULL) STRICT`);
      open.exec(`DELETE FROM ${FILLING_TABLE}`);
      prepared(open, `INSERT INTO ${FILLING_TABLE} (digest, done) VALUES (?, 0)`).run(digest);
      open.exec(`PRAGMA user_version = ${FILLING + schema}`);
    });
  }

  async tables(): Promise<readonly Table[]> {
    return tablesOf(await this.#open());
  }

  async put({ name, columns }: Table, rows: readonly Values[], from: number, to: number): Promise<void> {
    const names = columns.map((column) => column.name).join(', ');
    const insert = `INSERT INTO ${name} (${names}) VALUES (${columns.map(() => '?').join(', ')})`;
    await this.#within((db) => {
      assertFilling(db);
      const { changes } = prepared(db, `UPDATE ${FILLING_TABLE} SET done = ? WHERE done = ?`).run(to, from);
      if (changes !== 1) throw overtaken(this.name);
      const statement = prepared(db, insert);
      for (const row of rows) statement.run(...row);
    });
  }

  async settle(): Promise<void> {
    const db = await this.#open();
    const found = prepared(db, 'SELECT "table" AS child, parent FROM pragma_foreign_key_check LIMIT 1').get() as
      | { child: string; parent: string }
      | undefined;
    if (found !== undefined)
      throw new HubError('unavailable', `Rows of ${found.child} point to rows of ${found.parent} that the export does not hold.`, {
        hint: 'The hub that was exported is damaged: rookery verify there says more.',
      });
  }

  async read<T>(work: (source: MoveSource) => Promise<T>): Promise<T> {
    const db = await this.#open();
    db.exec('BEGIN');
    try {
      assertFilling(db);
      return await work(new SqliteSource(db, Number(pragma(db, 'user_version')) - FILLING));
    } finally {
      db.exec('ROLLBACK');
    }
  }

  async finish(): Promise<void> {
    await this.#within((db) => {
      assertFilling(db);
      const schema = Number(pragma(db, 'user_version')) - FILLING;
      db.exec(`DROP TABLE ${FILLING_TABLE}`);
      db.exec(`PRAGMA user_version = ${schema}`);
    });
    (await this.#open()).exec('PRAGMA wal_checkpoint(TRUNCATE)');
  }

  async close(): Promise<void> {
    this.#opened?.close();
    this.#opened = undefined;
  }

  async #open(): Promise<Database.Database> {
    if (this.#opened !== undefined) return this.#opened;
    prepareFolder(this.#options);
    const db = connect(this.#options.path);
    this.#opened = db;
    await acquire(this.#options.clock, () => configure(db));
    db.exec('PRAGMA foreign_keys = OFF');
    return db;
  }

  async #within(work: (db: Database.Database) => void): Promise<void> {
    const db = await this.#open();
    await acquire(this.#options.clock, () => db.exec('BEGIN IMMEDIATE'));
    try {
      work(db);
      db.exec('COMMIT');
    } catch (error) {
      if (db.inTransaction) db.exec('ROLLBACK');
      throw error;
    }
  }
}

/** How many rows there are of what nobody should lose. */
function ownedIn(db: Database.Database): Record<string, number> {
  const names = new Set(tablesOf(db).map(({ name }) => name));
  const rows: Record<string, number> = {};
  for (const name of OWNED.filter((owned) => names.has(owned)))
    rows[name] = Number(prepared(db, `SELECT COUNT(*) FROM ${name}`).pluck().get());
  rows.agents = Number(prepared(db, `SELECT COUNT(*) FROM agents WHERE role NOT IN ('operator', 'hub')`).pluck().get());
  return rows;
}

/** Whoever finished it took the mark away. */
function assertFilling(db: Database.Database): void {
  if (Number(pragma(db, 'user_version')) < FILLING) throw overtaken(db.name);
}

function tablesOf(db: Database.Database): Table[] {
  const names = (prepared(db, `SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name`).pluck().all() as string[]).filter(
    isHubTable,
  );
  return names.map((name) => {
    const columns = prepared(db, 'SELECT name, type, pk FROM pragma_table_info(?)').all(name) as {
      name: string;
      type: string;
      pk: number;
    }[];
    return tableOf(
      name,
      columns.map((column) => ({ name: column.name, type: toType(column.type), key: column.pk })),
    );
  });
}
