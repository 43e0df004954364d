// The words by which a client starts Rookery, and by which they are known again.

import { mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { withLocks } from '../../src/clients/install/foreign-lock.ts';
import { programOf, shellWords, startsRookery } from '../../src/clients/install/program.ts';
import { refused } from '../support/acts.ts';
import { scratch } from '../support/engines.ts';

it('names Node by the name that outlives an upgrade, where there is one', () => {
  const folder = scratch();
  mkdirSync(join(folder, 'cellar'));
  const node = join(folder, 'cellar', 'node-22');
  writeFileSync(node, '');
  symlinkSync(node, join(folder, 'node'));
  expect(programOf('/x/dist/main.js', `relative:${join(folder, 'empty')}:${folder}`, node).node).toBe(join(folder, 'node'));
  writeFileSync(join(folder, 'cellar', 'node'), 'another');
  expect(programOf('/x/dist/main.js', `${join(folder, 'cellar')}:${folder}`, node).node).toBe(node);
  expect(programOf('/x/dist/main.js', undefined, node).node).toBe(node);
});

it('refuses to name a cache that is emptied', () => {
  expect(() => programOf('/home/me/.npm/_npx/1a2b/node_modules/rookery/dist/main.js', '')).toThrow(/npx/);
});

it('knows a Rookery by its package, and one that is gone by its name', () => {
  const folder = scratch();
  for (const [name, manifest] of [
    ['hub', '{"name":"rookery"}'],
    ['other', '{"name":"other"}'],
    ['broken', '{'],
  ] as const) {
    mkdirSync(join(folder, name, 'dist'), { recursive: true });
    writeFileSync(join(folder, name, 'dist', 'main.js'), '');
    writeFileSync(join(folder, name, 'package.json'), manifest);
  }
  const starts = (...words: string[]) => startsRookery(words, 'stdio');
  expect(starts('node', join(folder, 'hub', 'dist', 'main.js'), 'stdio')).toBe(true);
  expect(starts('node', join(folder, 'other', 'dist', 'main.js'), 'stdio')).toBe(false);
  expect(starts('node', join(folder, 'broken', 'dist', 'main.js'), 'stdio')).toBe(false);
  expect(starts('/usr/local/bin/rookery', 'stdio', '--agent', 'ada')).toBe(true);
  expect(starts('node', '/gone/rookery/dist/main.js', 'stdio')).toBe(true);
  expect(starts('node', '/gone/hub/dist/main.js', 'stdio')).toBe(false);
  expect(starts('node', join(folder, 'hub', 'dist', 'main.js'), 'hook')).toBe(false);
  expect(starts('stdio')).toBe(false);
});

it('reads the words of a line as a shell does', () => {
  expect(shellWords(`node "/a \\"b\\"/\\$c.js" 'd e' f\\ g h"i j"k`)).toEqual(['node', '/a "b"/$c.js', 'd e', 'f g', 'hi jk']);
});

it('waits for another program’s lock, takes an abandoned one for none, and holds its own', async () => {
  const lock = join(scratch(), 'file.lock');
  let slept = 0;
  const sleep = async (ms: number) => {
    slept += ms;
  };
  const around = (now: number) => ({ now, sleep });
  expect(await withLocks([lock], around(0), () => 'done')).toBe('done');
  mkdirSync(lock);
  const at = new Date(1_800_000_000_000);
  utimesSync(lock, at, at);
  await refused(
    'unavailable',
    withLocks([lock], around(at.getTime()), () => 'done'),
  );
  expect(slept).toBeGreaterThan(1_000);
  expect(await withLocks([lock], around(at.getTime() + 60_000), () => 'done')).toBe('done');
});
