import { expect, it } from 'vitest';
import { attach, onEveryEngine, testHub } from '../support/engines.ts';

onEveryEngine('two agents talk', (engine) => {
  it('sends, shows, acknowledges', async () => {
    const hub = await testHub(engine);
    const alice = await attach(hub, 'alice');
    const bob = await attach(hub, 'bob');
    const sent = await hub.messages.send(alice, { to: 'bob', body: 'hello' }, { tool: 'send' });
    const batch = await hub.inbox.receive(bob, { max: 10, maxBytes: 32_768, waitMs: 0, peek: false }, { tool: 'recv_batch' });
    expect(batch.messages.map((one) => [one.id, one.from, one.body])).toEqual([[sent.message_id, 'alice', 'hello']]);
    const acked = await hub.inbox.acknowledge(bob, { receipt: batch.receipt ?? '', delayMs: 0 }, { tool: 'ack' });
    expect(acked.acked).toEqual([sent.message_id]);
    const status = await hub.status.of(alice, sent.message_id);
    expect(status.deliveries[0]?.state).toBe('acked');
    expect((await hub.verify())[0]?.problems).toEqual([]);
  });
});
