// What a long history costs: sending, receiving, acknowledging and listing beside no, a hundred thousand and a million messages that were read and
// acknowledged before (five million when asked), in turns, so that the machine's moods hit all alike. For what is not flat, the plans of its
// statements are printed.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { attachment, openHub, PROJECT } from '../prove/hub.mjs';
import { quantile, summary } from './figures.mjs';

const SIZES = [0, 100_000, 1_000_000];
const LARGE = 5_000_000;
const AGENTS = 33;
/** How much more the median may be than without a history. */
const FLAT = 1.15;
const RECEIVE = { max: 32, maxBytes: 32_768, waitMs: 0, peek: false };

export async function benchHistory(home, table, { runs, large }) {
  const worlds = [];
  for (const size of large ? [...SIZES, LARGE] : SIZES) worlds.push(await world(join(home, String(size)), size));
  const names = Object.keys(worlds[0].operations);
  const times = new Map(worlds.map((one) => [one, Object.fromEntries(names.map((name) => [name, []]))]));
  const rounds = Math.round(runs / 4);
  for (let n = -10; n < rounds; n++) {
    for (const one of worlds) {
      for (const name of names) {
        const since = performance.now();
        await one.operations[name](n);
        if (n >= 0) times.get(one)[name].push((performance.now() - since) * 1000);
      }
    }
  }
  for (const name of names) {
    for (const one of worlds) {
      const sorted = times.get(one)[name].sort((a, b) => a - b);
      const floor = one === worlds[0] ? {} : { floor: `${name}, history 0` };
      table.add(`${name}, history ${one.size}`, summary(sorted), floor);
    }
    const [first, last] = [worlds[0], worlds.at(-1)].map((one) => quantile(times.get(one)[name], 0.5));
    if (last > first * FLAT) await explain(worlds.at(-1), name);
  }
  for (const one of worlds) await one.close();
}

async function world(home, size) {
  mkdirSync(home, { recursive: true, mode: 0o700 });
  let hub = await openHub(home);
  const names = Array.from({ length: AGENTS }, (_, n) => `agent-${n}`);
  const attached = await Promise.all(names.map((name) => hub.sessions.attach(attachment(name))));
  await hub.messages.send(attached[0], { to: 'agent-1', body: 'x'.repeat(300), expectsReply: false }, { tool: 'send' });
  const { receipt } = await hub.inbox.receive(attached[1], RECEIVE, { tool: 'recv_batch' });
  await hub.inbox.acknowledge(attached[1], { receipt, delayMs: 0 }, { tool: 'ack' });
  await hub.close();
  if (size > 0) fill(join(home, 'hub.db'), attached[0], size);
  hub = await openHub(home);
  const [sender, reader] = [await hub.sessions.attach(attachment('agent-0')), await hub.sessions.attach(attachment('agent-1'))];
  const operator = await hub.projects.operator(PROJECT, 'cli');
  let shown;
  return {
    size,
    hub,
    close: () => hub.close(),
    operations: {
      send: (n) =>
        hub.messages.send(sender, { to: 'agent-1', body: `${n} of ${size}`, allowDuplicate: true, expectsReply: false }, { tool: 'send' }),
      receive: async () => {
        shown = (await hub.inbox.receive(reader, RECEIVE, { tool: 'recv_batch' })).receipt;
      },
      ack: () => hub.inbox.acknowledge(reader, { receipt: shown, delayMs: 0 }, { tool: 'ack' }),
      'empty receive': () => hub.inbox.receive(reader, RECEIVE, { tool: 'recv_batch' }),
      'list threads': () => hub.threads.list(operator, { limit: 20 }),
      'list agents': () => hub.agents.list(reader, { waitMs: 0 }),
      'open threads': () => hub.openThreads.list(reader, 'mine'),
    },
  };
}

/** Messages from one agent to the others, each sent, shown and acknowledged a day ago and before. */
function fill(path, { projectId, agentId: senderId }, size) {
  const db = new Database(path);
  db.pragma('synchronous = OFF');
  db.pragma('foreign_keys = OFF');
  db.pragma('cache_size = -400000');
  const others = db.prepare("SELECT id FROM agents WHERE id <> ? AND name LIKE 'agent-%' ORDER BY name").pluck().all(senderId);
  db.exec('CREATE TEMP TABLE readers (n INTEGER PRIMARY KEY, id TEXT)');
  for (const [n, id] of others.entries()) db.prepare('INSERT INTO readers VALUES (?, ?)').run(n, id);
  const head = db.prepare('SELECT event_seq FROM projects WHERE id = ?').pluck().get(projectId);
  const digits = "substr('0000000000000' || i, -13)";
  const id = `'msg_000' || ${digits}`;
  const copy = (name, from, own) => {
    const columns = db.prepare(`SELECT name FROM pragma_table_info('${name}')`).pluck().all();
    return `INSERT INTO ${name} (${columns.join(', ')}) SELECT ${columns.map((column) => own[column] ?? `m.${column}`).join(', ')} FROM n, (${from}) m`;
  };
  const old = (column) => `m.${column} - 86400000 - (${size} - i)`;
  const reader = `(SELECT r.id FROM readers r WHERE r.n = i % ${others.length})`;
  const event = (type, by) =>
    copy('events', `SELECT * FROM events WHERE type = '${type}' ORDER BY seq DESC LIMIT 1`, {
      seq: `${head} + 3 * i + ${by}`,
      at: old('at'),
      subject: id,
    });
  const statements = [
    copy('messages', "SELECT * FROM messages WHERE id LIKE 'msg_01%' ORDER BY seq LIMIT 1", {
      id,
      seq: `${head} + 3 * i + 1`,
      thread_id: `'thr_000' || ${digits}`,
      created_at: old('created_at'),
    }),
    copy('deliveries', "SELECT * FROM deliveries WHERE message_id LIKE 'msg_01%' AND state = 'acked' ORDER BY seq LIMIT 1", {
      message_id: id,
      recipient_id: reader,
      seq: `${head} + 3 * i + 1`,
      sender_seq: `1000 + i`,
      receipt: `'rcp_000' || ${digits}`,
      ...Object.fromEntries(['ready_at', 'first_shown_at', 'shown_at', 'acked_at', 'done_at'].map((column) => [column, old(column)])),
    }),
    event('message.sent', 1),
    event('message.shown', 2),
    event('message.acked', 3),
  ];
  const step = 50_000;
  // Filling an index in the order of another one takes most of the time: they are made anew afterwards.
  const indexes = db
    .prepare(
      "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN ('messages', 'deliveries', 'events')",
    )
    .all();
  for (const { name } of indexes) db.exec(`DROP INDEX ${name}`);
  process.stderr.write(`\n  a history of ${size.toLocaleString('en')} messages:`);
  for (let from = 0; from < size; from += step) {
    if (from % Math.max(step, size / 10) === 0) process.stderr.write(` ${Math.round((from / size) * 100)} %`);
    const n = `WITH RECURSIVE n (i) AS (SELECT ${from} UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ${Math.min(size, from + step)})`;
    db.exec('BEGIN');
    for (const statement of statements) db.exec(`${n} ${statement}`);
    db.exec('COMMIT');
  }
  process.stderr.write(', its indexes');
  for (const { sql } of indexes) db.exec(sql);
  process.stderr.write('\n');
  db.prepare('UPDATE projects SET event_seq = ? WHERE id = ?').run(head + 3 * size + 3, projectId);
  db.prepare('UPDATE pair_sequences SET last_seq = last_seq + ?').run(1000 + size);
  db.close();
}

/** The plans of what an operation asks, on standard error. */
async function explain({ hub, operations, size }, name) {
  const texts = new Set();
  const { db } = hub.context;
  const original = { read: db.read, write: db.write };
  const listening = (method) => (first, second, third) => {
    const [scope, work, durability] = method === 'read' ? [undefined, first] : [first, second, third];
    const heard =
      (tx, verb) =>
      (sql, ...args) => {
        texts.add(sql);
        return tx[verb](sql, ...args);
      };
    const told = (tx) => work({ get: heard(tx, 'get'), all: heard(tx, 'all'), run: heard(tx, 'run') });
    return method === 'read' ? original.read.call(db, told) : original.write.call(db, scope, told, durability);
  };
  Object.assign(db, { read: listening('read'), write: listening('write') });
  try {
    await operations[name](-1);
  } finally {
    Object.assign(db, { read: original.read.bind(db), write: original.write.bind(db) });
  }
  const { name: path } = await db.describe();
  const raw = new Database(path, { readonly: true });
  process.stderr.write(`\n  ${name} with a history of ${size} is not flat; its statements:\n`);
  for (const sql of texts) {
    const plan = raw.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...Array((sql.match(/\?/g) ?? []).length).fill(null));
    process.stderr.write(`  ${sql.replace(/\s+/g, ' ').slice(0, 140)}\n${plan.map(({ detail }) => `      ${detail}\n`).join('')}`);
  }
  raw.close();
}
