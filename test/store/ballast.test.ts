// Room that is kept for a full disk.

import { existsSync, statfsSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
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
