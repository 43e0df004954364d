// Turns what a database driver reports into what a caller may be told. Anything not named here is a defect and stays as it is.

import { HubError } from '../hub/errors.ts';

/**
 * The error for the caller when COMMIT itself failed. After a failed sync nobody knows what is on the disk: what was written may be found there
 * after a crash (seen in power cuts), so a definite "nothing was changed" would be a lie. A full disk is definite: the frame that commits is written last.
 */
export function toCommitError(error: unknown): unknown {
  if (!/^SQLITE_(IOERR|CORRUPT|NOTADB|CANTOPEN)/.test(codeOf(error))) return toStorageError(error);
  return new HubError('unavailable', 'The disk failed while this was being written: whether it happened is unknown.', {
    hint: 'Repeat it with the same idempotency_key: it happens once, and you are told. If it stays, run `rookery doctor`.',
    outcome: 'unknown',
    cause: error,
  });
}

/** The error for the caller when a look failed. The call may have changed something before it looked, so it does not say that it did not. */
export function toReadError(error: unknown): unknown {
  const shown = toStorageError(error);
  if (!(shown instanceof HubError) || shown === error) return shown;
  return new HubError(shown.code, 'The database could not be read.', {
    hint: 'A call that changes something may have done so: repeat it with the same idempotency_key. If it stays, run `rookery doctor`.',
    outcome: 'unknown',
    cause: error,
  });
}

/** The error for the caller of a change: a HubError where the cause is known, else the original. */
export function toStorageError(error: unknown): unknown {
  const code = codeOf(error);
  if (code === 'SQLITE_FULL') {
    return new HubError('storage_full', 'The disk that holds the hub is full; nothing was changed.', {
      hint: 'The operator frees space on the disk of ROOKERY_HOME, or runs `rookery prune`; then retry with the same idempotency_key.',
      cause: error,
    });
  }
  if (code.startsWith('SQLITE_BUSY')) {
    return new HubError('unavailable', 'The database is held by another process that recovers or moves it; nothing was changed.', {
      hint: 'Retry with the same idempotency_key. `rookery doctor` names the process that holds the lock.',
      cause: error,
    });
  }
  if (code.startsWith('SQLITE_IOERR') || code === 'SQLITE_CANTOPEN') {
    return new HubError('unavailable', 'The disk reported an error; nothing was changed.', {
      hint: 'Retry once; if it stays, run `rookery doctor`.',
      cause: error,
    });
  }
  if (code === 'SQLITE_CORRUPT' || code === 'SQLITE_NOTADB') {
    return new HubError('unavailable', 'The hub database is damaged; it is kept as it is.', {
      hint: 'Run `rookery verify`, then `rookery restore FILE` with the newest backup.',
      cause: error,
    });
  }
  if (code === 'SQLITE_READONLY') {
    return new HubError('unavailable', 'The hub database cannot be written by this user; nothing was changed.', {
      hint: 'Check the owner and mode of ROOKERY_HOME with `rookery doctor`.',
      cause: error,
    });
  }
  return error;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
