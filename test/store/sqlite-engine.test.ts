// The SQLite engine: what it promises of a write, how it waits for the lock, and what it does when the disk or the file fails it.

import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, it } from 'vitest';
import type { Db } from '../../src/store/db.ts';
import { openSqlite } from '../../src/store/sqlite.ts';
import { refused, send, until } from '../support/acts.ts';
import { attach, cleanup, scratch, sqlite, testHub } from '../support/engines.ts';
import { FakeClock } from '../support/fake-clock.ts';

async function open(place = scratch(), clock = new FakeClock()): Promise<{ db: Db; path: string; clock: FakeClock; place: string }> {
  const path = join(place, 'hub.db');
  const db = await openSqlite({ path, bellDir: join(place, 'run'), clock });
  cleanup(() => db.close());
  return { db, path, clock, place };
}

/** Another process, as far as SQLite is concerned. */
function outsider(path: string): Database.Database {
  const db = new Database(path, { timeout: 0 });
  cleanup(() => {
    db.close();
  });
  return db;
}

const put = (db: Db, id: string) =>
  db.write('', (tx) =>
    tx.run(`INSERT INTO projects (id, name, root, created_at, clock_at, event_seq, event_hash) VALUES (?, 'n', '/', 1, 1, 0, '')`, id),
  );
const projectIds = (db: Db) => db.read(async (read) => (await read.all('SELECT id FROM projects ORDER BY id')).map(({ id }) => id));

it('commits synced on both connections, also right after a relaxed write, and after opening again', async () => {
  const { db, place, clock } = await open();
  const synchronous = async (engine: Db, durability: 'synced' | 'relaxed') =>
    await engine.write('', async (tx) => (await tx.get('PRAGMA synchronous'))?.synchronous, durability);
  expect(await synchronous(db, 'relaxed')).toBe(1);
  expect(await synchronous(db, 'synced')).toBe(2);
  const [relaxed, synced] = await Promise.all([synchronous(db, 'relaxed'), synchronous(db, 'synced')]);
  expect([relaxed, synced]).toEqual([2, 2]);
  expect(await db.read(async (read) => (await read.get('PRAGMA synchronous'))?.synchronous)).toBe(2);
  await db.close();
  const again = await open(place, clock);
  for (const pragma of ['journal_mode', 'foreign_keys', 'trusted_schema', 'mmap_size'] as const) {
    const row = await again.db.write('', (tx) => tx.get(`PRAGMA ${pragma}`));
    expect(row?.[pragma]).toBe({ journal_mode: 'wal', foreign_keys: 1, trusted_schema: 0, mmap_size: 0 }[pragma]);
  }
  expect(await synchronous(again.db, 'synced')).toBe(2);
});

it('refuses to write through a read', async () => {
  const { db } = await open();
  await refused(
    'unavailable',
    db.read((read) => read.all('DELETE FROM projects RETURNING id')),
  );
});

it('rolls back and rejects a transaction that outlives its turn, and goes on with the next', async () => {
  const { db } = await open();
  const outlived = db.write('', async (tx) => {
    await tx.run(
      `INSERT INTO projects (id, name, root, created_at, clock_at, event_seq, event_hash) VALUES ('late', 'n', '/', 1, 1, 0, '')`,
    );
    await new Promise((resolve) => setTimeout(resolve, 1));
  });
  await expect(outlived).rejects.toThrow('outlived its turn');
  await put(db, 'next');
  expect(await projectIds(db)).toEqual(['next']);
});

it('does not let a transaction that never ends hold up the others', async () => {
  const { db } = await open();
  const stuck = db.write('', () => new Promise(() => {}));
  const next = put(db, 'next');
  await expect(stuck).rejects.toThrow('outlived its turn');
  await next.catch(() => put(db, 'next'));
  const reading = db.read(() => new Promise(() => {}));
  await expect(reading).rejects.toThrow('outlived its turn');
  expect(await projectIds(db)).toEqual(['next']);
});

it('waits for the lock of another process, and succeeds when it is free', async () => {
  const { db, path, clock } = await open();
  const other = outsider(path);
  other.exec('BEGIN IMMEDIATE');
  let done = false;
  const writing = put(db, 'one').then(() => {
    done = true;
  });
  for (let look = 0; look < 5; look++) {
    await until(() => clock.sleeping > 0);
    clock.advance(10);
  }
  expect(done).toBe(false);
  expect(await projectIds(db)).toEqual([]);
  other.exec('COMMIT');
  await until(() => clock.sleeping > 0);
  clock.advance(10);
  await writing;
  expect(await projectIds(db)).toEqual(['one']);
});

it('answers unavailable when the lock is never released, and works again afterwards', async () => {
  const { db, path, clock } = await open();
  const other = outsider(path);
  other.exec('BEGIN IMMEDIATE');
  const writing = refused('unavailable', put(db, 'one'));
  await until(() => clock.sleeping > 0);
  clock.advance(10_001);
  expect((await writing).message).toContain('locked by another process');
  other.exec('ROLLBACK');
  await put(db, 'two');
  expect(await projectIds(db)).toEqual(['two']);
});

it('says storage_full when the disk is full, changes nothing, goes on reading, and recovers', async () => {
  const hub = await testHub(sqlite);
  const alice = await attach(hub, 'alice');
  await attach(hub, 'bob');
  const limit = (pages: number) => hub.db.write('', (tx) => tx.get(`PRAGMA max_page_count = ${pages}`));
  const pages = await hub.db.read(async (read) => Number((await read.get('PRAGMA page_count'))?.page_count));
  await limit(pages);
  const big = 'x'.repeat(60_000);
  const refusal = await refused('storage_full', send(hub, alice, 'bob', big));
  expect([refusal.retryable, refusal.hint]).toEqual([true, expect.stringContaining('idempotency_key')]);
  const outcomes = await Promise.allSettled([send(hub, alice, 'bob', big), send(hub, alice, 'bob', 'small enough')]);
  expect(outcomes[0]?.status).toBe('rejected');
  await limit(1_073_741_823);
  await send(hub, alice, 'bob', big);
  const [verified] = await hub.verify();
  const fulfilled = outcomes.filter(({ status }) => status === 'fulfilled').length;
  expect([verified?.problems, verified?.messages]).toEqual([[], 1 + fulfilled]);
});

it('acknowledges nothing once its file was removed or replaced, and says so', async () => {
  for (const harm of [
    (path: string) => rmSync(path),
    (path: string) => {
      renameSync(path, `${path}.old`);
      writeFileSync(path, '');
    },
  ]) {
    const { db, path, clock } = await open();
    await put(db, 'one');
    harm(path);
    clock.advance(1_001);
    const refusal = await refused('unavailable', put(db, 'two'));
    expect(refusal.message).toContain('removed or replaced');
    await refused('unavailable', put(db, 'three'));
    expect(db.notices().join()).toContain('removed or replaced');
    // Not even reads: they would show what nobody writes to any more.
    await refused('unavailable', projectIds(db));
  }
});

it('answers unavailable after closing, instead of a defect', async () => {
  const { db } = await open();
  await db.close();
  await refused('unavailable', put(db, 'one'));
  await refused('unavailable', projectIds(db));
});

it('finishes what was begun before it closes', async () => {
  const { db, place } = await open();
  const writing = put(db, 'one');
  const reading = projectIds(db);
  await Promise.all([db.close(), writing, reading]);
  expect(await projectIds((await open(place)).db)).toEqual(['one']);
});

it('opens from many at once on an empty folder, with one migration', async () => {
  const place = scratch();
  const all = await Promise.all(Array.from({ length: 8 }, () => open(place)));
  await Promise.all(all.map(({ db }, i) => put(db, `p${i}`)));
  expect(await projectIds((all[0] ?? (await open(place))).db)).toHaveLength(8);
});
