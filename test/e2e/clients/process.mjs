// Programs run to their end, and the conditions a scenario waits for.

import { spawn } from 'node:child_process';
import { sleep } from './model-server.mjs';

/** Runs a program to its end, two minutes at the most. */
export function run(program, args, { env, cwd, input }) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { env, cwd, stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'] });
    let out = '';
    let err = '';
    child.stdout.on('data', (data) => (out += data));
    child.stderr.on('data', (data) => (err += data));
    child.stdin?.end(input);
    const timer = setTimeout(() => child.kill('SIGKILL'), 120_000);
    child.on('error', (error) => resolve({ code: -1, out, err: String(error) }));
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code, out, err });
    });
  });
}

/** Asks again and again until the answer is truthy; the last answer when it never was. */
export async function until(ask, { seconds = 20, every = 50 } = {}) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const answer = await ask();
    if (answer || Date.now() > end) return answer;
    await sleep(every);
  }
}
