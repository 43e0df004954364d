// Plain queues with the durability that the hub has, beside the hub as a library: one send after the other, 32 at once, and a full round of one
// message (sent, taken, acknowledged). They know no agents, no fences, no history; the hub's figure says what those cost.

import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { attachment, openHub } from '../../prove/hub.mjs';
import { startPostgres } from '../../test/support/postgres-server.mjs';
import { rateSummary, summary, timed } from '../figures.mjs';
import { freePort } from './hubs.mjs';
import { load } from './install.mjs';

const BODY = 'x'.repeat(300);
const HUB = 'this hub, library';

async function measure(table, name, { runs }, { send, round }, promise) {
  const floor = (what) => (name === HUB ? {} : { floor: `${HUB}: ${what}` });
  const count = Math.round(runs / 2);
  table.add(`${name}: send`, summary(await timed(count, send)), { ...floor('send'), note: promise });
  const rates = [];
  for (let n = 0; n < 10; n++) {
    const since = performance.now();
    await Promise.all(Array.from({ length: 32 }, (_, k) => send(`${n} ${k}`)));
    rates.push(32_000 / (performance.now() - since));
  }
  const rate = rateSummary(rates);
  table.add(`${name}: 32 sends at once`, rate, { unit: '/s', ...floor('32 sends at once') });
  table.add(`${name}: round`, summary(await timed(count, round, 10)), { ...floor('round'), note: 'sent, taken, acknowledged' });
}

export async function library(home, table, name, size) {
  const place = join(home, 'library');
  mkdirSync(place, { mode: 0o700 });
  const hub = await openHub(place);
  const [ada, bob, cyd] = await Promise.all(['ada', 'bob', 'cyd'].map((one) => hub.sessions.attach(attachment(one))));
  const send = (n, to = bob) => hub.messages.send(ada, { to: to.name, body: `${n} ${BODY}`, allowDuplicate: true }, { tool: 'send' });
  const round = async (n) => {
    await send(n, cyd);
    const { receipt } = await hub.inbox.receive(cyd, { max: 1, maxBytes: 32_768, waitMs: 0, peek: false }, { tool: 'recv_batch' });
    await hub.inbox.acknowledge(cyd, { receipt, delayMs: 0 }, { tool: 'ack' });
  };
  await measure(table, name, size, { send, round }, 'synced before it is answered');
  await hub.close();
}

export async function bullmq(home, table, name, size) {
  const { Queue, Worker } = await load('bullmq');
  const port = await freePort();
  const folder = join(home, 'redis');
  mkdirSync(folder);
  const args = ['--port', port, '--bind', '127.0.0.1', '--dir', folder, '--appendonly', 'yes', '--appendfsync', 'always', '--save', ''];
  const server = await serve('redis-server', args.map(String), port);
  const connection = { host: '127.0.0.1', port, maxRetriesPerRequest: null };
  const opened = [];
  try {
    const [queue, rounds] = ['sends', 'rounds'].map((one) => new Queue(one, { connection }));
    const worker = new Worker('rounds', undefined, { connection, autorun: false });
    opened.push(worker, queue, rounds);
    const send = (n) => queue.add('message', { body: `${n} ${BODY}` });
    const round = async (n) => {
      await rounds.add('message', { body: `${n} ${BODY}` });
      const job = await worker.getNextJob('bench');
      await job.moveToCompleted('done', 'bench', false);
    };
    await measure(table, name, size, { send, round }, 'append-only file synced at every write (appendfsync always)');
  } finally {
    await Promise.allSettled(opened.map((one) => one.close()));
    await stop(server);
  }
}

export async function jetstream(home, table, name, size) {
  const { connect: reach, AckPolicy, StringCodec } = await load('nats');
  const port = await freePort();
  const folder = join(home, 'nats');
  mkdirSync(folder);
  writeFileSync(join(folder, 'nats.conf'), `listen: 127.0.0.1:${port}\njetstream { store_dir: "${folder}", sync_interval: always }\n`);
  let server;
  let promise = 'synced at every write (sync_interval always)';
  try {
    server = await serve('nats-server', ['-c', join(folder, 'nats.conf')], port);
  } catch (error) {
    if (error.code === 'ENOENT') throw error;
    // Before 2.10 it cannot be told to sync.
    server = await serve('nats-server', ['-a', '127.0.0.1', '-p', String(port), '-js', '-sd', folder], port);
    promise = 'NOT synced before it is answered: this version cannot (sync_interval came with 2.10)';
  }
  const client = await reach({ servers: `127.0.0.1:${port}` }).catch(async (error) => {
    await stop(server);
    throw error;
  });
  try {
    const manager = await client.jetstreamManager();
    await manager.streams.add({ name: 'bench', subjects: ['sends', 'rounds'], storage: 'file' });
    await manager.consumers.add('bench', { durable_name: 'reader', ack_policy: AckPolicy.Explicit, filter_subject: 'rounds' });
    const stream = client.jetstream();
    const consumer = await stream.consumers.get('bench', 'reader');
    const { encode } = StringCodec();
    const send = (n) => stream.publish('sends', encode(`${n} ${BODY}`));
    const round = async (n) => {
      await stream.publish('rounds', encode(`${n} ${BODY}`));
      await (await consumer.next()).ackAck();
    };
    await measure(table, name, size, { send, round }, promise);
  } finally {
    await client.close();
    await stop(server);
  }
}

export async function pgBoss(_home, table, name, size) {
  const Boss = await load('pg-boss');
  const server = await startPostgres({ tcp: true });
  if (server === undefined) throw new Error('PostgreSQL is not installed');
  const boss = new Boss({ connectionString: server.url(), supervise: false, schedule: false });
  boss.on('error', () => {});
  try {
    await boss.start();
    for (const queue of ['sends', 'rounds']) await boss.createQueue(queue);
    const send = (n) => boss.send('sends', { body: `${n} ${BODY}` });
    const round = async (n) => {
      await boss.send('rounds', { body: `${n} ${BODY}` });
      const [job] = await boss.fetch('rounds');
      await boss.complete('rounds', job.id);
    };
    await measure(table, name, size, { send, round }, 'synchronous_commit on');
  } finally {
    await boss.stop({ graceful: false, wait: true });
    await server.stop();
  }
}

/** A server of another program on a loopback port, once it listens. Throws when it is not installed or does not start. */
async function serve(program, args, port) {
  const child = spawn(program, args, { stdio: 'ignore' });
  const failed = new Promise((_resolve, reject) => {
    child.on('error', (error) => reject(Object.assign(error, { message: `${program} is not installed` })));
    child.on('exit', (code) => reject(new Error(`${program} ended with ${code}`)));
  });
  failed.catch(() => {});
  const listens = async () => {
    while (!(await isOpen(port))) await new Promise((resolve) => setTimeout(resolve, 50));
  };
  await Promise.race([listens(), failed]);
  return child;
}

function isOpen(port) {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

function stop(child) {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.on('exit', resolve);
    child.kill('SIGTERM');
  });
}
