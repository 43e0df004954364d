// A hub on PostgreSQL as what is moved from and into (moving.ts). Constraints between tables are put aside while rows come, because a row may come
// before the one that it points to, and made again at the end, which holds all rows against each other. Only an owner of the tables can do that.

import { HubError } from '../hub/errors.ts';
import type { Arg, Row } from './db.ts';
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
import type { PgPool } from './postgres.ts';
import { isLost } from './postgres-error.ts';
import { migrate, versionOf } from './postgres-open.ts';
import type { PgConnection } from './postgres-transaction.ts';

/** Rows that are asked for at once: with the largest texts they are some ten megabytes. */
const PAGE = 200;

/** One statement may take minutes (an order, a constraint), and the client works between two. */
const PATIENT = 'SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL lock_timeout = 0';

/** Reads in one snapshot, on one connection, until `work` is done. `filling`: what is being filled is read. */
export async function readPostgres<T>(pool: PgPool, work: (source: MoveSource) => Promise<T>, filling = 0): Promise<T> {
  return await pool.use(async (connection) => {
    await connection.script(`BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; ${PATIENT}; SET LOCAL work_mem = '64MB'`);
    try {
      const schema = (await versionOf(connection)) - filling;
      if (schema < 0) throw overtaken(pool.name);
      return await work(new PostgresSource(connection, schema, await tablesOf(connection)));
    } finally {
      await connection.script('ROLLBACK').catch(() => {});
    }
  });
}

class PostgresSource implements MoveSource {
  readonly schema: number;
  readonly tables: readonly Table[];
  readonly #connection: PgConnection;

  constructor(connection: PgConnection, schema: number, tables: readonly Table[]) {
    this.#connection = connection;
    this.schema = schema;
    this.tables = tables;
  }

  async count({ name }: Table): Promise<number> {
    return Number((await this.#connection.script(`SELECT COUNT(*) AS n FROM ${name}`))[0]?.n);
  }

  async *pages({ name, columns, keys }: Table): AsyncGenerator<readonly Values[]> {
    const order = columns.slice(0, keys).map((column) => (column.type === 'text' ? `${column.name} COLLATE "C"` : column.name));
    const names = columns.map((column) => column.name);
    await this.#connection.script(
      `DECLARE moved NO SCROLL CURSOR FOR SELECT ${names.join(', ')} FROM ${name} ORDER BY ${order.join(', ')}`,
    );
    const fetch = () => this.#connection.script(`FETCH ${PAGE} FROM moved`);
    for (let rows = await fetch(); rows.length > 0; rows = rows.length < PAGE ? [] : await fetch())
      yield rows.map((row) => names.map((column) => toValue(row, column)));
    await this.#connection.script('CLOSE moved');
  }
}

export class PostgresTarget implements MoveTarget {
  readonly name: string;
  readonly #pool: PgPool;
  readonly #schema: string;

  constructor(pool: PgPool, schema = 'public') {
    this.name = pool.name;
    this.#pool = pool;
    this.#schema = schema;
  }

  async look(): Promise<TargetState> {
    return await this.#pool.use(async (connection) => {
      const [found] = await connection.script(`SELECT to_regclass('schema_version') AS found`);
      const schema = found?.found === null ? 0 : await versionOf(connection);
      if (schema === 0) return { is: 'absent' };
      if (schema > FILLING) {
        const [row] = await connection.script(`SELECT digest, done FROM ${FILLING_TABLE}`);
        return { is: 'unfinished', move: { digest: String(row?.digest), schema: schema - FILLING }, done: Number(row?.done) };
      }
      refuseUnknown(this.name, schema, schemaVersion('postgres'));
      const rows = await ownedIn(connection);
      return Object.values(rows).some((n) => n > 0) ? { is: 'used', rows } : { is: 'empty', schema };
    });
  }

  async begin({ digest, schema }: Move): Promise<void> {
    const { is } = await this.look();
    if (is !== 'unfinished') await this.#pool.use((connection) => migrate(this.name, connection, this.#schema, schema));
    await this.#within(async (connection) => {
      const tables = (await tablesOf(connection)).map(({ name }) => name);
      await connection.script(`LOCK TABLE ${tables.join(', ')} IN ACCESS EXCLUSIVE MODE`);
      if ((await versionOf(connection)) < FILLING && Object.values(await ownedIn(connection)).some((n) => n > 0))
        throw overtaken(this.name);
      await connection.script(
        `CREATE TABLE IF NOT EXISTS ${FILLING_TABLE} (digest TEXT NOT NULL, done BIGINT NOT NULL, aside TEXT NOT NULL)`,
      );
      const [known] = await connection.script(`SELECT aside FROM ${FILLING_TABLE}`);
      const there = await referencesOf(connection);
      const aside = known === undefined ? there : (JSON.parse(String(known.aside)) as Reference[]);
      for (const { table, name } of there) await connection.script(`ALTER TABLE ${table} DROP CONSTRAINT "${name}"`);
      await connection.script(`TRUNCATE ${[...tables, FILLING_TABLE].join(', ')}`);
      const given = [digest, JSON.stringify(aside)];
      await connection.query(`INSERT INTO ${FILLING_TABLE} (digest, done, aside) VALUES ($1, 0, $2)`, given);
      await connection.script(
        `DELETE FROM schema_version WHERE version > ${FILLING}; INSERT INTO schema_version (version) VALUES (${FILLING + schema})`,
      );
    });
  }

  async tables(): Promise<readonly Table[]> {
    return await this.#pool.use(tablesOf);
  }

  async put({ name, columns }: Table, rows: readonly Values[], from: number, to: number): Promise<void> {
    const names = columns.map((column) => column.name).join(', ');
    const arrays = columns.map(({ type }, n) => `$${n + 1}::${type === 'text' ? 'text' : 'bigint'}[]`).join(', ');
    const insert = `INSERT INTO ${name} (${names}) OVERRIDING SYSTEM VALUE SELECT * FROM unnest(${arrays})`;
    const values = columns.map((_column, n) => arrayOf(rows.map((row) => row[n] ?? null)));
    await this.#within(async (connection) => {
      const step = `UPDATE ${FILLING_TABLE} SET done = $1 WHERE done = $2`;
      const { affected } = await connection.query(step, [to, from]);
      if (affected !== 1) throw overtaken(this.name);
      if (rows.length > 0) await connection.query(insert, values);
    });
  }

  async settle(): Promise<void> {
    await this.#within(async (connection) => {
      const [row] = await connection.script(`SELECT aside FROM ${FILLING_TABLE}`);
      const there = new Set((await referencesOf(connection)).map(({ table, name }) => `${table}.${name}`));
      const missing = (JSON.parse(String(row?.aside)) as Reference[]).filter(({ table, name }) => !there.has(`${table}.${name}`));
      for (const { table, name, definition } of missing)
        await connection.script(`ALTER TABLE ${table} ADD CONSTRAINT "${name}" ${definition}`).catch((error: unknown) => {
          throw codeOf(error) === '23503' ? dangling(table, error) : error;
        });
      await goOnCounting(connection);
    });
    await this.#pool.use((connection) => connection.script('ANALYZE'));
  }

  async read<T>(work: (source: MoveSource) => Promise<T>): Promise<T> {
    return await readPostgres(this.#pool, work, FILLING);
  }

  async finish(): Promise<void> {
    await this.#within(async (connection) => {
      await connection.script(`DROP TABLE ${FILLING_TABLE}; DELETE FROM schema_version WHERE version > ${FILLING}`);
    });
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }

  async #within(work: (connection: PgConnection) => Promise<void>): Promise<void> {
    await this.#pool.use(async (connection) => {
      await connection.script(`BEGIN; ${PATIENT}`);
      try {
        await work(connection);
        await connection.script('COMMIT');
      } catch (error) {
        if (!isLost(error)) await connection.script('ROLLBACK').catch(() => {});
        // Whoever finished it removed what says how far it is.
        throw codeOf(error) === '42P01' ? overtaken(this.name) : error;
      }
    });
  }
}

/** How many rows there are of what nobody should lose. */
async function ownedIn(connection: PgConnection): Promise<Record<string, number>> {
  const names = new Set((await tablesOf(connection)).map(({ name }) => name));
  const counts = OWNED.filter((name) => names.has(name)).map((name) => `(SELECT COUNT(*) FROM ${name}) AS ${name}`);
  const [row] = await connection.script(
    `SELECT ${[...counts, `(SELECT COUNT(*) FROM agents WHERE role NOT IN ('operator', 'hub')) AS agents`].join(', ')}`,
  );
  return Object.fromEntries(Object.entries(row ?? {}).map(([name, n]) => [name, Number(n)]));
}

type Reference = { table: string; name: string; definition: string };

async function referencesOf(connection: PgConnection): Promise<Reference[]> {
  const rows = await connection.script(
    `SELECT t.relname AS table, c.conname AS name, pg_get_constraintdef(c.oid) AS definition
     FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid
     WHERE c.contype = 'f' AND t.relnamespace = current_schema()::regnamespace ORDER BY 1, 2`,
  );
  return rows.map(({ table, name, definition }) => ({ table: String(table), name: String(name), definition: String(definition) }));
}

/** Numbers that the server gives out itself begin behind those that were brought. */
async function goOnCounting(connection: PgConnection): Promise<void> {
  const counted = await connection.script(
    `SELECT t.relname AS table, a.attname AS column FROM pg_class t JOIN pg_attribute a ON a.attrelid = t.oid
     WHERE t.relnamespace = current_schema()::regnamespace AND t.relkind = 'r' AND a.attidentity <> ''`,
  );
  for (const { table, column } of counted)
    await connection.script(
      `SELECT setval(pg_get_serial_sequence('${String(table)}', '${String(column)}'), COALESCE(MAX(${String(column)}), 1), MAX(${String(column)}) IS NOT NULL)
       FROM ${String(table)}`,
    );
}

async function tablesOf(connection: PgConnection): Promise<Table[]> {
  // By the catalog itself: the views of information_schema take seconds where many schemas are.
  const rows = await connection.script(
    `SELECT t.relname AS table, a.attname AS name, format_type(a.atttypid, NULL) AS type,
       COALESCE(array_position(i.indkey::smallint[], a.attnum) + 1 - array_lower(i.indkey::smallint[], 1), 0) AS key
     FROM pg_class t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
     LEFT JOIN pg_index i ON i.indrelid = t.oid AND i.indisprimary
     WHERE t.relnamespace = current_schema()::regnamespace AND t.relkind = 'r' ORDER BY t.relname COLLATE "C", a.attnum`,
  );
  const names = [...new Set(rows.map(({ table }) => String(table)))].filter(isHubTable);
  return names.map((table) =>
    tableOf(
      table,
      rows
        .filter((row) => row.table === table)
        .map((row) => ({ name: String(row.name), type: toType(String(row.type)), key: Number(row.key) })),
    ),
  );
}

function toValue(row: Row, column: string): string | number | null {
  const value = row[column];
  if (value === null || typeof value === 'string') return value;
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new Error(`${column} holds a number that cannot be moved exactly`);
  return number;
}

/** One argument for a column of many rows, as the server writes arrays. */
function arrayOf(values: Values): Arg {
  const items = values.map((value) =>
    value === null ? 'NULL' : typeof value === 'number' ? String(value) : `"${value.replace(/[\\"]/g, '\\$&')}"`,
  );
  return `{${items.join(',')}}`;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

function dangling(table: string, cause: unknown): HubError {
  return new HubError('unavailable', `Rows of ${table} point to rows that the export does not hold.`, {
    hint: 'The hub that was exported is damaged: rookery verify there says more.',
    cause,
  });
}
