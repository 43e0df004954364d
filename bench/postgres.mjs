// The hub on PostgreSQL: sends a second and their p99 for so many projects and so many hubs, each a process of its own, beside raw inserts of the
// same durability by the same driver; and how soon a reader at one hub has what was sent at another. Everything runs on this machine, the
// server too, so hubs share its cores: read the ratios.

import { fork } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { scratch } from '../prove/hub.mjs';
import { startPostgres } from '../test/support/postgres-server.mjs';
import { summary, timed } from './figures.mjs';

const HUB = fileURLToPath(new URL('postgres-hub.mjs', import.meta.url));
const PROJECTS = [1, 8, 64];
const HUBS = [1, 2, 4];
/** Senders at once in all, spread over hubs and projects: the same load for every row. */
const SENDERS = 64;

const GUIDE = fileURLToPath(new URL('../docs/deploying.md', import.meta.url));
const [BEGIN, END] = ['<!-- figures of bench/postgres.mjs -->', '<!-- end of figures -->'];

/** `docs`: the figures also replace those of docs/deploying.md. */
export async function benchPostgres(table, { seconds, runs, docs }) {
  const server = await startPostgres();
  if (server === undefined) {
    process.stderr.write('SKIPPED: PostgreSQL is not installed ... ');
    return;
  }
  try {
    const raw = await floors(server, table, { seconds, runs });
    const cells = [];
    for (const projects of PROJECTS) {
      for (const hubs of HUBS) {
        const { rate, failed, figures } = await together(server, { projects, hubs, seconds });
        const note = `${Math.round(rate)}/s${failed === 0 ? '' : `, ${failed} refused`}`;
        cells.push({ projects, rate, p99: figures.p99 });
        table.add(`${projects} projects, ${hubs} hubs: send`, figures, { floor: `pg insert, ${SENDERS} at once`, note });
      }
    }
    const wake = await wakes(server, Math.min(runs, 300));
    table.add('wake across hubs', wake, {
      floor: 'pg insert',
      note: 'send called -> receive returned',
    });
    if (docs) replaceFigures(raw, cells, wake);
  } finally {
    await server.stop();
  }
}

/** One row of a message's size in a transaction of its own: one connection, and as many as there are senders. */
async function floors(server, table, { seconds, runs }) {
  const pool = new pg.Pool({ connectionString: server.url(), max: SENDERS });
  await pool.query('CREATE TABLE floor (id BIGSERIAL PRIMARY KEY, recipient BIGINT, body TEXT)');
  const insert = { name: 'insert', text: 'INSERT INTO floor (recipient, body) VALUES ($1, $2)', values: [1, 'x'.repeat(340)] };
  const single = summary(await timed(runs, () => pool.query(insert)));
  table.add('pg insert', single);
  const end = performance.now() + seconds * 1000;
  const times = [];
  const since = performance.now();
  const sender = async () => {
    while (performance.now() < end) {
      const begun = performance.now();
      await pool.query(insert);
      times.push((performance.now() - begun) * 1000);
    }
  };
  await Promise.all(Array.from({ length: SENDERS }, sender));
  const rate = Math.round((times.length * 1000) / (performance.now() - since));
  const many = summary(times.sort((a, b) => a - b));
  table.add(`pg insert, ${SENDERS} at once`, many, { floor: 'pg insert', note: `${rate}/s` });
  await pool.end();
  return { rate, single, many };
}

/** What stands between the marks in the deployment guide; prose around it is a person's. */
function replaceFigures(raw, cells, wake) {
  const ms = (us) =>
    us < 9_950 ? `${(us / 1000).toFixed(1)} ms` : us < 995_000 ? `${Math.round(us / 1000)} ms` : `${(us / 1e6).toFixed(1)} s`;
  const rows = PROJECTS.toReversed().map((projects) => {
    const own = cells.filter((cell) => cell.projects === projects).map(({ rate, p99 }) => `${Math.round(rate)}, ${ms(p99)}`);
    return `| the hub, ${projects} project${projects === 1 ? '' : 's'} | ${own.join(' | ')} |`;
  });
  const figures = [
    `| ${SENDERS} senders at once, on disk | sends/s, p99 at 1 hub | ${HUBS.slice(1)
      .map((hubs) => `at ${hubs} hubs`)
      .join(' | ')} |`,
    '| --- | --- | --- | --- |',
    `| \`pg\` inserting one row each, same durability, ${SENDERS} connections | ${raw.rate}, ${ms(raw.many.p99)} | | |`,
    ...rows,
    '',
    `A reader at another hub had what was sent after ${ms(wake.p50)} in the median (p99 ${ms(wake.p99)}), where a single raw insert took ${ms(raw.single.p50)}.`,
    `Hubs, server and senders shared ${cpus().length} cores; Node ${process.version}.`,
  ];
  const text = readFileSync(GUIDE, 'utf8');
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (from === -1 || to === -1) throw new Error('docs/deploying.md has lost the marks of its figures');
  writeFileSync(GUIDE, `${text.slice(0, from)}${BEGIN}\n${figures.join('\n')}\n${text.slice(to)}`);
}

async function together(server, { projects, hubs, seconds }) {
  const schema = `bench_${projects}_${hubs}`;
  const { folder, done } = scratch({ databaseUrl: server.url('postgres', { schema }) });
  const children = [];
  try {
    // One after the other: the first makes the schema.
    for (let n = 0; n < hubs; n++) children.push(await start({ home: folder, hub: n, hubs, projects, senders: SENDERS / hubs }));
    // What every process does once, and every connection prepares, is done before.
    await Promise.all(children.map(({ ask }) => ask({ seconds: 2 })));
    const answers = await Promise.all(children.map(({ ask }) => ask({ seconds })));
    const times = answers.flatMap((answer) => answer.times).sort((a, b) => a - b);
    const failed = answers.reduce((sum, answer) => sum + answer.failed, 0);
    const took = Math.max(...answers.map(({ ms }) => ms)) / 1000;
    return { rate: (times.length - failed) / took, failed, figures: summary(times) };
  } finally {
    for (const { child } of children) child.kill();
    done();
  }
}

async function wakes(server, runs) {
  const { folder, done } = scratch({ databaseUrl: server.url('postgres', { schema: 'bench_wakes' }) });
  const plan = { home: folder, hubs: 2, projects: 1, senders: 2 };
  const children = [await start({ ...plan, hub: 0 }), await start({ ...plan, hub: 1 })];
  const [writer, reader] = children;
  try {
    const times = [];
    for (let n = 0; n < runs; n++) {
      const woken = reader.ask({ receive: true });
      await reader.parked();
      const since = performance.now();
      writer.child.send({ wake: n });
      await woken;
      times.push((performance.now() - since) * 1000);
    }
    return summary(times.sort((a, b) => a - b));
  } finally {
    for (const { child } of children) child.kill();
    done();
  }
}

async function start(plan) {
  const child = fork(HUB, [JSON.stringify(plan)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const ended = new Promise((_, reject) => {
    child.once('exit', (code) => reject(new Error(`a hub ended with ${code}`)));
  });
  ended.catch(() => {}); // it is killed when it has done its part
  const next = (kind) => {
    const heard = new Promise((resolve) => {
      const hear = (message) => {
        if (message.kind !== kind) return;
        child.off('message', hear);
        resolve(message);
      };
      child.on('message', hear);
    });
    return Promise.race([heard, ended]);
  };
  await next('ready');
  return {
    child,
    ask(what) {
      const answer = next('answer');
      child.send(what);
      return answer;
    },
    parked: () => next('parked'),
  };
}
