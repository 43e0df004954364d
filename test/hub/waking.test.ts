// Waking idle agents: who is woken, once, by which door, what proves it, and what is told of it (C10, C17, T-19).

import { expect, it } from 'vitest';
import type { Caller } from '../../src/hub/caller.ts';
import type { HostedKind } from '../../src/hub/wake-doors.ts';
import type { Claim } from '../../src/hub/waking.ts';
import { systemHost } from '../../src/system/host.ts';
import { ack, events, operatorOf, recv, refused, send, statusOf, sweep } from '../support/acts.ts';
import { attach, onEveryEngine, type TestHub, testHub } from '../support/engines.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;

/** Alice, who writes, and bob, who came a while ago and is idle. */
async function idle(hub: TestHub, ...kinds: HostedKind[]) {
  const [alice, bob] = [await attach(hub, 'alice'), await attach(hub, 'bob')];
  const doors: string[] = [];
  for (const kind of kinds) doors.push(await hub.wakeDoors.open(bob, kind));
  await pass(hub, MINUTE, [alice, bob]);
  return { alice, bob, doors };
}

/** Time passes, and the processes of these sessions live. */
async function pass(hub: TestHub, ms: number, callers: readonly Caller[]): Promise<void> {
  hub.fake.advance(ms);
  await hub.heartbeats.beat(callers.map(({ sessionId }) => sessionId));
}

function next(hub: TestHub, { projectId, agentId }: Caller, doors: readonly string[]) {
  return hub.waking.next(projectId, agentId, doors);
}

/** The wake-up that is due, carried out. */
async function wake(hub: TestHub, who: Caller, doors: readonly string[]): Promise<Claim> {
  const { claim } = await next(hub, who, doors);
  if (claim === undefined) throw new Error('nothing was due');
  await hub.waking.report(who.projectId, claim.attemptId, { sent: true });
  return claim;
}

async function isDue(hub: TestHub, who: Caller, doors: readonly string[]): Promise<boolean> {
  const { projectId, agentId } = who;
  const { decision } = await hub.db.read((read) => hub.waking.consider(read, projectId, agentId));
  return decision.doors.some(({ id }) => doors.includes(id));
}

onEveryEngine('waking', (engine) => {
  it('wakes an idle agent once for ten messages, by one of many hosts, and reading proves the door', async () => {
    const hub = await testHub(engine);
    const other = await testHub(engine, { place: hub.place, clock: hub.fake });
    const { alice, bob, doors } = await idle(hub, 'monitor');
    const sent = await send(hub, alice, 'bob', 'one', { subject: 'the parser', kind: 'request' });
    expect(sent.recipients[0]?.wake).toEqual({ door: 'monitor' });
    for (let n = 0; n < 9; n++) await send(hub, alice, 'bob', `more ${n}`);
    const all = await Promise.all([hub, other, hub, other, hub].map((one) => one.waking.next(bob.projectId, bob.agentId, doors)));
    const claims = all.flatMap(({ claim }) => (claim === undefined ? [] : [claim]));
    expect(claims).toHaveLength(1);
    expect(claims[0]?.mail).toMatchObject({
      name: 'bob',
      unread: 10,
      heads: [{ from: 'alice', subject: 'the parser', kind: 'request' }, {}, {}],
    });
    await other.waking.report(bob.projectId, claims[0]?.attemptId ?? '', { sent: true });
    expect((await next(hub, bob, doors)).claim).toBeUndefined();
    expect((await statusOf(hub, alice, sent.message_id)).why).toContain('woken by monitor 0 s ago (sent, not read yet)');
    await pass(hub, 2 * SECOND, [alice, bob]);
    const { receipt } = await recv(hub, bob);
    const proven_at = new Date(hub.fake.now()).toISOString();
    const status = await statusOf(hub, alice, sent.message_id);
    expect(status.wake_attempts).toEqual([{ door: 'monitor', at: expect.any(String), outcome: 'read 2000 ms later' }]);
    const { agents } = await hub.agents.list(alice, { waitMs: 0 });
    expect(agents.find(({ agent }) => agent.name === 'bob')?.wake).toEqual({ door: 'monitor', provenAt: hub.fake.now() });
    await ack(hub, bob, { receipt: receipt ?? '' });
    expect(await isDue(hub, bob, doors)).toBe(false);
    expect((await send(hub, alice, 'bob', 'again')).recipients[0]?.wake).toEqual({ door: 'monitor', proven_at });
    expect((await events(hub)).map(({ type }) => type).filter((type) => type.startsWith('wake.'))).toEqual([
      'wake.started',
      'wake.sent',
      'wake.read',
    ]);
  });

  it('a read that comes before its host has said that it was sent stands', async () => {
    const hub = await testHub(engine);
    const { alice, bob, doors } = await idle(hub, 'monitor');
    const { message_id } = await send(hub, alice, 'bob', 'quick');
    const { claim } = await next(hub, bob, doors);
    await recv(hub, bob);
    await hub.waking.report(bob.projectId, claim?.attemptId ?? '', { sent: true });
    await hub.waking.report(bob.projectId, claim?.attemptId ?? '', { sent: false, detail: 'too late' });
    expect((await statusOf(hub, alice, message_id)).wake_attempts).toMatchObject([{ outcome: 'read 0 ms later' }]);
  });

  it('is not asked for by thanks, by what expects no reply, by notices without urgency, or by what was read', async () => {
    const hub = await testHub(engine);
    const { alice, bob, doors } = await idle(hub, 'monitor');
    const thanks = await send(hub, alice, 'bob', 'thank you!');
    const fyi = await send(hub, alice, 'bob', 'for your information', { expectsReply: false });
    await pass(hub, MINUTE, [alice, bob]);
    expect(await isDue(hub, bob, doors)).toBe(false);
    expect((await statusOf(hub, alice, thanks.message_id)).why).toContain('bare thanks wake nobody');
    expect((await statusOf(hub, alice, fyi.message_id)).why).toContain('it expects no reply, so it wakes nobody');
    await send(hub, alice, 'bob', 'but this now', { expectsReply: false, urgent: true });
    expect(await isDue(hub, bob, doors)).toBe(true);
    await recv(hub, bob);
    await pass(hub, 2 * 60 * MINUTE, [alice, bob]);
    expect(await isDue(hub, bob, doors)).toBe(false);
  });

  it('is asked for by answers, by reminders that fire and by dead letters', async () => {
    const hub = await testHub(engine, { limits: { deliveryAttempts: 1 } });
    const { alice, bob, doors } = await idle(hub, 'monitor');
    const quiet = async () => {
      await ack(hub, bob, { receipt: (await recv(hub, bob)).receipt ?? '' });
      await pass(hub, MINUTE, [alice, bob]);
      expect(await isDue(hub, bob, doors)).toBe(false);
    };
    const { askId } = await hub.asks.ask(bob, { to: 'alice', question: 'Which port?' }, { tool: 'ask' });
    await hub.asks.answer(alice, askId, { answer: ['7420'] }, { tool: 'answer' });
    expect(await isDue(hub, bob, doors)).toBe(true);
    await quiet();
    await hub.reminders.remind(bob, { message: 'look again', inMs: MINUTE }, { tool: 'remind' });
    await pass(hub, MINUTE, [alice, bob]);
    await hub.firing.fireDue();
    expect(await isDue(hub, bob, doors)).toBe(true);
    await quiet();
    await send(hub, bob, 'alice', 'poison');
    for (let n = 0; n < 2; n++) await recv(hub, alice);
    await pass(hub, 11 * MINUTE, [alice, bob]);
    await hub.deliveries.buryPoison();
    expect(await isDue(hub, bob, doors)).toBe(true);
  });

  it('leaves alone who waits in recv_batch, and who called something a moment ago unless it is urgent', async () => {
    const hub = await testHub(engine);
    const { alice, bob, doors } = await idle(hub, 'monitor');
    await hub.sessions.park(bob, hub.fake.now() + 25 * SECOND);
    await send(hub, alice, 'bob', 'you are waiting for this', { urgent: true });
    expect(await isDue(hub, bob, doors)).toBe(false);
    await hub.sessions.park(bob, null);
    expect(await isDue(hub, bob, doors)).toBe(true);
    await recv(hub, bob);
    hub.calls.record({
      ...bob,
      tool: 'recv_batch',
      startedAt: hub.fake.now(),
      durationMs: 0,
      code: 'ok',
      inputBytes: 0,
      outputBytes: 0,
    });
    await hub.calls.flush();
    await send(hub, alice, 'bob', 'no hurry');
    expect(await next(hub, bob, doors)).toEqual({ again: hub.limits.wakeQuietMs });
    await send(hub, alice, 'bob', 'hurry', { urgent: true });
    expect(await isDue(hub, bob, doors)).toBe(true);
  });

  it('goes on to the next door when one fails or nobody notices, and tells the operator once when nothing helps', async () => {
    const hub = await testHub(engine);
    const { alice, bob, doors } = await idle(hub, 'messaging_socket', 'monitor', 'channel');
    const { message_id } = await send(hub, alice, 'bob', 'hello?');
    const first = await next(hub, bob, doors);
    expect(first.claim?.door).toBe('monitor');
    await hub.waking.report(bob.projectId, first.claim?.attemptId ?? '', { sent: false, detail: 'its pipe is closed' });
    expect((await wake(hub, bob, doors)).door).toBe('messaging_socket');
    await pass(hub, hub.limits.wakeEffectMs, [alice, bob]);
    await Promise.all([hub.waking.endOverdue(), hub.waking.endOverdue()]);
    expect((await wake(hub, bob, doors)).door).toBe('channel');
    for (let n = 0; n < 30; n++) {
      await pass(hub, 5 * MINUTE, [alice, bob]);
      await hub.waking.endOverdue();
      if (await isDue(hub, bob, doors)) await wake(hub, bob, doors);
    }
    const status = await statusOf(hub, alice, message_id);
    expect(status.wake_attempts.map(({ outcome }) => outcome)).toEqual([
      'failed: its pipe is closed',
      ...Array.from({ length: 4 }, () => 'no effect: nothing happened'),
    ]);
    expect(status.why).toContain('the last of 5 wake-ups; it is not woken again until something new comes');
    await send(hub, alice, 'bob', 'still there?');
    for (let n = 0; n < 30; n++) {
      if (await isDue(hub, bob, doors)) await wake(hub, bob, doors);
      await pass(hub, 5 * MINUTE, [alice, bob]);
      await hub.waking.endOverdue();
    }
    const told = await recv(hub, await operatorOf(hub));
    expect(told.messages).toMatchObject([
      { from: 'hub', subject: 'agent does not react', body: expect.stringContaining('bob was woken 5 times') },
    ]);
  });

  it('closes the doors of a session with it, and of a process that died', async () => {
    const alive = new Set([systemHost.pid, 4_242]);
    const host = { ...systemHost, startedAt: 0, isAlive: (pid: number) => alive.has(pid) };
    const hub = await testHub(engine, { host });
    const monitor = await testHub(engine, { place: hub.place, clock: hub.fake, host: { ...host, pid: 4_242 } });
    const { alice, bob } = await idle(hub);
    await monitor.wakeDoors.open(bob, 'monitor');
    const wakeOfBob = async () => (await hub.agents.list(alice, { waitMs: 0 })).agents.find(({ agent }) => agent.name === 'bob')?.wake.door;
    expect(await wakeOfBob()).toBe('monitor');
    alive.delete(4_242);
    expect(await wakeOfBob()).toBe('none');
    alive.add(4_242);
    const again = await attach(hub, 'bob', { takeover: true });
    expect(await wakeOfBob()).toBe('none');
    const door = await monitor.wakeDoors.open(again, 'monitor');
    expect(await wakeOfBob()).toBe('monitor');
    await hub.wakeDoors.close(again, door);
    expect(await wakeOfBob()).toBe('monitor');
    await monitor.wakeDoors.close(again, door);
    expect(await wakeOfBob()).toBe('none');
  });

  it('wakes the agent in whose session a sub-agent lives', async () => {
    const hub = await testHub(engine);
    const { alice, bob, doors } = await idle(hub, 'monitor');
    const attachment = {
      project: { id: 'demo-1', name: 'demo', root: '/work/demo' },
      door: 'stdio' as const,
      client: { name: 't', version: '' },
      root: '/',
    };
    await hub.joining.join(bob, attachment, { name: 'tester', childOfMe: true }, { tool: 'join' });
    const sent = await send(hub, alice, 'tester', 'run them', { urgent: true });
    expect(sent.recipients).toMatchObject([{ name: 'tester', wake: { door: 'monitor' } }]);
    expect((await wake(hub, bob, doors)).mail.heads).toMatchObject([{ to: 'tester' }]);
    await recv(hub, await hub.sessions.actingAs(bob, 'tester'));
    expect((await statusOf(hub, alice, sent.message_id)).wake_attempts).toMatchObject([{ door: 'monitor', outcome: 'read 0 ms later' }]);
  });

  it('reaches agents without a process by what the operator registered, and nobody else may', async () => {
    const hub = await testHub(engine);
    const other = await testHub(engine, { place: hub.place, clock: hub.fake });
    const { alice, bob } = await idle(hub);
    const operator = await operatorOf(hub);
    const target = { kind: 'webhook' as const, url: 'https://example.test/wake', secret: 'whsec_x', allowPrivate: false };
    await refused('forbidden', hub.wakeDoors.register(alice, 'bob', target));
    await refused('not_found', hub.wakeDoors.register(operator, 'nobody', target));
    await hub.wakeDoors.register(operator, 'bob', { kind: 'codex_queue', thread: 't1' });
    await hub.wakeDoors.register(operator, 'bob', target);
    await hub.sessions.end(bob, 'closed');
    expect(await hub.waking.nextRegistered(4)).toEqual([]);
    const sent = await send(hub, alice, 'bob', 'wake up');
    expect(sent.recipients).toMatchObject([{ reachable: false, wake: { door: 'webhook' } }]);
    expect(await hub.waking.nextRegisteredAt()).toBe(hub.fake.now());
    const claims = (await Promise.all([hub, other, hub, other].map((one) => one.waking.nextRegistered(4)))).flat();
    expect(claims).toMatchObject([{ door: 'webhook', target: JSON.stringify(target), projectId: bob.projectId }]);
    await hub.waking.report(bob.projectId, claims[0]?.attemptId ?? '', { sent: false, detail: 'answered 500' });
    expect((await statusOf(hub, alice, sent.message_id)).why).toMatch(
      /not been connected since .* woken by webhook 0 s ago \(failed: answered 500\)/,
    );
    expect(await hub.wakeDoors.unregister(operator, 'bob')).toMatchObject({ removed: true });
    expect(await hub.wakeDoors.unregister(operator, 'bob')).toMatchObject({ removed: false });
    expect(JSON.stringify(await events(hub))).not.toMatch(/whsec_x|example\.test/);
  });

  it('looks again at a returned message when its delay is over', async () => {
    const hub = await testHub(engine);
    const { alice, bob, doors } = await idle(hub, 'monitor');
    const { message_id } = await send(hub, alice, 'bob', 'later, please');
    await recv(hub, bob);
    await ack(hub, bob, { nackIds: [message_id], delayMs: 5 * MINUTE });
    expect(await next(hub, bob, doors)).toEqual({ again: 5 * MINUTE });
    await pass(hub, 5 * MINUTE, [alice, bob]);
    expect(await isDue(hub, bob, doors)).toBe(true);
  });

  it('never nags who has nothing to read, and forgets attempts after a month', async () => {
    const hub = await testHub(engine);
    const { alice, bob, doors } = await idle(hub, 'monitor');
    await send(hub, alice, 'bob', 'hello');
    await wake(hub, bob, doors);
    await ack(hub, bob, { receipt: (await recv(hub, bob)).receipt ?? '' });
    for (let n = 0; n < 24; n++) {
      await pass(hub, 5 * MINUTE, [alice, bob]);
      expect(await next(hub, bob, doors)).toEqual({ again: null });
    }
    expect((await sweep(hub)).wake_attempts).toBeUndefined();
    hub.fake.advance(31 * DAY);
    expect((await sweep(hub)).wake_attempts).toBe(1);
  });
});
