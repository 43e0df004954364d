// What the laboratory of speed makes of its rows.

import { expect, it } from 'vitest';

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
