// The seam between the hub and a database. An engine implements Db; everything above it speaks portable SQL through Read and Tx.
// Invariants: success of write() means committed and synced; nothing but SQL is awaited inside write(); the order of a project's writes is their commit order.

/** What a statement may be given. Booleans are 0/1, instants are integer milliseconds, absent values are null. */
export type Arg = string | number | null;
/** One row, as the database gives it. Only functions named to<Noun> look inside. */
export type Row = Readonly<Record<string, unknown>>;

export interface Read {
  all(sql: string, ...args: Arg[]): Promise<Row[]>;
  get(sql: string, ...args: Arg[]): Promise<Row | undefined>;
}

export interface Tx extends Read {
  /** Runs a statement and answers how many rows it changed. */
  run(sql: string, ...args: Arg[]): Promise<number>;
}

/**
 * `synced`: on stable storage before the promise resolves. `relaxed`: a power cut or a crash of the database's server may lose it, never a crash of
 * this process; only for what carries no promise.
 */
export type Durability = 'synced' | 'relaxed';

/** Told how the engine does. It must not throw, and costs each statement a look at a clock only where slow ones are asked for. */
export interface DbObserver {
  /** A commit ended: how many writes shared it, how long they had waited for the lock, and how long it was held. */
  committed(writes: number, waitedMs: readonly number[], heldMs: number): void;
  /** The lock was found taken. */
  busy(): void;
  /** Statements that take at least so long are told, by their text (which holds no values); null: none is. */
  readonly slowMs: number | null;
  slow(sql: string, ms: number): void;
}

export interface Db {
  readonly engine: 'sqlite' | 'postgres';
  /** A consistent view. Reads never wait for writers. */
  read<T>(look: (read: Read) => Promise<T>): Promise<T>;
  /**
   * One atomic change. `scope` is the project, the unit of order; the empty scope is the hub itself. When `change` throws, nothing happened.
   * Concurrent calls of one process may share one commit; each still succeeds or fails alone. What concerns the hub itself may be begun anew.
   */
  write<T>(scope: string, change: (tx: Tx) => Promise<T>, durability?: Durability): Promise<T>;
  /** Differs from what it was when anything has been committed since, by this process or another. Not there where asking costs as much as looking. */
  version?(): Promise<number>;
  /** Called after something may have changed, by this process or another. It carries no data and may come too often: look again. */
  onChange(listener: () => void): () => void;
  /**
   * The same at leisure: within half a second of a change, and without a bell that whoever changes something would have to ring. For whoever
   * watches all day and must cost nobody anything.
   */
  watch(listener: () => void): () => void;
  /** Says that somebody waits (true) or nobody any more (false): engines listen to other processes only while it matters. */
  listen(wanted: boolean): void;
  /** Sentences about what this engine can not do as well as it should (no doorbell, for example). Empty when all is well. */
  notices(): readonly string[];
  /** How the database is called to people, its file or its server, and how many bytes it and its log hold. */
  describe(): Promise<{ name: string; bytes: number; walBytes: number }>;
  /** Gives space that rows left behind back to the disk, as far as the engine does not do it by itself. */
  compact(): Promise<void>;
  close(): Promise<void>;
}
