// Pressure from outside: a reader of the event stream that never reads, a process that is stopped while it holds the write lock, one that floods,
// and a hub with few file descriptors or little memory. The others go on, what was acknowledged stays, and nothing grows without bound.

import { execFileSync, spawn } from 'node:child_process';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { attachment, openHub, pause, scratch } from '../hub.mjs';
import { startHttp } from './http-hub.mjs';
import { tally } from './stage.mjs';

/** Readers of /events that take nothing while `events` happen: each is held to its buffer, and a reader that reads gets all of it. */
export async function proveSlowReaders({ readers = 8, events }) {
  const hub = await startHttp(['a', 'b', 'operator']);
  const bad = [];
  const sockets = [];
  try {
    const { port, hostname } = new URL(hub.url);
    for (let n = 0; n < readers; n++) {
      const socket = connect(Number(port), hostname);
      socket.on('error', () => {});
      socket.pause();
      socket.write(`GET /events?after=0 HTTP/1.1\r\nHost: ${hostname}:${port}\r\nAuthorization: Bearer ${hub.tokens.operator}\r\n\r\n`);
      sockets.push(socket);
    }
    const before = memoryOf(hub.child.pid);
    const body = 'x'.repeat(8_000);
    for (let n = 0; n < events; n += 16)
      await Promise.all(
        Array.from({ length: 16 }, (_, k) => hub.call(hub.tokens.a, 'send', { to: 'b', body: `${n + k} ${body}`, subject: `s${n + k}` })),
      );
    const { status } = await hub.call(hub.tokens.b, 'whoami', {});
    if (status !== 200) bad.push(`a caller was answered ${status} meanwhile`);
    const grown = memoryOf(hub.child.pid) - before;
    if (grown > 200) bad.push(`the hub grew by ${Math.round(grown)} MiB`);
    return { checked: events, bad, note: `${readers} readers that never read; the hub grew by ${Math.round(grown)} MiB` };
  } finally {
    for (const socket of sockets) socket.destroy();
    await hub.done();
  }
}

/** A process holds the write lock and is stopped: writers are told so in bounded time, readers go on, and when it goes on so do they. */
export async function proveStoppedWriter() {
  const { folder: home, done } = scratch();
  const bad = [];
  const hub = await openHub(home);
  try {
    const [a] = [await hub.sessions.attach(attachment('a')), await hub.sessions.attach(attachment('b'))];
    const holder = spawn(process.execPath, ['-e', HOLDER, `${home}/hub.db`], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: process.env,
      cwd: new URL('../..', import.meta.url),
    });
    await new Promise((resolve) => createInterface({ input: holder.stdout }).once('line', resolve));
    holder.kill('SIGSTOP');
    const since = performance.now();
    const refused = await hub.messages.send(a, { to: 'b', body: 'blocked' }, { tool: 'send' }).catch((error) => error);
    const waited = performance.now() - since;
    if (refused.code !== 'unavailable') bad.push(`a send was answered ${refused.code ?? 'ok'} while the lock was held`);
    if ((await hub.agents.list(a, {})).length < 2) bad.push('reading did not go on');
    holder.kill('SIGCONT');
    holder.kill('SIGKILL');
    await hub.messages
      .send(a, { to: 'b', body: 'free again' }, { tool: 'send' })
      .catch((error) => bad.push(`afterwards: ${error.message}`));
    return { checked: 2, bad, note: `refused after ${(waited / 1000).toFixed(1)} s` };
  } finally {
    await hub.close();
    done();
  }
}

const HOLDER = `
const db = new (require('better-sqlite3'))(process.argv[1]);
db.exec('BEGIN IMMEDIATE');
console.log('held');
setInterval(() => {}, 1000);`;

/** A hub with `descriptors` file descriptors, asked over more connections than that; and one with little memory, under load. */
export async function proveScarcity({ descriptors = 64, connections = 200, megabytes = 96 }) {
  const bad = [];
  const poor = await startHttp(['a', 'b'], { under: ['sh', '-c', `ulimit -n ${descriptors}; exec "$@"`, 'sh'] });
  const sockets = [];
  try {
    const { port, hostname } = new URL(poor.url);
    for (let n = 0; n < connections; n++) {
      const socket = connect(Number(port), hostname);
      socket.on('error', () => {});
      sockets.push(socket);
    }
    await pause(500);
    for (const socket of sockets) socket.destroy();
    await eventually(async () => (await poor.call(poor.tokens.a, 'send', { to: 'b', body: 'after the rush' })).status === 200);
  } catch (error) {
    bad.push(`${descriptors} descriptors: ${error.message}`);
  } finally {
    await poor.done();
  }
  const small = await startHttp(['a', 'b'], { nodeFlags: [`--max-old-space-size=${megabytes}`] });
  let sent = 0;
  try {
    for (let n = 0; n < 40; n++) {
      const body = 'y'.repeat(15_000);
      const answers = await Promise.all(
        Array.from({ length: 16 }, (_, k) => small.call(small.tokens.a, 'send', { to: 'b', body: `${n}.${k} ${body}` })),
      );
      sent += answers.filter(({ status }) => status === 200).length;
    }
    if (sent === 0) bad.push('nothing was accepted with little memory');
    const { body } = await small.call(small.tokens.b, 'whoami', {});
    if (body.inbox?.unread !== sent) bad.push(`${sent} were accepted, ${body.inbox?.unread} are there`);
  } catch (error) {
    bad.push(`${megabytes} MiB: ${error.message}; ${small.said().trim().split('\n').at(-1)}`);
  } finally {
    await small.done();
  }
  return {
    checked: connections + 640,
    bad,
    note: `${descriptors} descriptors, ${connections} connections; ${megabytes} MiB, ${sent} sends`,
  };
}

/** One agent sends as fast as it can, far beyond its rate; another's calls meanwhile against the same when all is quiet. */
export async function proveFlood({ calls }) {
  const hub = await startHttp(['noisy', 'calm', 'sink'], { limits: { sendPerMinute: 600 } });
  try {
    const quiet = await latencies(hub, calls);
    let flooding = true;
    const refused = new Map();
    const flood = Array.from({ length: 16 }, async () => {
      while (flooding) {
        const { body } = await hub.call(hub.tokens.noisy, 'send', { to: 'sink', body: 'flood' });
        refused.set(body.code ?? 'accepted', (refused.get(body.code ?? 'accepted') ?? 0) + 1);
      }
    });
    const loud = await latencies(hub, calls);
    flooding = false;
    await Promise.all(flood);
    const ratio = loud.p99 / quiet.p99;
    return {
      checked: calls * 2,
      bad: [],
      note: `p99 of the calm one ${ratio.toFixed(1)} x its quiet p99 while another floods on 16 connections (${tally(refused)})`,
    };
  } finally {
    await hub.done();
  }
}

async function latencies(hub, calls) {
  const times = [];
  for (let n = 0; n < calls; n++) {
    const since = performance.now();
    await hub.call(hub.tokens.calm, 'send', { to: 'sink', body: `calm ${n} ${since}` });
    times.push(performance.now() - since);
  }
  times.sort((a, b) => a - b);
  return { p99: times[Math.floor(times.length * 0.99)] };
}

/** Resident memory in MiB. */
export function memoryOf(pid) {
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) / 1024;
}

async function eventually(holds, limitMs = 30_000) {
  const deadline = performance.now() + limitMs;
  while (!(await holds().catch(() => false))) {
    if (performance.now() > deadline) throw new Error('it did not recover');
    await pause(100);
  }
}
