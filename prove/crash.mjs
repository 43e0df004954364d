// The crash proof: client processes on one database send to each other while a killer sends SIGKILL at random; what was killed is started
// again and resumes. Some clients reach the hub through a real `rookery stdio` server, and there the server is what is killed.

import { fork } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { check } from './check.mjs';
import { gather } from './evidence.mjs';
import { attachment, chance, openHub, PACKAGE, pause, scratch } from './hub.mjs';

const CLIENT = fileURLToPath(new URL('client.mjs', import.meta.url));

/**
 * Runs one round and answers its evidence and figures. `tamper` may damage the finished database (mutants.mjs); `disturb` does something else to
 * it meanwhile, until what it is given answers true.
 * `clients`, of which `stdio` go through a server; `count` messages each; on average one kill each `killEveryMs` (0: none) for `killForMs`.
 */
export async function crashRound({
  seed,
  clients,
  stdio,
  count,
  killEveryMs,
  killForMs = 45_000,
  limitMs = 600_000,
  root = PACKAGE,
  tamper,
  databaseUrl,
  disturb,
}) {
  const { folder: home, done } = scratch({ databaseUrl });
  const folder = join(home, 'history');
  mkdirSync(folder, { mode: 0o700 });
  const names = Array.from({ length: clients }, (_, index) => `c${index}`);
  try {
    await enrol(home, root, names);
    const since = performance.now();
    const figures = await runClients({ home, folder, names, seed, stdio, count, killEveryMs, killForMs, limitMs, root, disturb });
    figures.seconds = (performance.now() - since) / 1000;
    const opened = performance.now();
    await (await openHub(home)).close();
    figures.reopenMs = performance.now() - opened;
    await tamper?.({ home, folder });
    const evidence = await gather(home, folder);
    return { figures, results: check(evidence), evidence };
  } finally {
    done();
  }
}

/** Every agent exists before the first send, so that no send is refused for a name nobody has taken yet. */
async function enrol(home, root, names) {
  const hub = await openHub(home, { root });
  // The stdio servers name the project; its id is theirs to derive, so both sorts of clients are told the same one.
  for (const name of names) await hub.sessions.end(await hub.sessions.attach(attachment(name)), 'closed');
  await hub.close();
}

async function runClients({ home, folder, names, seed, stdio, count, killEveryMs, killForMs, limitMs, root, disturb }) {
  const luck = chance(seed);
  const figures = { kills: 0, starts: 0, exits: [] };
  const running = new Map();
  /** Also those that have not told their pid yet: none may outlive the round. */
  const children = new Set();
  const sent = new Set();
  let ended = 0;
  let stopped = false;
  let over = () => {};
  const finished = new Promise((resolve) => {
    over = resolve;
  });

  const start = (name, index) => {
    figures.starts += 1;
    const plan = { home, folder, name, names, count, seed: seed + index * 7_919, door: index < stdio ? 'stdio' : 'direct' };
    const child = fork(CLIENT, [JSON.stringify(plan)], {
      env: { ...process.env, PROVE_PACKAGE: root },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    children.add(child);
    let said = '';
    child.stderr.on('data', (chunk) => {
      said = `${said}${chunk}`.slice(-2_000);
    });
    child.on('message', (message) => {
      if (message.pid !== undefined) running.set(name, { child, target: message.pid });
      if (message.sent) sent.add(name);
      // One that was killed just now hears nothing, and that is no error.
      if (sent.size === names.length) for (const one of running.values()) if (one.child.connected) one.child.send('end', () => {});
    });
    child.on('exit', (code, signal) => {
      running.delete(name);
      children.delete(child);
      if (stopped) return;
      if (code === 0) ended += 1;
      if (ended === names.length) return over();
      if (code === 0) return;
      if (signal === null && code !== 9) figures.exits.push(`${name} ended with ${code}: ${lastError(said)}`);
      if (figures.exits.length < 50) start(name, index);
      else over();
    });
  };
  names.forEach(start);

  const deadline = performance.now() + limitMs;
  const killer = (async () => {
    const until = performance.now() + killForMs;
    while (!stopped && killEveryMs > 0 && performance.now() < until) {
      await pause(killEveryMs * (0.3 + 1.4 * luck.next()));
      const targets = [...running.values()];
      // The last phase, in which everybody drains, is left in peace: kills there only make it longer.
      if (stopped || targets.length === 0 || sent.size === names.length) continue;
      if (kill(luck.pick(targets).target)) figures.kills += 1;
    }
  })();
  const watch = (async () => {
    while (!stopped && performance.now() < deadline) await pause(50);
    if (!stopped) figures.exits.push('the round did not end in time');
    over();
  })();
  const disturbing = disturb?.(() => stopped || sent.size === names.length);
  await finished;
  stopped = true;
  await disturbing;
  for (const { target } of running.values()) kill(target);
  for (const child of children) child.kill('SIGKILL');
  await Promise.all([killer, watch]);
  return figures;
}

function kill(pid) {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false; // it ended by itself a moment ago
  }
}

/** The lines that name the error and its causes, of what a process said before it ended. */
function lastError(said) {
  const lines = said.trim().split('\n');
  const errors = lines.filter((line) => /^\s*(\[cause\]: )?\w*Error\b/.test(line)).slice(-3);
  return errors.length === 0 ? lines.at(-1) : errors.map((line) => line.trim()).join(' ');
}
