// Turns what a database driver reports into what a caller may be told. Anything not named here is a defect and stays as it is.

import { HubError } from '../hub/errors.ts';

/** The error for the caller: a HubError where the cause is known, else the original. */
export function toStorageError(error: unknown): unknown {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (code === 'SQLITE_FULL') {
    return new HubError('storage_full', 'The disk that holds the hub is full; nothing was changed.', {
      hint: 'Free space on the disk of ROOKERY_HOME, then retry with the same idempotency_key.',
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
