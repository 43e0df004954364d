// The PostgreSQL engine, over any connection that can run a query. The statements are the same as SQLite's; only the placeholders differ.
// Order within a project comes from one advisory lock per project and write (invariant 4), because sequence values are not commit order.

import type { Arg, Db, Read, Row, Tx } from './db.ts';
import { migrationsOf } from './migrate.ts';

/** One connection, held for one transaction at a time. */
export interface PgConnection {
  query(sql: string, args: readonly Arg[]): Promise<{ rows: Row[]; affected: number }>;
  /** Several statements without arguments, for migrations. */
  script(sql: string): Promise<void>;
}

export interface PgPool {
  /** Lends a connection until `use` is done; waits when all are lent. */
  use<T>(use: (connection: PgConnection) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export async function openPostgres(pool: PgPool): Promise<Db> {
  await pool.use(migrate);
  return new PostgresDb(pool);
}

class PostgresDb implements Db {
  readonly engine = 'postgres';
  readonly #pool: PgPool;
  readonly #listeners = new Set<() => void>();

  constructor(pool: PgPool) {
    this.#pool = pool;
  }

  read<T>(look: (read: Read) => Promise<T>): Promise<T> {
    return this.#pool.use((connection) => transaction(connection, 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', look));
  }

  async write<T>(scope: string, change: (tx: Tx) => Promise<T>): Promise<T> {
    const result = await this.#pool.use((connection) =>
      transaction(connection, 'BEGIN', async (tx) => {
        await tx.all('SELECT pg_advisory_xact_lock(hashtextextended(?, 0))', scope);
        return await change(tx);
      }),
    );
    for (const listener of [...this.#listeners]) listener();
    return result;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  watch(listener: () => void): () => void {
    return this.onChange(listener);
  }

  listen(_wanted: boolean): void {}

  notices(): readonly string[] {
    return [];
  }

  close(): Promise<void> {
    return this.#pool.close();
  }
}

async function transaction<T>(connection: PgConnection, begin: string, body: (tx: Tx) => Promise<T>): Promise<T> {
  const tx: Tx = {
    all: async (sql, ...args) => (await connection.query(numbered(sql), args)).rows,
    get: async (sql, ...args) => (await connection.query(numbered(sql), args)).rows[0],
    run: async (sql, ...args) => (await connection.query(numbered(sql), args)).affected,
  };
  await connection.query(begin, []);
  try {
    const result = await body(tx);
    await connection.query('COMMIT', []);
    return result;
  } catch (error) {
    await connection.query('ROLLBACK', []);
    throw error;
  }
}

const texts = new Map<string, string>();

/** `?` becomes `$1`, `$2`, ... Statements of the store never hold a literal question mark. */
function numbered(sql: string): string {
  let text = texts.get(sql);
  if (text === undefined) {
    let n = 0;
    text = sql.replace(/\?/g, () => `$${++n}`);
    texts.set(sql, text);
  }
  return text;
}

async function migrate(connection: PgConnection): Promise<void> {
  await connection.script('CREATE TABLE IF NOT EXISTS schema_version (version BIGINT PRIMARY KEY)');
  await transaction(connection, 'BEGIN', async (tx) => {
    await tx.all("SELECT pg_advisory_xact_lock(hashtextextended('rookery migrations', 0))");
    const row = await tx.get('SELECT COALESCE(MAX(version), 0) AS version FROM schema_version');
    for (const migration of migrationsOf('postgres').filter((candidate) => candidate.version > Number(row?.version ?? 0))) {
      await connection.script(migration.sql);
      await tx.run('INSERT INTO schema_version (version) VALUES (?)', migration.version);
    }
  });
}
