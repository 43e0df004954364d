// What the checker of histories (prove/check.mjs) makes of receipts: a finding that is none costs as much trust as one that is missed.

import { expect, it } from 'vitest';

type Line = { op: string; phase: string; [field: string]: unknown };

const { check, CHECKS } = await import(new URL('../prove/check.mjs', import.meta.url).href);
const ONLY = CHECKS.filter(([id]: [string]) => id === 'C4');

const shown = (receipt: string, attempt: number): Line[] => [
  { op: 'recv', phase: 'ok', result: { receipt, messages: [{ id: 'm', attempt }] } },
];
const returned: Line[] = [{ op: 'nack', phase: 'ok', result: { returned: ['m'] } }];
const echoed = (receipt: string): Line[] => [{ op: 'ack', phase: 'invoke', receipt }];
const tried = (receipt: string, verdict: object): Line[] => [
  { op: 'stale-receipt', phase: 'invoke', receipt },
  { op: 'stale-receipt', phase: 'ok', receipt, ...verdict },
];
const accepted = { result: { acked: ['m'] } };
const refused = { phase: 'fail', code: 'stale_receipt' };

it.each<[string, Line[], string, number, number]>([
  ['an echo of what was shown', [...shown('r1', 1), ...echoed('r1')], 'r1', 1, 0],
  ['an echo of what was shown last', [...shown('r1', 1), ...shown('r2', 2), ...tried('r1', refused), ...echoed('r2')], 'r2', 2, 0],
  ['no echo at all', shown('r1', 1), 'r1', 1, 1],
  ['an older receipt acknowledged what is under a newer one', [...shown('r1', 1), ...shown('r2', 2), ...tried('r1', accepted)], 'r2', 2, 2],
  ['an echo of what was returned from it', [...shown('r1', 1), ...returned, ...echoed('r1')], 'r1', 1, 1],
  ['another attempt than was shown', [...shown('r1', 1), ...echoed('r1')], 'r1', 2, 1],
  [
    'a lease that was forgotten: the older receipt is current again',
    [...shown('r1', 1), ...shown('r2', 2), ...tried('r1', accepted)],
    'r1',
    1,
    0,
  ],
  [
    'a lease that was forgotten: returned, and the same attempt shown again',
    [...shown('r1', 1), ...shown('r2', 2), ...returned, ...shown('r3', 2), ...echoed('r3')],
    'r3',
    2,
    0,
  ],
])('%s', (_name, history, receipt, attempt, findings) => {
  const deliveries = [{ message_id: 'm', to: 'ben', state: 'acked', receipt, attempt }];
  const [{ bad }] = check({ history: history.map((line) => ({ client: 'ben', ...line })), deliveries }, ONLY);
  expect(bad).toHaveLength(findings);
});
