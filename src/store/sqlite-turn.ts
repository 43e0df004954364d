// A SQLite connection with its prepared statements, and transactions that know whether they are still in the turn of the event loop that
// opened them: the enforcement of invariant 5 (nothing but SQL is awaited inside a transaction).

import type Database from 'better-sqlite3';
import type { Clock } from '../hub/clock.ts';
import type { Arg, DbObserver, Row, Tx } from './db.ts';
import { pragma, type Rows, rows, rowsOf } from './sqlite-statements.ts';

/** A connection with its prepared statements: preparing costs more than most statements do. */
export class Statements {
  readonly db: Database.Database;
  readonly #clock: Clock | undefined;
  readonly #observer: DbObserver | undefined;
  readonly #prepared: Map<string, Rows>;

  constructor(db: Database.Database, clock?: Clock, observer?: DbObserver) {
    this.db = db;
    this.#prepared = rowsOf(db);
    this.#clock = clock;
    this.#observer = observer;
  }

  get inTransaction(): boolean {
    return this.db.inTransaction;
  }

  exec(sql: string): void {
    // PRAGMA and transaction control: short texts, and exec is as fast as a prepared statement for them.
    this.db.exec(sql);
  }

  #prepare(sql: string): Rows {
    let statement = this.#prepared.get(sql);
    if (statement === undefined) {
      statement = rows(this.db, sql);
      this.#prepared.set(sql, statement);
    }
    return statement;
  }

  /** Runs a statement, and tells of one that takes long. */
  timed<T>(sql: string, work: (statement: Rows) => T): T {
    const slowMs = this.#observer?.slowMs ?? null;
    if (slowMs === null || this.#clock === undefined) return work(this.#prepare(sql));
    const since = this.#clock.monotonic();
    try {
      return work(this.#prepare(sql));
    } finally {
      const ms = this.#clock.monotonic() - since;
      if (ms >= slowMs) this.#observer?.slow(sql, ms);
    }
  }

  dataVersion(): number {
    return Number(pragma(this.db, 'data_version'));
  }

  close(): void {
    this.db.close();
  }
}

/** A transaction that knows whether it is still in the turn that opened it. */
export class TurnTx implements Tx {
  changes = 0;
  readonly #statements: Statements;
  #state: 'open' | 'ended' | 'outlived' = 'open';

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  isOpen(): boolean {
    return this.#state === 'open';
  }

  assertOpen(): void {
    if (this.#state !== 'open') throw this.failure();
  }

  failure(): Error {
    return new Error(
      this.#state === 'outlived'
        ? 'A transaction outlived its turn: something other than SQL was awaited inside it. It was rolled back.'
        : 'This transaction has ended.',
    );
  }

  end(state: 'ended' | 'outlived'): void {
    if (this.#state === 'open') this.#state = state;
  }

  async all(sql: string, ...args: Arg[]): Promise<Row[]> {
    this.assertOpen();
    return this.#statements.timed(sql, (statement) => statement.all(args));
  }

  async get(sql: string, ...args: Arg[]): Promise<Row | undefined> {
    this.assertOpen();
    return this.#statements.timed(sql, (statement) => statement.get(args));
  }

  async run(sql: string, ...args: Arg[]): Promise<number> {
    this.assertOpen();
    const { changes } = this.#statements.timed(sql, ({ statement }) => statement.run(args));
    this.changes += changes;
    return changes;
  }
}

export type TurnWatch = {
  readonly tx: TurnTx;
  /** The body's outcome, or the failure of a body that outlives its turn: one that never ends must not hold up the others. */
  within<T>(body: Promise<T>): Promise<T>;
  commit(): void;
  end(): void;
};

/** Awaiting SQL only ever costs microtasks, so the tick after them finds the transaction ended, or it awaited something else. */
export function watchTurn(statements: Statements): TurnWatch {
  const tx = new TurnTx(statements);
  let fail: (error: unknown) => void = () => {};
  const outlived = new Promise<never>((_resolve, reject) => {
    fail = reject;
  });
  outlived.catch(() => {}); // whoever is waiting inside hears of it

  const rollback = () => {
    if (statements.inTransaction) statements.exec('ROLLBACK');
  };
  // Awaiting SQL costs microtasks only, and a tick comes when they are done: before any timer, I/O or immediate could be awaited.
  process.nextTick(() => {
    if (!tx.isOpen()) return;
    tx.end('outlived');
    rollback();
    fail(tx.failure());
  });
  return {
    tx,
    within: (body) => Promise.race([body, outlived]),
    commit() {
      tx.assertOpen();
      statements.exec('COMMIT');
      tx.end('ended');
    },
    end() {
      tx.end('ended');
      rollback();
    },
  };
}
