// The log of a process that is waited for and usually writes none: what writes it is loaded with its first line.

import type { Level, Log } from './log.ts';
import { noteLogFailure } from './log-failures.ts';

/** With one of these a log says what went wrong, and nothing else; with the value, which of its lines it drops. */
const RARE: Readonly<Record<string, readonly Level[]>> = {
  silent: ['debug', 'info', 'warn', 'error'],
  fatal: ['debug', 'info', 'warn', 'error'],
  error: ['debug', 'info', 'warn'],
  warn: ['debug', 'info'],
};

/** The same log as `openLog`'s. A file, or much to write, is opened at once. */
export async function openLogLate(level: string, file: string | undefined): Promise<Log> {
  const dropped = RARE[level];
  if (dropped === undefined || file !== undefined) return (await import('./log.ts')).openLog(level, file);
  let opening: Promise<Log> | undefined;
  const writer = (name: Level) => (fields: object, message: string) => {
    if (dropped.includes(name)) return;
    opening ??= import('./log.ts').then(({ openLog }) => openLog(level, undefined));
    void opening.then((log) => log[name](fields, message)).catch(noteLogFailure);
  };
  return { debug: writer('debug'), info: writer('info'), warn: writer('warn'), error: writer('error') };
}
