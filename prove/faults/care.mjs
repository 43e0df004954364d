// Care under load: a backup taken while senders write is a prefix of the history and restores to a sound hub; and a migration killed at every
// write leaves the old schema or the new one, never something between.

import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import Database from 'better-sqlite3';
import { readOwn } from '../history.mjs';
import { load, openHub, PACKAGE, pause, program, scratch } from '../hub.mjs';
import { missing, stage, startSender } from './stage.mjs';

const run = promisify(execFile);

/** `backups` backups of a hub that three senders write to; each restored elsewhere and held against the history that went on. */
export async function proveBackups({ backups }) {
  const home = await stage({ names: ['a', 'b', 'c'] });
  const senders = ['a', 'b', 'c'].map((name) => startSender(home, { name, to: name === 'a' ? 'b' : 'a' }));
  const copies = [];
  const bad = [];
  try {
    for (let n = 0; n < backups; n++) {
      while (ackedOf(home).length < (n + 1) * 60) await pause(50);
      const acked = ackedOf(home);
      const file = join(home.histories, `backup-${n}.db`);
      await command(home.home, 'backup', file);
      copies.push({ file, acked: acked.map(({ result }) => result.message_id) });
    }
    for (const { child } of senders) child.kill('SIGKILL');
    await Promise.all(senders.map(({ ended }) => ended));
    const whole = await eventsOf(home.home);
    for (const { file, acked } of copies) bad.push(...(await judgeBackup(file, acked, whole)));
    return { checked: backups, bad, note: `${copies.at(-1)?.acked.length ?? 0} messages in the last, ${whole.length} events at the end` };
  } finally {
    for (const { child } of senders) child.kill('SIGKILL');
    home.done();
  }
}

function ackedOf({ histories }) {
  return ['a', 'b', 'c'].flatMap((name) => readOwn(histories, name).filter(({ op, phase }) => op === 'send' && phase === 'ok'));
}

async function judgeBackup(file, acked, whole) {
  const { folder, done } = scratch();
  const bad = [];
  try {
    await (await openHub(folder)).close();
    await command(folder, 'restore', file);
    const events = await eventsOf(folder);
    for (const [index, { hash }] of events.entries())
      if (whole[index]?.hash !== hash) {
        bad.push(`event ${index + 1} of the backup is another than that of the history`);
        break;
      }
    const hub = await openHub(folder);
    for (const { problems } of await hub.verify()) bad.push(...problems);
    const there = new Set((await hub.context.db.read((read) => read.all('SELECT id FROM messages'))).map(({ id }) => id));
    await hub.close();
    const lost = acked.filter((id) => !there.has(id));
    if (lost.length > 0) bad.push(`${lost.length} messages acknowledged before the backup are not in it`);
  } finally {
    done();
  }
  return bad;
}

/**
 * The start that migrates is killed at its n-th statement, from the oldest schema for each `every`-th, from the others, whose statements are among
 * those, for each `others`-th; and under strace at each `writes`-th write, from the oldest and the last but one. Afterwards the schema is the old one or the new one, and the next start goes through.
 */
export async function proveMigrations({ every = 1, others = 20, writes = 3, root = PACKAGE }) {
  const { APPLICATION_ID, migrationsOf } = await load('store/migrate.js');
  const migrations = migrationsOf('sqlite');
  const newest = migrations.at(-1).version;
  const bad = [];
  const kills = { statements: 0, writes: 0 };
  for (let version = 1; version < newest; version++) {
    const { folder, done } = scratch({ inMemory: true });
    try {
      const original = join(folder, 'original');
      mkdirSync(original, { mode: 0o700 });
      const db = new Database(join(original, 'hub.db'));
      db.pragma('journal_mode = WAL');
      for (const migration of migrations.slice(0, version)) db.exec(migration.sql);
      db.pragma(`application_id = ${APPLICATION_ID}`);
      db.pragma(`user_version = ${version}`);
      db.close();
      const sweep = async (kind, each, open) => {
        for (let when = each, killed = true; killed && when < 2_000; when += each) {
          const home = join(folder, `${kind}-${when}`);
          cpSync(original, home, { recursive: true });
          killed = await open(home, when);
          if (killed) kills[kind] += 1;
          bad.push(...(await judgeMigrated(home, version, newest)));
        }
      };
      await sweep('statements', version === 1 ? every : others, (home, when) => openToStatement(home, when, root));
      if (missing(['linux', 'strace']) === undefined && (version === 1 || version === newest - 1))
        await sweep('writes', writes, (home, when) => openUnder(home, `signal=KILL:when=${when}`, root));
    } finally {
      done();
    }
  }
  return {
    checked: kills.statements + kills.writes,
    bad,
    note: `${newest - 1} older schemas, ${kills.statements} kills at statements, ${kills.writes} at writes`,
  };
}

/** A script that opens the database, which migrates it. The hub around it would only make each of hundreds of starts longer. */
function opening(home) {
  return `const { load, openDatabase } = await import(${JSON.stringify(new URL('../hub.mjs', import.meta.url).href)});
const { systemClock } = await load('system/clock.js', process.env.PROVE_PACKAGE);
await (await openDatabase(${JSON.stringify(home)}, process.env.PROVE_PACKAGE, systemClock)).close();
`;
}

/** Opens the database in a process that kills itself before its n-th statement of SQL. Answers whether it came to that. */
async function openToStatement(home, when, root) {
  const script = join(home, 'open.mjs');
  writeFileSync(
    script,
    `import { createRequire } from 'node:module';
const require = createRequire(${JSON.stringify(import.meta.url)});
const path = require.resolve('better-sqlite3');
const Plain = require(path);
let left = ${when};
const patched = new (require('node:module'))(path);
require.cache[path] = Object.assign(patched, { filename: path, loaded: true });
patched.exports = class extends Plain {
  constructor(file, options) {
    super(file, { ...options, verbose: () => { if (--left === 0) process.kill(process.pid, 'SIGKILL'); } });
  }
};
${opening(home)}`,
  );
  return await run(process.execPath, [script], { env: { ...process.env, PROVE_PACKAGE: root } }).then(
    () => false,
    (error) => {
      if (error.signal === 'SIGKILL') return true;
      throw error;
    },
  );
}

/** Opens it in a process that is killed at one of its writes. Answers whether it was. */
async function openUnder(home, what, root) {
  const script = join(home, 'open.mjs');
  writeFileSync(script, opening(home));
  const args = [
    '-f',
    '-qqq',
    '-o',
    '/dev/null',
    '-e',
    'trace=pwrite64,fdatasync',
    '-e',
    `inject=pwrite64,fdatasync:${what}`,
    process.execPath,
    script,
  ];
  const env = { ...process.env, PROVE_PACKAGE: root };
  return await run('strace', args, { env }).then(
    () => false,
    (error) => error.signal === 'SIGKILL' || error.code === 137,
  );
}

async function judgeMigrated(home, old, newest) {
  const path = join(home, 'hub.db');
  const db = new Database(path);
  const found = db.pragma('user_version', { simple: true });
  const sound = db.pragma('integrity_check', { simple: true });
  db.close();
  const bad = [];
  if (found !== old && found !== newest) bad.push(`from schema ${old}: killed, it is at ${found}`);
  if (sound !== 'ok') bad.push(`from schema ${old}: ${sound}`);
  const hub = await openHub(home).catch((error) => bad.push(`from schema ${old}: does not open: ${error.message}`));
  if (typeof hub === 'object') await hub.close();
  rmSync(home, { recursive: true, force: true });
  return bad;
}

async function command(home, ...args) {
  await run(process.execPath, [program(), ...args, '--home', home], { cwd: home });
}

async function eventsOf(home) {
  const hub = await openHub(home);
  const events = await hub.context.db.read((read) => read.all('SELECT seq, hash FROM events ORDER BY seq'));
  await hub.close();
  return events;
}
