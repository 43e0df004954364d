// The floors: what the disk and SQLite cost by themselves, measured in the same run as what stands on them.

import { closeSync, fdatasyncSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { attachment, openHub } from '../prove/hub.mjs';
import { rateSummary, summary, timed } from './figures.mjs';

const PAGE = Buffer.alloc(4_096, 1);
const BODY = 'x'.repeat(340);

/** One page overwritten and synced: the price of a promise. */
export async function fdatasyncFloor(folder, runs) {
  const file = openSync(join(folder, 'floor'), 'w');
  writeSync(file, Buffer.alloc(1 << 20), 0, 1 << 20, 0);
  fsyncSync(file);
  const times = await timed(runs, (n) => {
    writeSync(file, PAGE, 0, PAGE.length, (n % 256) * PAGE.length);
    fdatasyncSync(file);
  });
  closeSync(file);
  return summary(times);
}

/** One row of a message's size in a transaction of its own, WAL and FULL: the least that a durable send can be. */
export async function insertFloor(folder, runs) {
  const db = new Database(join(folder, 'floor.db'));
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  db.pragma('wal_autocheckpoint = 4000');
  db.exec('CREATE TABLE messages (id INTEGER PRIMARY KEY, recipient INTEGER, body TEXT)');
  const insert = db.prepare('INSERT INTO messages (recipient, body) VALUES (?, ?)');
  const times = await timed(runs, (n) => {
    insert.run(n % 8, BODY);
  });
  db.close();
  return summary(times);
}

/**
 * The rows of a send written into the hub's own tables by raw SQL, with the hub's settings: one send a commit, and 32. What a send costs beyond the
 * first is the hub's; what that costs beyond one insert is the price of what is promised of a message (its order, its history, its indexes).
 */
export async function sendFloors(home, table, { runs }) {
  const stage = await sendStage(home);
  const db = new Database(stage.path);
  for (const pragma of ['synchronous = FULL', 'foreign_keys = ON', 'wal_autocheckpoint = 4000']) db.pragma(pragma);
  const write = rowsOfSend(db, stage);
  const [begin, commit] = ['BEGIN IMMEDIATE', 'COMMIT'].map((sql) => db.prepare(sql));
  const group = (size) => () => {
    begin.run();
    for (let k = 0; k < size; k++) write();
    commit.run();
  };
  table.add('raw rows of a send', summary(await timed(runs, group(1))), { floor: 'fdatasync', note: 'five rows in twelve trees' });
  const times = await timed(Math.max(20, Math.round(runs / 16)), group(32), 5);
  const each = rateSummary(times.map((micros) => 32_000_000 / micros));
  table.add('raw rows of 32 sends a commit', each, { unit: '/s', note: 'sends a second' });
  db.close();
}

/** A hub of this home in which one agent has written to another; answers what `rowsOfSend` goes on from. */
export async function sendStage(home) {
  const hub = await openHub(home);
  const [from, to] = [await hub.sessions.attach(attachment('floor-a')), await hub.sessions.attach(attachment('floor-b'))];
  await hub.messages.send(from, { to: to.name, body: BODY, allowDuplicate: true }, { tool: 'send' });
  await hub.close();
  return { path: join(home, 'hub.db'), projectId: from.projectId, from: from.agentId, to: to.agentId };
}

/** Writes the rows of one more send, within a transaction of the caller's. */
export function rowsOfSend(db, { projectId, from, to }) {
  const message = copied(db, 'messages');
  const delivery = copied(db, 'deliveries', { recipient_id: to });
  const event = copied(db, 'events', { type: 'message.sent' });
  const pair = db.prepare('UPDATE pair_sequences SET last_seq = ? WHERE sender_id = ? AND recipient_id = ?');
  const last = db.prepare('SELECT event_seq FROM projects WHERE id = ?').pluck();
  const head = db.prepare('UPDATE projects SET event_seq = ? WHERE id = ?');
  return () => {
    const seq = last.get(projectId) + 1;
    const digits = String(seq).padStart(13, '0');
    event({ seq, subject: `msg_zz${digits}` });
    message({ id: `msg_zz${digits}`, seq, thread_id: `thr_zz${digits}` });
    pair.run(seq, from, to);
    delivery({ message_id: `msg_zz${digits}`, seq, sender_seq: seq });
    head.run(seq, projectId);
  };
}

/** Inserts rows that are like the newest one of a table but for what is given. */
export function copied(db, name, given = {}, newest = 'seq') {
  const columns = db.prepare(`SELECT name FROM pragma_table_info('${name}')`).pluck().all();
  const model = db.prepare(`SELECT * FROM ${name} ORDER BY ${newest} DESC LIMIT 1`).get();
  const insert = db.prepare(`INSERT INTO ${name} (${columns.join(', ')}) VALUES (${columns.map((column) => `@${column}`).join(', ')})`);
  return (own) => insert.run({ ...model, ...given, ...own });
}
