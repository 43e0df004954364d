// Pressure from outside: a reader of the event stream that never reads, a process that is stopped while it holds the write lock, one that floods,
// and a hub with few file descriptors or little memory. The others go on, what was acknowledged stays, and nothing grows without bound.

import { execFile, execFileSync, spawn } from 'node:child_process';
import { request } from 'node:http';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { attachment, LIMITS, openHub, pause, program, scratch } from '../hub.mjs';
import { startHttp } from './http-hub.mjs';
import { tally } from './stage.mjs';

const FLOODER = fileURLToPath(new URL('flooder.mjs', import.meta.url));

/** Readers that ask for everything and then take nothing, with a receive buffer that is soon full; at the end of their input they say what came of it. */
const SLOW_READERS = `
import json,socket,sys
host,port,token,count=sys.argv[1],int(sys.argv[2]),sys.argv[3],int(sys.argv[4])
readers=[]
for n in range(count):
  s=socket.socket()
  s.setsockopt(socket.SOL_SOCKET,socket.SO_RCVBUF,4096)
  s.setsockopt(socket.IPPROTO_TCP,socket.TCP_MAXSEG,536) # or the kernel keeps megabytes for each
  s.connect((host,port))
  s.sendall(("GET /events?after=0 HTTP/1.1\\r\\nHost: %s:%d\\r\\nAuthorization: Bearer %s\\r\\n\\r\\n"%(host,port,token)).encode())
  readers.append(s)
print("reading",flush=True)
sys.stdin.read()
ended=0
for s in readers:
  s.settimeout(5)
  try:
    while s.recv(65536): pass
    ended+=1
  except ConnectionError: ended+=1
  except socket.timeout: pass
print(json.dumps({"ended":ended}),flush=True)`;
const SLOW_LIMITS = { ...LIMITS, sseBufferBytes: 65_536, silentAfterMs: 3_000 };

/** Readers of /events that take nothing while `events` happen: each is held to its buffer and cut off, and a reader that reads gets all of it. */
export async function proveSlowReaders({ readers = 8, events, root }) {
  const hub = await startHttp(['a', 'b', 'operator'], { limits: SLOW_LIMITS, root });
  const bad = [];
  const { port, hostname } = new URL(hub.url);
  const honest = followEvents(hub);
  const slow = spawn('python3', ['-c', SLOW_READERS, hostname, port, hub.tokens.operator, String(readers)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: slow.stdout })[Symbol.asyncIterator]();
  try {
    await lines.next();
    const before = memoryOf(hub.child.pid);
    const body = 'x'.repeat(2_000);
    let accepted = 0;
    for (let n = 0; n < events; n += 16) {
      const answers = await Promise.all(
        Array.from({ length: 16 }, (_, k) => hub.call(hub.tokens.a, 'send', { to: 'b', body: `${n + k} ${body}` })),
      );
      accepted += answers.filter(({ status }) => status === 200).length;
    }
    await eventually(async () => (await dropsOf(hub)) >= readers).catch(() => {});
    const drops = await dropsOf(hub);
    if (drops !== readers) bad.push(`${drops} of ${readers} readers that never read were cut off`);
    slow.stdin.end();
    const { ended } = JSON.parse((await lines.next()).value);
    if (ended !== readers) bad.push(`${ended} of ${readers} connections were ended`);
    const { status } = await hub.call(hub.tokens.b, 'whoami', {});
    if (status !== 200) bad.push(`a caller was answered ${status} meanwhile`);
    await eventually(async () => honest.sent() >= accepted).catch(() =>
      bad.push(`a reader that reads was told of ${honest.sent()} of ${accepted}`),
    );
    const grown = memoryOf(hub.child.pid) - before;
    if (grown > 200) bad.push(`the hub grew by ${Math.round(grown)} MiB`);
    return {
      checked: accepted,
      bad,
      note: `${drops} readers that never read were cut off, one that reads was told all; the hub grew by ${Math.round(grown)} MiB`,
    };
  } finally {
    slow.kill('SIGKILL');
    honest.stop();
    await hub.done();
  }
}

/** A reader of the events that reads; how many sends it was told of. */
function followEvents(hub) {
  let sent = 0;
  let rest = '';
  const asked = request(`${hub.url}/events?after=0`, { headers: { Authorization: `Bearer ${hub.tokens.operator}` }, agent: false });
  asked.on('error', () => {}); // it is hung up at the end
  asked.on('response', (response) => {
    response.setEncoding('utf8');
    response.on('error', () => {});
    response.on('data', (part) => {
      const whole = `${rest}${part}`.split('\n');
      rest = whole.pop() ?? '';
      sent += whole.filter((line) => line.startsWith('data: ') && line.includes('"message.sent"')).length;
    });
  });
  asked.end();
  return { sent: () => sent, stop: () => asked.destroy() };
}

async function dropsOf(hub) {
  const { body } = await hub.ask('/metrics', { headers: { Authorization: `Bearer ${hub.tokens.operator}` } });
  return Number(/^hub_event_stream_drops\w*(?:\{[^}]*\})? (\d+)/m.exec(body)?.[1] ?? 0);
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
    if (waited > 15_000) bad.push(`it was answered only after ${(waited / 1000).toFixed(1)} s`);
    if ((await hub.agents.list(a, {})).length < 2) bad.push('reading did not go on');
    if (process.platform === 'linux' && !(await examined(home)).includes(`pid ${holder.pid}`))
      bad.push('the doctor does not name who holds the lock');
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

/** What the doctor says, also when it says that something is wrong. */
function examined(home) {
  return new Promise((resolve) => {
    const args = [program(), 'doctor', '--json', '--home', home];
    execFile(process.execPath, args, { cwd: home }, (_error, stdout) => resolve(stdout));
  });
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

/** How much slower the calls of a calm agent may become while another floods: the worst of a hundred, of what they take when all is quiet. */
const FAIR = 5;

/** One agent sends as fast as it can from a process of its own, far beyond its rate; another's calls meanwhile against the same when all is quiet, before and after. */
export async function proveFlood({ calls, root }) {
  const hub = await startHttp(['noisy', 'calm', 'sink'], { limits: { sendPerMinute: 600 }, root });
  const bad = [];
  try {
    await latencies(hub, 20); // what is only done once is not measured
    const told = new Map();
    const ratios = [];
    // What else this machine does in a round may look like a flood; a hub that is unfair is so in every round.
    while (ratios.length < 3 && !ratios.some((ratio) => ratio <= FAIR)) ratios.push(await floodOnce(hub, calls, told));
    const ratio = Math.min(...ratios);
    if (ratio > FAIR) bad.push(`the calm one waited ${ratio.toFixed(1)} x its quiet p99 while another flooded; ${FAIR} x is the bound`);
    const [limited, accepted] = ['rate_limited', 'accepted'].map((code) => told.get(code) ?? 0);
    if (limited < calls) bad.push(`the flood was refused ${limited} times only`);
    if (accepted > 600 * (1 + ratios.length)) bad.push(`${accepted} sends of the flood were accepted, of 600 a minute`);
    for (const [code, n] of told)
      if (code !== 'rate_limited' && code !== 'accepted') bad.push(`${n} sends of the flood were answered ${code}`);
    const note = `p99 of the calm one ${ratio.toFixed(1)} x its quiet p99 while another floods on 16 connections (${tally(told)})`;
    return { checked: calls * 3 * ratios.length, bad, note };
  } finally {
    await hub.done();
  }
}

/** Quiet, loud, quiet: how much slower the loud calls are. */
async function floodOnce(hub, calls, told) {
  const before = await latencies(hub, calls);
  const plan = JSON.stringify({ url: hub.url, token: hub.tokens.noisy });
  const flooder = spawn(process.execPath, [FLOODER, plan], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: flooder.stdout })[Symbol.asyncIterator]();
  await lines.next();
  const loud = await latencies(hub, calls);
  flooder.stdin.end();
  for (const [code, n] of Object.entries(JSON.parse((await lines.next()).value))) told.set(code, (told.get(code) ?? 0) + n);
  return loud / Math.max(before, await latencies(hub, calls));
}

/** The 99th of a hundred calls, in milliseconds. */
async function latencies(hub, calls) {
  const times = [];
  for (let n = 0; n < calls; n++) {
    const since = performance.now();
    const { status, body } = await hub.call(hub.tokens.calm, 'whoami', {});
    if (status !== 200) throw new Error(`the calm one was answered ${status} ${JSON.stringify(body)}`);
    times.push(performance.now() - since);
  }
  times.sort((a, b) => a - b);
  return times[Math.floor(times.length * 0.99)];
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
