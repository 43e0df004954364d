// The file of a move: a whole hub in the lines of an export (export-file.ts), which name no engine. After the header come the tables, each a line with its
// columns and a line per row; the last line says how many rows there are of each, and holds the SHA-256 of all lines before it.
// Invariant: the same hub makes the same bytes on every engine, and a file that was cut off or altered is found out before anything is changed.

import { createHash } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { HubError } from '../hub/errors.ts';
import type { MoveSource, Table, Values } from '../store/moving.ts';
import { newerExport } from './export-file.ts';
import { sync } from './files.ts';

export type Contents = { digest: string; rows: Readonly<Record<string, number>> };
export type MoveFile = Contents & { schema: number; lines: number };
/** A line of the file, after its header. */
export type Line =
  | { is: 'table'; number: number; name: string; columns: readonly string[] }
  | { is: 'row'; number: number; values: Values; bytes: number };

/** Of a whole hub, beside the version of its schema. */
export const HUB_VERSION = 1;

/** Texts of the hub are a quarter of a megabyte at most. */
const LINE_BYTES = 64 * 1_048_576;
const CHUNK_BYTES = 1_048_576;

/** The lines of a hub, handed to `take` in pieces; answers what they hold. `progress` is told how many rows were read. */
export async function writeLines(source: MoveSource, take: (text: string) => void, progress: (rows: number) => void): Promise<Contents> {
  const hash = createHash('sha256');
  const put = (text: string) => {
    hash.update(text);
    take(text);
  };
  put(line({ rookery_export: HUB_VERSION, kind: 'hub', schema: source.schema }));
  const rows: Record<string, number> = {};
  for (const table of source.tables) {
    put(line({ table: table.name, columns: table.columns.map(({ name }) => name) }));
    let count = 0;
    for await (const page of source.pages(table)) {
      put(page.map(line).join(''));
      count += page.length;
      progress(page.length);
    }
    rows[table.name] = count;
  }
  const contents = { digest: hash.digest('hex'), rows };
  take(line({ end: true, ...contents }));
  return contents;
}

/** Writes the file: whole and synced under its name, or not at all. `replace`: another of this name may go. */
export async function writeMoveFile(
  path: string,
  source: MoveSource,
  progress: (rows: number) => void,
  replace = false,
): Promise<Contents> {
  const part = `${path}.part`;
  const handle = openNew(path, part, replace);
  try {
    const contents = await writeLines(source, (text) => writeSync(handle, text), progress);
    fsyncSync(handle);
    renameSync(part, path);
    sync(dirname(path));
    return contents;
  } catch (error) {
    rmSync(part, { force: true });
    throw isFull(error)
      ? new HubError('storage_full', `The disk of ${path} is full; no export was made.`, { hint: 'Choose another disk.' })
      : error;
  } finally {
    closeSync(handle);
  }
}

function openNew(path: string, part: string, replace: boolean): number {
  try {
    if (!replace && existsSync(path)) throw Object.assign(new Error('it is there'), { code: 'EEXIST' });
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    rmSync(part, { force: true }); // what an export that was killed left behind
    return openSync(part, 'wx', 0o600);
  } catch (error) {
    const exists = error instanceof Error && 'code' in error && error.code === 'EEXIST';
    throw new HubError('conflict', `${path} ${exists ? 'exists already' : 'cannot be written'}; nothing was exported.`, {
      hint: 'Choose another file.',
      cause: error,
    });
  }
}

/** What kind of export a file is, by its first line; undefined for what is none. */
export function kindOf(path: string): string | undefined {
  for (const { bytes } of linesOf(path)) return String((parsed(bytes.toString()) as Record<string, unknown> | undefined)?.kind);
  return undefined;
}

/** Reads the whole file without looking at its rows: is it one, of a version that is known here, whole and unaltered? */
export function checkMoveFile(path: string, progress: (bytes: number) => void = () => {}): MoveFile {
  const hash = createHash('sha256');
  const rows: Record<string, number> = {};
  let schema = 0;
  let table = '';
  let last: Buffer | undefined;
  let lines = 0;
  for (const { bytes, number } of linesOf(path)) {
    if (number === 1) schema = schemaOf(bytes);
    if (last !== undefined) hash.update(last).update('\n');
    last = bytes;
    lines = number;
    if (bytes[0] === 0x5b /* [ */) rows[table] = (rows[table] ?? 0) + 1;
    else if (number > 1) {
      const { table: name, end } = (parsed(bytes.toString()) ?? {}) as Record<string, unknown>;
      if (typeof name === 'string') {
        table = name;
        rows[table] ??= 0;
      } else if (end !== true) throw bad(number, 'it is neither a table nor a row');
    }
    progress(bytes.length + 1);
  }
  const end = (last === undefined ? {} : parsed(last.toString())) as Partial<Contents> & { end?: unknown };
  if (end?.end !== true) throw bad(lines, 'its end is missing: the file was cut off');
  const digest = hash.digest('hex');
  if (end.digest !== digest || JSON.stringify(end.rows) !== JSON.stringify(rows))
    throw bad(lines, 'it does not fit the lines before it: the file was altered');
  return { schema, digest, rows, lines };
}

/** The tables of a file that was checked, each before its rows; of the rows those after the line `after`. */
export function* readMoveFile(path: string, after: number): Generator<Line> {
  for (const { bytes, number } of linesOf(path)) {
    const isRow = bytes[0] === 0x5b;
    if (number === 1 || (isRow && number <= after)) continue;
    const value = parsed(bytes.toString());
    if (isRow) {
      yield { is: 'row', number, values: value as Values, bytes: bytes.length };
      continue;
    }
    const { table, columns } = value as { table?: string; columns?: string[] };
    if (table !== undefined) yield { is: 'table', number, name: table, columns: columns ?? [] };
  }
}

/** Refuses a file whose table is another than the one it is brought into. */
export function assertFits(table: Table | undefined, { name, columns, number }: Line & { is: 'table' }): Table {
  if (table !== undefined && JSON.stringify(table.columns.map((column) => column.name)) === JSON.stringify(columns)) return table;
  throw bad(number, `the table ${name.slice(0, 60)} is not as this program knows it`);
}

function* linesOf(path: string): Generator<{ bytes: Buffer; number: number }> {
  const handle = openSync(path, 'r');
  try {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    let rest: Buffer = Buffer.alloc(0);
    let number = 0;
    for (let read = readSync(handle, chunk); read > 0; read = readSync(handle, chunk)) {
      let from = 0;
      for (let end = chunk.indexOf(10, from); end !== -1 && end < read; end = chunk.indexOf(10, from)) {
        const part = chunk.subarray(from, end);
        const bytes = rest.length === 0 ? Buffer.from(part) : Buffer.concat([rest, part]);
        rest = Buffer.alloc(0);
        from = end + 1;
        number += 1;
        yield { bytes, number };
      }
      rest = Buffer.concat([rest, chunk.subarray(from, read)]);
      if (rest.length > LINE_BYTES) throw bad(number + 1, `it is longer than ${LINE_BYTES} bytes`);
    }
    if (rest.length > 0) throw bad(number + 1, 'it does not end: the file was cut off');
  } finally {
    closeSync(handle);
  }
}

function schemaOf(bytes: Buffer): number {
  const header = parsed(bytes.toString()) as Record<string, unknown> | undefined;
  if (typeof header?.rookery_export !== 'number' || header.kind !== 'hub')
    throw bad(1, 'it does not say that this is an export of a whole hub');
  if (header.rookery_export > HUB_VERSION) throw newerExport(header.rookery_export, HUB_VERSION);
  return Number(header.schema);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function line(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}

function isFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
}

function bad(number: number, why: string): HubError {
  return new HubError('invalid_input', `Line ${number} of the export: ${why}. Nothing was changed.`, {
    hint: 'rookery export --everything FILE makes a file that import takes.',
  });
}
