// Room that is kept for a full disk.

import { execFile } from 'node:child_process';
import { existsSync, statfsSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { BALLAST_BYTES, ballastOf, giveUpBallast, layBallast } from '../../src/store/ballast.ts';
import { scratch } from '../support/engines.ts';

it('is laid once, whole and private, and can be given up', () => {
  const path = join(scratch(), 'hub.db');
  expect(giveUpBallast(path)).toBe(false);
  layBallast(path, 0);
  const { size, mode, mtimeMs } = statSync(ballastOf(path));
  expect([size, mode & 0o777]).toEqual([BALLAST_BYTES, 0o600]);
  layBallast(path, 0);
  expect(statSync(ballastOf(path)).mtimeMs).toBe(mtimeMs);
  truncateSync(ballastOf(path), 1_000); // whoever laid it was killed
  layBallast(path, 0);
  expect(statSync(ballastOf(path)).size).toBe(BALLAST_BYTES);
  expect(giveUpBallast(path)).toBe(true);
  expect(existsSync(ballastOf(path))).toBe(false);
});

it('is not laid where the disk would come below its floor', () => {
  const folder = scratch();
  const { bavail, bsize } = statfsSync(folder);
  layBallast(join(folder, 'hub.db'), bavail * bsize);
  expect(existsSync(ballastOf(join(folder, 'hub.db')))).toBe(false);
});

it('is one, however many processes lay it at once', async () => {
  const path = join(scratch(), 'hub.db');
  const module = new URL('../../src/store/ballast.ts', import.meta.url).href;
  const script = `import(${JSON.stringify(module.replace('/src/', '/build/').replace(/ts$/, 'js'))}).then((it) => it.layBallast(${JSON.stringify(path)}, 0))`;
  await Promise.all(Array.from({ length: 4 }, () => promisify(execFile)(process.execPath, ['-e', script])));
  expect(statSync(ballastOf(path)).size).toBe(BALLAST_BYTES);
});
