// Moving a whole hub between engines: what is read of the one and put into the other, row by row, whatever the tables are. Both engines answer
// the same rows in the same order, so that the same hub makes the same lines everywhere. No list of tables stands here: what a migration adds is
// moved with the rest.

import { HubError } from '../hub/errors.ts';

export type Column = { name: string; type: 'text' | 'integer' };
/** A table with its columns in the order of the lines: the primary key, then the others by name. */
export type Table = { name: string; columns: readonly Column[]; keys: number };
export type Values = readonly (string | number | null)[];

/** A hub as it stood at one moment, however long it is read. */
export interface MoveSource {
  readonly schema: number;
  /** By name. */
  readonly tables: readonly Table[];
  count(table: Table): Promise<number>;
  /** All rows by primary key, text compared byte by byte, in pages. */
  pages(table: Table): AsyncIterable<readonly Values[]>;
}

/** `used`: rows by table of what nobody should lose. */
export type TargetState =
  | { is: 'absent' }
  | { is: 'empty'; schema: number }
  | { is: 'used'; rows: Readonly<Record<string, number>> }
  | { is: 'unfinished'; move: Move; done: number };

/** Which file is brought in: its digest, and the schema that its rows are of. */
export type Move = { digest: string; schema: number };

/** The database that a hub is brought into. How far it came stands in the database itself and is committed with the rows. */
export interface MoveTarget {
  /** How it is called to people. */
  readonly name: string;
  /** Looks, and changes nothing. */
  look(): Promise<TargetState>;
  /** Makes the tables, empties them, and marks the database as one that no hub may be opened on. */
  begin(move: Move): Promise<void>;
  /** Goes on with an unfinished one: the tables it has. */
  tables(): Promise<readonly Table[]>;
  /** Puts rows, which end at line `to` of the file, after line `from`. Throws `conflict` when another process went on meanwhile. */
  put(table: Table, rows: readonly Values[], from: number, to: number): Promise<void>;
  /** All rows are there: references hold again, and numbers go on where they were. */
  settle(): Promise<void>;
  /** What was put, to hold it against the file. */
  read<T>(work: (source: MoveSource) => Promise<T>): Promise<T>;
  /** Hubs may be opened from now on. */
  finish(): Promise<void>;
  close(): Promise<void>;
}

/** Tables that hold what somebody said, made or was given: a hub without rows in them is empty, whatever else the program noted of itself. */
export const OWNED = ['messages', 'tasks', 'tokens', 'enrolments', 'policies', 'documents', 'task_templates'] as const;

/** What marks a database that is being filled, beside its own number: an older program takes it for a newer schema, and refuses as well. */
export const FILLING = 1_000_000;

export const FILLING_TABLE = 'import_progress';

/** Refuses a schema that this program does not know, and a database that is only half there. */
export function refuseUnknown(name: string, schema: number, known: number): void {
  if (schema <= known) return;
  if (schema > FILLING)
    throw new HubError('unavailable', `An import into ${name} is not finished: part of the hub is missing.`, {
      hint: 'Run the same import or move again: it goes on where it stopped. No hub opens on it before.',
    });
  throw new HubError('unavailable', `${name} was written by a newer Rookery (schema ${schema}; this program knows ${known}).`, {
    hint: 'Update Rookery; an older program never opens a newer database.',
  });
}

/** The table of what an engine says of its columns; `key`: the place in the primary key, 0 for none. */
export function tableOf(name: string, columns: readonly (Column & { key: number })[]): Table {
  const keys = columns.filter(({ key }) => key > 0).sort((a, b) => a.key - b.key);
  if (keys.length === 0) throw new Error(`the table ${name} has no primary key to order it by`);
  const others = columns.filter(({ key }) => key === 0).sort((a, b) => (a.name < b.name ? -1 : 1));
  return { name, columns: [...keys, ...others].map(({ name: column, type }) => ({ name: column, type })), keys: keys.length };
}

/** Not the hub's: they say of the database itself how far it is. */
export function isHubTable(name: string): boolean {
  return name !== 'schema_version' && name !== FILLING_TABLE && !name.startsWith('sqlite_');
}

export function toType(given: string): Column['type'] {
  const type = given.toLowerCase();
  if (type === 'text') return 'text';
  if (type === 'integer' || type === 'bigint') return 'integer';
  throw new Error(`a column of type ${type} cannot be moved`);
}

/** Somebody else put rows, or began anew, while this process was at it. */
export function overtaken(name: string): HubError {
  return new HubError('conflict', `Another process imports into ${name} as well; this one stops.`, {
    hint: 'Let the other end; then run the same command again.',
  });
}
