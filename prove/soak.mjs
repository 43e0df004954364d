// `npm run soak -- --minutes N [--agents 100] [--restarts 2]`: many agents work on one served hub for as long as asked: they send, read, ask,
// answer, set reminders and hand out tasks, while the hub is killed and started again. Afterwards the histories of all of them are checked, and
// the memory, log and file descriptors that the hub used are held against bounds.

import { fork } from 'node:child_process';
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { quantile } from '../bench/figures.mjs';
import { CHECKS, check } from './check.mjs';
import { gather } from './evidence.mjs';
import { serveAgain, startHttp } from './faults/http-hub.mjs';
import { memoryOf } from './faults/pressure.mjs';
import { readFlags, refuse } from './flags.mjs';
import { pause, whenEnded } from './hub.mjs';

const WORKER = fileURLToPath(new URL('soak-worker.mjs', import.meta.url));
const CHECKED = ['I1', 'I2', 'I3', 'I5', 'I6', 'I8', 'I12', 'I13'];
/** Agents in one process: enough processes to compete, few enough for a small machine. */
const AGENTS_PER_WORKER = 25;
const SAMPLE_MS = 2_000;
/** Growth of the last life of the hub after its first third, when its caches are filled. */
const GROWTH = 0.2;
const WAL_MAX_MIB = 64;

const { minutes, agents, restarts, seed } = readFlags(import.meta.url, { figures: { minutes: 5, agents: 100, restarts: 2, seed: 1 } });
if (agents < 2) refuse('--agents: at least 2, so that each has somebody to write to.');
process.exit((await soak()) ? 0 : 1);

async function soak() {
  const names = Array.from({ length: agents }, (_, n) => `agent-${n}`);
  let hub = await startHttp(names);
  const folder = join(hub.home, 'history');
  mkdirSync(folder, { mode: 0o700 });
  const end = Date.now() + minutes * 60_000;
  const workers = startWorkers({ url: hub.url, tokens: hub.tokens, folder, names, end });
  const samples = [];
  let restarted = 0;
  try {
    while (Date.now() < end) {
      await pause(SAMPLE_MS);
      samples.push({ life: restarted, ...measure(hub) });
      const due = ((restarted + 1) * minutes * 60_000) / (restarts + 1);
      if (restarted < restarts && Date.now() - (end - minutes * 60_000) > due) {
        hub = await serveAgain(hub, restarted % 2 === 0 ? 'SIGKILL' : 'SIGTERM');
        restarted += 1;
        print(`restart ${restarted} of ${restarts}`);
      }
    }
    const failed = (await Promise.all(workers.map((worker) => worker.ended))).filter(({ code }) => code !== 0);
    hub.child.kill('SIGTERM');
    await hub.ended;
    const bad = [...judge(samples), ...failed.map(({ code, said }) => `a worker ended with ${code}: ${said}`)];
    const evidence = ownMessages(await gather(hub.home, folder));
    for (const { id, title, checked, bad: found } of check(
      evidence,
      CHECKS.filter(([id]) => CHECKED.includes(id)),
    )) {
      print(`${found.length === 0 ? 'ok  ' : 'FAIL'} ${id.padEnd(4)} ${String(checked).padStart(8)} checked  ${title}`);
      bad.push(...found.slice(0, 5).map((sentence) => `${id}: ${sentence}`));
    }
    report(evidence, samples, restarted);
    for (const sentence of bad) print(`FAIL ${sentence}`);
    return bad.length === 0;
  } finally {
    for (const { child } of workers) child.kill('SIGKILL');
    await hub.done();
  }
}

/** The hub writes messages of its own about asks, reminders and tasks; whether those are due is proved elsewhere. */
function ownMessages(evidence) {
  return { ...evidence, byBody: new Map([...evidence.byBody].filter(([body]) => /^agent-\d+ \d+: /.test(body))) };
}

function startWorkers({ url, tokens, folder, names, end }) {
  const workers = [];
  for (let at = 0; at < names.length; at += AGENTS_PER_WORKER) {
    const own = names.slice(at, at + AGENTS_PER_WORKER);
    const plan = { url, tokens: Object.fromEntries(own.map((name) => [name, tokens[name]])), folder, names, end, seed: seed + at };
    const child = fork(WORKER, [JSON.stringify(plan)], { stdio: ['ignore', 'inherit', 'pipe', 'ipc'] });
    let said = '';
    child.stderr.on('data', (chunk) => {
      said = `${said}${chunk}`.slice(-500);
    });
    workers.push({ child, ended: whenEnded(child).then(({ code, signal }) => ({ code: code ?? signal, said })) });
  }
  return workers;
}

function measure(hub) {
  const wal = statSync(join(hub.home, 'hub.db-wal'), { throwIfNoEntry: false })?.size ?? 0;
  return { rss: memoryOf(hub.child.pid), wal: wal / 2 ** 20, files: filesOf(hub.child.pid) };
}

function filesOf(pid) {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return undefined; // no /proc: not measured
  }
}

function judge(samples) {
  const bad = [];
  const life = samples.filter((one) => one.life === samples.at(-1).life);
  const [early, late] = [
    life.slice(Math.floor(life.length / 3), Math.floor((2 * life.length) / 3)),
    life.slice(Math.floor((2 * life.length) / 3)),
  ];
  if (early.length >= 10 && mean(late, 'rss') > mean(early, 'rss') * (1 + GROWTH))
    bad.push(`memory grew from ${mean(early, 'rss').toFixed(0)} to ${mean(late, 'rss').toFixed(0)} MiB`);
  const wal = Math.max(...samples.map((one) => one.wal));
  if (wal > WAL_MAX_MIB) bad.push(`the log reached ${wal.toFixed(0)} MiB, the bound is ${WAL_MAX_MIB}`);
  return bad;
}

function report({ history, deliveries, events }, samples, restarted) {
  const done = (op) => history.filter((line) => line.op === op && line.phase === 'ok').length;
  const ops = ['send', 'recv', 'ask', 'answer', 'remind', 'task'].map((op) => `${done(op)} ${op}`).join(', ');
  const rss = samples.map((one) => one.rss);
  print(`${agents} agents, ${minutes} minutes, ${restarted} restarts: ${ops}; ${deliveries.length} deliveries, ${events.length} events`);
  print(`calls: ${latencies(history)}; a call that a restart left without an answer is in none of them`);
  print(
    `memory ${Math.min(...rss).toFixed(0)} to ${Math.max(...rss).toFixed(0)} MiB; log at most ${Math.max(...samples.map((one) => one.wal)).toFixed(1)} MiB; files ${samples.at(-1).files ?? 'not measured'}`,
  );
}

/** What calls took that were answered, in ms, by the histories of the agents themselves. */
function latencies(history) {
  const invoked = new Map(history.filter(({ phase }) => phase === 'invoke').map(({ client, id, t }) => [`${client} ${id}`, t]));
  const times = history
    .filter(({ phase }) => phase === 'ok' || phase === 'fail')
    .map(({ client, id, t }) => t - invoked.get(`${client} ${id}`))
    .sort((a, b) => a - b);
  return [0.5, 0.95, 0.99].map((q) => `p${q * 100} ${quantile(times, q)} ms`).join(', ');
}

function mean(list, field) {
  return list.reduce((sum, one) => sum + one[field], 0) / list.length;
}

function print(text) {
  process.stdout.write(`${text}\n`);
}
