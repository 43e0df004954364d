// The event log: without gaps, in commit order, chained, and proof against tampering (A-11, I5, I12). The feed resumes from any place.

import { expect, it } from 'vitest';
import type { Act } from '../../src/hub/command.ts';
import type { Tx } from '../../src/store/db.ts';
import { ack, events, operatorOf, recv, refused, send, until } from '../support/acts.ts';
import { attach, onEveryEngine, PROJECT, type TestHub, testHub } from '../support/engines.ts';

const FAST = { sendPerSecond: 100_000, sendBurst: 100_000, sendPerMinute: 10_000_000, inboxFull: 50_000, inboxWarn: 5_000 };

/** A project with some of everything, and a way to alter it behind the hub's back. */
async function story(hub: TestHub) {
  const alice = await attach(hub, 'alice');
  const bob = await attach(hub, 'bob');
  for (const body of ['one', 'two', 'three']) await send(hub, alice, 'bob', body, { attachments: ['a.md'] });
  await ack(hub, bob, { receipt: (await recv(hub, bob)).receipt ?? '' });
  const alter = (sql: string, ...args: (string | number)[]) => hub.db.write('', (tx: Tx) => tx.run(sql, ...args));
  const problems = async () => (await hub.verify())[0]?.problems ?? [];
  expect(await problems()).toEqual([]);
  return { alter, problems };
}

onEveryEngine('the event log', (engine) => {
  it('numbers ten thousand events of eight concurrent writers without a gap', async () => {
    // PGlite is one WASM process: fewer events prove the same there.
    const each = engine.name === 'sqlite' ? 250 : 10;
    const hub = await testHub(engine, { limits: FAST });
    const writers = await Promise.all(Array.from({ length: 8 }, (_, i) => attach(hub, `w${i}`)));
    const before = await hub.feed.head(await operatorOf(hub));
    await Promise.all(
      writers.map(async (writer) => {
        const change = async (act: Act) => {
          const seqs: number[] = [];
          for (let i = 0; i < 5; i++) seqs.push(await act.emit('agent.changed', writer.agentId, { i }));
          return seqs;
        };
        let last = 0;
        for (let i = 0; i < each; i++) {
          const seqs = await hub.context.commands.run(writer, { tool: 'test' }, change);
          expect(seqs).toEqual(seqs.map((_, n) => (seqs[0] ?? 0) + n));
          expect(seqs[0]).toBeGreaterThan(last);
          last = seqs.at(-1) ?? last;
        }
      }),
    );
    const [verified] = await hub.verify();
    expect([verified?.problems, verified?.events]).toEqual([[], before + each * 8 * 5]);
    const rows = await hub.db.read((read) =>
      read.get('SELECT COUNT(*) AS n, MAX(seq) AS top FROM events WHERE project_id = ?', PROJECT.id),
    );
    expect([Number(rows?.n), Number(rows?.top)]).toEqual([verified?.events, verified?.events]);
  });

  it('finds an edited, a deleted, a reordered and a cut event', async () => {
    for (const [sql, found] of [
      [`UPDATE events SET data = replace(data, 'normal', 'x'), actor_id = 'agt_other' WHERE seq = 7`, 'event 7 (message.sent) was altered'],
      ['DELETE FROM events WHERE seq = 7', 'events 7 to 7 are missing'],
      ['UPDATE events SET seq = 500 WHERE seq = 7', 'events 7 to 7 are missing'],
      ['DELETE FROM events WHERE seq > 7', 'events 8 to'],
    ] as const) {
      const hub = await testHub(engine);
      const { alter, problems } = await story(hub);
      await alter(sql);
      expect((await problems()).join('\n')).toContain(found);
    }
  });

  it('finds events that changed places', async () => {
    const hub = await testHub(engine);
    const { alter, problems } = await story(hub);
    for (const [from, to] of [
      [6, 900],
      [7, 6],
      [900, 7],
    ] as const)
      await alter('UPDATE events SET seq = ? WHERE seq = ?', to, from);
    expect((await problems()).join('\n')).toContain('event 6 (message.sent) was altered');
  });

  it('finds a head that is not the newest event', async () => {
    const hub = await testHub(engine);
    const { alter, problems } = await story(hub);
    await alter('UPDATE projects SET event_hash = ?', '0'.repeat(64));
    expect((await problems()).join()).toContain('head');
  });

  it('finds altered words, an altered place of them, a missing message and a missing delivery', async () => {
    for (const [sql, found] of [
      [`UPDATE messages SET body = 'deploy it' WHERE body = 'two'`, 'the words of message'],
      [`UPDATE messages SET subject = 'urgent' WHERE body = 'two'`, 'the words of message'],
      [`UPDATE messages SET attachments = '["b.md"]' WHERE body = 'two'`, 'the words of message'],
      [`UPDATE messages SET attachments = 'broken' WHERE body = 'two'`, 'is damaged'],
      [`UPDATE messages SET urgent = 1, kind = 'request' WHERE body = 'two'`, 'the header of message'],
      [`UPDATE messages SET sender_id = (SELECT id FROM agents WHERE name = 'bob') WHERE body = 'two'`, 'the header of message'],
      [`UPDATE messages SET thread_id = 'thr_other' WHERE body = 'two'`, 'the header of message'],
      [`DELETE FROM deliveries WHERE message_id = (SELECT id FROM messages WHERE body = 'two')`, '3 deliveries were accepted, 2 are there'],
    ] as const) {
      const hub = await testHub(engine);
      const { alter, problems } = await story(hub);
      await alter(sql);
      expect((await problems()).join('\n')).toContain(found);
    }
  });

  it('verifies what the hub itself has said, and messages to several', async () => {
    const hub = await testHub(engine);
    const alice = await attach(hub, 'alice');
    const bob = await attach(hub, 'bob');
    await attach(hub, 'carol');
    await send(hub, alice, '*', 'all');
    await send(hub, await operatorOf(hub), ['alice', 'bob'], 'both', { urgent: true, kind: 'request' });
    await recv(hub, bob);
    hub.fake.advance(1_800_000);
    expect(await hub.deliveries.tellStalled()).toBe(2);
    const [verified] = await hub.verify();
    expect([verified?.problems, verified?.messages]).toEqual([[], 4]);
  });

  it('resumes from any event with exactly what followed', async () => {
    const hub = await testHub(engine);
    await story(hub);
    const all = await events(hub);
    const operator = await operatorOf(hub);
    for (const { seq } of all) expect(await hub.feed.after(operator, seq)).toEqual(all.slice(seq));
    await refused('forbidden', hub.feed.after(await attach(hub, 'carol'), 0));
  });

  it('follows the feed as it grows, without a body in it', async () => {
    const hub = await testHub(engine);
    await story(hub);
    const operator = await operatorOf(hub);
    const stop = new AbortController();
    const seen: { type: string }[] = [];
    const following = (async () => {
      for await (const page of hub.feed.follow(operator, await hub.feed.head(operator), stop.signal)) seen.push(...page);
    })();
    await until(() => hub.context.waiting.parked === 1);
    await send(hub, await attach(hub, 'carol'), 'bob', 'not for the log');
    await until(() => seen.some(({ type }) => type === 'message.sent'));
    stop.abort();
    await following;
    expect(JSON.stringify(await events(hub))).not.toContain('not for the log');
  });
});
