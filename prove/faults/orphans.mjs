// Servers whose client is gone: killed with -9, its pipes closed, or no longer reading. None of them stays. The parent of each server is a
// process of its own, so that a kill is what it is when a client crashes.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { openHub, PACKAGE, pause, scratch } from '../hub.mjs';
import { startServer } from '../stdio-raw.mjs';

const PARENT = fileURLToPath(new URL('orphan-parent.mjs', import.meta.url));

/** How a client goes: killed with -9, its end of both pipes closed, or its end of the answers only, so that it still asks and never reads. */
const WAYS = ['killed', 'closed', 'deaf'];

/** `cycles` clients that each start a server and go, each in its own way, by turns. */
export async function proveNoOrphans({ cycles, limitMs = 20_000, root = PACKAGE }) {
  const { folder: home, done } = scratch({ inMemory: true });
  const bad = [];
  const waits = [];
  try {
    await (await openHub(home)).close();
    for (let cycle = 0; cycle < cycles; cycle++) {
      const way = WAYS[cycle % WAYS.length];
      const { pid, leave } = await (way === 'killed' ? startUnderParent(home, cycle, root) : startDirectly(home, cycle, way, root));
      const since = performance.now();
      leave();
      while (lives(pid) && performance.now() - since < limitMs) await pause(10);
      if (lives(pid)) {
        bad.push(`the server of a client that is ${way} still lives after ${limitMs} ms`);
        process.kill(pid, 'SIGKILL');
      }
      waits.push(performance.now() - since);
    }
    waits.sort((a, b) => a - b);
    return {
      checked: cycles,
      bad,
      note: `gone after ${Math.round(waits[waits.length >> 1])} ms in the median, ${Math.round(waits.at(-1))} at most`,
    };
  } finally {
    done();
  }
}

async function startUnderParent(home, cycle, root) {
  const parent = spawn(process.execPath, [PARENT, home, `orphan-${cycle}`], {
    env: { ...process.env, PROVE_PACKAGE: root },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const pid = await new Promise((resolve) => createInterface({ input: parent.stdout }).once('line', (line) => resolve(Number(line))));
  return { pid, leave: () => parent.kill('SIGKILL') };
}

async function startDirectly(home, cycle, way, root) {
  const server = startServer(home, `orphan-${cycle}`, { root });
  await server.initialize();
  await server.call('whoami');
  return { pid: server.pid, leave: way === 'deaf' ? () => server.deafen() : () => void server.close() };
}

function lives(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
