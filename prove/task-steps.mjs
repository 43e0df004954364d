// What can happen to tasks, as random sequences for their property (task-property.mjs).

import { MINUTE, WORKERS } from './task-hours.mjs';

const POLICIES = ['block', 'cancel', 'ignore'];
const PRIORITIES = ['low', 'normal', 'high', 'urgent'];

/** Orders first, and then up to `most` steps of any kind. */
export function steps(fc, most) {
  const who = fc.constantFrom(...WORKERS.map(({ name }) => name));
  const anybody = fc.constantFrom('boss', ...WORKERS.map(({ name }) => name));
  const speaker = fc.constantFrom(...WORKERS.map(({ name }) => name), 'holder', 'holder', 'holder');
  const task = fc.nat(60);
  /** Something in `part` of ten cases, else nothing. */
  const perhaps = (arbitrary, part) => fc.oneof({ weight: part, arbitrary }, { weight: 10 - part, arbitrary: fc.constant(null) });
  const token = fc.constantFrom('current', 'current', 'current', 'old', 'none', 'future');
  const order = fc.record({
    op: fc.constant('create'),
    by: anybody,
    after: fc.array(fc.tuple(task, fc.constantFrom(...POLICIES)), { maxLength: 2 }),
    parent: perhaps(task, 3),
    needs: fc.subarray(['red', 'blue']),
    priority: fc.constantFrom(...PRIORITIES),
    assignee: perhaps(who, 2),
    wait: perhaps(fc.constantFrom(10 * MINUTE, 120 * MINUTE), 1),
    due: perhaps(fc.tuple(fc.constantFrom(5 * MINUTE, 60 * MINUTE), fc.constantFrom('tell', 'fail')), 2),
  });
  const step = fc.oneof(
    { weight: 4, arbitrary: order },
    { weight: 10, arbitrary: fc.record({ op: fc.constant('claim'), by: who, task: perhaps(task, 4) }) },
    {
      weight: 8,
      arbitrary: fc.record({
        op: fc.constant('report'),
        by: speaker,
        task,
        token,
        state: perhaps(fc.constantFrom('input_required', 'failed', 'submitted', 'working'), 5),
        seq: perhaps(fc.integer({ min: 1, max: 6 }), 3),
      }),
    },
    { weight: 8, arbitrary: fc.record({ op: fc.constant('complete'), by: speaker, task, token }) },
    { weight: 3, arbitrary: fc.record({ op: fc.constant('decide'), by: anybody, task, state: fc.constantFrom('submitted', 'completed') }) },
    { weight: 2, arbitrary: fc.record({ op: fc.constant('reprioritise'), by: anybody, task, priority: fc.constantFrom(...PRIORITIES) }) },
    { weight: 2, arbitrary: fc.record({ op: fc.constant('decline'), by: who, task }) },
    { weight: 2, arbitrary: fc.record({ op: fc.constant('cancel'), by: anybody, task }) },
    { weight: 3, arbitrary: fc.record({ op: fc.constant('handoff'), by: fc.oneof(speaker, anybody), task, to: who, token }) },
    { weight: 2, arbitrary: fc.record({ op: fc.constant('divide'), task, by: who }) },
    { weight: 2, arbitrary: fc.record({ op: fc.constant('again'), task, state: fc.constantFrom('submitted', 'completed') }) },
    { weight: 2, arbitrary: fc.record({ op: fc.constant('answer'), task }) },
    { weight: 3, arbitrary: fc.record({ op: fc.constant('heard'), by: who }) },
    { weight: 2, arbitrary: fc.record({ op: fc.constant('end'), by: who }) },
    {
      weight: 6,
      arbitrary: fc.record({ op: fc.constant('advance'), ms: fc.constantFrom(1_000, MINUTE, 5 * MINUTE, 16 * MINUTE, 90 * MINUTE) }),
    },
    { weight: 2, arbitrary: fc.record({ op: fc.constant('jump'), ms: fc.constantFrom(-10 * MINUTE, 30 * MINUTE, 8 * 60 * MINUTE) }) },
    { weight: 6, arbitrary: fc.record({ op: fc.constant('duties') }) },
    { weight: 1, arbitrary: fc.record({ op: fc.constant('restart') }) },
    { weight: 1, arbitrary: fc.record({ op: fc.constant('kill') }) },
  );
  // Something to work on first: a sequence without tasks proves nothing.
  return fc
    .tuple(fc.array(order, { minLength: 4, maxLength: 10, size: 'max' }), fc.array(step, { minLength: 15, maxLength: most, size: 'max' }))
    .map(([orders, rest]) => [...orders, ...rest]);
}
