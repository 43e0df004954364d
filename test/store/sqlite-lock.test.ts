// Waiting for the write lock: whoever has just had it leaves it to those who were seen waiting.

import { expect, it } from 'vitest';
import { Courtesy } from '../../src/store/sqlite-lock.ts';
import { FakeClock } from '../support/fake-clock.ts';

it('comes back at once while nobody else wants the lock, and a little later while somebody does', async () => {
  const clock = new FakeClock();
  const courtesy = new Courtesy(clock);
  courtesy.had();
  await courtesy.leave();
  courtesy.taken();
  courtesy.had();
  const leaving = courtesy.leave();
  expect(clock.sleeping).toBe(1);
  clock.advance(2);
  await leaving;
  // Others have had their turn meanwhile.
  await courtesy.leave();
  clock.advance(200);
  courtesy.had();
  await courtesy.leave();
  expect(clock.sleeping).toBe(0);
});
