// One run of the user's own program for one event. The program and its arguments come from the command line alone, never from the database,
// and no shell is involved (T24): the event reaches it as JSON on standard input. What it does or fails at never stops the watching.

import { spawn } from 'node:child_process';
import { printSafeLine } from './print-safe.ts';

/** Runs it and waits for its end, so that events are handled in order. */
export async function runForEvent(program: string, args: readonly string[], event: object, signal: AbortSignal): Promise<void> {
  const trouble = await new Promise<string | undefined>((resolve) => {
    const child = spawn(program, [...args], { stdio: ['pipe', 'inherit', 'inherit'], shell: false });
    const stop = () => child.kill('SIGTERM');
    signal.addEventListener('abort', stop, { once: true });
    const end = (why: string | undefined) => {
      signal.removeEventListener('abort', stop);
      resolve(why);
    };
    child.on('error', (error) => end(error.message));
    child.on('close', (code, killed) => end(code === 0 ? undefined : `ended with ${code ?? killed}`));
    child.stdin.on('error', () => {}); // it may end without reading
    child.stdin.end(`${JSON.stringify(event)}\n`);
  });
  if (trouble !== undefined && !signal.aborted)
    process.stderr.write(`rookery: --exec ${printSafeLine(program)}: ${printSafeLine(trouble)}\n`);
}
