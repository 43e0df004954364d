// One process that inserts as most programs do: WAL, FULL, SQLite's own busy handler. node naive-writer.mjs FILE SECONDS THINK_MS;
// answers by IPC.

import Database from 'better-sqlite3';

const [path, seconds, thinkMs] = process.argv.slice(2);
const db = new Database(path, { timeout: 5_000 });
db.pragma('journal_mode = WAL');
db.pragma('synchronous = FULL');
db.exec('CREATE TABLE IF NOT EXISTS messages (id INTEGER PRIMARY KEY, recipient INTEGER, body TEXT)');
const insert = db.prepare('INSERT INTO messages (recipient, body) VALUES (?, ?)');
const body = 'x'.repeat(340);
process.send('ready');
process.once('message', async () => {
  const end = performance.now() + Number(seconds) * 1_000;
  const times = [];
  let busy = 0;
  while (performance.now() < end) {
    const since = performance.now();
    try {
      insert.run(1, body);
      times.push(performance.now() - since);
    } catch {
      busy += 1;
    }
    if (Number(thinkMs) > 0) await new Promise((resolve) => setTimeout(resolve, Number(thinkMs) * (0.5 + Math.random())));
  }
  process.send({ times, busy }, () => process.exit(0));
});
