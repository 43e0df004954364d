// How a command fails: one line on standard error that says what is wrong and what to do, or the same as a JSON object, and an exit code.
// Invariant: 0 ok, 1 refused, 2 usage, 3 unavailable; nothing on standard output belongs to a failure.

import { CommanderError } from 'commander';
import { ERROR_CODES, type ErrorAnswer, HubError, isHubError } from '../hub/errors.ts';
import { loadFailure } from '../preflight.ts';
import { printSafeLine, safeJson } from './print-safe.ts';
import { usageError } from './usage-error.ts';

export { usage } from './usage-error.ts';

/** Prints the error and answers the exit code. Help and version come by the same way and are no errors. */
export async function showError(error: unknown, argv: readonly string[]): Promise<number> {
  if (error instanceof CommanderError && error.exitCode === 0) return 0;
  // Asked for nothing: commander has printed the help.
  if (error instanceof CommanderError && error.code === 'commander.help') return 2;
  const answer = toAnswer(error, argv);
  process.stderr.write(`${asksForJson(argv) ? safeJson({ error: answer }) : `rookery: ${await sentence(answer)}`}\n`);
  return ERROR_CODES[answer.code].exit;
}

/** An answer of a tool, thrown on to the end of the command. */
export function toError(answer: ErrorAnswer): HubError {
  return new HubError(answer.code, answer.message, {
    ...(answer.hint === undefined ? {} : { hint: answer.hint }),
    ...(answer.retry_after_ms === undefined ? {} : { retryAfterMs: answer.retry_after_ms }),
  });
}

function toAnswer(error: unknown, argv: readonly string[]): ErrorAnswer {
  if (isHubError(error)) return error.toAnswer();
  if (error instanceof CommanderError) return usageError(error, argv.slice(2)).toAnswer();
  const failure = loadFailure(error);
  if (failure !== undefined) return new HubError('unavailable', failure.message, { hint: failure.hint }).toAnswer();
  const what = error instanceof Error ? error.message : 'unknown reason';
  return new HubError('internal', `Unexpected: ${what}.`, { hint: 'Run: rookery doctor' }).toAnswer();
}

/** The hints of the hub speak to agents: what they call a tool, a person types as a command. */
async function sentence({ message, hint }: ErrorAnswer): Promise<string> {
  const text = hint === undefined ? message : `${message} ${hint}`;
  if (!/\b[a-z]+_[a-z]/.test(text)) return printSafeLine(text);
  const { inPersonsWords } = await import('./tool-words.ts');
  return printSafeLine(inPersonsWords(text));
}

function asksForJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return argv.slice(0, end === -1 ? undefined : end).includes('--json');
}
