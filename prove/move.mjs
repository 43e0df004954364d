// A hub of a gigabyte is moved from its file to PostgreSQL and back by the real command, and exported before, between and after: the three files must
// be the same. node prove/move.mjs [--mb 1024]; prints times and the memory that each process took at most. Not part of any suite: it
// takes minutes and four times the hub's size on the disk.

import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, mkdirSync, readFileSync, statSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { startPostgres } from '../test/support/postgres-server.mjs';
import { readFlags } from './flags.mjs';
import { openHub, PROJECT, program, scratch } from './hub.mjs';

const WANTED = readFlags(import.meta.url, { figures: { mb: 1024 } }).mb * 1_048_576;
const SENDERS = 32;
const BODY = 6_000;

const { folder, done } = scratch();
const server = await startPostgres();
if (server === undefined) throw new Error('PostgreSQL is not installed');
try {
  const [first, second] = ['first', 'second'].map((name) => join(folder, name));
  for (const home of [first, second]) mkdirSync(home, { mode: 0o700 });
  await timed('built', () => build(first));
  print(`  ${mb(statSync(join(first, 'hub.db')).size)} MB in hub.db; ${cpus().length} cores, Node ${process.version}`);
  const files = ['sqlite', 'postgres', 'again'].map((name) => join(folder, `${name}.ndjson`));
  await run('exported from SQLite', first, undefined, ['export', files[0], '--everything']);
  const moved = await run('moved to PostgreSQL, read back and verified', first, undefined, ['move', '--to', server.url()]);
  print(`  ${moved.verified.projects.map(({ events, messages }) => `${events} events, ${messages} messages`).join('; ')}`);
  print(`  ${mb(Number(server.sql('SELECT pg_database_size(current_database())')))} MB in PostgreSQL`);
  await run('exported from PostgreSQL', second, server.url(), ['export', files[1], '--everything']);
  await run('moved back to SQLite, read back and verified', second, server.url(), ['move', '--to', second]);
  await run('exported from SQLite again', second, undefined, ['export', files[2], '--everything']);
  const digests = [];
  for (const file of files) digests.push(await digestOf(file));
  const same = new Set(digests).size === 1;
  print(
    `${same ? 'ok  ' : 'FAIL'} three exports of ${mb(statSync(files[0]).size)} MB: ${same ? `the same, sha256 ${digests[0].slice(0, 16)}` : digests.join(' ')}`,
  );
  process.exitCode = same ? 0 : 1;
} finally {
  await server.stop();
  done();
}

/** Fills a hub by sending, as agents do, until its file is as large as wanted. */
async function build(home) {
  const hub = await openHub(home);
  const callers = [];
  for (let n = 0; n < SENDERS; n++)
    callers.push(
      await hub.sessions.attach({
        project: { ...PROJECT, id: `big-${n % 4}`, name: `big-${n % 4}` },
        door: 'stdio',
        client: { name: 'move', version: '1' },
        root: PROJECT.root,
        name: `agent${n}`,
      }),
    );
  let sent = 0;
  const send = async (caller, n) => {
    while (sent * 100 < 1 || statSync(join(home, 'hub.db')).size < WANTED) {
      for (let burst = 0; burst < 50; burst++, sent++)
        await hub.messages.send(caller, { to: callers[(n + 4) % SENDERS].name, body: words(sent), allowDuplicate: true }, { tool: 'send' });
    }
  };
  await Promise.all(callers.map(send));
  for (const caller of callers) await hub.sessions.end(caller, 'over').catch(() => {});
  await hub.close();
  print(`  ${sent} messages sent`);
}

/** Text that is no two times the same, of all lengths, with what lines and arrays have to escape. */
function words(n) {
  const line = `${n} "quoted" \\ {braces}, é 漢字 🐦\n`;
  return line.repeat(1 + ((n * 7_919) % (2 * BODY)) / line.length);
}

async function run(what, home, databaseUrl, args) {
  const env = { ...process.env, ROOKERY_HOME: home, ROOKERY_LOG_LEVEL: 'silent' };
  delete env.ROOKERY_DATABASE_URL;
  if (databaseUrl !== undefined) env.ROOKERY_DATABASE_URL = databaseUrl;
  return await timed(what, async () => {
    const child = spawn(process.execPath, [program(), ...args, '--json'], { cwd: folder, env, stdio: ['ignore', 'pipe', 'inherit'] });
    let peak = 0;
    const watch = setInterval(() => {
      peak = Math.max(peak, peakOf(child.pid));
    }, 200);
    let out = '';
    child.stdout.setEncoding('utf8').on('data', (part) => {
      out += part;
    });
    const code = await new Promise((resolve) => child.once('close', resolve));
    clearInterval(watch);
    if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${out}`);
    print(`  at most ${mb(peak * 1024)} MB of memory`);
    return JSON.parse(out);
  });
}

/** The most that a process held so far, in kilobytes. */
function peakOf(pid) {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) || 0;
  }
}

async function timed(what, work) {
  const since = performance.now();
  const result = await work();
  print(`${what} in ${((performance.now() - since) / 1000).toFixed(1)} s`);
  return result;
}

async function digestOf(file) {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

function mb(bytes) {
  return Math.round(bytes / 1_048_576);
}

function print(text) {
  process.stdout.write(`${text}\n`);
}
