// The hub on PostgreSQL: sends a second and their p99 for so many projects and so many hubs, each a process of its own, beside raw inserts of the
// same durability by the same driver; and how soon a reader at one hub has what was sent at another. Everything runs on this machine, the
// server too, so hubs share its cores: read the ratios.

import { fork } from 'node:child_process';
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

export async function benchPostgres(table, { seconds, runs }) {
  const server = await startPostgres();
  if (server === undefined) {
    process.stderr.write('SKIPPED: PostgreSQL is not installed ... ');
    return;
  }
  try {
    await floors(server, table, { seconds, runs });
    for (const projects of PROJECTS) {
      for (const hubs of HUBS) {
        const { rate, failed, figures } = await together(server, { projects, hubs, seconds });
        const note = `${Math.round(rate)}/s${failed === 0 ? '' : `, ${failed} refused`}`;
        table.add(`${projects} projects, ${hubs} hubs: send`, figures, { floor: `pg insert, ${SENDERS} at once`, note });
      }
    }
    table.add('wake across hubs', await wakes(server, Math.min(runs, 300)), {
      floor: 'pg insert',
      note: 'send called -> receive returned',
    });
  } finally {
    await server.stop();
  }
}

/** One row of a message's size in a transaction of its own: one connection, and as many as there are senders. */
async function floors(server, table, { seconds, runs }) {
  const pool = new pg.Pool({ connectionString: server.url(), max: SENDERS });
  await pool.query('CREATE TABLE floor (id BIGSERIAL PRIMARY KEY, recipient BIGINT, body TEXT)');
  const insert = { name: 'insert', text: 'INSERT INTO floor (recipient, body) VALUES ($1, $2)', values: [1, 'x'.repeat(340)] };
  table.add('pg insert', summary(await timed(runs, () => pool.query(insert))));
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
  table.add(`pg insert, ${SENDERS} at once`, summary(times.sort((a, b) => a - b)), { floor: 'pg insert', note: `${rate}/s` });
  await pool.end();
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
