// Faults of the files themselves: the database removed or replaced under running processes, its log or its index lost or cut between two
// starts, and bits that flip while nobody looks.

import {
  copyFileSync,
  cpSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { readOwn } from '../history.mjs';
import { chance, openHub, pause } from '../hub.mjs';
import { stage, startSender } from './stage.mjs';

/** The file goes away while two senders work. What is begun after that is acknowledged to nobody. */
export async function proveRemovedFile({ replaced }) {
  const home = await stage({ names: ['a', 'b'] });
  try {
    const senders = ['a', 'b'].map((name, index) => startSender(home, { name, to: index === 0 ? 'b' : 'a' }));
    await until(() => ['a', 'b'].every((name) => acked(home, name).length >= 20));
    const path = join(home.home, 'hub.db');
    const copy = `${path}.copy`;
    if (replaced) copyFileSync(path, copy);
    renameSync(path, `${path}.gone`);
    if (replaced) renameSync(copy, path);
    const at = Date.now();
    await until(() => ['a', 'b'].every((name) => refusedAfter(home, name, at) >= 5));
    for (const { child } of senders) child.kill('SIGKILL');
    await Promise.all(senders.map(({ ended }) => ended));
    const invoked = new Map();
    const bad = [];
    for (const name of ['a', 'b']) {
      for (const { id, t, phase, key, op } of readOwn(home.histories, name)) {
        if (phase === 'invoke') invoked.set(id, t);
        if (op === 'send' && phase === 'ok' && invoked.get(id) > at) bad.push(`${key} was acknowledged after the file was gone`);
      }
    }
    return { checked: 2, bad, note: replaced ? 'replaced by a copy' : 'removed' };
  } finally {
    home.done();
  }
}

/** What is left beside a database after kill -9 is lost or cut. It opens whole, or refuses; it never loses silently what was acknowledged. */
export async function proveLostLog() {
  const home = await stage({ names: ['a', 'b'] });
  try {
    const sender = startSender(home, { name: 'a', to: 'b' });
    await until(() => acked(home, 'a').length >= 60);
    sender.child.kill('SIGKILL');
    await sender.ended;
    const found = [];
    const bad = [];
    for (const [what, damage] of DAMAGES) {
      const copy = `${home.home}-copy`;
      cpSync(home.home, copy, { recursive: true });
      damage(join(copy, 'hub.db'));
      const outcome = await reopened(copy, acked(home, 'a'));
      found.push(`${what}: ${outcome}`);
      if (outcome === 'lost silently') bad.push(`${what}: acknowledged messages are missing, and nothing says so`);
      rmSync(copy, { recursive: true, force: true });
    }
    return { checked: DAMAGES.length, bad, note: found.join('; ') };
  } finally {
    home.done();
  }
}

const DAMAGES = [
  ['no -shm', (path) => rmSync(`${path}-shm`)],
  ['no -wal', (path) => rmSync(`${path}-wal`)],
  ['neither', (path) => rmSync(`${path}-wal`) ?? rmSync(`${path}-shm`)],
  ['-wal cut in half', (path) => truncateSync(`${path}-wal`, Math.floor(statSync(`${path}-wal`).size / 2))],
  ['-wal cut by one byte', (path) => truncateSync(`${path}-wal`, statSync(`${path}-wal`).size - 1)],
  ['-wal of zeros', (path) => writeFileSync(`${path}-wal`, Buffer.alloc(statSync(`${path}-wal`).size))],
];

async function reopened(home, keys) {
  let hub;
  try {
    hub = await openHub(home);
  } catch (error) {
    return error.code === 'unavailable' ? 'refused' : `failed: ${error.message}`;
  }
  const [there, notices] = [
    new Set((await hub.context.db.read((read) => read.all('SELECT body FROM messages'))).map(({ body }) => body)),
    hub.notices(),
  ];
  await hub.close();
  if (keys.every(({ body }) => there.has(body))) return 'whole';
  return notices.some((notice) => /older/.test(notice)) ? 'older, and says so' : 'lost silently';
}

/** Flips one bit in each of `flips` copies. Verification names the damage; what it does not see must not have changed any message. */
export async function proveBitFlips({ flips, seed }) {
  const luck = chance(seed);
  const home = await stage({ names: ['a', 'b'] });
  try {
    await startSender(home, { name: 'a', to: 'b', count: 150, padding: 200 }).ended;
    const path = join(home.home, 'hub.db');
    const db = new Database(path);
    db.pragma('wal_checkpoint(TRUNCATE)');
    db.close();
    const before = bodiesOf(path);
    const image = readFileSync(path);
    const text = Buffer.from('xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx');
    const inBodies = [...Array(image.length).keys()].filter((at) => at % 61 === 0 && image.subarray(at, at + 40).equals(text));
    const bad = [];
    let detected = 0;
    let bodies = 0;
    for (let flip = 0; flip < flips; flip++) {
      const inBody = flip % 2 === 0 && inBodies.length > 0;
      const at = inBody ? luck.pick(inBodies) : luck.below(image.length);
      const seen = await isDetected(home.home, at, 1 << luck.below(8), before);
      detected += seen === 'detected' ? 1 : 0;
      if (inBody) bodies += 1;
      if (seen === 'changed') bad.push(`byte ${at}: messages changed and nothing says so`);
    }
    return { checked: flips, bad, note: `${detected} detected (${bodies} were in texts); the others changed no message` };
  } finally {
    home.done();
  }
}

async function isDetected(home, at, bit, before) {
  const copy = `${home}-copy`;
  cpSync(home, copy, { recursive: true });
  const path = join(copy, 'hub.db');
  const byte = readFileSync(path).subarray(at, at + 1);
  const file = openSync(path, 'r+');
  writeSync(file, Buffer.from([byte[0] ^ bit]), 0, 1, at);
  try {
    const hub = await openHub(copy);
    try {
      if ((await hub.verify()).some(({ problems }) => problems.length > 0)) return 'detected';
      const check = await hub.context.db.read((read) => read.all('PRAGMA integrity_check'));
      if (check[0]?.integrity_check !== 'ok') return 'detected';
    } finally {
      await hub.close();
    }
    return bodiesOf(path).join() === before.join() ? 'harmless' : 'changed';
  } catch {
    return 'detected';
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

function bodiesOf(path) {
  const db = new Database(path, { readonly: true });
  try {
    return db.prepare('SELECT id, body FROM messages ORDER BY id').raw().all();
  } finally {
    db.close();
  }
}

function acked({ histories }, name) {
  return readOwn(histories, name).filter(({ op, phase }) => op === 'send' && phase === 'ok');
}

function refusedAfter({ histories }, name, at) {
  return readOwn(histories, name).filter(({ op, phase, t }) => op === 'send' && phase === 'fail' && t > at).length;
}

async function until(reached, limitMs = 60_000) {
  const deadline = performance.now() + limitMs;
  while (!reached()) {
    if (performance.now() > deadline) throw new Error('a condition was not reached in time');
    await pause(50);
  }
}
