// Many reminders that are due at once: they fire in few transactions, each once, and one that cannot fire stops none of the others.

import { expect, it } from 'vitest';
import type { Caller } from '../../src/hub/caller.ts';
import { dutiesOf } from '../../src/scheduler/duties.ts';
import { Scheduler } from '../../src/scheduler/scheduler.ts';
import { insertReminder } from '../../src/store/reminders.ts';
import { openLog } from '../../src/system/log.ts';
import { bodies, events, recv, send, until } from '../support/acts.ts';
import { attach, onEveryEngine, PROJECT, sqlite, type TestHub, testHub } from '../support/engines.ts';

const MINUTE = 60_000;

/** Reminders of these by turns, due in a minute, a millisecond apart. */
async function dueInAMinute(hub: TestHub, owners: readonly Caller[], count: number, more: { to?: Caller } = {}): Promise<void> {
  await hub.db.write(PROJECT.id, async (tx) => {
    for (let n = 0; n < count; n++) {
      const owner = owners[n % owners.length];
      if (owner === undefined) return;
      const at = hub.fake.now() + MINUTE - count + n;
      const given = { id: `rem_${String(n).padStart(4, '0')}`, message: `reminder ${n}`, dueAt: at, attemptAt: at, createdAt: at };
      const none = { onlyIf: null, cron: null, timezone: null, maxRuns: null, attemptCount: 0, lastError: null, closedAt: null };
      const who = { projectId: PROJECT.id, ownerId: owner.agentId, targetId: (more.to ?? owner).agentId, sessionId: owner.sessionId };
      await insertReminder(tx, { ...given, ...none, ...who, runs: 0, state: 'pending' });
    }
  });
}

const rows = (hub: TestHub, sql: string) => hub.db.read((read) => read.all(sql));

/** From now on, this one cannot be understood when it is due. */
const damage = (hub: TestHub, id: string) =>
  hub.db.write(PROJECT.id, (tx) => tx.run(`UPDATE reminders SET cron = 'never', timezone = 'UTC' WHERE id = ?`, id));

onEveryEngine('many due at once', (engine) => {
  it('a hundred fire in one transaction, each once, beside its events, and the chain holds', async () => {
    const hub = await testHub(engine);
    const owners = [await attach(hub, 'ada'), await attach(hub, 'bob'), await attach(hub, 'eve')];
    await dueInAMinute(hub, owners, 130);
    hub.fake.advance(MINUTE);
    expect([await hub.firing.fireDue(), await hub.firing.fireDue(), await hub.firing.fireDue()]).toEqual([100, 30, 0]);
    const firings = await rows(
      hub,
      'SELECT f.message_id, m.ref, f.reminder_id FROM reminder_firings f JOIN messages m ON m.id = f.message_id',
    );
    expect(firings).toHaveLength(130);
    expect(firings.filter((row) => row.ref !== row.reminder_id)).toEqual([]);
    const told = (await events(hub)).filter(({ type }) => type === 'message.sent' || type === 'reminder.fired').map(({ type }) => type);
    expect(told).toEqual(Array.from({ length: 130 }, () => ['message.sent', 'reminder.fired']).flat());
    expect((await hub.verify()).map(({ problems }) => problems)).toEqual([[]]);
  });

  it('they keep their order and number among everything from this sender to this recipient', async () => {
    const hub = await testHub(engine);
    const [boss, ada] = [await attach(hub, 'boss', { role: 'manager' }), await attach(hub, 'ada')];
    await send(hub, boss, 'ada', 'before');
    await dueInAMinute(hub, [boss, ada], 9, { to: ada });
    hub.fake.advance(MINUTE);
    await hub.firing.fireDue();
    await send(hub, boss, 'ada', 'after');
    const inOrder = ['before', ...Array.from({ length: 9 }, (_, n) => `reminder ${n}`), 'after'];
    expect(bodies(await recv(hub, ada, { max: 32 }))).toEqual(inOrder);
    const numbered = await rows(
      hub,
      `SELECT d.sender_seq FROM deliveries d JOIN agents a ON a.id = d.sender_id WHERE a.name = 'boss' ORDER BY d.seq`,
    );
    expect(numbered.map((row) => Number(row.sender_seq))).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  it('an inbox takes as many as it has room for, and the others are tried again', async () => {
    const hub = await testHub(engine, { limits: { inboxFull: 3, inboxWarn: 3 } });
    const [ada, bob] = [await attach(hub, 'ada'), await attach(hub, 'bob')];
    await send(hub, bob, 'ada', 'was here first');
    await dueInAMinute(hub, [ada], 5);
    hub.fake.advance(MINUTE);
    await hub.firing.fireDue();
    expect(bodies(await recv(hub, ada))).toEqual(['was here first', 'reminder 0', 'reminder 1']);
    expect(await hub.reminders.list(ada, { state: 'pending', limit: 10 })).toMatchObject(
      Array.from({ length: 3 }, () => ({ attemptCount: 1, lastError: expect.stringContaining('inbox_full') })),
    );
  });

  it('one that cannot be understood is counted, and delays none of those behind it', async () => {
    const hub = await testHub(engine);
    const ada = await attach(hub, 'ada');
    await dueInAMinute(hub, [ada], 4);
    await damage(hub, 'rem_0001');
    hub.fake.advance(MINUTE);
    await expect(hub.firing.fireDue()).rejects.toThrow();
    expect(bodies(await recv(hub, ada))).toEqual(['reminder 0', 'reminder 2', 'reminder 3']);
    expect(await rows(hub, `SELECT last_error FROM reminders WHERE attempt_count = 1`)).toMatchObject([
      { last_error: expect.stringContaining('internal error') },
    ]);
  });

  it('one among many that cannot fire is found in a few transactions', async () => {
    const hub = await testHub(engine);
    const ada = await attach(hub, 'ada');
    await dueInAMinute(hub, [ada], 64);
    await damage(hub, 'rem_0040');
    hub.fake.advance(MINUTE);
    let changes = 0;
    const unsubscribe = hub.db.onChange(() => {
      changes += 1;
    });
    await expect(hub.firing.fireDue()).rejects.toThrow();
    unsubscribe();
    expect(changes).toBeLessThan(40); // it may be told too often
    expect(await rows(hub, `SELECT id FROM reminders WHERE state = 'pending'`)).toMatchObject([{ id: 'rem_0040' }]);
  });

  it('an instant that was fired before fires nothing, and its reminder moves on', async () => {
    const hub = await testHub(engine);
    const ada = await attach(hub, 'ada');
    await dueInAMinute(hub, [ada], 3);
    await hub.db.write(PROJECT.id, (tx) =>
      tx.run(
        'INSERT INTO reminder_firings (reminder_id, due_at, fired_at) SELECT id, due_at, due_at FROM reminders WHERE id = ?',
        'rem_0001',
      ),
    );
    hub.fake.advance(MINUTE);
    await hub.firing.fireDue();
    expect(bodies(await recv(hub, ada))).toEqual(['reminder 0', 'reminder 2']);
    expect(await rows(hub, 'SELECT id, state, runs FROM reminders ORDER BY id')).toMatchObject([
      { state: 'done', runs: 1 },
      { state: 'done', runs: 0 },
      { state: 'done', runs: 1 },
    ]);
    expect(await hub.firing.fireDue()).toBe(0);
  });
});

it('one that is set while the scheduler rests between two rounds fires on time', async () => {
  const hub = await testHub(sqlite);
  const ada = await attach(hub, 'ada');
  const scheduler = new Scheduler(hub, dutiesOf(hub), hub.fake, openLog('silent', undefined));
  scheduler.start();
  await until(() => hub.fake.sleeping === 1);
  await hub.reminders.remind(ada, { message: 'soon', inMs: 50 }, { tool: 'remind' });
  for (let ms = 0; ms < 51; ms++) {
    hub.fake.advance(1);
    await until(() => hub.fake.sleeping === 1);
  }
  await until(async () => (await recv(hub, ada, { peek: true })).messages.length === 1);
  await scheduler.stop();
});
