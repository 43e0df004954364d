// Many processes that read and then write, on one database: nobody meets SQLITE_BUSY (T-7), and nobody is starved.

import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { attachment, openHub, PACKAGE, scratch, whenEnded } from './hub.mjs';

const WRITER = fileURLToPath(new URL('writer.mjs', import.meta.url));

/** Runs `processes` writers for `seconds`, all starting together, each to its own recipient or on `jobs` of its own. Answers what each did. */
export async function runWriters({ processes, seconds, thinkMs = 0, jobs, root = PACKAGE }) {
  const { folder: home, done } = scratch();
  try {
    const hub = await openHub(home, { root });
    for (let index = 0; index < processes; index++) {
      await hub.sessions.end(await hub.sessions.attach(attachment(`reader-${index}`)), 'closed');
    }
    await hub.close();
    const children = Array.from({ length: processes }, (_, index) =>
      startWriter({ home, name: `writer-${index}`, to: `reader-${index}`, seconds, thinkMs, jobs }, root),
    );
    await Promise.all(children.map(({ ready }) => ready));
    for (const { child } of children) child.send('go');
    return await Promise.all(children.map(({ answer }) => answer));
  } finally {
    done();
  }
}

/** T-7, saturated. */
export async function proveWriters({ processes, seconds, root }) {
  const answers = await runWriters({ processes, seconds, root });
  const bad = answers.flatMap(({ name, errors }) => Object.entries(errors).map(([code, n]) => `${name}: ${n} x ${code}`));
  const counts = answers.map(({ times }) => times.length).sort((a, b) => a - b);
  const total = counts.reduce((sum, n) => sum + n, 0);
  if (counts[0] === 0) bad.push('a process was starved');
  const fairness = counts[0] / counts.at(-1);
  return {
    checked: total,
    bad,
    note: `${processes} processes, ${Math.round(total / seconds)}/s, per process ${counts[0]} to ${counts.at(-1)}, fairness ${fairness.toFixed(2)}`,
  };
}

function startWriter(plan, root) {
  const child = fork(WRITER, [JSON.stringify(plan)], {
    env: { ...process.env, PROVE_PACKAGE: root },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  let became = () => {};
  const ready = new Promise((resolve) => {
    became = resolve;
  });
  const answer = new Promise((resolve, reject) => {
    child.on('message', (message) => (message === 'ready' ? became() : resolve(message)));
    whenEnded(child).then(({ code }) => reject(new Error(`a writer ended with ${code}`)));
  });
  return { child, ready, answer };
}
