// Who is told of what took long, and from when on. The time for which a call only waited, as its caller wished, does not count.

export type SlowKind = 'call' | 'query';

export type SlowLog = {
  /** Thresholds in milliseconds; null: nothing of the kind is told. */
  readonly callMs: number | null;
  readonly queryMs: number | null;
  tell(kind: SlowKind, name: string, ms: number): void;
};

export const NO_SLOW_LOG: SlowLog = { callMs: null, queryMs: null, tell() {} };
