// A database that is older than what was acknowledged says so, until it is restored or the loss is accepted.

import { copyFileSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Db } from '../../src/store/db.ts';
import { openSqlite } from '../../src/store/sqlite.ts';
import { cleanup, scratch } from '../support/engines.ts';
import { FakeClock } from '../support/fake-clock.ts';

async function open(place: string): Promise<Db> {
  const db = await openSqlite({ path: join(place, 'hub.db'), bellDir: join(place, 'run'), clock: new FakeClock() });
  cleanup(() => db.close());
  return db;
}

const put = (db: Db, id: string) =>
  db.write(id, (tx) =>
    tx.run(`INSERT INTO projects (id, name, root, created_at, clock_at, event_seq, event_hash) VALUES (?, 'n', '/', 1, 1, 1, '')`, id),
  );
const advance = (db: Db, id: string, durability: 'synced' | 'relaxed' = 'synced') =>
  db.write(id, (tx) => tx.run('UPDATE projects SET event_seq = event_seq + 1 WHERE id = ?', id), durability);
const isOlder = (db: Db) => db.notices().some((notice) => notice.includes('older than it was'));

/** A hub at event 3 whose database is then one at event 2. */
async function rolledBack(): Promise<{ place: string; path: string }> {
  const place = scratch();
  const path = join(place, 'hub.db');
  const first = await open(place);
  await put(first, 'prj');
  await advance(first, 'prj');
  await first.close();
  copyFileSync(path, join(place, 'copy.db'));
  const second = await open(place);
  expect(isOlder(second)).toBe(false);
  await advance(second, 'prj');
  await second.close();
  copyFileSync(join(place, 'copy.db'), path);
  return { place, path };
}

it('is said by every process until the loss is accepted, also after new promises', async () => {
  const { place, path } = await rolledBack();
  const db = await open(place);
  expect(db.notices().join()).toContain('event 3 of project prj was acknowledged and is missing');
  await advance(db, 'prj');
  await advance(db, 'prj');
  await db.close();
  const later = await open(place);
  expect(isOlder(later)).toBe(true);
  rmSync(`${path}-mark.older`);
  expect(isOlder(later)).toBe(false);
  await later.close();
  expect(isOlder(await open(place))).toBe(false);
});

it('is not said of what carried no promise, nor of a project that is gone', async () => {
  const place = scratch();
  const db = await open(place);
  await put(db, 'prj');
  await advance(db, 'prj', 'relaxed');
  await db.write('', (tx) => tx.run("UPDATE projects SET event_seq = 1 WHERE id = 'prj'"));
  await put(db, 'gone');
  await db.write('', (tx) => tx.run("DELETE FROM projects WHERE id = 'gone'"));
  await db.close();
  expect(isOlder(await open(place))).toBe(false);
  expect(existsSync(join(place, 'hub.db-mark'))).toBe(true);
});
