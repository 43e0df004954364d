// Connections to a PostgreSQL server, on the driver `pg`. Every one has limits, so that nothing waits or holds a lock for ever, and is looked at
// before it is used: a server that may answer success before data is on its disk is refused. A server that is away is waited for within reason,
// then calls fail at once until it is back; each attempt is also the test whether it is.

import { createRequire } from 'node:module';
import type pg from 'pg';
import type { Clock } from '../hub/clock.ts';
import { HubError } from '../hub/errors.ts';
import type { Row } from './db.ts';
import type { Outcome, PgBell, PgPool } from './postgres.ts';
import { ListenBell } from './postgres-bell.ts';
import { isLost, isStalePlan, isUnreached, mayPass, toPostgresError } from './postgres-error.ts';
import type { PgSettings } from './postgres-settings.ts';
import type { PgConnection, ServerLife } from './postgres-transaction.ts';

/** One project needs one connection to write, and reads share the rest; a server has a hundred by default. */
const CONNECTIONS = 10;
/** How long a call waits for a connection, busy or broken, before it fails. */
const PATIENCE_MS = 5_000;
const RETRY_MS = 100;
/** A statement of the hub takes milliseconds; a minute-long one is some mistake. */
const STATEMENT_MS = 20_000;
/** A hub that is stopped in mid-transaction holds its project for so long; then its connection is ended. Others wait a little longer. */
const IDLE_IN_TRANSACTION_MS = 5_000;
const LOCK_MS = 8_000;
/** The server stops statements before; this is for a network that swallows everything. */
const NO_ANSWER_MS = 30_000;
/** Idle connections go: a server has better use for them. */
const IDLE_MS = 30_000;
/** Plans and what else a connection gathers go with it. */
const LIFETIME_S = 1_800;
/** More texts than this are made by some list of changing length; they are not worth a prepared statement each. */
const PREPARED = 1_000;

const NOWHERE: ServerLife = { history: '', crash: '' };
/** invalid_parameter_value: the number of a transaction that the server has not given yet. */
const AHEAD = '22023';

/** Loaded when it is needed: a hook, which is started for every tool that a model uses, is bundled with this file and pays for no server. */
const driver = (): typeof import('pg') => createRequire(import.meta.url)('pg') as typeof import('pg');

export class ServerPool implements PgPool {
  readonly #settings: PgSettings;
  readonly #clock: Clock;
  readonly #pool: pg.Pool;
  readonly #connections: number;
  readonly #lives = new WeakMap<pg.ClientBase, ServerLife>();
  #trouble: { since: number; what: string } | undefined;

  /** `answerMs`: how long a statement may stay without an answer; 0: as long as it takes. */
  constructor(settings: PgSettings, clock: Clock, connections: number = CONNECTIONS, answerMs: number = NO_ANSWER_MS) {
    this.#settings = settings;
    this.#clock = clock;
    this.#connections = connections;
    this.#pool = new (driver().Pool)({
      ...clientConfig(settings),
      max: connections,
      idleTimeoutMillis: IDLE_MS,
      maxLifetimeSeconds: LIFETIME_S,
      connectionTimeoutMillis: PATIENCE_MS,
      statement_timeout: STATEMENT_MS,
      lock_timeout: LOCK_MS,
      idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
      query_timeout: answerMs,
      onConnect: (client) => this.#inspect(client),
    });
    this.#pool.on('error', () => {}); // an idle connection ended; the next one that is lent is another
  }

  get name(): string {
    return this.#settings.name;
  }

  get schema(): string {
    return this.#settings.schema;
  }

  async use<T>(work: (connection: PgConnection) => Promise<T>): Promise<T> {
    const client = await this.#lend();
    let broken: Error | undefined;
    const onError = (error: Error) => {
      broken = error;
    };
    client.on('error', onError);
    try {
      return await work(connectionOf(client, this.#lives.get(client) ?? NOWHERE));
    } catch (error) {
      if (error instanceof Error && (isLost(error) || isLost(error.cause) || isStalePlan(error))) broken ??= error;
      throw error;
    } finally {
      client.off('error', onError);
      client.release(broken);
    }
  }

  /**
   * Believed of the same history only, because a standby that took over may have lost what the old server committed. A server that crashed gives the
   * numbers of transactions away again that it had not written down (seen on 15.18, each time): its `committed` may be another's, its `aborted` not.
   */
  async outcomeOf(xid: string, life: ServerLife): Promise<Outcome> {
    const deadline = this.#clock.monotonic() + PATIENCE_MS;
    while (this.#clock.monotonic() < deadline) {
      const { status, now } = await this.use(async ({ script, life: now }) => ({ status: await statusOf(script, xid), now }));
      if (life.history === '' || life.history !== now.history) return 'unknown';
      if (status === 'aborted') return 'aborted';
      if (status === 'committed') return life.crash !== '' && life.crash === now.crash ? 'committed' : 'unknown';
      if (status !== 'in progress') return 'unknown';
      await this.#clock.sleep(RETRY_MS); // its server process has not noticed yet that we are gone
    }
    return 'unknown';
  }

  bell(rung: () => void): PgBell {
    return new ListenBell(
      () => new (driver().Client)({ ...clientConfig(this.#settings), connectionTimeoutMillis: PATIENCE_MS }),
      this.#clock,
      rung,
    );
  }

  notices(): readonly string[] {
    if (this.#trouble === undefined) return this.#settings.notices;
    const seconds = Math.round((this.#clock.monotonic() - this.#trouble.since) / 1000);
    return [...this.#settings.notices, `${this.#settings.name}, has not been reached for ${seconds} s: ${this.#trouble.what}`];
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }

  /** Lends a connection; waits for a server that is away, but only at first. */
  async #lend(): Promise<pg.PoolClient> {
    for (;;) {
      try {
        const client = await this.#pool.connect();
        this.#trouble = undefined;
        return client;
      } catch (error) {
        if (isBusy(error)) throw this.#busy(error);
        const failure = this.#explain(error);
        this.#trouble = { since: this.#trouble?.since ?? this.#clock.monotonic(), what: failure.message };
        if (!mayPass(error) || this.#clock.monotonic() - this.#trouble.since >= PATIENCE_MS) throw failure;
        await this.#clock.sleep(RETRY_MS);
      }
    }
  }

  #busy(cause: unknown): HubError {
    return new HubError('unavailable', `All ${this.#connections} connections to PostgreSQL were busy for ${PATIENCE_MS / 1000} s.`, {
      hint: 'Nothing was changed: retry with the same idempotency_key. If it stays, add hubs or raise databaseConnections.',
      cause,
    });
  }

  #explain(error: unknown): Error {
    const known = toPostgresError(error);
    if (known instanceof HubError && !mayPass(error) && !isUnreached(error)) return known;
    const why = error instanceof Error && 'code' in error ? String(error.code) : error instanceof Error ? error.message : 'unknown';
    return new HubError('unavailable', `${this.#settings.name}, cannot be reached (${why}).`, {
      hint: 'Nothing was changed: retry with the same idempotency_key. The hub goes on by itself when the server is back.',
      cause: error,
    });
  }

  /** A new connection: is this a server to trust, and which? */
  async #inspect(client: pg.ClientBase): Promise<void> {
    await client.query(
      `SELECT set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, false);
       SET search_path TO "${this.#settings.schema}"; SET standard_conforming_strings = on; SET client_min_messages = warning`,
    );
    const { rows } = await client.query<Record<string, string>>(
      `SELECT current_setting('server_version_num') AS version, current_setting('fsync') AS fsync, current_setting('full_page_writes') AS pages,
         pg_is_in_recovery()::text AS standby, getdatabaseencoding() AS encoding`,
    );
    const found = rows[0] ?? {};
    const refuse = (what: string, hint: string) => new HubError('unavailable', `${this.#settings.name}, ${what}`, { hint });
    if (Number(found.version) < 140_000) throw refuse('is older than version 14.', 'Update the server.');
    if (found.standby === 'true') throw refuse('is a standby, which takes no writes.', 'Point ROOKERY_DATABASE_URL at the primary.');
    if (found.fsync !== 'on' || found.pages !== 'on')
      throw refuse('may lose what it acknowledged (fsync or full_page_writes is off).', 'Turn both on; they are by default.');
    if (found.encoding !== 'UTF8') throw refuse(`stores ${found.encoding} text.`, 'Create the database with ENCODING UTF8.');
    this.#lives.set(client, await lifeOf(client));
  }
}

/** The driver's words when every connection stays lent. */
function isBusy(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('timeout exceeded when trying to connect');
}

/** The server, the timeline of its history, and when it last began to count anew, which it does after a crash and no ordered stop. */
async function lifeOf(client: pg.ClientBase): Promise<ServerLife> {
  try {
    const { rows } = await client.query<ServerLife>(
      `SELECT system_identifier::text || '/' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) AS history,
         COALESCE(pg_stat_get_bgwriter_stat_reset_time()::text, '') AS crash FROM pg_control_system()`,
    );
    return rows[0] ?? NOWHERE;
  } catch {
    return NOWHERE;
  }
}

/** What the server says of a transaction. One that lies ahead of it was lost in a crash, and its number not given away again yet. */
async function statusOf(script: PgConnection['script'], xid: string): Promise<unknown> {
  try {
    return (await script(`SELECT pg_xact_status('${BigInt(xid)}'::xid8) AS status`))[0]?.status;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === AHEAD) return 'aborted';
    throw error;
  }
}

function clientConfig(settings: PgSettings): pg.ClientConfig {
  const { host, port, database, user, password, ssl } = settings;
  return {
    ...{ host, port, database, ssl, application_name: 'rookery' },
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    // Statements are sent without waiting for the one before: transactions begin and end without round trips of their own.
    pipeline: true,
    types: { getTypeParser: typeParser as typeof pg.types.getTypeParser },
  };
}

/** Counts and instants are whole numbers below 2^53; sums of them come as NUMERIC. */
function typeParser(oid: number, format?: 'text' | 'binary'): (value: string) => unknown {
  return oid === 20 || oid === 1700 ? Number : driver().types.getTypeParser(oid, format as 'text');
}

const names = new Map<string, string>();

/** A name per text, so that the server parses and plans it once per connection. */
function nameOf(text: string): { name?: string } {
  let name = names.get(text);
  if (name === undefined && names.size < PREPARED) {
    name = `r${names.size}`;
    names.set(text, name);
  }
  return name === undefined ? {} : { name };
}

function connectionOf(client: pg.ClientBase, life: ServerLife): PgConnection {
  return {
    life,
    async query(text, values) {
      const { rows, rowCount } = await client.query<Record<string, unknown>>({ text, values: [...values], ...nameOf(text) });
      return { rows, affected: rowCount ?? 0 };
    },
    async script(sql) {
      const results: unknown = await client.query(sql);
      const last: unknown = Array.isArray(results) ? results.at(-1) : results;
      return last !== null && typeof last === 'object' && 'rows' in last ? (last.rows as Row[]) : [];
    },
  };
}
