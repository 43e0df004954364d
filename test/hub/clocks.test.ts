// One process whose clock is far ahead must not end what the others wait for; and what a stored result may not decide.

import { expect, it } from 'vitest';
import type { Host } from '../../src/hub/host.ts';
import { Connection } from '../../src/tools/connection.ts';
import { attach, onEveryEngine, PROJECT, testHub } from '../support/engines.ts';
import { FakeClock } from '../support/fake-clock.ts';

const DAY = 86_400_000;
const hostOf = (pid: number): Host => ({
  key: 'host',
  pid,
  startedAt: 0,
  isAlive: () => true,
  parentOf: () => undefined,
  bornOf: () => 'then',
});

onEveryEngine('clocks', (engine) => {
  it('a process thirty days ahead follows the others, ends nothing and says so', async () => {
    const hub = await testHub(engine, { host: hostOf(1) });
    const [ada] = [await attach(hub, 'ada'), await attach(hub, 'bob')];
    const { askId } = await hub.asks.ask(ada, { to: 'bob', question: 'still there?' }, { tool: 'ask' });
    await hub.reminders.remind(ada, { message: 'tomorrow', inMs: DAY }, { tool: 'remind' });
    await hub.firing.fireDue();
    const future = await testHub(engine, { place: hub.place, clock: new FakeClock(hub.fake.now() + 30 * DAY), host: hostOf(2) });
    const eve = await attach(future, 'eve');
    await future.messages.send(eve, { to: 'ada', body: 'hello from afar' }, { tool: 'send' });
    for (const duty of [() => future.firing.fireDue(), () => future.askEnds.expireDue(), () => future.deliveries.expireDue()]) await duty();
    expect((await hub.asks.find(ada, askId)).state).toBe('open');
    expect(await hub.reminders.list(ada, { state: 'pending', limit: 5 })).toHaveLength(1);
    expect(future.notices().join()).toContain('ahead of the other processes');
    const soon = await hub.reminders.remind(ada, { message: 'soon', inMs: 3_000 }, { tool: 'remind' });
    expect(soon.dueAt - hub.fake.now()).toBe(3_000);
  });

  it('goes by its own clock again when the others do not run, or have caught up', async () => {
    const hub = await testHub(engine, { host: hostOf(1) });
    await attach(hub, 'ada');
    await hub.firing.fireDue();
    const clock = new FakeClock(hub.fake.now() + DAY);
    const late = await testHub(engine, { place: hub.place, clock, host: hostOf(2) });
    expect(late.context.time.follows).toBe(true);
    clock.advance(16_000);
    await late.clockPeers.compare();
    expect([late.context.time.follows, late.context.time.now()]).toEqual([false, clock.now()]);
  });

  it('what was begun by the time of others is not lost to a clock that had been set back and then jumps ahead', async () => {
    const hub = await testHub(engine, { host: hostOf(1) });
    const ada = await attach(hub, 'ada');
    await hub.firing.fireDue();
    hub.fake.advance(2 * 60_000);
    const { taskId } = await hub.tasks.create(ada, { title: 'mend the parser' }, { tool: 'create_task' });
    const clock = new FakeClock(hub.fake.now() - 3 * 60_000);
    const behind = await testHub(engine, { place: hub.place, clock, host: hostOf(2) });
    const bob = await attach(behind, 'bob');
    expect((await behind.claims.claim(bob, taskId, { tool: 'claim_task' })).taskId).toBe(taskId);
    clock.jump(8 * 60 * 60_000);
    behind.context.time.now();
    clock.advance(3 * 60_000);
    expect([await behind.leases.expireDue(), behind.context.time.trustsSilence()]).toEqual([0, true]);
  });

  it('a repeated join under a key never makes anybody somebody else', async () => {
    const hub = await testHub(engine);
    const attachment = {
      project: PROJECT,
      door: 'stdio' as const,
      client: { name: 'test', version: '1' },
      root: '/work/demo',
      name: 'ann',
    };
    const first = Connection.attaching(hub, attachment, ['core']);
    const joined = await first.join({ name: 'bee' }, { tool: 'join', key: 'K', args: { name: 'bee' } });
    const second = Connection.attaching(hub, attachment, ['core']);
    await second.caller();
    const outcome = await second.join({ name: 'bee' }, { tool: 'join', key: 'K', args: { name: 'bee' } }).catch((error: unknown) => error);
    expect(second.current?.sessionId).not.toBe(joined.caller.sessionId);
    expect(outcome).not.toMatchObject({ caller: { sessionId: joined.caller.sessionId } });
  });

  it('keeps few late answers, refuses look-alike names and a crowd of sub-agents', async () => {
    const hub = await testHub(engine, { limits: { children: 2 } });
    const [ada, bob] = [await attach(hub, 'ada'), await attach(hub, 'bob')];
    const { askId } = await hub.asks.ask(ada, { to: 'bob', question: 'bad \ud800 half' }, { tool: 'ask' });
    const say = (answer: string) => hub.asks.answer(bob, askId, { answer: [answer] }, { tool: 'answer' });
    for (const answer of ['first', 'late 1', 'late 2', 'late 3']) {
      hub.fake.advance(1_000);
      await say(answer);
    }
    await expect(say('late 4')).rejects.toMatchObject({ code: 'limit_reached' });
    await expect(attach(hub, 'ADA')).rejects.toMatchObject({ code: 'conflict' });
    await expect(attach(hub, 'ada.')).rejects.toMatchObject({ code: 'invalid_input' });
    const child = (name: string) =>
      hub.joining.join(
        ada,
        { project: PROJECT, door: 'stdio', client: { name: 'test', version: '1' }, root: '/' },
        { name, childOfMe: true },
        { tool: 'join' },
      );
    await child('one');
    await child('two');
    await expect(child('three')).rejects.toMatchObject({ code: 'limit_reached' });
    expect((await hub.verify())[0]?.problems).toEqual([]);
  });
});
