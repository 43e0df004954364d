// Reminders: how fast due ones fire, beside the same rows written by raw SQL into the hub's own tables; for how long that holds the lock, and how a
// send fares meanwhile; how late a lone one is; and what many pending ones cost while nothing is due.

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import Database from 'better-sqlite3';
import { attachment, LIMITS as BUSY, load, openHub, pause, scratch } from '../prove/hub.mjs';
import { quantile, summary } from './figures.mjs';
import { copied } from './floors.mjs';

const LIMITS = { ...BUSY, pendingReminders: 1_000, remindersPerMinute: 100_000 };
/** So many of the hub fire in one transaction. */
const BATCH = 100;
const OWNERS = 20;
const BODY = 'x'.repeat(340);
const UNASKED = { slowMs: null, slow() {}, busy() {} };

/** `large`: a million pending ones. */
export async function benchReminders(home, table, { runs, large }) {
  await apart((folder) => benchFirings(folder, table, runs));
  await apart((folder) => benchMeanwhile(folder, table));
  await apart((folder) => benchLateness(folder, table, Math.min(runs, 200)));
  await benchPending(home, table, large ? 1_000_000 : 100_000);
}

async function apart(work) {
  const { folder, done } = scratch();
  try {
    await work(folder);
  } finally {
    done();
  }
}

/** By turns, because the machine may be busy: as many raw ones, then the hub's. */
async function benchFirings(home, table, count) {
  const raw = await rawFirings(join(home, 'raw'), count);
  const hub = await hubFirings(home, count);
  const turns = [];
  for (let left = count; left > 0; left -= BATCH) turns.push([raw.fire(), await hub.fire()]);
  raw.close();
  await hub.close();
  const rates = (of) => ({ ...summary(turns.map((turn) => turn[of]).sort((a, b) => a - b)), p99: undefined });
  const synced = table.rows.find(({ name }) => name === 'fdatasync');
  if (synced !== undefined) table.add('fdatasync a second', { p50: 1e6 / synced.p50 }, { unit: '/s' });
  const floor = `raw rows of ${BATCH} firings a commit`;
  const floorNote = 'firings a second: message, delivery, claim, reminder, two events each';
  table.add(floor, rates(0), { unit: '/s', floor: 'fdatasync a second', note: floorNote });
  const ratio = synced === undefined ? '' : `${((rates(1).p50 * synced.p50) / 1e6).toFixed(2)} x fdatasync a second (target 10)`;
  table.add('reminders fired a second', rates(1), { unit: '/s', floor, note: ratio });
}

/** The rows of firings by raw SQL, with the hub's settings, like those that one firing of the hub left. */
async function rawFirings(home, count) {
  const hub = await openHub(home, { limits: LIMITS });
  const owner = await hub.sessions.attach(attachment('owner-0'));
  await fill(hub, [owner], 1, Date.now());
  await hub.firing.fireDue();
  await hub.close();
  const db = new Database(join(home, 'hub.db'));
  for (const pragma of ['synchronous = FULL', 'foreign_keys = ON', 'wal_autocheckpoint = 4000']) db.pragma(pragma);
  const write = rowsOfFiring(db, owner, count);
  const [begin, commit] = ['BEGIN IMMEDIATE', 'COMMIT'].map((sql) => db.prepare(sql));
  const fire = () => {
    const since = performance.now();
    begin.run();
    for (let n = 0; n < BATCH; n++) write(n);
    commit.run();
    return (BATCH * 1_000) / (performance.now() - since);
  };
  return { fire, close: () => db.close() };
}

function rowsOfFiring(db, { projectId, agentId }, count) {
  const reminder = copied(db, 'reminders', { state: 'pending', closed_at: null }, 'created_at');
  const nth = (prefix, n) => `${prefix}_zz${String(n).padStart(13, '0')}`;
  db.transaction(() => {
    for (let n = 1; n <= count + BATCH; n++) reminder({ id: nth('rem', n) });
  }).immediate();
  const [message, delivery, event] = ['messages', 'deliveries', 'events'].map((name) => copied(db, name));
  const claim = copied(db, 'reminder_firings', {}, 'fired_at');
  const done = db.prepare(`UPDATE reminders SET state = 'done', runs = 1, closed_at = ? WHERE id = ? AND state = 'pending'`);
  const pair = db.prepare('UPDATE pair_sequences SET last_seq = ? WHERE sender_id = ? AND recipient_id = ?');
  const head = db.prepare('UPDATE projects SET event_seq = ? WHERE id = ?');
  const start = db.prepare('SELECT event_seq FROM projects WHERE id = ?').pluck().get(projectId);
  let n = 0;
  return (place) => {
    n += 1;
    const [id, rem, seq] = [nth('msg', n), nth('rem', n), start + 2 * n - 1];
    event({ seq, subject: id, type: 'message.sent' });
    message({ id, seq, thread_id: nth('thr', n), ref: rem });
    delivery({ message_id: id, seq, sender_seq: 1 + n });
    event({ seq: seq + 1, subject: rem });
    claim({ reminder_id: rem, message_id: id });
    done.run(Date.now(), rem);
    // Once for each pair of a batch, and once for a batch.
    if (place < OWNERS) pair.run(1 + n, agentId, agentId);
    if (place === 0) head.run(seq + 1, projectId);
  };
}

/** A hub in which so many reminders of twenty owners are due; `fire` fires a batch of them or more, and answers how many a second. */
async function hubFirings(home, count) {
  const hub = await openHub(home, { limits: LIMITS });
  const owners = await attachOwners(hub);
  await fill(hub, owners, 2 * (count + 2 * BATCH), Date.now()); // a batch more than asked for may fire
  const fire = async () => {
    const since = performance.now();
    let fired = 0;
    while (fired < BATCH) {
      const now = await hub.firing.fireDue();
      if (now === 0) break;
      fired += now;
    }
    return (fired * 1_000) / (performance.now() - since);
  };
  for (let warm = 0; warm < 2; warm++) await fire();
  return { fire, close: () => hub.close() };
}

/** A thousand due at once, under the scheduler of a server, while somebody sends every five milliseconds. */
async function benchMeanwhile(home, table) {
  const held = [];
  const observer = { ...UNASKED, committed: (_writes, _waited, heldMs) => held.push(heldMs) };
  const hub = await openHub(home, { limits: LIMITS, observer });
  const owners = await attachOwners(hub);
  const stop = await schedule(hub);
  await sendsOver(hub, owners, 1_000); // warm
  const idle = await sendsOver(hub, owners, 1_000);
  const dueAt = Date.now() + 2_000;
  await fill(hub, owners, 1_000, dueAt);
  await pause(dueAt - Date.now() - 100);
  held.length = 0;
  const { times: busy, until } = await sendsUntilFired(hub, owners, 1_000);
  await stop();
  const { transactions } = await hub.context.db.read((read) =>
    read.get('SELECT COUNT(DISTINCT fired_at) AS transactions FROM reminder_firings'),
  );
  await hub.close();
  const sorted = held.sort((a, b) => a - b);
  const blocked = `p95 ${ms(quantile(busy, 0.95) / 1_000)} (at most 100); lock held at most ${ms(sorted.at(-1))} (target 3)`;
  table.add('send, nothing due', summary(idle));
  table.add('send while 1,000 fire', summary(busy), {
    floor: 'send, nothing due',
    note: `${blocked}; ${transactions} transactions (at most 10), the last after ${until - dueAt} ms`,
  });
}

const ms = (value) => `${value.toFixed(1)} ms`;

async function sendsOver(hub, [from, to], forMs) {
  const times = [];
  for (const until = performance.now() + forMs; performance.now() < until; await pause(5)) times.push(await send(hub, from, to));
  return times.sort((a, b) => a - b);
}

async function sendsUntilFired(hub, [from, to], count) {
  const times = [];
  for (;;) {
    times.push(await send(hub, from, to));
    const { n, until } = await hub.context.db.read((read) =>
      read.get('SELECT COUNT(*) AS n, MAX(fired_at) AS until FROM reminder_firings'),
    );
    if (n >= count) return { times: times.sort((a, b) => a - b), until };
    await pause(5);
  }
}

async function send(hub, from, to) {
  const since = performance.now();
  await hub.messages.send(from, { to: to.name, body: BODY, allowDuplicate: true }, { tool: 'send' });
  return (performance.now() - since) * 1_000;
}

/** From its due instant to its commit, one at a time under an idle scheduler. */
async function benchLateness(home, table, count) {
  let told = () => {};
  const hub = await openHub(home, { limits: LIMITS, observer: { ...UNASKED, committed: () => told(now()) } });
  const [owner] = await attachOwners(hub);
  const db = new Database(join(home, 'hub.db'), { readonly: true });
  const fired = db.prepare('SELECT COUNT(*) FROM reminder_firings').pluck();
  const stop = await schedule(hub);
  const late = [];
  for (let n = 0; n < count; n++) {
    const dueAt = Date.now() + 60 + (n % 40);
    await fill(hub, [owner], 1, dueAt);
    const at = await new Promise((resolve) => {
      told = (instant) => fired.get() > n && resolve(instant);
    });
    late.push((at - dueAt) * 1_000);
  }
  await stop();
  db.close();
  await hub.close();
  late.sort((a, b) => a - b);
  table.add('lateness of a lone reminder', summary(late), { note: 'due instant to commit (target: p99 at most 5,000)' });
}

const now = () => performance.timeOrigin + performance.now();

/** An idle hub with its scheduler: once with nothing pending, once with so many. */
async function benchPending(home, table, count) {
  const hub = await openHub(home, { limits: LIMITS });
  const owner = await hub.sessions.attach(attachment('owner-0'));
  const empty = await idle(home);
  await fill(hub, [owner], count, Date.now() + 90 * 86_400_000);
  const full = await idle(home);
  await hub.close();
  table.add('idle, nothing pending', { p50: empty.cpu }, { unit: 'us/s', note: 'processor time a second' });
  const note = `RSS ${empty.rss.toFixed(1)} MB, then ${full.rss.toFixed(1)} MB${count >= 1_000_000 ? ' (target: 5 more)' : ''}`;
  table.add(`idle, ${count} reminders pending`, { p50: full.cpu }, { unit: 'us/s', floor: 'idle, nothing pending', note });
}

async function idle(home) {
  const program = fileURLToPath(new URL('idle-hub.mjs', import.meta.url));
  return JSON.parse((await promisify(execFile)(process.execPath, ['--expose-gc', program, home])).stdout);
}

/** Starts the scheduler of a hub; answers how it is stopped. */
export async function schedule(hub) {
  const [{ Scheduler }, { dutiesOf }, { openLog }, { systemClock }] = await Promise.all(
    ['scheduler/scheduler.js', 'scheduler/duties.js', 'system/log.js', 'system/clock.js'].map((path) => load(path)),
  );
  const scheduler = new Scheduler(hub, dutiesOf(hub), systemClock, openLog('silent'));
  scheduler.start();
  return () => scheduler.stop();
}

async function attachOwners(hub) {
  const owners = [];
  for (let n = 0; n < OWNERS; n++) owners.push(await hub.sessions.attach(attachment(`owner-${n}`)));
  return owners;
}

/** Reminders of these by turns, due at one instant, straight into their table. */
async function fill(hub, owners, count, dueAt) {
  const { insertReminder } = await load('store/reminders.js');
  const first = String(performance.now()).replace('.', '');
  for (let from = 0; from < count; from += 1_000) {
    await hub.context.db.write(owners[0].projectId, async (tx) => {
      for (let n = from; n < Math.min(count, from + 1_000); n++) {
        const { projectId, agentId, sessionId } = owners[n % owners.length];
        const given = {
          id: `rem_bench${first}n${String(n).padStart(8, '0')}`,
          message: `pending ${n}`,
          dueAt,
          attemptAt: dueAt,
          createdAt: dueAt,
        };
        const none = { onlyIf: null, cron: null, timezone: null, maxRuns: null };
        await insertReminder(tx, { projectId, ownerId: agentId, targetId: agentId, sessionId, ...given, ...none });
      }
    });
  }
}
