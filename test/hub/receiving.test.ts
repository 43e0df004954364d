// The inbox: order (C3), leases and acknowledgements (C4), bounded waiting (C12), messages for any of several, damaged rows (T-17).

import { expect, it } from 'vitest';
import type { Batch } from '../../src/hub/inbox.ts';
import { ack, bodies, ids, operatorOf, recv, refused, send, statusOf, until } from '../support/acts.ts';
import { attach, onEveryEngine, type TestHub, testHub } from '../support/engines.ts';

async function pair(hub: TestHub) {
  return { alice: await attach(hub, 'alice'), bob: await attach(hub, 'bob') };
}

onEveryEngine('the inbox', (engine) => {
  it('shows messages in the order of seq, urgent ones first, and numbers each pair without gaps', async () => {
    const hub = await testHub(engine);
    const { alice, bob } = await pair(hub);
    const carol = await attach(hub, 'carol');
    await Promise.all([1, 2, 3].flatMap((i) => [send(hub, alice, 'bob', `a${i}`), send(hub, carol, 'bob', `c${i}`)]));
    await refused('too_large', send(hub, alice, 'bob', 'x'.repeat(65_537)));
    await refused('not_found', send(hub, alice, ['bob', 'zed-unknown'], 'lost'));
    await send(hub, alice, 'bob', 'a4', { urgent: true });
    const { messages } = await recv(hub, bob, { max: 32 });
    expect(messages[0]?.body).toBe('a4');
    const seqs = messages.slice(1).map(({ seq }) => seq);
    expect(seqs).toEqual([...seqs].sort((a, b) => a - b));
    for (const sender of ['alice', 'carol']) {
      const own = messages.filter(({ from }) => from === sender).map(({ senderSeq }) => senderSeq);
      expect(own.sort()).toEqual(sender === 'alice' ? [1, 2, 3, 4] : [1, 2, 3]);
    }
  });

  it('shows what was not acknowledged again, before anything later, and makes the older receipt stale', async () => {
    const hub = await testHub(engine);
    const { alice, bob } = await pair(hub);
    await send(hub, alice, 'bob', 'one');
    const first = await recv(hub, bob);
    const shownAt = hub.fake.now();
    expect(first.messages[0]).toMatchObject({ attempt: 1, firstShownAt: shownAt });
    hub.fake.advance(1_000);
    await send(hub, alice, 'bob', 'two', { urgent: true });
    const second = await recv(hub, bob);
    expect(second.messages.map(({ body, attempt, firstShownAt }) => [body, attempt, firstShownAt])).toEqual([
      ['one', 2, shownAt],
      ['two', 1, hub.fake.now()],
    ]);
    const refusal = await refused('stale_receipt', ack(hub, bob, { receipt: first.receipt ?? '' }));
    expect(refusal.hint).toContain('recv_batch');
    await refused('stale_receipt', recv(hub, bob, { ack: first.receipt ?? '' }));
    await refused('stale_receipt', ack(hub, alice, { receipt: second.receipt ?? '' }));
    expect((await hub.inbox.counts(bob)).leased).toBe(2);
    expect((await ack(hub, bob, { receipt: second.receipt ?? '' })).acked).toHaveLength(2);
  });

  it('acknowledges nothing by a second receive, by time, or by the end of a session', async () => {
    const hub = await testHub(engine);
    const { alice, bob } = await pair(hub);
    await send(hub, alice, 'bob', 'one');
    await recv(hub, bob);
    await recv(hub, bob);
    hub.fake.advance(3_600_000);
    await hub.sessions.end(bob, 'closed');
    const again = await attach(hub, 'bob');
    const batch = await recv(hub, again);
    expect(batch.messages[0]).toMatchObject({ body: 'one', attempt: 3 });
  });

  it('acknowledges by receipt, by receipt but some, by ids and by reply, once each', async () => {
    const hub = await testHub(engine);
    const { alice, bob } = await pair(hub);
    const sent = [];
    for (const body of ['a', 'b', 'c', 'd']) sent.push((await send(hub, alice, 'bob', body)).message_id);
    const [a = '', b = '', c = '', d = ''] = sent;
    const { receipt } = await recv(hub, bob);
    expect(await ack(hub, bob, { receipt: receipt ?? '', except: [b, c, d] })).toEqual({
      acked: [a],
      already: [],
      returned: [],
      closed: [],
    });
    expect(await ack(hub, bob, { ids: [a, b] })).toEqual({ acked: [b], already: [a], returned: [], closed: [] });
    await send(hub, bob, 'alice', 'about c', { inReplyTo: c });
    expect(await ack(hub, bob, { receipt: receipt ?? '' })).toEqual({ acked: [d], already: [a, b, c], returned: [], closed: [] });
    expect(await ack(hub, bob, { receipt: receipt ?? '' })).toEqual({ acked: [], already: [a, b, c, d], returned: [], closed: [] });
    expect((await statusOf(hub, alice, c)).acked_by).toBe('reply');
    expect(bodies(await recv(hub, bob))).toEqual([]);
    await refused('invalid_input', ack(hub, bob, {}));
    await refused('not_found', ack(hub, bob, { ids: ['msg_unknown'] }));
  });

  it('acknowledges the echoed receipt and shows the next batch in one call', async () => {
    const hub = await testHub(engine);
    const { alice, bob } = await pair(hub);
    for (const body of ['a', 'b', 'c']) await send(hub, alice, 'bob', body);
    const first = await recv(hub, bob, { max: 2 });
    expect([bodies(first), first.remaining]).toEqual([['a', 'b'], 1]);
    const second = await recv(hub, bob, { ack: first.receipt ?? '' });
    expect([second.acked, bodies(second), second.remaining]).toEqual([2, ['c'], 0]);
  });

  it('returns a message for later with a reason, and does not acknowledge it by the receipt it came with', async () => {
    const hub = await testHub(engine);
    const { alice, bob } = await pair(hub);
    const { message_id } = await send(hub, alice, 'bob', 'later');
    await send(hub, alice, 'bob', 'now');
    const { receipt } = await recv(hub, bob);
    const nack = await ack(hub, bob, { nackIds: [message_id], delayMs: 30_000, reason: 'tests still run' });
    expect(nack).toEqual({ acked: [], already: [], returned: [message_id], closed: [] });
    expect((await ack(hub, bob, { receipt: receipt ?? '' })).acked).toHaveLength(1);
    expect((await statusOf(hub, alice, message_id)).why).toContain('tests still run');
    const early = await recv(hub, bob);
    expect([bodies(early), early.remaining]).toEqual([[], 0]);
    expect((await hub.inbox.counts(bob)).unread).toBe(0);
    hub.fake.advance(30_000);
    expect((await recv(hub, bob)).messages[0]).toMatchObject({ body: 'later', attempt: 2, returnedBecause: 'tests still run' });
  });

  it('never leases by looking', async () => {
    const hub = await testHub(engine);
    const { alice, bob } = await pair(hub);
    const { message_id } = await send(hub, alice, 'bob', 'one');
    const peeked = await recv(hub, bob, { peek: true });
    expect([bodies(peeked), peeked.receipt]).toEqual([['one'], null]);
    const counted = await recv(hub, bob, { max: 0 });
    expect([counted.messages, counted.receipt, counted.remaining]).toEqual([[], null, 1]);
    expect(await statusOf(hub, alice, message_id)).toMatchObject({ state: 'ready', attempts: 0, first_shown_at: null });
  });

  it('keeps a batch within its byte limit, but never empty', async () => {
    const hub = await testHub(engine);
    const { alice, bob } = await pair(hub);
    for (const letter of ['a', 'b', 'c']) await send(hub, alice, 'bob', letter.repeat(1_000));
    expect((await recv(hub, bob, { maxBytes: 10 })).messages).toHaveLength(1);
    expect((await recv(hub, bob, { maxBytes: 2_500, peek: true })).messages).toHaveLength(2);
    const batch = await recv(hub, bob, { maxBytes: 2_500 });
    expect([batch.messages.map(({ attempt }) => attempt), batch.remaining]).toEqual([[2, 1], 1]);
  });

  it('counts what the reader is given: words as JSON, subjects and attachments', async () => {
    const hub = await testHub(engine);
    const { alice, bob } = await pair(hub);
    for (const letter of ['a', 'b']) await send(hub, alice, 'bob', letter + '\n"'.repeat(500), { attachments: ['x'.repeat(500)] });
    expect((await recv(hub, bob, { maxBytes: 4_000, peek: true })).messages).toHaveLength(1);
    expect((await recv(hub, bob, { maxBytes: 4_000 })).messages).toHaveLength(1);
    expect((await recv(hub, bob, { maxBytes: 6_000 })).messages).toHaveLength(2);
  });

  it('shows a long body cut between characters, with its whole size', async () => {
    const hub = await testHub(engine);
    const { alice, bob } = await pair(hub);
    await send(hub, alice, 'bob', `x${'é'.repeat(5_000)}`);
    const [shown] = (await recv(hub, bob)).messages;
    expect(shown).toMatchObject({ truncated: true, bodyBytes: 10_001, body: `x${'é'.repeat(2_047)}` });
  });

  it('shows the same batch again under the same key, with the same receipt and attempt', async () => {
    const hub = await testHub(engine);
    const { alice, bob } = await pair(hub);
    await send(hub, alice, 'bob', 'one');
    const first = await recv(hub, bob, { key: 'r1' });
    await send(hub, alice, 'bob', 'two');
    const again = await recv(hub, bob, { key: 'r1' });
    expect(again).toEqual({ ...first, remaining: 1, replayed: true });
    await refused('conflict', recv(hub, bob, { key: 'r1', max: 5 }));
    expect((await ack(hub, bob, { receipt: first.receipt ?? '' })).acked).toHaveLength(1);
  });

  it('shows the batch that a keyed wait found again under its key', async () => {
    const hub = await testHub(engine);
    const { alice, bob } = await pair(hub);
    const waiting = recv(hub, bob, { key: 'w1', waitMs: 25_000 });
    await until(() => hub.context.waiting.parked === 1);
    await send(hub, alice, 'bob', 'one');
    const first = await waiting;
    expect(bodies(first)).toEqual(['one']);
    const again = await recv(hub, bob, { key: 'w1', waitMs: 25_000 });
    expect(again).toMatchObject({ receipt: first.receipt, replayed: true, messages: [{ body: 'one', attempt: 1 }] });
  });

  it('receives from one sender or one thread when asked to', async () => {
    const hub = await testHub(engine);
    const { alice, bob } = await pair(hub);
    const carol = await attach(hub, 'carol');
    await send(hub, alice, 'bob', 'from alice');
    const { thread_id } = await send(hub, carol, 'bob', 'from carol');
    expect(bodies(await recv(hub, bob, { from: 'carol' }))).toEqual(['from carol']);
    expect(bodies(await recv(hub, bob, { threadId: thread_id }))).toEqual(['from carol']);
    expect(bodies(await recv(hub, bob, { threadId: 'thr_none' }))).toEqual([]);
    await refused('not_found', recv(hub, bob, { from: 'nobody' }));
    expect(bodies(await recv(hub, bob))).toEqual(['from carol', 'from alice']);
  });

  it('wakes a waiting receive, and leases only when it answers', async () => {
    const hub = await testHub(engine);
    const { alice, bob } = await pair(hub);
    const waiting = recv(hub, bob, { waitMs: 25_000 });
    await until(() => hub.context.waiting.parked === 1);
    const sent = await send(hub, alice, 'bob', 'wake up');
    expect(sent.recipients[0]).toMatchObject({ state: 'ready', reachable: true, wake: { door: 'waiting_call' } });
    expect(bodies(await waiting)).toEqual(['wake up']);
    expect((await statusOf(hub, alice, sent.message_id)).wake_attempts[0]).toMatchObject({
      door: 'waiting_call',
      outcome: 'shown 0 ms later',
    });
  });

  it('leases nothing to a wait that was cancelled (T-4)', async () => {
    const hub = await testHub(engine);
    const { alice, bob } = await pair(hub);
    const cancel = new AbortController();
    const waiting = recv(hub, bob, { waitMs: 25_000 }, cancel.signal);
    await until(() => hub.context.waiting.parked === 1);
    cancel.abort();
    expect(await waiting).toMatchObject({ messages: [], receipt: null, end: 'cancelled' });
    const { message_id } = await send(hub, alice, 'bob', 'nobody listens');
    expect(await statusOf(hub, alice, message_id)).toMatchObject({ state: 'ready', attempts: 0 });
    expect(hub.context.waiting.parked).toBe(0);
  });

  it('ends a wait at its time, and at once when the hub closes, empty and with the reason', async () => {
    const hub = await testHub(engine);
    const { bob } = await pair(hub);
    const timed = recv(hub, bob, { waitMs: 25_000 });
    await until(() => hub.fake.sleeping > 0);
    hub.fake.advance(25_000);
    expect(await timed).toMatchObject({ messages: [], end: 'timeout' });
    const closed = recv(hub, bob, { waitMs: 25_000 });
    await until(() => hub.context.waiting.parked === 1 && hub.fake.sleeping > 0);
    const [batch] = await Promise.all([closed, hub.close()]);
    expect(batch).toMatchObject({ messages: [], receipt: null, end: 'shutting_down' });
  });

  it('wakes nobody for bare thanks, and shows them to whoever asks', async () => {
    const hub = await testHub(engine);
    const { alice, bob } = await pair(hub);
    const waiting = recv(hub, bob, { waitMs: 25_000 });
    await until(() => hub.context.waiting.parked === 1);
    const thanks = await send(hub, alice, 'bob', 'Thanks a lot!');
    expect(thanks.recipients[0]?.wake).toEqual({ door: 'none' });
    hub.fake.advance(25_000);
    expect(await waiting).toMatchObject({ messages: [], end: 'timeout' });
    expect((await recv(hub, bob)).messages[0]).toMatchObject({ body: 'Thanks a lot!', expectsReply: false });
    await send(hub, alice, 'bob', 'thanks, but the build is red');
    expect(bodies(await recv(hub, bob))).toContain('thanks, but the build is red');
  });

  it('wakes a waiting receive when a returned message is ready again', async () => {
    const hub = await testHub(engine);
    const { alice, bob } = await pair(hub);
    const { message_id } = await send(hub, alice, 'bob', 'later');
    await recv(hub, bob);
    await ack(hub, bob, { nackIds: [message_id], delayMs: 10_000 });
    const waiting = recv(hub, bob, { waitMs: 25_000 });
    await until(() => hub.context.waiting.parked === 1 && hub.fake.sleeping > 0);
    hub.fake.advance(10_000);
    expect(bodies(await waiting)).toEqual(['later']);
  });

  it('never shows what has expired, whether a duty ran or not', async () => {
    const hub = await testHub(engine);
    const { alice, bob } = await pair(hub);
    const { message_id } = await send(hub, alice, 'bob', 'soon stale', { expiresInMs: 1_000 });
    await send(hub, alice, 'bob', 'still good');
    hub.fake.advance(1_000);
    const batch = await recv(hub, bob);
    expect(bodies(batch)).toEqual(['still good']);
    expect(batch.skipped).toMatchObject([{ messageId: message_id, senderSeq: 1, state: 'expired' }]);
    expect((await statusOf(hub, alice, message_id)).why).toContain('time ran out');
  });

  it('sets a damaged message aside with its reason and shows the others (T-17)', async () => {
    const hub = await testHub(engine);
    const { alice, bob } = await pair(hub);
    const bad = await send(hub, alice, 'bob', 'bad');
    const good = await send(hub, alice, 'bob', 'good');
    await hub.db.write('demo-1', (tx) => tx.run('UPDATE messages SET attachments = ? WHERE id = ?', '{broken', bad.message_id));
    expect(bodies(await recv(hub, bob, { max: 1 }))).toEqual(['good']);
    expect((await hub.inbox.counts(bob)).leased).toBe(1);
    const notices = [await recv(hub, alice), await recv(hub, await operatorOf(hub))].map((batch) => batch.messages[0]?.body);
    for (const notice of notices) expect(notice).toContain(bad.message_id);
    const status = await statusOf(hub, await operatorOf(hub), bad.message_id);
    expect([status.state, status.why]).toEqual(['dead', expect.stringContaining('damaged')]);
    const thread = await hub.messages.thread(bob, { messageId: good.message_id, limit: 20 });
    expect(thread.messages.map(({ body }) => body)).toEqual(['good']);
    expect((await hub.verify())[0]?.problems.join()).toContain('damaged');
  });
});

onEveryEngine('messages for any of several', (engine) => {
  it('hands each of ten messages to exactly one of three agents, and tells the others that they were taken', async () => {
    const hub = await testHub(engine);
    const boss = await attach(hub, 'boss');
    const crew = [];
    for (const name of ['a', 'b', 'c']) crew.push(await attach(hub, name, { role: 'worker' }));
    for (let i = 0; i < 10; i++) await send(hub, boss, 'any:worker', `job ${i}`);
    const done: string[] = [];
    const told: Batch['skipped'] = [];
    for (let round = 0; round < 5; round++) {
      const batches = await Promise.all(crew.map((worker) => recv(hub, worker, { max: 1 })));
      for (const [i, batch] of batches.entries()) {
        done.push(...bodies(batch));
        told.push(...batch.skipped);
        const worker = crew[i];
        if (worker !== undefined && batch.receipt !== null) await ack(hub, worker, { receipt: batch.receipt });
      }
    }
    expect(done.sort()).toEqual(Array.from({ length: 10 }, (_, i) => `job ${i}`));
    for (const worker of crew) {
      await send(hub, boss, worker.name, 'and you?');
      told.push(...(await recv(hub, worker)).skipped);
    }
    expect(told).toHaveLength(20);
    for (const one of told) expect(one).toMatchObject({ state: 'recalled', reason: expect.stringMatching(/taken by [abc]/) });
  });

  it('offers a returned message to the others again', async () => {
    const hub = await testHub(engine);
    const boss = await attach(hub, 'boss');
    const [a, b] = [await attach(hub, 'a', { role: 'worker' }), await attach(hub, 'b', { role: 'worker' })];
    const { message_id } = await send(hub, boss, 'any:worker', 'job');
    await recv(hub, a);
    expect(bodies(await recv(hub, b))).toEqual([]);
    await ack(hub, a, { nackIds: [message_id], delayMs: 1_000 });
    expect(bodies(await recv(hub, b))).toEqual(['job']);
    hub.fake.advance(1_000);
    expect(bodies(await recv(hub, a))).toEqual([]);
  });

  it('is taken by an acknowledgement or a reply after a mere look, too', async () => {
    const hub = await testHub(engine);
    const boss = await attach(hub, 'boss');
    const [a, b] = [await attach(hub, 'a', { role: 'worker' }), await attach(hub, 'b', { role: 'worker' })];
    const sent = [await send(hub, boss, 'any:worker', 'one'), await send(hub, boss, 'any:worker', 'two')];
    expect(ids(await recv(hub, a, { peek: true }))).toHaveLength(2);
    await ack(hub, a, { ids: [sent[0]?.message_id ?? ''] });
    await send(hub, a, 'boss', 'done', { inReplyTo: sent[1]?.message_id });
    expect(bodies(await recv(hub, b))).toEqual([]);
  });

  it('goes to the others when its taker is gone, and stays with a taker that works', async () => {
    const hub = await testHub(engine);
    const boss = await attach(hub, 'boss');
    const a = await attach(hub, 'a', { role: 'worker' });
    const b = await attach(hub, 'b', { role: 'worker' });
    await send(hub, boss, 'any:worker', 'job');
    await recv(hub, a);
    hub.fake.advance(300_000);
    expect(await hub.deliveries.reofferPool()).toBe(0);
    await hub.sessions.end(a, 'closed');
    expect(await hub.deliveries.reofferPool()).toBe(1);
    expect(bodies(await recv(hub, b))).toEqual(['job']);
    expect(bodies(await recv(hub, await attach(hub, 'a')))).toEqual([]);
  });
});
