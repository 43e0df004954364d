// The floors: what the disk and SQLite cost by themselves, measured in the same run as what stands on them.

import { closeSync, fdatasyncSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { summary, timed } from './figures.mjs';

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
