// The log: one structured line per tool call and per duty that did something, to stderr or a file, never to standard output, which is the
// protocol. No body and no token is ever given to it; known secret shapes are redacted all the same.

import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { pino } from 'pino';
import { noteLogFailure } from './log-failures.ts';

export type Level = 'debug' | 'info' | 'warn' | 'error';
export type Log = Readonly<Record<Level, (fields: object, message: string) => void>>;

/** A synchronous log, so that the last lines before an exit are written. A log that cannot be written never fails its writer. */
export function openLog(level: string, file: string | undefined): Log {
  const target = destination(file, noteLogFailure);
  target.on('error', noteLogFailure);
  return pino(
    {
      level,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: {
        paths: ['token', 'authorization', 'body', '*.token', '*.authorization', '*.body'],
        censor: '[redacted]',
      },
    },
    target,
  );
}

/** The file, or standard error when the file cannot be opened: an agent must not lose its hub for a log. The doctor names the file. */
function destination(file: string | undefined, onFailure: () => void): ReturnType<typeof pino.destination> {
  if (file === undefined) return pino.destination({ dest: 2, sync: true });
  try {
    // One level only: a recursive mkdir below /proc never returns (Node 20).
    if (!existsSync(dirname(file))) mkdirSync(dirname(file), { mode: 0o700 });
    return pino.destination({ dest: file, sync: true });
  } catch {
    onFailure();
    return pino.destination({ dest: 2, sync: true });
  }
}
