import { existsSync, rmSync } from 'node:fs';
import Database from 'better-sqlite3';
import { expect, it } from 'vitest';
import { migrationsOf } from '../../src/store/migrate.ts';
import { scratch } from '../support/engines.ts';
import { freshHub, rookeryOn } from './command-line.ts';

it('migrate says what would be done, does it with a copy kept, and then has nothing to do', { timeout: 180_000 }, async () => {
  const { home, path, json } = await freshHub();
  for (const part of ['', '-wal', '-shm', '-mark']) rmSync(path + part, { force: true });
  const old = new Database(path);
  for (const { version, sql } of migrationsOf('sqlite')) if (version <= 12) old.exec(sql);
  old.pragma(`application_id = ${0x524f4f4b}`);
  old.pragma('user_version = 12');
  old.close();
  const known = migrationsOf('sqlite').at(-1)?.version;
  const dry = await json('migrate', '--dry-run');
  expect(dry).toMatchObject({ dry_run: true, schema: 12, known, migrated: false, copy: null });
  expect(dry.pending[0]).toEqual({ version: 13, name: 'reservations' });
  const done = await json('migrate');
  expect(done).toMatchObject({ migrated: true, copy: expect.stringContaining(`${home}/backups/before-schema-13-`) });
  expect(existsSync(done.copy)).toBe(true);
  expect(await json('migrate')).toMatchObject({ schema: known, pending: [], migrated: false });
});

it('migrate looks at no hub where there is none', async () => {
  const home = scratch();
  const { run } = rookeryOn(home);
  expect(await run('migrate')).toMatchObject({ code: 1, stderr: expect.stringContaining('There is no hub') });
  expect(existsSync(`${home}/hub.db`)).toBe(false);
});
