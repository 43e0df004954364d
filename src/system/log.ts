// The log: one structured line per tool call and per duty that did something, to stderr or a file, never to standard output, which is the
// protocol. No body and no token is ever given to it; known secret shapes are redacted all the same.

import { type Logger, pino } from 'pino';

export type Log = Logger;

/** A synchronous log, so that the last lines before an exit are written. A log that cannot be written never fails its writer. */
export function openLog(level: string, file: string | undefined, onFailure: () => void): Log {
  const target = pino.destination({ dest: file ?? 2, sync: true, mkdir: true });
  target.on('error', onFailure);
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
