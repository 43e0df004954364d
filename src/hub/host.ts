// What the hub is told about the machine: an interface, because the hub has no environment of its own (invariant 9).

export interface Host {
  /** Names the host and pid namespace; pids of sessions with the same key can be asked after. */
  readonly key: string;
  readonly pid: number;
  /** When this process started, epoch milliseconds: a session of our pid from before then was another process’s. */
  readonly startedAt: number;
  isAlive(pid: number): boolean;
  /** The parent of a process; undefined when it is gone or cannot be told. */
  parentOf(pid: number): number | undefined;
  /** Tells a process from a later one with the same pid; undefined when there is none. */
  bornOf(pid: number): string | undefined;
}
