// A transaction on one PostgreSQL connection. What is sent is answered in order, so BEGIN and savepoints are not waited for: the statement behind
// them is already on its way, which saves a round trip each. Invariant: a statement that failed fails its change, even if the change ignored it,
// because PostgreSQL undoes everything of it.

import type { Clock } from '../hub/clock.ts';
import type { Arg, DbObserver, Row, Tx } from './db.ts';

/** One connection, held for one transaction at a time. It runs what it is given in the order of the calls. */
/** Which history of which server a connection is to, and since which crash it runs; empty where its user may not ask. */
export type ServerLife = { history: string; crash: string };

export interface PgConnection {
  readonly life: ServerLife;
  query(sql: string, args: readonly Arg[]): Promise<{ rows: Row[]; affected: number }>;
  /** Several statements without arguments in one message. Answers the rows of the last one. */
  script(sql: string): Promise<Row[]>;
}

export class PgTx implements Tx {
  readonly #connection: PgConnection;
  readonly #begun: Promise<Row[]>;
  readonly #sent: Promise<unknown>[] = [];
  readonly #seen = new Map<string, Promise<{ rows: Row[]; affected: number }>>();
  #failure: { error: unknown } | undefined;
  readonly #clock: Clock | undefined;
  readonly #observer: DbObserver | undefined;
  #beganAt = 0;
  #changed = false;
  #open = true;

  /** `begin`: how the transaction begins; it is sent, not waited for. */
  constructor(connection: PgConnection, begin: string, clock?: Clock, observer?: DbObserver) {
    this.#connection = connection;
    this.#clock = clock;
    this.#observer = observer;
    this.#begun = connection.script(begin);
    // Whoever ends the transaction hears of a failure.
    this.#begun.then(() => this.#noteBeginning()).catch(() => {});
  }

  /** When the transaction had begun, with the lock that its beginning takes. */
  get beganAt(): number {
    return this.#beganAt;
  }

  /** Whether anything was changed, as far as can be told. */
  get changed(): boolean {
    return this.#changed;
  }

  async all(sql: string, ...args: Arg[]): Promise<Row[]> {
    return (await this.#query(sql, args)).rows;
  }

  async get(sql: string, ...args: Arg[]): Promise<Row | undefined> {
    return (await this.#query(sql, args)).rows[0];
  }

  async run(sql: string, ...args: Arg[]): Promise<number> {
    return (await this.#query(sql, args)).affected;
  }

  /** The rows that the beginning answered. Throws when there was none: then nothing happened. */
  begun(): Promise<Row[]> {
    return this.#begun;
  }

  /** Runs one change. Its failure leaves the transaction of no use. */
  async first<T>(body: () => Promise<T>): Promise<T> {
    const result = await body();
    if (this.#failure !== undefined) throw this.#failure.error;
    return result;
  }

  /** Runs one more change, in a savepoint: its failure undoes itself only. Rejects with it. */
  async another<T>(body: () => Promise<T>): Promise<T> {
    this.#send('SAVEPOINT change');
    try {
      const result = await this.first(body);
      this.#send('RELEASE change');
      return result;
    } catch (error) {
      const first = this.#failure?.error ?? error;
      this.#failure = undefined;
      this.#seen.clear();
      this.#send('ROLLBACK TO change; RELEASE change');
      throw first;
    }
  }

  /** Ends the transaction and waits for it. Throws the first failure, even one that its change did not mind; then nothing happened. */
  async commit(): Promise<void> {
    this.#open = false;
    await this.#begun;
    await this.#connection.script('COMMIT');
    // The server answers COMMIT of a failed transaction by rolling it back, and calls that no error.
    await Promise.all(this.#sent);
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Undoes everything. Throws when the connection cannot. */
  async rollback(): Promise<void> {
    this.#open = false;
    await this.#connection.script('ROLLBACK');
  }

  #send(sql: string): void {
    this.#sent.push(this.#connection.script(sql).catch((error: unknown) => this.#fail(error)));
  }

  async #query(sql: string, args: readonly Arg[]): Promise<{ rows: Row[]; affected: number }> {
    if (!this.#open) throw new Error('This transaction has ended.');
    const isLook = /^\s*SELECT\b/i.test(sql);
    // Services look at the same rows again; until something changes, the first answer holds.
    const key = isLook ? `${sql}\n${JSON.stringify(args)}` : '';
    const known = isLook ? this.#seen.get(key) : undefined;
    if (known !== undefined) return await known;
    const asked = this.#connection.query(numbered(sql), args);
    if (isLook) this.#seen.set(key, asked);
    else this.#forget();
    const since = this.#clock?.monotonic() ?? 0;
    try {
      return await asked;
    } catch (error) {
      this.#fail(error);
      throw error;
    } finally {
      this.#tell(sql, since);
    }
  }

  #noteBeginning(): void {
    this.#beganAt = this.#clock?.monotonic() ?? 0;
  }

  /** Tells of a statement that took long. It was sent before the lock was there; that wait is not its own. */
  #tell(sql: string, since: number): void {
    const slowMs = this.#observer?.slowMs ?? null;
    if (slowMs === null || this.#clock === undefined) return;
    const ms = this.#clock.monotonic() - Math.max(since, this.#beganAt);
    if (ms >= slowMs) this.#observer?.slow(sql, ms);
  }

  #forget(): void {
    this.#changed = true;
    this.#seen.clear();
  }

  /** The first failure is the cause; what follows it only says that the transaction is over. */
  #fail(error: unknown): void {
    this.#failure ??= { error };
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
