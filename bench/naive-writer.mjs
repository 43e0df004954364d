// One process that writes the rows of sends as most programs do: WAL, FULL, SQLite's own busy handler.
// node naive-writer.mjs STAGE SECONDS THINK_MS, where STAGE is what floors.mjs answered of the hub; answers by IPC.

import Database from 'better-sqlite3';
import { rowsOfSend } from './floors.mjs';

const [stage, seconds, thinkMs] = process.argv.slice(2).map((word) => JSON.parse(word));
const db = new Database(stage.path, { timeout: 5_000 });
for (const pragma of ['synchronous = FULL', 'foreign_keys = ON', 'wal_autocheckpoint = 4000']) db.pragma(pragma);
const send = db.transaction(rowsOfSend(db, stage)).immediate;
process.send('ready');
process.once('message', async () => {
  const end = performance.now() + seconds * 1_000;
  const times = [];
  let busy = 0;
  while (performance.now() < end) {
    const since = performance.now();
    try {
      send();
      times.push(performance.now() - since);
    } catch (error) {
      if (error.code !== 'SQLITE_BUSY') throw error;
      busy += 1;
    }
    if (thinkMs > 0) await new Promise((resolve) => setTimeout(resolve, thinkMs * (0.5 + Math.random())));
  }
  process.send({ times, busy }, () => process.exit(0));
});
