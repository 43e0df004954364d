// Waiting for the write lock: whoever has just had it leaves it to those who were seen waiting.

import { expect, it } from 'vitest';
import { Crowd } from '../../src/store/sqlite-lock.ts';
import { FakeClock } from '../support/fake-clock.ts';

it('comes back at once while nobody else wants the lock, and a little later while somebody does', async () => {
  const clock = new FakeClock();
  const crowd = new Crowd(clock);
  crowd.had();
  await crowd.leave();
  crowd.taken();
  crowd.had();
  const leaving = crowd.leave();
  expect(clock.sleeping).toBe(1);
  clock.advance(2);
  await leaving;
  // Others have had their turn meanwhile.
  await crowd.leave();
  clock.advance(200);
  crowd.had();
  await crowd.leave();
  expect(clock.sleeping).toBe(0);
});

it('looks as often as ever while the others are few', () => {
  const crowd = new Crowd(new FakeClock());
  for (let k = 0; k < 20; k++) crowd.got(60);
  expect([0, 10, 40, 200].map((waited) => crowd.pause(waited))).toEqual([3, 2, 1, 1]);
});

it('looks the less often the more others there are, and more often once it waited longer than was to be expected', () => {
  const clock = new FakeClock();
  const crowd = new Crowd(clock);
  expect([0, 10, 40].map((waited) => crowd.pause(waited))).toEqual([3, 2, 1]);
  for (let k = 0; k < 20; k++) crowd.got(320);
  expect([0, 200, 400, 700].map((waited) => Math.round(crowd.pause(waited)))).toEqual([40, 40, 20, 10]);
  for (let k = 0; k < 20; k++) crowd.got(5_000);
  expect(crowd.pause(0)).toBe(50);
  clock.advance(2_000);
  expect(crowd.pause(0)).toBe(3);
});
