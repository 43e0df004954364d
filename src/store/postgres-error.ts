// What PostgreSQL and the way to it report, as what a caller may be told. Two questions decide: is the connection gone, and can a commit have
// happened? Codes are SQLSTATEs (PostgreSQL's appendix A), or what Node says of sockets and certificates.

import { HubError } from '../hub/errors.ts';

/** The hint of every failure before a commit was asked for. */
const AGAIN = 'Retry with the same idempotency_key.';

/** Whether the connection is of no use any more; after a commit was sent it then says nothing about the commit. */
export function isLost(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const state = stateOf(error);
  if (state === undefined) return !(error instanceof HubError) && isOfNetwork(error);
  if ('severity' in error && (error.severity === 'FATAL' || error.severity === 'PANIC')) return true;
  return state.startsWith('08') || state === '57P01' || state === '57P02' || state === '57P03';
}

/** A plan that was prepared before another hub changed the schema: the connection has to be made anew. */
export function isStalePlan(error: unknown): boolean {
  return error instanceof Error && (stateOf(error) === '0A000' || stateOf(error) === '26000');
}

/** Somebody else holds what this statement waits for, or waits for what it holds. */
export function isContended(error: unknown): boolean {
  return error instanceof Error && ['55P03', '40P01', '40001'].includes(stateOf(error) ?? '');
}

/** Whether waiting may help: the server starts, stops, changes over, or is not reached yet. Wrong names and passwords stay wrong. */
export function mayPass(error: unknown): boolean {
  if (!(error instanceof Error) || isOfTls(error)) return false;
  const state = stateOf(error);
  if (state === undefined) return isOfNetwork(error) && codeOf(error) !== 'ENOTFOUND';
  return state.startsWith('08') || state.startsWith('57P') || state === '53300';
}

/** Whether no server was met at all. */
export function isUnreached(error: unknown): boolean {
  return error instanceof Error && stateOf(error) === undefined && isOfNetwork(error);
}

/** The error for the caller: a HubError where the cause is known, else the original. Only for what was certainly not committed. */
export function toPostgresError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof HubError) return error;
  const state = stateOf(error);
  const fail = (message: string, hint = AGAIN) => new HubError('unavailable', message, { hint, cause: error });
  if (isOfTls(error)) {
    return fail(
      `The server’s certificate is not trusted (${codeOf(error) ?? firstLine(error)}).`,
      'Give the authority that signed it: sslrootcert=FILE in ROOKERY_DATABASE_URL; the name in the URL must stand in the certificate.',
    );
  }
  if (state?.startsWith('28') || state === '3D000' || state === '42501') {
    return fail(
      `PostgreSQL refuses this user or database (${state}).`,
      'Check ROOKERY_DATABASE_URL, pg_hba.conf and the rights of its user.',
    );
  }
  if (isLost(error)) return fail(`The connection to PostgreSQL was lost (${codeOf(error) ?? state ?? 'closed'}); nothing was changed.`);
  if (isStalePlan(error)) return fail('Another hub has just changed the schema of the database; nothing was changed.');
  if (isContended(error)) return fail('Another hub held what this call needs for too long; nothing was changed.');
  if (state === '57014') return fail('PostgreSQL took too long for a statement and was stopped; nothing was changed.');
  if (state === '25006') {
    return fail('This PostgreSQL takes no writes: it is a standby.', 'Point ROOKERY_DATABASE_URL at the primary (target: read-write).');
  }
  if (state === '53100') {
    return new HubError('storage_full', 'The disk of PostgreSQL is full; nothing was changed.', {
      hint: 'Free space there, then retry with the same idempotency_key.',
      cause: error,
    });
  }
  if (state?.startsWith('53'))
    return fail(`PostgreSQL has no more room for this (${state}: connections, memory or locks); nothing was changed.`);
  if (state?.startsWith('XX') || state?.startsWith('58')) {
    return fail(`PostgreSQL reports damage or a failing disk (${state}); nothing was changed.`, 'Read its log before anything else.');
  }
  return error;
}

/** The error for the caller when a look failed. The call may have changed something before it looked, so it does not say that it did not. */
export function toLookError(error: unknown): unknown {
  const shown = toPostgresError(error);
  if (!(shown instanceof HubError) || shown.code !== 'unavailable') return shown;
  return new HubError('unavailable', shown.message.replace('; nothing was changed', ''), {
    hint: 'A call that changes something may have done so: repeat it with the same idempotency_key. rookery doctor says more.',
    outcome: 'unknown',
    cause: error,
  });
}

/** The answer when nobody can say whether a commit happened. */
export function unknownOutcome(cause: unknown): HubError {
  return new HubError('unavailable', 'The connection to PostgreSQL was lost during the commit: whether this happened is unknown.', {
    hint: 'Repeat the call with the same idempotency_key: it then happens exactly once. Without a key look first what is there.',
    outcome: 'unknown',
    cause,
  });
}

function stateOf(error: Error): string | undefined {
  const code = codeOf(error);
  return code !== undefined && /^[0-9A-Z]{5}$/.test(code) && 'severity' in error ? code : undefined;
}

function codeOf(error: Error): string | undefined {
  return 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** The driver's own words for a connection that ended have no code. */
function isOfNetwork(error: Error): boolean {
  const code = codeOf(error);
  if (code !== undefined) return /^(E[A-Z]+|ERR_SOCKET_|ERR_STREAM_)/.test(code) && !code.startsWith('ERR_TLS');
  if (error instanceof AggregateError) return error.errors.some((inner) => inner instanceof Error && isOfNetwork(inner));
  return /^(Connection terminated|timeout expired|timeout exceeded|Query read timeout|Client (was closed|has encountered))/.test(
    error.message,
  );
}

function isOfTls(error: Error): boolean {
  const code = codeOf(error) ?? '';
  return /^(ERR_TLS|ERR_SSL|CERT_|UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED|HOSTNAME_)/.test(code) || /support SSL connections/.test(error.message);
}

function firstLine(error: Error): string {
  return error.message.split('\n')[0]?.slice(0, 120) ?? '';
}
