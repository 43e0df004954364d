// What agents are told when the hub comes back, and what the scheduler does when it starts, fails and is woken.

import { expect, it } from 'vitest';
import type { Caller } from '../../src/hub/caller.ts';
import type { Host } from '../../src/hub/host.ts';
import type { Hub } from '../../src/hub/hub.ts';
import { dutiesOf } from '../../src/scheduler/duties.ts';
import { Scheduler } from '../../src/scheduler/scheduler.ts';
import { openLog } from '../../src/system/log.ts';
import { attach, onEveryEngine, testHub } from '../support/engines.ts';

/** Two processes of one host: the first one dies. */
const hostOf = (pid: number, alive: (pid: number) => boolean): Host => ({
  key: 'host',
  pid,
  startedAt: 0,
  isAlive: alive,
  parentOf: () => undefined,
  bornOf: () => 'then',
});
const peek = async (hub: Hub, caller: Caller) =>
  (await hub.inbox.receive(caller, { max: 32, maxBytes: 32_768, waitMs: 0, peek: true }, { tool: 'recv_batch' })).messages;

onEveryEngine('after a restart', (engine) => {
  it('tells managers first, then agents, once, what was returned to their inbox', async () => {
    let dead = false;
    const first = await testHub(engine, { host: hostOf(1, () => true) });
    const boss = await attach(first, 'boss', { door: 'http', role: 'manager' });
    const [ada, bob] = [await attach(first, 'ada', { door: 'http' }), await attach(first, 'bob', { door: 'http' })];
    const local = await attach(first, 'local', { door: 'stdio' });
    await first.messages.send(boss, { to: 'ada', body: 'work' }, { tool: 'send' });
    await first.inbox.receive(ada, { max: 10, maxBytes: 32_768, waitMs: 0, peek: false }, { tool: 'recv_batch' });
    const alive = (pid: number) => pid !== 1 || !dead;
    const [second, third] = [
      await testHub(engine, { place: first.place, clock: first.fake, host: hostOf(2, alive) }),
      await testHub(engine, { place: first.place, clock: first.fake, host: hostOf(3, alive) }),
    ];
    expect(await second.restarts.announce()).toBe(0);
    dead = true;
    const told = await Promise.all([second.restarts.announce(), third.restarts.announce(), second.restarts.announce()]);
    expect(told.reduce((sum, one) => sum + one)).toBe(3);
    const notices = await Promise.all(
      [boss, ada, bob].map(async (one) => (await peek(second, { ...one, epoch: null })).find(({ subject }) => subject === 'hub restarted')),
    );
    const [toBoss, toAda, toBob] = notices.map((notice) => ({ seq: notice?.seq ?? 0, body: notice?.body ?? '' }));
    expect(toBoss?.seq).toBeLessThan(Math.min(toAda?.seq ?? 0, toBob?.seq ?? 0));
    expect(toAda?.body).toMatch(/restarted_at .*boot_id hub_.*requeued 1:/s);
    expect(toBob?.body).toContain('requeued 0:');
    expect((await peek(second, { ...local, epoch: null })).filter(({ subject }) => subject === 'hub restarted')).toEqual([]);
  });

  it('fires on time, keeps the others going when one duty fails, and says when nobody runs them', async () => {
    const hub = await testHub(engine);
    const ada = await attach(hub, 'ada');
    let ran = 0;
    const broken = { name: 'broken', everyMs: 1_000, run: () => Promise.reject(new Error('no')) };
    const counted = { name: 'counted', everyMs: 1_000, run: async () => ++ran };
    const scheduler = new Scheduler(hub, [broken, ...dutiesOf(hub), counted], hub.fake, openLog('silent', undefined));
    await hub.reminders.remind(ada, { message: 'tea', inMs: 2_500 }, { tool: 'remind' });
    await scheduler.tick();
    expect([ran, scheduler.failing()]).toMatchObject([1, [{ duty: 'broken', failures: 1, lastError: 'no' }]]);
    hub.fake.advance(2_400);
    const wait = await scheduler.tick();
    expect(wait).toBeLessThanOrEqual(101);
    expect(await peek(hub, ada)).toEqual([]);
    hub.fake.advance(100);
    await scheduler.tick();
    expect((await peek(hub, ada)).map(({ body }) => body)).toEqual(['tea']);
    expect(await hub.dutyNotices()).toEqual([]);
    hub.fake.advance(20_000);
    expect((await hub.dutyNotices()).join()).toContain('Timed duties have not run since');
    await scheduler.tick();
    expect(await hub.dutyNotices()).toEqual([]);
  });
});
