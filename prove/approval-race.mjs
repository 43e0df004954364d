// The race for approvals: managers in processes of their own decide and use the same approvals at the same time, while a killer sends SIGKILL at
// random. Afterwards the histories of all are held against the database: one decision, at most one use, each told to one (I9).

import { fork } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { APPROVAL_CHECKS, check } from './check.mjs';
import { gather } from './evidence.mjs';
import { attachment, chance, openHub, PACKAGE, pause, scratch } from './hub.mjs';

const RACER = fileURLToPath(new URL('approval-racer.mjs', import.meta.url));

/** `processes`, each of which asks for `count` approvals; on average one kill each `killEveryMs` for `killForMs`. `tamper` may damage the result. */
export async function approvalRace({ processes, count, killEveryMs, killForMs = 10_000, limitMs = 240_000, seed, root = PACKAGE, tamper }) {
  const { folder: home, done } = scratch();
  const folder = join(home, 'history');
  mkdirSync(folder, { mode: 0o700 });
  const names = Array.from({ length: processes }, (_, index) => `m${index}`);
  try {
    const hub = await openHub(home, { root });
    for (const name of names) await hub.sessions.end(await hub.sessions.attach(attachment(name, { role: 'manager' })), 'closed');
    await hub.close();
    const figures = await run({ home, folder, names, count, seed, killEveryMs, killForMs, limitMs, root });
    await tamper?.({ home, folder });
    return { figures, results: check(await gather(home, folder), APPROVAL_CHECKS) };
  } finally {
    done();
  }
}

async function run({ home, folder, names, count, seed, killEveryMs, killForMs, limitMs, root }) {
  const luck = chance(seed);
  const figures = { kills: 0, starts: 0, exits: [] };
  const running = new Map();
  let left = names.length;
  let over = () => {};
  const finished = new Promise((resolve) => {
    over = resolve;
  });
  let stopped = false;
  const start = (name, index) => {
    figures.starts += 1;
    const plan = { home, folder, name, count, seed: seed + index * 7_919 };
    const child = fork(RACER, [JSON.stringify(plan)], {
      env: { ...process.env, PROVE_PACKAGE: root },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    running.set(name, child);
    let said = '';
    child.stderr.on('data', (chunk) => {
      said = `${said}${chunk}`.slice(-2_000);
    });
    child.on('exit', (code, signal) => {
      running.delete(name);
      if (stopped) return;
      if (code === 0) left -= 1;
      if (left === 0) return over();
      if (code === 0) return;
      if (signal === null) figures.exits.push(`${name} ended with ${code}: ${said.trim().split('\n').at(-1)}`);
      if (figures.exits.length < 20) start(name, index);
      else over();
    });
  };
  names.forEach(start);
  const since = performance.now();
  const killer = (async () => {
    while (!stopped && killEveryMs > 0 && performance.now() - since < killForMs) {
      await pause(killEveryMs * (0.3 + 1.4 * luck.next()));
      const targets = [...running.values()];
      if (!stopped && targets.length > 0 && luck.pick(targets).kill('SIGKILL')) figures.kills += 1;
    }
  })();
  const watch = (async () => {
    while (!stopped && performance.now() - since < limitMs) await pause(50);
    if (!stopped) figures.exits.push('the race did not end in time');
    over();
  })();
  await finished;
  stopped = true;
  for (const child of running.values()) child.kill('SIGKILL');
  await Promise.all([killer, watch]);
  return figures;
}
