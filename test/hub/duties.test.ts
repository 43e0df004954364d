// What time brings about: the truth per message (C10), dead letters (C11), and duties that any number of processes may run (invariant 7).

import { expect, it } from 'vitest';
import type { Caller } from '../../src/hub/caller.ts';
import type { Hub } from '../../src/hub/hub.ts';
import { systemHost } from '../../src/system/host.ts';
import { ack, bodies, events, operatorOf, recv, refused, send, statusOf } from '../support/acts.ts';
import { attach, onEveryEngine, scratch, type TestHub, testHub } from '../support/engines.ts';
import { FakeClock } from '../support/fake-clock.ts';

const MINUTE = 60_000;

async function pair(hub: TestHub) {
  return { alice: await attach(hub, 'alice'), bob: await attach(hub, 'bob') };
}

/** Shows everything again and again without acknowledging. */
async function forget(hub: Hub, reader: Caller, times: number): Promise<void> {
  for (let i = 0; i < times; i++) await recv(hub, reader);
}

async function countOf(hub: Hub, type: string): Promise<number> {
  return (await events(hub)).filter((event) => event.type === type).length;
}

onEveryEngine('the truth about a message', (engine) => {
  it('says for each recipient what happened when, and why it is not further', async () => {
    const hub = await testHub(engine);
    const { alice, bob } = await pair(hub);
    const { message_id } = await send(hub, alice, 'bob', 'please review', { kind: 'request' });
    const at = (ms: number) => new Date(hub.fake.now() + ms).toISOString();
    expect(await statusOf(hub, alice, message_id)).toMatchObject({
      state: 'ready',
      accepted_at: at(0),
      first_shown_at: null,
      acked_at: null,
      why: expect.stringContaining('bob is connected (no call yet)'),
    });
    hub.fake.advance(MINUTE);
    const { receipt } = await recv(hub, bob);
    hub.fake.advance(MINUTE);
    expect(await statusOf(hub, alice, message_id)).toMatchObject({
      state: 'leased',
      attempts: 1,
      first_shown_at: at(-MINUTE),
      first_shown_to: `${bob.sessionId} (test, stdio)`,
      why: expect.stringContaining('was shown it 60 s ago (attempt 1)'),
    });
    await ack(hub, bob, { receipt: receipt ?? '' });
    const acked = await statusOf(hub, alice, message_id);
    expect(acked).toMatchObject({ state: 'acked', acked_by: 'receipt', acked_at: at(0), done_at: null });
    expect(acked.why).toContain('the reply it asks for has not come');
    expect((await hub.inbox.counts(bob)).unreplied).toBe(1);
    await send(hub, bob, 'alice', 'looks good', { inReplyTo: message_id });
    expect(await statusOf(hub, alice, message_id)).toMatchObject({ acked_by: 'receipt', done_at: at(0) });
  });

  it('says who is away since when, and who has never come', async () => {
    const hub = await testHub(engine);
    const { alice, bob } = await pair(hub);
    const operator = await operatorOf(hub);
    await hub.tokens.create(operator, { agent: 'carol' });
    await hub.sessions.end(bob, 'closed');
    const sent = await send(hub, alice, ['bob', 'carol'], 'hello');
    expect(sent.recipients.map(({ reachable }) => reachable)).toEqual([false, false]);
    const { deliveries } = await hub.status.of(alice, sent.message_id);
    expect(deliveries[0]?.why).toContain(`bob has not been connected since ${new Date(hub.fake.now()).toISOString()}`);
    expect(deliveries[1]?.why).toContain('carol has never been connected');
  });

  it('shows a recipient its own delivery only', async () => {
    const hub = await testHub(engine);
    const { alice, bob } = await pair(hub);
    await attach(hub, 'carol');
    const { message_id } = await send(hub, alice, ['bob', 'carol'], 'hello');
    expect((await hub.status.of(bob, message_id)).deliveries.map(({ recipient }) => recipient)).toEqual(['bob']);
  });

  it('never says delivered, in any state', async () => {
    const hub = await testHub(engine);
    const { alice, bob } = await pair(hub);
    const sent = await send(hub, alice, 'bob', 'hello', { expiresInMs: 1_000 });
    const said = [JSON.stringify(sent), JSON.stringify(await hub.status.of(alice, sent.message_id))];
    said.push(JSON.stringify(await recv(hub, bob)), JSON.stringify(await hub.status.of(alice, sent.message_id)));
    hub.fake.advance(1_000);
    await hub.deliveries.expireDue();
    said.push(JSON.stringify(await hub.status.of(alice, sent.message_id)));
    for (const words of said) expect(words).not.toMatch(/delivered/i);
  });
});

onEveryEngine('timed duties', (engine) => {
  it('nudges a forgetful reader after five minutes, once', async () => {
    const hub = await testHub(engine);
    const { alice, bob } = await pair(hub);
    await send(hub, alice, 'bob', 'one');
    await recv(hub, bob);
    hub.fake.advance(5 * MINUTE - 1);
    expect(await hub.deliveries.nudgeForgetful()).toBe(0);
    hub.fake.advance(1);
    expect(await hub.deliveries.nudgeForgetful()).toBe(1);
    hub.fake.advance(60 * MINUTE);
    expect(await hub.deliveries.nudgeForgetful()).toBe(0);
    await hub.heartbeats.beat([bob.sessionId]);
    expect((await hub.agents.self(bob)).counts.leased).toBe(1);
  });

  it('tells the sender once that its message stalls, though three processes look at the same time', async () => {
    const place = scratch();
    const clock = new FakeClock();
    const hubs = [
      await testHub(engine, { place, clock }),
      await testHub(engine, { place, clock }),
      await testHub(engine, { place, clock }),
    ];
    const hub = hubs[0] as TestHub;
    const { alice, bob } = await pair(hub);
    const { message_id } = await send(hub, alice, 'bob', 'one');
    await recv(hub, bob);
    clock.advance(30 * MINUTE);
    const done = await Promise.all(hubs.map((each) => each.deliveries.tellStalled()));
    expect(done.reduce((sum, n) => sum + n, 0)).toBe(1);
    await forget(hub, bob, 1);
    clock.advance(60 * MINUTE);
    for (const each of hubs) expect(await each.deliveries.tellStalled()).toBe(0);
    const { messages } = await recv(hub, alice);
    expect(messages).toHaveLength(1);
    expect(messages[0]).toMatchObject({ from: 'hub', authority: 'hub', kind: 'status', expectsReply: false });
    expect(messages[0]?.body).toContain(`bob was shown your message ${message_id} 30 minutes ago`);
  });

  it('leaves an agent that owes nothing alone for hours (T-19)', async () => {
    const hub = await testHub(engine);
    const { alice, bob } = await pair(hub);
    await send(hub, alice, 'bob', 'one');
    await ack(hub, bob, { receipt: (await recv(hub, bob)).receipt ?? '' });
    hub.fake.advance(120 * MINUTE);
    const { deliveries } = hub;
    expect([await deliveries.nudgeForgetful(), await deliveries.tellStalled(), await deliveries.buryPoison()]).toEqual([0, 0, 0]);
  });

  it('sets a message aside after eight attempts and ten minutes, tells sender and operator, and requeues it (T-9)', async () => {
    const hub = await testHub(engine);
    const { alice, bob } = await pair(hub);
    const operator = await operatorOf(hub);
    const { message_id } = await send(hub, alice, 'bob', 'poison');
    await forget(hub, bob, 12);
    expect([await hub.deliveries.buryPoison(), (await hub.inbox.counts(bob)).leased]).toEqual([0, 1]);
    hub.fake.advance(10 * MINUTE);
    expect([await hub.deliveries.buryPoison(), await hub.deliveries.buryPoison()]).toEqual([1, 0]);
    expect((await statusOf(hub, alice, message_id)).why).toContain('not acknowledged after 12 attempts');
    for (const told of [alice, operator]) expect((await recv(hub, told)).messages[0]?.subject).toContain('dead letter');
    const { skipped, messages } = await recv(hub, bob);
    expect([messages, skipped]).toEqual([[], []]);
    await refused('forbidden', hub.deliveries.requeueFor(alice, message_id, 'bob', { tool: 'requeue_dead' }));
    await hub.deliveries.requeueFor(operator, message_id, 'bob', { tool: 'requeue_dead' });
    await refused('conflict', hub.deliveries.requeueFor(operator, message_id, 'bob', { tool: 'requeue_dead' }));
    expect((await recv(hub, bob)).messages[0]).toMatchObject({ body: 'poison', attempt: 13 });
    expect(await hub.deliveries.buryPoison()).toBe(0);
    expect((await hub.verify())[0]?.problems).toEqual([]);
  });

  it('buries on the spot what is poison when it would be shown again, and shows the others', async () => {
    const hub = await testHub(engine);
    const { alice, bob } = await pair(hub);
    await send(hub, alice, 'bob', 'poison');
    await forget(hub, bob, 8);
    hub.fake.advance(10 * MINUTE);
    await send(hub, alice, 'bob', 'fine');
    expect(bodies(await recv(hub, bob, { max: 1 }))).toEqual(['fine']);
  });

  it('says what it has to say although the sender’s and the operator’s inboxes are full', async () => {
    const hub = await testHub(engine, { limits: { inboxFull: 2, inboxWarn: 2 } });
    const { alice, bob } = await pair(hub);
    const { message_id } = await send(hub, alice, 'bob', 'one');
    for (const to of ['alice', 'operator']) for (const body of ['x', 'y']) await send(hub, bob, to, body);
    await forget(hub, bob, 8);
    hub.fake.advance(30 * MINUTE);
    expect(await hub.deliveries.tellStalled()).toBe(1);
    expect(bodies(await recv(hub, bob))).toEqual([]);
    expect((await statusOf(hub, alice, message_id)).state).toBe('dead');
    expect((await recv(hub, alice)).messages.filter(({ from }) => from === 'hub')).toHaveLength(2);
  });

  it('does not tell the operator without end of notices that the operator did not acknowledge', async () => {
    const hub = await testHub(engine);
    const { alice, bob } = await pair(hub);
    const operator = await operatorOf(hub);
    await send(hub, alice, 'bob', 'poison');
    await forget(hub, bob, 8);
    hub.fake.advance(10 * MINUTE);
    await hub.deliveries.buryPoison();
    for (let round = 0; round < 3; round++) {
      await forget(hub, operator, 8);
      hub.fake.advance(10 * MINUTE);
      await hub.deliveries.buryPoison();
    }
    expect(await countOf(hub, 'message.dead')).toBe(2);
  });

  it('shows messages one at a time after two sessions died of them', async () => {
    const hub = await testHub(engine);
    const { alice, bob } = await pair(hub);
    for (const body of ['a', 'b', 'c']) await send(hub, alice, 'bob', body);
    let reader = bob;
    for (let death = 0; death < 2; death++) {
      expect((await recv(hub, reader)).messages).toHaveLength(3);
      hub.fake.advance(61_000); // silent: noticed later than a minute after it was last heard of
      await hub.heartbeats.endDead();
      reader = await attach(hub, 'bob');
    }
    const single = await recv(hub, reader);
    expect([bodies(single), single.remaining]).toEqual([['a'], 2]);
    expect(bodies(await recv(hub, reader, { ack: single.receipt ?? '' }))).toEqual(['b']);
  });

  it('does not blame messages for a session that ended long after it was shown them', async () => {
    const hub = await testHub(engine);
    const { alice, bob } = await pair(hub);
    for (const body of ['a', 'b']) await send(hub, alice, 'bob', body);
    let reader = bob;
    for (let end = 0; end < 3; end++) {
      expect((await recv(hub, reader)).messages).toHaveLength(2);
      hub.fake.advance(2 * MINUTE);
      await hub.heartbeats.beat([reader.sessionId]);
      await hub.sessions.end(reader, 'closed');
      reader = await attach(hub, 'bob');
    }
    expect((await recv(hub, reader)).messages).toHaveLength(2);
  });

  it('expires what the sender gave a time, wherever it is, and fires that once', async () => {
    const hub = await testHub(engine);
    const { alice, bob } = await pair(hub);
    const shown = await send(hub, alice, 'bob', 'shown', { expiresInMs: MINUTE });
    const { receipt } = await recv(hub, bob);
    const unseen = await send(hub, alice, 'bob', 'unseen', { expiresInMs: MINUTE });
    hub.fake.advance(MINUTE);
    expect([await hub.deliveries.expireDue(), await hub.deliveries.expireDue()]).toEqual([2, 0]);
    for (const { message_id } of [shown, unseen]) expect((await statusOf(hub, alice, message_id)).state).toBe('expired');
    expect((await ack(hub, bob, { receipt: receipt ?? '' })).acked).toEqual([]);
    await send(hub, alice, 'bob', 'next');
    expect((await recv(hub, bob)).skipped.map(({ messageId, state }) => [messageId, state])).toEqual([
      [shown.message_id, 'expired'],
      [unseen.message_id, 'expired'],
    ]);
  });

  it('does not take the time of another machine for its own (T-31), and gives a new session only what is unacknowledged (T-29)', async () => {
    const hub = await testHub(engine, { host: { ...systemHost, startedAt: 0 } });
    const { alice, bob } = await pair(hub);
    for (let i = 0; i < 5; i++) await send(hub, alice, 'bob', `sent at 2099-01-01T00:00:00Z ${i}`);
    const { messages } = await recv(hub, bob);
    await ack(hub, bob, { ids: messages.slice(0, 4).map(({ id }) => id) });
    await hub.sessions.end(bob, 'closed');
    const batch = await recv(hub, await attach(hub, 'bob'));
    expect(bodies(batch)).toEqual(['sent at 2099-01-01T00:00:00Z 4']);
    expect(batch.messages[0]?.ageMs).toBe(0);
  });

  it('reads the newest page of a long thread, in order (T-18), and back to its beginning', async () => {
    const hub = await testHub(engine, { limits: { sendBurst: 1_000, sendPerMinute: 10_000 } });
    const { alice, bob } = await pair(hub);
    const first = await send(hub, alice, 'bob', 'm0');
    await Promise.all(Array.from({ length: 39 }, (_, i) => send(hub, alice, 'bob', `m${i + 1}`, { inReplyTo: first.message_id })));
    const page = await hub.messages.thread(bob, { threadId: first.thread_id, limit: 10 });
    expect([page.messages.map(({ body }) => body), page.hasMore]).toEqual([Array.from({ length: 10 }, (_, i) => `m${30 + i}`), true]);
    const rest = await hub.messages.thread(bob, { threadId: first.thread_id, limit: 30, beforeSeq: page.messages[0]?.seq });
    expect([rest.messages[0]?.body, rest.messages.length, rest.hasMore]).toEqual(['m0', 30, false]);
  });
});
