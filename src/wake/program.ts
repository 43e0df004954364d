// One bounded run of another program, without a shell: what it says is kept to a few words, what it takes too long for is ended.

import { spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import type { WakeResult } from './waker.ts';

export type Run = {
  program: string;
  args: readonly string[];
  env: Readonly<Record<string, string>>;
  cwd?: string;
  /** What it gets on standard input. */
  input?: string;
  timeoutMs: number;
};

const SAID_CHARS = 2_000;
const KILL_AFTER_MS = 2_000;

/** Exit code 0 is `sent`; everything else says how it ended. Aborting ends the program. */
export async function runProgram(
  run: Run,
  sleep: (ms: number, signal: AbortSignal) => Promise<void>,
  signal?: AbortSignal,
): Promise<WakeResult> {
  if (signal?.aborted === true) return { sent: false, detail: `${run.program} was not started: its process ends` };
  const over = new AbortController();
  const stop = () => over.abort();
  signal?.addEventListener('abort', stop, { once: true });
  try {
    return await new Promise<WakeResult>((resolve) => {
      const child = spawn(run.program, [...run.args], {
        env: run.env,
        ...(run.cwd === undefined ? {} : { cwd: run.cwd }),
        stdio: ['pipe', 'ignore', 'pipe'],
        shell: false,
        windowsHide: true,
      });
      let said = '';
      child.stderr.setEncoding('utf8').on('data', (part: string) => {
        if (said.length < SAID_CHARS) said = (said + part).slice(0, SAID_CHARS);
      });
      child.stdin.on('error', () => {}); // it may end without reading
      child.stdin.end(run.input ?? '');
      child.on('error', (error) => resolve({ sent: false, detail: `${run.program}: ${error.message}` }));
      child.on('close', (code, killed) => {
        over.abort();
        resolve(code === 0 ? { sent: true } : { sent: false, detail: `${run.program} ended with ${code ?? killed}${lastWords(said)}` });
      });
      void (async () => {
        await sleep(run.timeoutMs, over.signal);
        // One that could not be started has no pid: to Node that is 0, and a signal to 0 ends our own group, with the client in it.
        if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
        child.kill('SIGTERM');
        const why = signal?.aborted === true ? 'because its process ends' : `after ${Math.round(run.timeoutMs / 1000)} s`;
        resolve({ sent: false, detail: `${run.program} was ended ${why}` });
        const gone = new AbortController();
        child.once('close', () => gone.abort());
        await sleep(KILL_AFTER_MS, gone.signal);
        if (!gone.signal.aborted) child.kill('SIGKILL');
      })();
    });
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

/** The last line of what it said on standard error: programs put their reason there. */
function lastWords(said: string): string {
  const line =
    said
      .trim()
      .split('\n')
      .at(-1)
      ?.replace(/\p{Cc}/gu, ' ')
      .slice(0, 160) ?? '';
  return line === '' ? '' : `: ${line}`;
}

/** The absolute path of a program that was named by a path or by a word on the PATH; undefined when there is none to run. */
export function findProgram(name: string, { path, cwd }: { path: string; cwd: string }): string | undefined {
  const places = name.includes('/') ? [resolve(cwd, name)] : path.split(delimiter).map((folder) => resolve(cwd, join(folder, name)));
  return places.find(isProgram);
}

export function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
