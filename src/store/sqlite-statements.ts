// Prepared statements that are never let go. Preparing costs more than most statements do; and from Node 24.19 on, a better-sqlite3 12 object
// that the garbage collector finalises while no context is entered aborts the process (its base class then removes a clean-up hook of an
// environment that is not there). So every statement and connection of this process stays reachable until it ends: there are few of them.

import type Database from 'better-sqlite3';

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

/** The first value that a PRAGMA answers. (The driver's own `pragma` prepares a fresh statement each time.) */
export function pragma(db: Database.Database, text: string): unknown {
  return Object.values(toRow(prepared(db, `PRAGMA ${text}`).get()))[0];
}

function toRow(row: unknown): Record<string, unknown> {
  return row !== null && typeof row === 'object' ? (row as Record<string, unknown>) : {};
}
