// The laboratory of speed takes minutes: what it was asked for wrongly it says at once.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const BENCH = fileURLToPath(new URL('../bench/run.mjs', import.meta.url));

it('names the sections when one is asked for that there is not, and measures nothing', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [BENCH, '--only', 'library,nosuch'], { encoding: 'utf8' });
  expect([status, stdout]).toEqual([2, '']);
  expect(stderr).toContain('--only: there is no nosuch. There are: floors, library,');
});

it('says of every target whether the rows of a run reach it, and nothing of what was not measured', async () => {
  const { verdicts } = await import(new URL('../bench/targets.mjs', import.meta.url).href);
  const rows = [
    { name: 'fdatasync', unit: 'us', p50: 200 },
    { name: 'library send', unit: 'us', p50: 250 },
    { name: '32 sends in flight', unit: '/s', p50: 4_000 },
    { name: '8 processes send, 0 ms think', unit: 'us', p50: 900, p99: 20_000, fairness: 0.9 },
  ];
  expect(verdicts(rows).map(({ target, value, met }: { target: number; value: number; met: boolean }) => [target, value, met])).toEqual([
    [1, 1.25, true],
    [3, 0.8, false],
    [8, 0.9, true],
    [8, 100, false],
  ]);
});
