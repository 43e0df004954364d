// The SQLite engine. One connection writes, one reads; concurrent writes of this process are grouped: one transaction carries many,
// each in a savepoint of its own, and one sync answers all (C1). Between processes the lock is awaited fairly (sqlite-lock.ts).
// Invariant 5 is enforced here: a transaction whose body awaits anything but SQL outlives its turn of the event loop and is rolled back.

import type Database from 'better-sqlite3';
import { HubError } from '../hub/errors.ts';
import type { Db, Durability, Read, Tx } from './db.ts';
import { Doorbell } from './doorbell.ts';
import { FileChanges } from './sqlite-changes.ts';
import { diskNotices, sizesOf } from './sqlite-disk.ts';
import { OpenFile } from './sqlite-file.ts';
import { acquire, Crowd } from './sqlite-lock.ts';
import { headOf, Mark, olderNotices } from './sqlite-mark.ts';
import { openSqliteFile, type SqliteOptions } from './sqlite-open.ts';
import { Statements, type TurnWatch, watchTurn } from './sqlite-turn.ts';
import { toCommitError, toReadError, toStorageError } from './storage-error.ts';

/** How many writes share one commit at most: enough to amortise a sync, few enough to hold the lock for a few milliseconds. */
const GROUP = 64;

type Pending = {
  scope: string;
  change: (tx: Tx) => Promise<unknown>;
  durability: Durability;
  since: number;
  resolve: (value: unknown) => void;
  reject: (error: unknown) => void;
};

/** Opens the database, creating and migrating it as needed. Throws a HubError with a remedy when it cannot be trusted. */
export async function openSqlite(options: SqliteOptions): Promise<Db> {
  const { writer, reader, inode } = await openSqliteFile(options);
  return new SqliteDb(options, writer, reader, inode);
}

class SqliteDb implements Db {
  readonly engine = 'sqlite';
  readonly #options: SqliteOptions;
  readonly #writer: Statements;
  readonly #reader: Statements;
  readonly #file: OpenFile;
  readonly #bell: Doorbell;
  readonly #mark: Mark;
  readonly #crowd: Crowd;
  readonly #changes: FileChanges;
  readonly #queue: Pending[] = [];
  /** As the writing connection was last told. */
  #synchronous: 'FULL' | 'NORMAL' | undefined;
  #draining: Promise<void> | undefined;
  #readTail: Promise<unknown> = Promise.resolve();
  /** Why nothing is written any more, though the file is the one that was opened. */
  #refusal: HubError | undefined;

  constructor(options: SqliteOptions, writer: Database.Database, reader: Database.Database, inode: string) {
    this.#options = options;
    this.#writer = new Statements(writer, options.clock, options.observer);
    this.#reader = new Statements(reader, options.clock, options.observer);
    this.#file = new OpenFile(options.path, inode, options.clock, reader);
    this.#mark = new Mark(options.path);
    this.#crowd = new Crowd(options.clock);
    this.#changes = new FileChanges(
      options.clock,
      () => this.#reader.dataVersion(),
      () => this.#file.isReplaced(),
    );
    this.#bell = new Doorbell(options.bellDir, () => this.#changes.happened());
  }

  read<T>(look: (read: Read) => Promise<T>): Promise<T> {
    if (this.#file.replaced !== undefined) return Promise.reject(this.#file.replaced);
    const result = this.#readTail.then(() => this.#readAlone(look));
    this.#readTail = result.then(ignore, ignore);
    return result;
  }

  write<T>(scope: string, change: (tx: Tx) => Promise<T>, durability: Durability = 'synced'): Promise<T> {
    const refusal = this.#refused();
    if (refusal !== undefined) return Promise.reject(refusal);
    return new Promise<T>((resolve, reject) => {
      const since = this.#options.clock.monotonic();
      this.#queue.push({ scope, change, durability, since, resolve: (value) => resolve(value as T), reject });
      // Starting in the next phase of the loop lets everything that arrived in this one share the commit.
      this.#draining ??= new Promise<void>((done) => setImmediate(() => void this.#drain().finally(done)));
    });
  }

  /** After the reads before it: within one of them it would stand still. */
  version(): Promise<number> {
    const result = this.#readTail.then(() => this.#reader.dataVersion());
    this.#readTail = result.then(ignore, ignore);
    return result;
  }

  onChange(listener: () => void): () => void {
    return this.#changes.onChange(listener);
  }

  watch(listener: () => void): () => void {
    return this.#changes.watch(listener);
  }

  listen(wanted: boolean): void {
    if (wanted) this.#bell.open();
    this.#changes.listen(wanted);
  }

  notices(): readonly string[] {
    const refusal = this.#refused();
    return [
      ...this.#bell.notices(),
      ...diskNotices(this.#options.path, this.#options.diskFloorBytes),
      ...olderNotices(this.#options.path),
      ...(refusal === undefined ? [] : [refusal.message]),
    ];
  }

  async describe(): Promise<{ name: string; bytes: number; walBytes: number }> {
    return sizesOf(this.#options.path);
  }

  /** VACUUM holds the write lock for as long as it takes to write the file anew (about a second for 100 MB). */
  async compact(): Promise<void> {
    const refusal = this.#refused();
    if (refusal !== undefined) throw refusal;
    // What readers still look at keeps the file from being cut; the next checkpoint does it then.
    for (const pragma of ['VACUUM', 'PRAGMA wal_checkpoint(TRUNCATE)']) await this.#between(() => this.#writer.exec(pragma));
  }

  /** Why nothing is written any more. */
  #refused(): HubError | undefined {
    return this.#file.replaced ?? this.#refusal;
  }

  async #between(work: () => void): Promise<void> {
    try {
      await acquire(this.#options.clock, () => {
        if (this.#draining !== undefined) throw Object.assign(new Error('a transaction of this process'), { code: 'SQLITE_BUSY' });
        work();
      });
    } catch (error) {
      throw toStorageError(error);
    }
  }

  async close(): Promise<void> {
    this.#changes.close();
    this.#refusal ??= new HubError('unavailable', 'The hub is shutting down.', {
      hint: 'Retry with the same idempotency_key.',
    });
    await this.#draining;
    await this.#readTail;
    this.#bell.close();
    this.#mark.close();
    this.#reader.close();
    this.#writer.close();
  }

  async #readAlone<T>(look: (read: Read) => Promise<T>): Promise<T> {
    const watch = watchTurn(this.#reader);
    try {
      if (!this.#reader.db.open && this.#refusal !== undefined) throw this.#refusal;
      this.#reader.exec('BEGIN');
      return await watch.within(look(watch.tx));
    } catch (error) {
      throw toReadError(error);
    } finally {
      watch.end();
    }
  }

  async #drain(): Promise<void> {
    try {
      while (this.#queue.length > 0) {
        const group = await this.#begin();
        const since = this.#options.clock.monotonic();
        await this.#commit(group);
        this.#crowd.had();
        this.#observe(group, since);
        // The lock is free: let clients be answered and other processes in before the next group.
        if (this.#queue.length > 0) await new Promise<void>((resolve) => setImmediate(resolve));
      }
    } catch (error) {
      for (const pending of this.#queue.splice(0)) pending.reject(toStorageError(error));
    } finally {
      this.#draining = undefined;
    }
  }

  /** Takes the write lock, then whatever waits by then. `relaxed` holds only for a group in which nothing carries a promise. */
  async #begin(): Promise<Pending[]> {
    await this.#crowd.leave();
    return await acquire(
      this.#options.clock,
      () => {
        const relaxed = this.#queue.slice(0, GROUP).every((pending) => pending.durability === 'relaxed');
        this.#synchronize(relaxed ? 'NORMAL' : 'FULL');
        this.#writer.exec('BEGIN IMMEDIATE');
        return this.#queue.splice(0, GROUP);
      },
      this.#crowd,
      () => this.#options.observer?.busy(),
    );
  }

  #synchronize(level: 'FULL' | 'NORMAL'): void {
    if (this.#synchronous === level) return;
    this.#synchronous = undefined;
    this.#writer.exec(`PRAGMA synchronous = ${level}`);
    this.#synchronous = level;
  }

  #observe(group: readonly Pending[], lockedAt: number): void {
    const waited = group.map(({ since }) => lockedAt - since);
    this.#options.observer?.committed(group.length, waited, this.#options.clock.monotonic() - lockedAt);
  }

  async #commit(group: Pending[]): Promise<void> {
    const watch = watchTurn(this.#writer);
    const settled: (() => void)[] = [];
    let toError = toStorageError;
    try {
      for (const pending of group) settled.push(await this.#change(watch, pending, group.length === 1));
      const synced = group.some((pending) => pending.durability === 'synced');
      this.#file.assertSame(synced);
      const promised = group.findLast(({ durability, scope }) => durability === 'synced' && scope !== '');
      const head = promised === undefined || watch.tx.changes === 0 ? undefined : headOf(this.#writer.db, promised.scope);
      toError = toCommitError;
      watch.commit();
      if (head !== undefined) this.#mark.note(head);
    } catch (error) {
      watch.end();
      for (const pending of group) pending.reject(toError(error));
      return;
    }
    for (const settle of settled) settle();
    if (watch.tx.changes > 0) {
      this.#changes.happened();
      // What carries no promise (a lease, a heartbeat) is nothing that others wait for; their poll sees it soon enough.
      if (group.some((pending) => pending.durability === 'synced')) this.#bell.ring();
    }
  }

  /**
   * Runs one change in a savepoint; its failure undoes itself only. Answers how its caller is to be told once the group is committed. A change that
   * is alone needs none: its failure ends the transaction.
   */
  async #change({ tx, within }: TurnWatch, pending: Pending, isAlone: boolean): Promise<() => void> {
    if (isAlone) {
      const value = await within(pending.change(tx));
      tx.assertOpen();
      return () => pending.resolve(value);
    }
    const before = tx.changes;
    this.#writer.exec('SAVEPOINT change');
    try {
      const value = await within(pending.change(tx));
      tx.assertOpen();
      this.#writer.exec('RELEASE change');
      return () => pending.resolve(value);
    } catch (error) {
      // A full disk or an I/O error may have ended the whole transaction: then nobody's change happened.
      if (!tx.isOpen() || !this.#writer.inTransaction) throw error;
      this.#writer.exec('ROLLBACK TO change');
      this.#writer.exec('RELEASE change');
      tx.changes = before;
      return () => pending.reject(toStorageError(error));
    }
  }
}

function ignore(): void {}
