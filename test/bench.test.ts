// The laboratory of speed takes minutes: what it was asked for wrongly it says at once.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const BENCH = fileURLToPath(new URL('../bench/run.mjs', import.meta.url));

it('names the sections when one is asked for that there is not, and measures nothing', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [BENCH, '--only', 'library,nosuch'], { encoding: 'utf8' });
  expect([status, stdout]).toEqual([2, '']);
  expect(stderr).toContain('there is no section nosuch. There are: floors, library,');
});
