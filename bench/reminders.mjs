// Reminders: how fast due ones fire, beside the same rows updated and inserted by raw better-sqlite3 in batches of the same size; and what a
// hundred thousand pending ones cost while nothing is due.

import { join } from 'node:path';
import Database from 'better-sqlite3';
import { attachment, load, openHub, pause } from '../prove/hub.mjs';

const LIMITS = { pendingReminders: 1_000, remindersPerMinute: 100_000, inboxFull: 50_000, inboxWarn: 5_000 };
const BATCH = 25;
const PENDING = 100_000;

export async function benchReminders(home, table, { runs }) {
  const floor = rawFirings(home, runs);
  table.add(
    'raw firings a second',
    { p50: floor },
    { unit: '/s', note: `${runs} rows updated and inserted, ${BATCH} a transaction, FULL` },
  );
  table.add(
    'reminders fired a second',
    { p50: await hubFirings(home, runs) },
    { unit: '/s', floor: 'raw firings a second', note: 'message, delivery, two events and claim each' },
  );
  await benchPending(home, table);
}

function rawFirings(home, count) {
  const db = new Database(join(home, 'raw.db'));
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  db.exec(
    'CREATE TABLE due (id INTEGER PRIMARY KEY, at INTEGER, state TEXT); CREATE TABLE fired (id INTEGER PRIMARY KEY, due INTEGER, body TEXT)',
  );
  const insert = db.prepare("INSERT INTO due (at, state) VALUES (1, 'pending')");
  db.transaction(() => {
    for (let n = 0; n < count; n++) insert.run();
  }).immediate();
  const pick = db.prepare("SELECT id FROM due WHERE state = 'pending' LIMIT ?");
  const update = db.prepare("UPDATE due SET state = 'done' WHERE id = ?");
  const fire = db.prepare('INSERT INTO fired (due, body) VALUES (?, ?)');
  const body = 'x'.repeat(340);
  const batch = db.transaction(() => {
    const ids = pick.pluck().all(BATCH);
    for (const id of ids) {
      update.run(id);
      fire.run(id, body);
    }
    return ids.length;
  });
  const since = performance.now();
  while (batch.immediate() > 0);
  const rate = count / ((performance.now() - since) / 1000);
  db.close();
  return rate;
}

async function hubFirings(home, count) {
  const hub = await openHub(home, { limits: LIMITS });
  const owners = [];
  for (let n = 0; n < 20; n++) owners.push(await hub.sessions.attach(attachment(`owner-${n}`)));
  const at = new Date(Date.now() + 1_500).toISOString();
  await Promise.all(
    Array.from({ length: count }, (_, n) => hub.reminders.remind(owners[n % 20], { message: `r ${n}`, at }, { tool: 'remind' })),
  );
  await pause(Math.max(0, Date.parse(at) - Date.now() + 5));
  const since = performance.now();
  let fired = 0;
  for (;;) {
    const now = await hub.firing.fireDue();
    if (now === 0) break;
    fired += now;
  }
  const rate = fired / ((performance.now() - since) / 1000);
  await hub.close();
  if (fired !== count) throw new Error(`${fired} of ${count} reminders fired`);
  return rate;
}

/** A hub with its scheduler, idle: once with nothing pending, once with a hundred thousand. */
async function benchPending(home, table) {
  const [{ Scheduler }, { dutiesOf }, { openLog }, { systemClock }] = await Promise.all(
    ['scheduler/scheduler.js', 'scheduler/duties.js', 'system/log.js', 'system/clock.js'].map((path) => load(path)),
  );
  const hub = await openHub(home, { limits: LIMITS });
  const owner = await hub.sessions.attach(attachment('owner-0'));
  const scheduler = new Scheduler(hub, dutiesOf(hub), systemClock, openLog('silent'));
  scheduler.start();
  const empty = await idle();
  await fill(hub, owner);
  const full = await idle();
  await scheduler.stop();
  await hub.close();
  table.add('idle, nothing pending', { p50: empty.cpu }, { unit: 'us/s', note: 'processor time a second' });
  table.add(
    `idle, ${PENDING} reminders pending`,
    { p50: full.cpu },
    { unit: 'us/s', floor: 'idle, nothing pending', note: `RSS ${(full.rss - empty.rss).toFixed(1)} MB more, SQLite's cache included` },
  );
}

/** A second to settle, then processor time per second over five. */
async function idle() {
  global.gc?.();
  await pause(1_000);
  const before = process.cpuUsage();
  await pause(5_000);
  const { user, system } = process.cpuUsage(before);
  return { cpu: (user + system) / 5, rss: process.memoryUsage().rss / 2 ** 20 };
}

async function fill(hub, owner) {
  const { insertReminder } = await load('store/reminders.js');
  const at = Date.now() + 90 * 86_400_000;
  for (let from = 0; from < PENDING; from += 1_000) {
    await hub.context.db.write(owner.projectId, async (tx) => {
      for (let n = from; n < from + 1_000; n++) {
        await insertReminder(tx, {
          id: `rem_bench${String(n).padStart(8, '0')}`,
          projectId: owner.projectId,
          ownerId: owner.agentId,
          targetId: owner.agentId,
          sessionId: owner.sessionId,
          message: `pending ${n}`,
          onlyIf: null,
          cron: null,
          timezone: null,
          maxRuns: null,
          dueAt: at + n,
          attemptAt: at + n,
          createdAt: at,
        });
      }
    });
  }
}
