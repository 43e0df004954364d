// Where the Codex is that runs a thread, and its home. A server that Codex starts is told neither: its environment holds PATH, HOME and little
// more. But its parent is Codex itself (`codex exec`), or the daemon below CODEX_HOME that serves every terminal of that home (observed with
// Codex 0.169.0), so the parent's executable says both; and PATH begins with a folder of Codex's own, beside the folder of its program. A thread of
// `codex exec` takes no queued message while it runs, and ends by itself: it has no door.

import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { basename, delimiter, dirname, join } from 'node:path';
import { isProgram } from './program.ts';

export type CodexProgram = { program: string; home: string | undefined };

const PS_MS = 2_000;

/** `home`: what configuration says of it. Undefined when no Codex can be found, or the one above takes no message. */
export function findCodex(given: { home: string | undefined; path: string; parentPid: number | undefined }): CodexProgram | undefined {
  const parent = given.parentPid === undefined ? undefined : executableOf(given.parentPid);
  const isCodex = parent !== undefined && basename(parent) === 'codex' && isProgram(parent);
  if (isCodex && given.parentPid !== undefined && isExec(given.parentPid)) return undefined;
  const program = isCodex ? parent : onPath(given.path);
  if (program === undefined) return undefined;
  return { program, home: given.home ?? (isCodex ? homeOf(parent) : undefined) };
}

/** `<home>/packages/app-server-daemon/releases/<version>/bin/codex` is the daemon of that home. */
function homeOf(executable: string): string | undefined {
  return /^(.+)\/packages\/app-server-daemon\/releases\/[^/]+\/bin\/codex$/.exec(executable)?.[1];
}

/** `codex exec` and its short form, behind whatever options stand before it. */
function isExec(pid: number): boolean {
  const [, ...words] = wordsOf(pid);
  const isCommand = (word: string | undefined) => word === 'exec' || word === 'e';
  let at = 0;
  while (words[at]?.startsWith('-') === true) {
    const next = words[at + 1];
    at += isCommand(next) || next?.startsWith('-') === true ? 1 : 2; // its value
  }
  return isCommand(words[at]);
}

function onPath(path: string): string | undefined {
  const folders = path.split(delimiter).filter((folder) => folder !== '');
  return folders
    .flatMap((folder) => (basename(folder) === 'codex-path' ? [join(dirname(folder), 'bin', 'codex')] : [join(folder, 'codex')]))
    .find(isProgram);
}

function executableOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/exe`);
  } catch {
    // No /proc: macOS names the executable in the table of processes.
  }
  return askPs('comm=', pid);
}

/** The words that a process was started with; where there is no /proc, a word with blanks counts as several. */
function wordsOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return (askPs('args=', pid) ?? '').split(/\s+/);
  }
}

function askPs(field: string, pid: number): string | undefined {
  try {
    return execFileSync('ps', ['-o', field, '-p', String(pid)], {
      encoding: 'utf8',
      timeout: PS_MS,
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return undefined;
  }
}
