// Programs run to their end, and the conditions a scenario waits for. Every wait has a limit and says what it waited for.

import { spawn, spawnSync } from 'node:child_process';
import { sleep } from './model-server.mjs';
import { screens } from './report.mjs';

const running = new Set();

/** Ends the programs that have not come to their end. */
export function endRunning() {
  for (const child of running) child.kill('SIGKILL');
}

/** Runs a program to its end, two minutes at the most. */
export function run(program, args, { env, cwd, input }) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { env, cwd, stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'] });
    running.add(child);
    let out = '';
    let err = '';
    child.stdout.on('data', (data) => (out += data));
    child.stderr.on('data', (data) => (err += data));
    child.stdin?.end(input);
    const timer = setTimeout(() => child.kill('SIGKILL'), 120_000);
    child.on('error', (error) => resolve({ code: -1, out, err: String(error) }));
    child.on('close', (code) => {
      clearTimeout(timer);
      running.delete(child);
      resolve({ code, out, err });
    });
  });
}

/** Asks again and again until the answer is truthy; the last answer when it never was. */
export async function until(ask, { seconds = 20, every = 25 } = {}) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const answer = await ask();
    if (answer || Date.now() > end) return answer;
    await sleep(every);
  }
}

/** The same, for what a scenario cannot go on without. `so`: what to tell of when it never came. */
export async function waitFor(what, ask, { seconds = 60, every, so = () => '' } = {}) {
  const answer = await until(ask, { seconds, every });
  if (!answer) throw new Error(`waited ${seconds} s for ${what} ${so()}${screens()}`);
  return answer;
}

/** Every process there is: its id, that of its parent, and its command line. */
export function processes() {
  const { stdout } = spawnSync('ps', ['-axo', 'pid=,ppid=,command='], { encoding: 'utf8' });
  return stdout.split('\n').flatMap((line) => {
    const [, pid, parent, command] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    return pid === undefined ? [] : [{ pid: Number(pid), parent: Number(parent), command }];
  });
}

/** The processes below one, the nearest first. */
export function below(pid, all = processes()) {
  const children = all.filter(({ parent }) => parent === pid).map((one) => one.pid);
  return [...children, ...children.flatMap((child) => below(child, all))];
}

export function end(pid, signal) {
  try {
    return process.kill(pid, signal);
  } catch {
    return false; // it is gone already
  }
}

/** Gives processes a moment to see that they are not needed any more; a client that is starting may not. */
export async function ended(pids, { seconds = 3 } = {}) {
  if (await until(() => pids.every((pid) => !end(pid, 0)), { seconds })) return;
  for (const pid of pids) end(pid, 'SIGKILL');
}
