// Prepared statements that are never let go. Preparing costs more than most statements do; and from Node 24.19 on, a better-sqlite3 12 object
// that the garbage collector finalises while no context is entered aborts the process (its base class then removes a clean-up hook of an
// environment that is not there). So every statement and connection of this process stays reachable until it ends: there are few of them.

import type Database from 'better-sqlite3';
import type { Arg, Row } from './db.ts';

const kept = new Map<Database.Database, Map<string, Database.Statement>>();

/** The statement of this text on this connection, prepared once. */
export function prepared(db: Database.Database, sql: string): Database.Statement {
  let statements = kept.get(db);
  if (statements === undefined) {
    statements = new Map();
    kept.set(db, statements);
  }
  let statement = statements.get(sql);
  if (statement === undefined) {
    statement = db.prepare(sql);
    statements.set(sql, statement);
  }
  return statement;
}

/** A prepared statement whose rows are made here. */
export type Rows = {
  readonly statement: Database.Statement;
  get(args: readonly Arg[]): Row | undefined;
  all(args: readonly Arg[]): Row[];
};

const keptRows = new Map<Database.Database, Map<string, Rows>>();

/** The statements of a connection whose rows are made here, by their text. */
export function rowsOf(db: Database.Database): Map<string, Rows> {
  const known = keptRows.get(db) ?? new Map<string, Rows>();
  keptRows.set(db, known);
  return known;
}

/**
 * Prepares a statement whose values are taken raw and named here: the driver makes the name of every column anew for every row, which costs as much
 * as a look by key.
 */
export function rows(db: Database.Database, sql: string): Rows {
  const statement = db.prepare(sql);
  if (!statement.reader) return { statement, get: () => undefined, all: () => [] };
  statement.raw(true);
  let names: readonly string[] = [];
  const toNamed = (value: unknown): Row => {
    const values = value as readonly unknown[];
    // SQLite prepares anew by itself when the schema changed.
    if (values.length !== names.length) names = statement.columns().map(({ name }) => name);
    const row: Record<string, unknown> = {};
    for (let n = 0; n < names.length; n++) row[names[n] as string] = values[n];
    return row;
  };
  return {
    statement,
    get: (args) => {
      const found = statement.get(args);
      return found === undefined ? undefined : toNamed(found);
    },
    all: (args) => statement.all(args).map(toNamed),
  };
}

/** The first value that a PRAGMA answers. (The driver's own `pragma` prepares a fresh statement each time.) */
export function pragma(db: Database.Database, text: string): unknown {
  return Object.values(toRow(prepared(db, `PRAGMA ${text}`).get()))[0];
}

function toRow(row: unknown): Record<string, unknown> {
  return row !== null && typeof row === 'object' ? (row as Record<string, unknown>) : {};
}
