// Opens a PostgreSQL database the only way the hub trusts: refuse what is known to lose data, bring the schema up to date under a lock, and hand
// out the engine. Invariant C20: no silent fallback; each refusal is one sentence with a remedy.

import type { Clock } from '../hub/clock.ts';
import { HubError } from '../hub/errors.ts';
import type { Db, DbObserver } from './db.ts';
import { migrationsOf, schemaVersion } from './migrate.ts';
import { refuseUnknown } from './moving.ts';
import { type PgPool, PostgresDb } from './postgres.ts';
import { toPostgresError } from './postgres-error.ts';
import { ServerPool } from './postgres-pool.ts';
import { pgSettings } from './postgres-settings.ts';
import { type PgConnection, PgTx } from './postgres-transaction.ts';

export type PostgresOptions = {
  url: string;
  clock: Clock;
  /** How many connections this process may have, beside the one of its bell. */
  connections?: number;
  /** Opens a database that another process looks after: it is not migrated. */
  asGuest?: boolean;
  observer?: DbObserver | undefined;
};

export async function openPostgres(options: PostgresOptions): Promise<Db> {
  const pool = new ServerPool(pgSettings(options.url), options.clock, options.connections);
  return await openOn(pool, options.clock, { asGuest: options.asGuest === true, schema: pool.schema, observer: options.observer });
}

/** The engine on a pool of connections, however they are made. */
export async function openOn(
  pool: PgPool,
  clock: Clock,
  { asGuest = false, schema = 'public', observer }: { asGuest?: boolean; schema?: string; observer?: DbObserver | undefined } = {},
): Promise<Db> {
  try {
    await pool.use((connection) => (asGuest ? assertCurrent(pool.name, connection) : migrate(pool.name, connection, schema)));
    return new PostgresDb(pool, clock, observer);
  } catch (error) {
    await pool.close();
    throw toPostgresError(error);
  }
}

async function assertCurrent(name: string, connection: PgConnection): Promise<void> {
  const [row] = await connection.script(`SELECT to_regclass('schema_version') AS found`);
  const version = row?.found === null ? 0 : await versionOf(connection);
  if (version === schemaVersion('postgres')) return;
  refuseUnknown(name, version, schemaVersion('postgres'));
  throw new HubError('unavailable', 'The database has not been brought to this program’s schema yet.', {
    hint: 'Any server of the hub does it when it starts.',
  });
}

/**
 * All pending migrations in one transaction, one process at a time. Hubs that run meanwhile wait for it, or prepare their statements anew.
 * `upTo`: the newest version that it is brought to, for rows that are of an older one.
 */
export async function migrate(name: string, connection: PgConnection, schema: string, upTo = Number.POSITIVE_INFINITY): Promise<void> {
  const tx = new PgTx(
    connection,
    `BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '60s'; SELECT pg_advisory_xact_lock(hashtextextended('rookery migrations', 0));
     ${schema === 'public' ? '' : `CREATE SCHEMA IF NOT EXISTS "${schema}";`}
     CREATE TABLE IF NOT EXISTS schema_version (version BIGINT PRIMARY KEY)`,
  );
  try {
    await tx.begun();
    const version = await versionOf(connection);
    refuseUnknown(name, version, schemaVersion('postgres'));
    const pending = migrationsOf('postgres').filter((candidate) => candidate.version > version && candidate.version <= upTo);
    for (const migration of pending) {
      await connection.script(migration.sql);
      await tx.run('INSERT INTO schema_version (version) VALUES (?)', migration.version);
    }
    await tx.commit();
  } catch (error) {
    await tx.rollback().catch(() => {});
    throw error;
  }
}

export async function versionOf(connection: PgConnection): Promise<number> {
  const [row] = await connection.script('SELECT COALESCE(MAX(version), 0) AS version FROM schema_version');
  return Number(row?.version ?? 0);
}
