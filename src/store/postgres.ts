// The PostgreSQL engine, over any pool of connections. The statements are the same as SQLite's; only the placeholders differ.
// Order within a project comes from one advisory lock per project and write (invariant 4), because sequence values are not commit order. The
// writes of this process in one project are grouped: one transaction carries many, and one commit answers all.
// Invariant: of every write it is known whether it happened, or its caller is told that it is not.

import { createHash } from 'node:crypto';
import type { Clock } from '../hub/clock.ts';
import { HubError } from '../hub/errors.ts';
import type { Db, DbObserver, Durability, Read, Tx } from './db.ts';
import { Changes } from './postgres-changes.ts';
import { isContended, isLost, isStalePlan, toLookError, toPostgresError, unknownOutcome } from './postgres-error.ts';
import { type PgConnection, PgTx, type ServerLife } from './postgres-transaction.ts';

export type Outcome = 'committed' | 'aborted' | 'unknown';

/** What rings other processes of the same database, and is rung by them. */
export interface PgBell {
  /** Starts to hear others. Idempotent. */
  open(): void;
  /** Tells every other process. Never throws, never waits. */
  ring(): void;
  notices(): readonly string[];
  close(): Promise<void>;
}

export interface PgPool {
  /** How the database is named to people. */
  readonly name: string;
  /** Lends a connection until `use` is done; waits for one within reason. */
  use<T>(use: (connection: PgConnection) => Promise<T>): Promise<T>;
  /** What became of a transaction whose commit was not answered. `life`: that of the connection it was sent on. */
  outcomeOf(xid: string, life: ServerLife): Promise<Outcome>;
  /** A pool of one process alone has none. */
  bell?(rung: () => void): PgBell;
  notices(): readonly string[];
  close(): Promise<void>;
}

/** How many writes share one commit at most: enough to spread its cost, few enough that other hubs get their turn at the project. */
const GROUP = 16;
/** What concerns the whole hub gives way to projects after so long, and tries again so many times. */
const YIELD_MS = 200;
const YIELD_PAUSE_MS = 50;
const YIELDS = 10;

type Pending = {
  change: (tx: Tx) => Promise<unknown>;
  durability: Durability;
  since: number;
  resolve: (value: unknown) => void;
  reject: (error: unknown) => void;
};

export class PostgresDb implements Db {
  readonly engine = 'postgres';
  readonly #pool: PgPool;
  readonly #clock: Clock;
  readonly #observer: DbObserver | undefined;
  readonly #bell: PgBell | undefined;
  readonly #queues = new Map<string, Pending[]>();
  readonly #drains = new Set<Promise<void>>();
  readonly #changes: Changes;
  #closed = false;

  constructor(pool: PgPool, clock: Clock, observer?: DbObserver) {
    this.#pool = pool;
    this.#clock = clock;
    this.#observer = observer;
    this.#changes = new Changes(clock, () => pool.use((connection) => connection.script('SELECT pg_current_snapshot()::text AS seen')));
    this.#bell = pool.bell?.(() => this.#changes.happened());
  }

  read<T>(look: (read: Read) => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(closed());
    return new Promise<T>((resolve, reject) => {
      const work = async (connection: PgConnection) => {
        const tx = this.#begin(connection, 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
        try {
          const result = await tx.first(() => look(tx));
          await tx.begun();
          resolve(result); // what was read is true whatever becomes of the connection
        } catch (error) {
          await tx.rollback().catch(() => {});
          throw await causeOf(tx, error);
        }
        await tx.commit();
      };
      // A look may be repeated: connections of a server that was restarted are found out one by one.
      const again = (error: unknown) => (isLost(error) || isStalePlan(error) ? this.#pool.use(work) : Promise.reject(error));
      this.#pool
        .use(work)
        .catch(again)
        .catch((error: unknown) => reject(toLookError(error)));
    });
  }

  write<T>(scope: string, change: (tx: Tx) => Promise<T>, durability: Durability = 'synced'): Promise<T> {
    if (this.#closed) return Promise.reject(closed());
    return new Promise<T>((resolve, reject) => {
      const since = this.#clock.monotonic();
      const pending: Pending = { change, durability, since, resolve: (value) => resolve(value as T), reject };
      const queue = this.#queues.get(scope);
      if (queue !== undefined) {
        queue.push(pending);
        return;
      }
      this.#queues.set(scope, [pending]);
      const drain = this.#drain(scope).finally(() => this.#drains.delete(drain));
      this.#drains.add(drain);
    });
  }

  onChange(listener: () => void): () => void {
    return this.#changes.onChange(listener);
  }

  watch(listener: () => void): () => void {
    return this.#changes.watch(listener);
  }

  listen(wanted: boolean): void {
    if (wanted && !this.#closed) this.#bell?.open();
    this.#changes.listen(wanted);
  }

  notices(): readonly string[] {
    return [...this.#pool.notices(), ...(this.#bell?.notices() ?? [])];
  }

  async describe(): Promise<{ name: string; bytes: number; walBytes: number }> {
    const row = await this.read((read) =>
      read.get(
        `SELECT SUM(pg_total_relation_size(c.oid)) AS bytes FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname = current_schema() AND c.relkind = 'r'`,
      ),
    );
    return { name: this.#pool.name, bytes: Number(row?.bytes ?? 0), walBytes: 0 }; // the log of a server is everybody's
  }

  /** The server's own autovacuum does it. */
  async compact(): Promise<void> {}

  async close(): Promise<void> {
    this.#changes.close();
    this.#closed = true;
    await Promise.all(this.#drains);
    await this.#bell?.close();
    await this.#pool.close();
  }

  /** Commits what waits in this scope, group by group; at most one connection per scope, so that no project takes all. */
  async #drain(scope: string): Promise<void> {
    const queue = this.#queues.get(scope) ?? [];
    for (let yields = 0; queue.length > 0; ) {
      const taken: Pending[] = [];
      try {
        const settle = await this.#pool.use((connection) => this.#commit(connection, scope, queue, taken));
        settle();
        yields = 0;
      } catch (error) {
        if (isContended(error)) this.#observer?.busy();
        if (scope === '' && isContended(error) && yields++ < YIELDS) {
          queue.unshift(...taken);
          await this.#clock.sleep(yields * YIELD_PAUSE_MS);
          continue;
        }
        // Nothing was begun for them: the next in line fails for the same reason, and those behind it get a chance of their own.
        if (taken.length === 0) taken.push(...queue.splice(0));
        await this.#fail(taken, error);
      }
    }
    this.#queues.delete(scope);
  }

  /** One transaction. Answers how its callers are to be told; `taken` says whom it carries when it throws. */
  async #commit(connection: PgConnection, scope: string, queue: Pending[], taken: Pending[]): Promise<() => void> {
    const durability = queue[0]?.durability ?? 'synced';
    const tx = this.#begin(connection, beginning(scope, durability));
    const settled: (() => void)[] = [];
    try {
      // Who comes while the first one works shares its commit, if a promise is given to both or to none.
      for (
        let left = 1;
        left > 0 && queue[0]?.durability === durability;
        left = taken.length === 1 ? Math.min(queue.length, GROUP - 1) : left - 1
      ) {
        const pending = queue.shift() as Pending;
        taken.push(pending);
        settled.push(await this.#change(tx, pending, taken.length === 1));
      }
      await tx.begun();
    } catch (error) {
      await tx.rollback().catch(() => {});
      throw await causeOf(tx, error);
    }
    if (!tx.changed) {
      await tx.rollback(); // and no commit to sync
    } else {
      const xid = String((await tx.begun())[0]?.xid ?? '');
      await tx.commit().catch((error: unknown) => {
        throw isLost(error) ? new LostCommit(xid, connection.life, settled, error) : error;
      });
      this.#observe(taken, tx.beganAt);
      this.#changes.happened();
      // What carries no promise (a lease, a heartbeat) is nothing that others wait for; their poll sees it soon enough.
      if (durability === 'synced') this.#bell?.ring();
    }
    return () => {
      for (const settle of settled) settle();
    };
  }

  #begin(connection: PgConnection, begin: string): PgTx {
    return new PgTx(connection, begin, this.#clock, this.#observer);
  }

  /** Who came while the lock was held did not wait for it. */
  #observe(taken: readonly Pending[], lockedAt: number): void {
    const waited = taken.map(({ since }) => Math.max(0, lockedAt - since));
    this.#observer?.committed(taken.length, waited, this.#clock.monotonic() - lockedAt);
  }

  /** Runs one change and answers how its caller is to be told. Throws when the whole transaction is of no use. */
  async #change(tx: PgTx, pending: Pending, isFirst: boolean): Promise<() => void> {
    const body = () => pending.change(tx);
    try {
      const value = await (isFirst ? tx.first(body) : tx.another(body));
      return () => pending.resolve(value);
    } catch (error) {
      if (isFirst || isLost(error) || isContended(error)) throw error;
      return () => pending.reject(toPostgresError(error));
    }
  }

  /** Tells those whose transaction failed; what was lost on the way to its commit is asked after first. */
  async #fail(taken: readonly Pending[], error: unknown): Promise<void> {
    if (!(error instanceof LostCommit)) {
      for (const pending of taken) pending.reject(toPostgresError(error));
      return;
    }
    const outcome = error.xid === '' ? 'unknown' : await this.#pool.outcomeOf(error.xid, error.life).catch(() => 'unknown');
    if (outcome === 'committed') {
      for (const settle of error.settled) settle();
      this.#changes.happened();
      this.#bell?.ring();
      return;
    }
    const told = outcome === 'aborted' ? toPostgresError(error.cause) : unknownOutcome(error.cause);
    for (const pending of taken) pending.reject(told);
  }
}

/** The connection ended between the question to commit and its answer. */
class LostCommit extends Error {
  readonly xid: string;
  readonly life: ServerLife;
  /** How its callers are to be told if it did happen. */
  readonly settled: readonly (() => void)[];

  constructor(xid: string, life: ServerLife, settled: readonly (() => void)[], cause: unknown) {
    super('the connection was lost during a commit', { cause });
    this.xid = xid;
    this.life = life;
    this.settled = settled;
  }
}

/** What the transaction failed of: everything after a beginning that failed only says that it did. */
async function causeOf(tx: PgTx, error: unknown): Promise<unknown> {
  try {
    await tx.begun();
    return error;
  } catch (cause) {
    return cause;
  }
}

/**
 * Sees what is committed, statement by statement, from when it has the lock; an isolation by snapshot would see what was before it waited. What
 * concerns the whole hub touches rows of projects without their locks: it gives way before anybody can be caught in a deadlock with it.
 */
function beginning(scope: string, durability: Durability): string {
  return [
    'BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE',
    ...(durability === 'relaxed' ? ['SET LOCAL synchronous_commit = off'] : []),
    `SELECT pg_advisory_xact_lock(${lockOf(scope)})`,
    ...(scope === '' ? [`SET LOCAL lock_timeout = ${YIELD_MS}`] : []),
    ...(durability === 'relaxed' ? [] : ['SELECT pg_current_xact_id()::text AS xid']),
  ].join('; ');
}

/** The same number for a scope in every process. Two scopes that share one only wait for each other. */
function lockOf(scope: string): bigint {
  return createHash('sha256').update(`rookery ${scope}`).digest().readBigInt64BE(0);
}

function closed(): HubError {
  return new HubError('unavailable', 'The hub is shutting down.', { hint: 'Retry with the same idempotency_key.' });
}
