// The one error that callers are meant to see. Every refusal of the hub is a HubError whose code stands in the table below;
// anything else is a defect and leaves the process only as "internal error, reference <id>".
// Invariant: the message says what is wrong, with which field and limit, and what to do next, and never carries another party's words.

/** Every code that a caller can meet, with its HTTP status, the exit code of the command line, and whether trying again may help. */
export const ERROR_CODES = {
  invalid_input: { status: 400, exit: 2, retryable: false },
  unauthorized: { status: 401, exit: 1, retryable: false },
  forbidden: { status: 403, exit: 1, retryable: false },
  not_found: { status: 404, exit: 1, retryable: false },
  conflict: { status: 409, exit: 1, retryable: false },
  stale_session: { status: 409, exit: 1, retryable: false },
  stale_lease: { status: 409, exit: 1, retryable: false },
  stale_receipt: { status: 409, exit: 1, retryable: false },
  agent_busy: { status: 409, exit: 1, retryable: true },
  too_large: { status: 413, exit: 1, retryable: false },
  rate_limited: { status: 429, exit: 1, retryable: true },
  inbox_full: { status: 429, exit: 1, retryable: true },
  limit_reached: { status: 429, exit: 1, retryable: true },
  expired: { status: 410, exit: 1, retryable: false },
  unavailable: { status: 503, exit: 3, retryable: true },
  storage_full: { status: 507, exit: 3, retryable: true },
  internal: { status: 500, exit: 3, retryable: true },
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

/** What a caller is shown of an error, whatever the front door. */
export type ErrorAnswer = {
  code: ErrorCode;
  message: string;
  retryable: boolean;
  hint?: string;
  retry_after_ms?: number;
  /** Only where the hub cannot know whether it happened; without it, a refused call changed nothing. */
  outcome?: 'unknown';
};

export class HubError extends Error {
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly hint: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly outcome: 'unknown' | undefined;

  constructor(code: ErrorCode, message: string, more: { hint?: string; retryAfterMs?: number; outcome?: 'unknown'; cause?: unknown } = {}) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = 'HubError';
    this.code = code;
    this.retryable = ERROR_CODES[code].retryable;
    this.hint = more.hint;
    this.retryAfterMs = more.retryAfterMs;
    this.outcome = more.outcome;
  }

  /** The error as every front door prints it. */
  toAnswer(): ErrorAnswer {
    return {
      code: this.code,
      message: this.message,
      retryable: this.retryable,
      ...(this.hint === undefined ? {} : { hint: this.hint }),
      ...(this.retryAfterMs === undefined ? {} : { retry_after_ms: this.retryAfterMs }),
      ...(this.outcome === undefined ? {} : { outcome: this.outcome }),
    };
  }
}

export function isHubError(error: unknown): error is HubError {
  return error instanceof HubError;
}
