// An idle process looks for what is due only after something was committed, by itself or by another.

import { expect, it } from 'vitest';
import { dutiesOf } from '../../src/scheduler/duties.ts';
import { Scheduler } from '../../src/scheduler/scheduler.ts';
import { nextAttempt } from '../../src/store/reminders.ts';
import { openLog } from '../../src/system/log.ts';
import { attach, onEveryEngine, scratch, sqlite, testHub } from '../support/engines.ts';

onEveryEngine('the next instant', (engine) => {
  it('is the one that was committed last, by whichever process', async () => {
    const place = scratch();
    const [one, two] = [await testHub(engine, { place }), await testHub(engine, { place })];
    const ada = await attach(two, 'ada');
    const next = () => one.context.instants.next(nextAttempt);
    expect(await next()).toBeNull();
    for (const inMs of [5_000, 3_000]) {
      await two.reminders.remind(ada, { message: `in ${inMs}`, inMs }, { tool: 'remind' });
      expect(await next()).toBe(two.fake.now() + inMs);
      expect(await next()).toBe(two.fake.now() + inMs);
    }
  });
});

it('is looked for again only after a commit', async () => {
  const hub = await testHub(sqlite);
  const ada = await attach(hub, 'ada');
  let looks = 0;
  const look = async () => {
    looks += 1;
    return null;
  };
  for (let k = 0; k < 3; k++) await Promise.all([hub.context.instants.next(look), hub.context.instants.next(look)]);
  expect(looks).toBeLessThanOrEqual(2);
  const before = looks;
  await hub.reminders.remind(ada, { message: 'later', inMs: 60_000 }, { tool: 'remind' });
  await hub.context.instants.next(look);
  expect(looks).toBe(before + 1);
});

it('an idle scheduler comes round once a second, and hardly reads', async () => {
  const hub = await testHub(sqlite);
  await attach(hub, 'ada');
  const scheduler = new Scheduler(hub, dutiesOf(hub), hub.fake, openLog('silent', undefined));
  await scheduler.tick();
  const { read } = hub.db;
  let reads = 0;
  hub.db.read = (look) => {
    reads += 1;
    return read.call(hub.db, look) as never;
  };
  let rounds = 0;
  for (const end = hub.fake.monotonic() + 60_000; hub.fake.monotonic() < end; rounds++) hub.fake.advance(await scheduler.tick());
  expect(rounds).toBeLessThanOrEqual(61);
  expect(reads / 60).toBeLessThan(9); // it read 20 a second
});
