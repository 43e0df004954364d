// What a send promises: on disk before success (C1), once per key (C2), to agents that exist (C15), within stated limits (C18), with references
// that mean the same to everybody (H-03).

import { expect, it } from 'vitest';
import { ack, bodies, events, ids, operatorOf, recv, refused, send, sweep } from '../support/acts.ts';
import { attach, onEveryEngine, testHub } from '../support/engines.ts';

const FAST = { sendPerSecond: 100_000, sendBurst: 100_000, sendPerMinute: 10_000_000 };

onEveryEngine('accepting a message', (engine) => {
  it('keeps nothing of a change that throws', async () => {
    const hub = await testHub(engine);
    const alice = await attach(hub, 'alice');
    await attach(hub, 'bob');
    const before = await events(hub);
    const change = hub.context.commands.run(alice, { tool: 'test' }, async (act) => {
      await act.emit('agent.changed', alice.agentId, {});
      await act.tx.run('UPDATE agents SET status = ? WHERE id = ?', 'changed', alice.agentId);
      throw new Error('on purpose');
    });
    await expect(change).rejects.toThrow('on purpose');
    expect(await events(hub)).toEqual(before);
    expect((await hub.agents.self(alice)).agent.status).toBe('');
  });

  it('lets one of fifty concurrent sends fail alone', async () => {
    const hub = await testHub(engine);
    const alice = await attach(hub, 'alice');
    const bob = await attach(hub, 'bob');
    const outcomes = await Promise.allSettled(
      Array.from({ length: 50 }, (_, i) => send(hub, alice, i === 25 ? 'nobody-like-this' : 'bob', `message ${i}`)),
    );
    expect(outcomes.flatMap((outcome, i) => (outcome.status === 'rejected' ? [i] : []))).toEqual([25]);
    const counts = await hub.inbox.counts(bob);
    expect(counts.unread).toBe(49);
    const seqs = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value.seq] : []));
    expect(new Set(seqs).size).toBe(49);
  });

  it('answers a repeated key with the first result, whatever the order of the arguments', async () => {
    const hub = await testHub(engine);
    const alice = await attach(hub, 'alice');
    const bob = await attach(hub, 'bob');
    const first = await send(hub, alice, 'bob', 'hello', { subject: 'a', kind: 'request', key: 'k1' });
    hub.fake.advance(3_600_000);
    const draft = { kind: 'request' as const, subject: 'a', body: 'hello', to: 'bob' };
    const again = await hub.messages.send(alice, draft, { tool: 'send', key: 'k1', args: draft });
    expect(again).toEqual({ ...first, replayed: true });
    expect((await hub.inbox.counts(bob)).unread).toBe(1);
  });

  it('refuses a key with other arguments, and changes nothing', async () => {
    const hub = await testHub(engine);
    const alice = await attach(hub, 'alice');
    const bob = await attach(hub, 'bob');
    await send(hub, alice, 'bob', 'hello', { key: 'k1' });
    const refusal = await refused('conflict', send(hub, alice, 'bob', 'other', { key: 'k1' }));
    expect(refusal.message).toContain('k1');
    expect(bodies(await recv(hub, bob))).toEqual(['hello']);
  });

  it('keeps keys apart by principal and by tool', async () => {
    const hub = await testHub(engine);
    const alice = await attach(hub, 'alice');
    const bob = await attach(hub, 'bob');
    const first = await send(hub, alice, 'bob', 'hello', { key: 'k' });
    const other = await send(hub, bob, 'alice', 'hello', { key: 'k' });
    expect(other.replayed).toBeUndefined();
    const acked = await ack(hub, bob, { ids: [first.message_id], key: 'k' });
    expect(acked).toEqual({ acked: [first.message_id], already: [], returned: [], closed: [] });
  });

  it('has one effect for sixteen concurrent sends under one key', async () => {
    const hub = await testHub(engine);
    const alice = await attach(hub, 'alice');
    const bob = await attach(hub, 'bob');
    const all = await Promise.all(Array.from({ length: 16 }, () => send(hub, alice, 'bob', 'once', { key: 'same' })));
    expect(new Set(all.map((one) => one.message_id)).size).toBe(1);
    expect(all.filter((one) => one.replayed === true)).toHaveLength(15);
    expect((await hub.inbox.counts(bob)).unread).toBe(1);
  });

  it('forgets a key after seven days and not before, in batches of any size', async () => {
    const hub = await testHub(engine, { limits: { ...FAST, sweepBatch: 10 } });
    const alice = await attach(hub, 'alice');
    await attach(hub, 'bob');
    for (let i = 0; i < 25; i++) await send(hub, alice, 'bob', `m${i}`, { key: `k${i}` });
    hub.fake.advance(hub.limits.keyRetentionMs);
    expect((await sweep(hub)).idempotency_keys).toBeUndefined();
    expect((await send(hub, alice, 'bob', 'm0', { key: 'k0' })).replayed).toBe(true);
    hub.fake.advance(1);
    expect((await sweep(hub)).idempotency_keys).toBe(25);
    expect((await send(hub, alice, 'bob', 'm0', { key: 'k0' })).replayed).toBeUndefined();
  });

  it('takes the same words within a minute for a retry, unless told otherwise', async () => {
    const hub = await testHub(engine);
    const alice = await attach(hub, 'alice');
    const bob = await attach(hub, 'bob');
    const first = await send(hub, alice, 'bob', 'build is red');
    hub.fake.advance(59_000);
    const repeat = await send(hub, alice, 'bob', 'build is red');
    expect(repeat).toMatchObject({ message_id: first.message_id, seq: first.seq, replayed: true, by: 'content' });
    const meant = await send(hub, alice, 'bob', 'build is red', { allowDuplicate: true });
    expect(meant.message_id).not.toBe(first.message_id);
    expect((await send(hub, alice, 'bob', 'build is red', { kind: 'status' })).replayed).toBeUndefined();
    expect((await send(hub, alice, 'bob', 'build is red', { subject: 's' })).replayed).toBeUndefined();
    expect((await hub.inbox.counts(bob)).unread).toBe(4);
  });

  it('makes two messages of the same words when more than a minute lies between', async () => {
    // T-25 asks for two messages at any time; C2 is newer: within 60 s a repeat without a key is a retry.
    const hub = await testHub(engine);
    const alice = await attach(hub, 'alice');
    const bob = await attach(hub, 'bob');
    await send(hub, alice, 'bob', 'again');
    hub.fake.advance(60_001);
    expect((await send(hub, alice, 'bob', 'again')).replayed).toBeUndefined();
    expect((await hub.inbox.counts(bob)).unread).toBe(2);
  });

  it('never takes a send under a fresh key for a repeat of its words', async () => {
    const hub = await testHub(engine);
    const alice = await attach(hub, 'alice');
    const bob = await attach(hub, 'bob');
    await send(hub, alice, 'bob', 'next', { key: 'one' });
    expect((await send(hub, alice, 'bob', 'next', { key: 'two' })).replayed).toBeUndefined();
    expect((await hub.inbox.counts(bob)).unread).toBe(2);
  });

  it('refuses an unknown recipient with the nearest names, and makes no inbox for it', async () => {
    const hub = await testHub(engine);
    const alice = await attach(hub, 'alice');
    const bob = await attach(hub, 'reviewer-1');
    const refusal = await refused('not_found', send(hub, alice, ['reviewer-1', 'reviewer1'], 'hi'));
    expect(refusal.hint).toContain('reviewer-1');
    for (const to of ['..', '%', '_', 'reviewer%', '*;', 'hub', 'role:nobody', 'any:nobody', '#general'])
      await refused('not_found', send(hub, alice, to, 'hi'));
    for (const to of ['', ' , ', 'role:', 'any:', '*,reviewer-1']) await refused('invalid_input', send(hub, alice, to, 'hi'));
    expect((await hub.inbox.counts(bob)).unread).toBe(0);
    expect((await hub.agents.list(alice, { waitMs: 0 })).agents.map(({ agent }) => agent.name)).toEqual([
      'alice',
      'operator',
      'reviewer-1',
    ]);
  });

  it('takes 65,536 bytes of any script and refuses one more before anything is written', async () => {
    const hub = await testHub(engine);
    const alice = await attach(hub, 'alice');
    const bob = await attach(hub, 'bob');
    const exact = 'é'.repeat(32_768);
    const sent = await send(hub, alice, 'bob', exact);
    expect((await hub.messages.read(bob, sent.message_id)).message.body).toBe(exact);
    await send(hub, alice, 'bob', 'x'.repeat(65_536));
    const before = await events(hub);
    for (const body of [`${'é'.repeat(32_768)}x`, 'x'.repeat(65_537), '🐦'.repeat(16_385)]) {
      const refusal = await refused('too_large', send(hub, alice, '*', body));
      expect(refusal.message).toMatch(/body has \d+ bytes; the limit is 65536/);
      expect(refusal.hint).toContain('attachments');
    }
    await refused('too_large', send(hub, alice, 'bob', 'x', { subject: 's'.repeat(121) }));
    await send(hub, alice, 'bob', 'x', { subject: '🐦'.repeat(120) });
    expect((await events(hub)).length).toBe(before.length + 1);
  });

  it('stores odd text so that it verifies, and refuses what no engine can store', async () => {
    const hub = await testHub(engine);
    const alice = await attach(hub, 'alice');
    const bob = await attach(hub, 'bob');
    await send(hub, alice, 'bob', 'half a pair \ud800 and a tab\t', { subject: '\udc00' });
    const batch = await recv(hub, bob);
    expect(bodies(batch)).toEqual(['half a pair \ufffd and a tab\t']);
    expect((await hub.verify())[0]?.problems).toEqual([]);
    await refused('invalid_input', send(hub, alice, 'bob', 'nul \0 inside'));
    await refused('invalid_input', send(hub, alice, 'bob', 'fine', { subject: '\0' }));
    await refused('invalid_input', send(hub, alice, 'bob', '  \n '));
  });

  it('answers rate_limited with the time after which to retry', async () => {
    const hub = await testHub(engine, { limits: { sendPerSecond: 2, sendBurst: 3, sendPerMinute: 300 } });
    const alice = await attach(hub, 'alice');
    const bob = await attach(hub, 'bob');
    for (let i = 0; i < 3; i++) await send(hub, alice, 'bob', `m${i}`);
    const refusal = await refused('rate_limited', send(hub, alice, 'bob', 'm3'));
    expect(refusal.toAnswer()).toMatchObject({ retryable: true, retry_after_ms: 500 });
    await send(hub, bob, 'alice', 'the others are not held up');
    hub.fake.advance(500);
    await send(hub, alice, 'bob', 'm3');
  });

  it('refuses a full inbox by name, and leaves it out of a group with a note', async () => {
    const hub = await testHub(engine, { limits: { ...FAST, inboxFull: 3, inboxWarn: 2 } });
    const alice = await attach(hub, 'alice');
    const bob = await attach(hub, 'bob');
    await attach(hub, 'carol');
    await send(hub, alice, 'bob', 'm0');
    await send(hub, alice, 'bob', 'm1');
    expect((await send(hub, alice, 'bob', 'm2')).notes[0]).toContain('bob has 2 unacknowledged');
    const refusal = await refused('inbox_full', send(hub, alice, ['bob', 'carol'], 'm3'));
    expect(refusal.message).toContain('bob has 3');
    expect(refusal.retryAfterMs).toBeGreaterThan(0);
    const group = await send(hub, alice, '*', 'm4');
    expect(group.recipients.map(({ name }) => name)).toEqual(['carol']);
    expect(group.notes.join()).toContain('bob was left out');
    await ack(hub, bob, { receipt: (await recv(hub, bob)).receipt ?? '' });
    expect((await send(hub, alice, ['bob', 'carol'], 'm5')).recipients).toHaveLength(2);
  });

  it('refuses a fan-out past its limit before anything is written', async () => {
    const hub = await testHub(engine, { limits: { fanOut: 2 } });
    const alice = await attach(hub, 'alice');
    for (const name of ['b', 'c', 'd']) await attach(hub, name);
    const before = await events(hub);
    await refused('limit_reached', send(hub, alice, '*', 'all of you'));
    expect(await events(hub)).toEqual(before);
  });

  it('gives every member a copy of a broadcast with an acknowledgement of its own, but not the sender, the operator or another project', async () => {
    const hub = await testHub(engine);
    const [a, b, c] = [await attach(hub, 'a'), await attach(hub, 'b'), await attach(hub, 'c')];
    const operator = await operatorOf(hub);
    const sent = await send(hub, a, '*', 'lunch');
    expect(sent.recipients.map(({ name }) => name)).toEqual(['b', 'c']);
    const shown = await recv(hub, b);
    expect(shown.messages[0]).toMatchObject({ broadcast: true, senderSeq: 1 });
    await ack(hub, b, { receipt: shown.receipt ?? '' });
    const states = (await hub.status.of(a, sent.message_id)).deliveries.map(({ recipient, state }) => [recipient, state]);
    expect(states).toEqual([
      ['b', 'acked'],
      ['c', 'ready'],
    ]);
    expect(ids(await recv(hub, c))).toEqual([sent.message_id]);
    expect(ids(await recv(hub, a))).toEqual([]);
    expect((await hub.inbox.counts(operator)).unread).toBe(0);
  });

  it('reaches a role, but nobody whose role only begins like it (T-23)', async () => {
    const hub = await testHub(engine);
    const alice = await attach(hub, 'alice');
    await attach(hub, 'r1', { role: 'java' });
    await attach(hub, 'r2', { role: 'javascript' });
    expect((await send(hub, alice, 'role:java', 'x')).recipients.map(({ name }) => name)).toEqual(['r1']);
    expect((await send(hub, alice, 'any:java', 'y')).recipients.map(({ name }) => name)).toEqual(['r1']);
  });

  it('stores attachments inside the project by their path from its root, whichever worktree they are named from (H-03)', async () => {
    const hub = await testHub(engine);
    const alice = await attach(hub, 'alice', { root: '/work/demo-tree' });
    const bob = await attach(hub, 'bob');
    const attachments = [
      '/work/demo-tree/src/a.ts',
      '/work/demo/b.ts',
      'docs/../c.md',
      './d.md',
      'file:///work/demo/e%20f.md',
      'https://example.org/x',
    ];
    await send(hub, alice, 'bob', 'see', { attachments });
    const [shown] = (await recv(hub, bob)).messages;
    expect(shown?.attachments).toEqual(['src/a.ts', 'b.ts', 'c.md', 'd.md', 'e f.md', 'https://example.org/x']);
  });

  it('refuses attachments outside the project', async () => {
    const hub = await testHub(engine);
    const alice = await attach(hub, 'alice');
    await attach(hub, 'bob');
    for (const path of ['/etc/passwd', '../x', 'a/../../x', '/work/demo/../other/x', '/work/demo2/x', 'file:///etc/passwd', '', 'a\0b'])
      await refused('invalid_input', send(hub, alice, 'bob', 'see', { attachments: [path] }));
    await refused('too_large', send(hub, alice, 'bob', 'see', { attachments: Array.from({ length: 17 }, (_, i) => `f${i}`) }));
  });

  it('goes on without an in_reply_to that is unknown, foreign or another agent’s, and says so (H-42)', async () => {
    const hub = await testHub(engine);
    const [alice, bob, carol] = [await attach(hub, 'alice'), await attach(hub, 'bob'), await attach(hub, 'carol')];
    const secret = await send(hub, alice, 'bob', 'between us');
    for (const inReplyTo of ['msg_unknown', secret.message_id, '']) {
      const sent = await send(hub, carol, 'bob', `about ${inReplyTo}`, { inReplyTo });
      expect(sent.notes.join()).toContain('in_reply_to');
      expect(sent.thread_id).not.toBe(secret.thread_id);
    }
    const reply = await send(hub, bob, 'alice', 'yes', { inReplyTo: secret.message_id });
    expect([reply.thread_id, reply.notes]).toEqual([secret.thread_id, []]);
  });

  it('counts the hops of a chain, and starts anew with the operator', async () => {
    const hub = await testHub(engine);
    const [alice, bob] = [await attach(hub, 'alice'), await attach(hub, 'bob')];
    const operator = await operatorOf(hub);
    const first = await send(hub, alice, 'bob', 'one');
    const second = await send(hub, bob, 'alice', 'two', { inReplyTo: first.message_id });
    const third = await send(hub, alice, ['bob', 'operator'], 'three', { inReplyTo: second.message_id });
    const human = await send(hub, operator, 'alice', 'four', { inReplyTo: third.message_id });
    const after = await send(hub, alice, 'operator', 'five', { inReplyTo: human.message_id });
    const sent = [first, second, third, human, after];
    const hops = await Promise.all(sent.map(async ({ message_id }) => (await hub.messages.read(operator, message_id)).message.hop));
    expect(hops).toEqual([0, 1, 2, 0, 1]);
  });
});
