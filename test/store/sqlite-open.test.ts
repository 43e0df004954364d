// Opening: what is refused, with a sentence and a remedy, and left as it was (C20).

import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, it } from 'vitest';
import type { Read } from '../../src/store/db.ts';
import { APPLICATION_ID, migrationsOf, schemaVersion } from '../../src/store/migrate.ts';
import { openSqlite } from '../../src/store/sqlite.ts';
import { isTrustedSqlite, type SqliteOptions } from '../../src/store/sqlite-open.ts';
import { refused } from '../support/acts.ts';
import { cleanup, scratch } from '../support/engines.ts';
import { FakeClock } from '../support/fake-clock.ts';

async function open(place: string, more: Partial<SqliteOptions> = {}) {
  const db = await openSqlite({ path: join(place, 'hub.db'), bellDir: join(place, 'run'), clock: new FakeClock(), ...more });
  cleanup(() => db.close());
  return db;
}

const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);

it('trusts SQLite from 3.51.3 on, but not 3.52.0', () => {
  for (const version of ['3.51.3', '3.51.10', '3.52.1', '3.60.0', '4.0.0'])
    expect([version, isTrustedSqlite(version)]).toEqual([version, true]);
  for (const version of ['3.51.2', '3.52.0', '3.6.9', '3.40.1', '2.99.99', ''])
    expect([version, isTrustedSqlite(version)]).toEqual([version, false]);
});

it('keeps its files to its user, whatever the umask', async () => {
  const before = process.umask(0o022);
  try {
    const place = join(scratch(), 'new', 'home');
    const db = await open(place);
    await db.write('', (tx) => tx.run('UPDATE hub SET beat_at = 1'));
    db.listen(true);
    expect([
      mode(place),
      mode(join(place, 'hub.db')),
      mode(join(place, 'hub.db-wal')),
      mode(join(place, 'hub.db-shm')),
      mode(join(place, 'run')),
    ]).toEqual(['700', '600', '600', '600', '700']);
  } finally {
    process.umask(before);
  }
});

it('works with the cache that SQLite gives', async () => {
  const place = scratch();
  await (await open(place)).close();
  const db = await open(place);
  const usual = new Database(':memory:').pragma('cache_size', { simple: true });
  const size = async (read: Read) => Object.values((await read.get('PRAGMA cache_size')) ?? {});
  expect([await db.read(size), await db.write('', size)]).toEqual([[usual], [usual]]);
});

it('takes an empty file that others may read into its own keeping', async () => {
  const place = scratch();
  writeFileSync(join(place, 'hub.db'), '', { mode: 0o644 });
  await open(place);
  expect(mode(join(place, 'hub.db'))).toBe('600');
});

it('refuses a folder that others can read', async () => {
  const place = scratch();
  chmodSync(place, 0o755);
  const refusal = await refused('unavailable', open(place));
  expect([refusal.message, refusal.hint]).toEqual([expect.stringContaining('mode 755'), `Run: chmod 700 ${place}`]);
  expect(existsSync(join(place, 'hub.db'))).toBe(false);
});

it('refuses a network file system unless told otherwise', async () => {
  const place = scratch();
  const refusal = await refused('unavailable', open(place, { fileSystemOf: () => 'network' }));
  expect(refusal.hint).toContain('local disk');
  await open(place, { fileSystemOf: () => 'network', allowNetworkFs: true });
});

it('refuses a database of another program and leaves every byte of it', async () => {
  for (const version of [0, schemaVersion('sqlite')]) {
    const place = scratch();
    const path = join(place, 'hub.db');
    const other = new Database(path);
    other.exec(`CREATE TABLE theirs (x); PRAGMA user_version = ${version}`);
    other.close();
    const before = readFileSync(path);
    expect((await refused('unavailable', open(place))).message).toContain('another program');
    expect(readFileSync(path).equals(before)).toBe(true);
  }
});

it('refuses a newer schema', async () => {
  const place = scratch();
  await (await open(place)).close();
  const raw = new Database(join(place, 'hub.db'));
  raw.pragma(`user_version = ${schemaVersion('sqlite') + 1}`);
  raw.close();
  const refusal = await refused('unavailable', open(place));
  expect([refusal.message, refusal.hint]).toEqual([expect.stringContaining('newer Rookery'), expect.stringContaining('Update Rookery')]);
});

it('refuses a damaged file and leaves every byte of it', async () => {
  const place = scratch();
  const path = join(place, 'hub.db');
  writeFileSync(path, 'this is no database, but somebody’s only copy of something'.repeat(100), { mode: 0o600 });
  const before = readFileSync(path);
  expect((await refused('unavailable', open(place))).message).toContain('kept as it is');
  expect(readFileSync(path).equals(before)).toBe(true);
});

it('refuses a file with a damaged page in the middle', async () => {
  const place = scratch();
  const path = join(place, 'hub.db');
  await (await open(place)).close();
  const file = openSync(path, 'r+');
  for (let page = 2; page < 8; page++) writeSync(file, Buffer.alloc(64, 0xff), 0, 64, page * 4096);
  closeSync(file);
  const before = readFileSync(path);
  const refusal = await refused('unavailable', open(place));
  expect(refusal.hint).toContain('restore');
  expect(readFileSync(path).equals(before)).toBe(true);
});

it('refuses a path that is a folder, with a remedy', async () => {
  const place = scratch();
  mkdirSync(join(place, 'hub.db'));
  expect((await refused('unavailable', open(place))).hint).toBeDefined();
});

it('upgrades a database of every older schema, keeps a copy, and changes nothing the second time', async () => {
  for (const old of migrationsOf('sqlite').slice(0, -1)) {
    const [place, backupDir] = [scratch(), join(scratch(), 'backups')];
    const before = new Database(join(place, 'hub.db'));
    for (const { version, sql } of migrationsOf('sqlite')) if (version <= old.version) before.exec(sql);
    before.pragma(`application_id = ${APPLICATION_ID}`);
    before.pragma(`user_version = ${old.version}`);
    before.exec(
      "INSERT INTO projects (id, name, root, created_at, clock_at, event_seq, event_hash) VALUES ('kept', 'n', '/', 1, 1, 0, '')",
    );
    before.close();
    chmodSync(join(place, 'hub.db'), 0o600);
    for (let time = 0; time < 2; time++) {
      const db = await open(place, { backupDir });
      expect(await db.read((read) => read.all('SELECT id FROM projects'))).toEqual([{ id: 'kept' }]);
      expect(await db.read((read) => read.get('PRAGMA user_version'))).toEqual({ user_version: schemaVersion('sqlite') });
    }
    const [copy = '', ...more] = readdirSync(backupDir);
    expect([more, mode(join(backupDir, copy))]).toEqual([[], '600']);
    const kept = new Database(join(backupDir, copy), { readonly: true });
    expect(kept.pragma('user_version', { simple: true })).toBe(old.version);
    kept.close();
  }
});
