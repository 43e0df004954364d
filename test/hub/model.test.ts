// The contract as a property: whatever agents do, in whatever order, the hub's inboxes are what a small model of C2 to C5 says they are.
// The model and its commands live in prove/, where `npm run prove` runs far more of them. Bugs that they found stand here as cases.

import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { checkContract } from '../../prove/property.mjs';
import type { Caller } from '../../src/hub/caller.ts';
import type { Hub } from '../../src/hub/hub.ts';
import { attach, onEveryEngine, scratch, testHub } from '../support/engines.ts';
import { FakeClock } from '../support/fake-clock.ts';

const limits = { sendPerSecond: 100_000, sendBurst: 100_000, sendPerMinute: 10_000_000, deliveryAttempts: 32, poisonMinAgeMs: 86_400_000 };

onEveryEngine('the contract', (engine) => {
  it('holds for random sequences of commands', { timeout: 120_000 }, async () => {
    const world = () => {
      const clock = new FakeClock();
      const place = scratch();
      return {
        clock,
        open: () => testHub(engine, { place, clock, limits }),
        attach: (hub: Hub, name: string, role?: string) => attach(hub, name, { takeover: true, ...(role === undefined ? {} : { role }) }),
        done: () => {},
      };
    };
    const runs = engine.name === 'sqlite' ? 30 : 5;
    const { sequences } = await checkContract(fc, world, { runs });
    expect(sequences).toBeGreaterThanOrEqual(runs);
  });

  it('does not acknowledge a returned message by the receipt of its batch', async () => {
    const { hub, ana, ben } = await pair(engine);
    const { message_id: id } = await say(hub, ana, 'look at this');
    const { receipt } = await receive(hub, ben);
    await hub.inbox.acknowledge(ben, { nackIds: [id], delayMs: 0 }, { tool: 'ack' });
    await expect(receive(hub, ben, { ack: receipt ?? '' })).rejects.toMatchObject({ code: 'stale_receipt' });
    expect((await receive(hub, ben)).messages.map((message) => message.id)).toEqual([id]);
  });

  it('shows thanks to whoever asks', async () => {
    const { hub, ana, ben } = await pair(engine);
    await say(hub, ana, 'thanks');
    expect((await receive(hub, ben)).messages).toHaveLength(1);
  });

  it('takes the same words under a new key for a new message', async () => {
    const { hub, ana, ben } = await pair(engine);
    for (const key of ['one', 'two']) await say(hub, ana, 'try again', key);
    expect((await receive(hub, ben)).messages).toHaveLength(2);
  });

  it('answers a keyed receive that waits with what comes', async () => {
    const { hub, ana, ben } = await pair(engine);
    const waiting = receive(hub, ben, { waitMs: 10_000 }, 'wait');
    await expect.poll(() => hub.context.waiting.parked).toBe(1);
    await say(hub, ana, 'here it is');
    expect((await waiting).messages).toHaveLength(1);
  });
});

async function pair(engine: Parameters<typeof testHub>[0]): Promise<{ hub: Hub; ana: Caller; ben: Caller }> {
  const hub = await testHub(engine);
  return { hub, ana: await attach(hub, 'ana'), ben: await attach(hub, 'ben') };
}

function say(hub: Hub, from: Caller, body: string, key?: string) {
  return hub.messages.send(from, { to: 'ben', body }, { tool: 'send', key, args: { body } });
}

function receive(hub: Hub, by: Caller, more: { ack?: string; waitMs?: number } = {}, key?: string) {
  return hub.inbox.receive(by, { max: 10, maxBytes: 32_768, waitMs: 0, peek: false, ...more }, { tool: 'recv_batch', key, args: {} });
}
