import { expect, it } from 'vitest';
import type { Caller } from '../../src/hub/caller.ts';
import type { Hub } from '../../src/hub/hub.ts';
import { effectiveLimits } from '../../src/hub/limits.ts';
import { nextDue, toSchedule } from '../../src/hub/schedules.ts';
import { attach, onEveryEngine, PROJECT, testHub } from '../support/engines.ts';

const inboxOf = (hub: Hub, caller: Caller) =>
  hub.inbox.receive(caller, { max: 32, maxBytes: 32_768, waitMs: 0, peek: true }, { tool: 'recv_batch' });
const remind = (hub: Hub, caller: Caller, when: object, message = 'look at CI') =>
  hub.reminders.remind(caller, { message, ...when }, { tool: 'remind' });
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

onEveryEngine('reminders', (engine) => {
  it('fires once, at its time, whoever looks', async () => {
    const hub = await testHub(engine);
    const other = await testHub(engine, { place: hub.place, clock: hub.fake });
    const ada = await attach(hub, 'ada');
    const { reminderId } = await remind(hub, ada, { inMs: 10 * MINUTE });
    hub.fake.advance(10 * MINUTE - 1);
    await hub.firing.fireDue();
    expect((await inboxOf(hub, ada)).messages).toEqual([]);
    hub.fake.advance(1);
    await Promise.all([hub.firing.fireDue(), other.firing.fireDue(), hub.firing.fireDue()]);
    hub.fake.advance(MINUTE);
    await other.firing.fireDue();
    expect((await inboxOf(hub, ada)).messages).toMatchObject([{ ref: reminderId, subject: 'reminder', body: 'look at CI', from: 'ada' }]);
    expect(await hub.reminders.list(ada, { state: 'done', limit: 10 })).toMatchObject([{ id: reminderId, runs: 1 }]);
  });

  it('a missed one fires after the restart, once, and says how late it is', async () => {
    const hub = await testHub(engine);
    const ada = await attach(hub, 'ada');
    await remind(hub, ada, { inMs: MINUTE });
    await hub.close();
    hub.fake.advance(61 * MINUTE);
    const again = await testHub(engine, { place: hub.place, clock: hub.fake });
    await again.firing.fireDue();
    await again.firing.fireDue();
    const back = await attach(again, 'ada', { takeover: true });
    expect((await inboxOf(again, back)).messages.map((one) => one.subject)).toEqual([`reminder, 3600 s late (late_by_ms ${60 * MINUTE})`]);
  });

  it('a recurring one coalesces after downtime, goes on, and stops after max_runs', async () => {
    const hub = await testHub(engine);
    const ada = await attach(hub, 'ada');
    const { dueAt } = await remind(hub, ada, { cron: '0 * * * *', maxRuns: 3 });
    hub.fake.advance(dueAt - hub.fake.now());
    await hub.firing.fireDue();
    hub.fake.advance(5 * 60 * MINUTE + MINUTE);
    await hub.firing.fireDue();
    await hub.firing.fireDue();
    expect((await inboxOf(hub, ada)).messages).toHaveLength(2);
    hub.fake.advance(60 * MINUTE);
    await hub.firing.fireDue();
    hub.fake.advance(DAY);
    await hub.firing.fireDue();
    expect((await inboxOf(hub, ada)).messages).toHaveLength(3);
    expect(await hub.reminders.list(ada, { state: 'done', limit: 10 })).toMatchObject([{ runs: 3 }]);
  });

  it('sixty days ahead does not fire now, and a clock that steps back fires nothing twice', async () => {
    const hub = await testHub(engine);
    const ada = await attach(hub, 'ada');
    await remind(hub, ada, { inMs: 60 * DAY }, 'far');
    await remind(hub, ada, { inMs: MINUTE }, 'near');
    hub.fake.advance(MINUTE);
    await hub.firing.fireDue();
    hub.fake.jump(-3 * 60 * MINUTE);
    await hub.firing.fireDue();
    hub.fake.jump(3 * 60 * MINUTE);
    await hub.firing.fireDue();
    expect((await inboxOf(hub, ada)).messages.map((one) => one.body)).toEqual(['near']);
    hub.fake.advance(60 * DAY);
    await hub.firing.fireDue();
    expect((await inboxOf(hub, ada)).messages.map((one) => one.body)).toEqual(['near', 'far']);
  });

  it('only_if: fires while the ask is open, is quietly done when it is not', async () => {
    const hub = await testHub(engine);
    const [ada, bob] = [await attach(hub, 'ada'), await attach(hub, 'bob')];
    const open = await hub.asks.ask(ada, { to: 'bob', question: 'open?' }, { tool: 'ask' });
    const closed = await hub.asks.ask(ada, { to: 'bob', question: 'closed?' }, { tool: 'ask' });
    await remind(hub, ada, { inMs: MINUTE, onlyIf: open.askId }, 'still open');
    await remind(hub, ada, { inMs: MINUTE, onlyIf: closed.askId }, 'must not come');
    await expect(remind(hub, ada, { inMs: MINUTE, onlyIf: 'ask_nowhere' })).rejects.toMatchObject({ code: 'invalid_input' });
    await hub.asks.answer(bob, closed.askId, { answer: ['yes'] }, { tool: 'answer' });
    hub.fake.advance(MINUTE);
    await hub.firing.fireDue();
    expect((await inboxOf(hub, ada)).messages.filter((one) => one.ref?.startsWith('rem_')).map((one) => one.body)).toEqual(['still open']);
  });

  it('only_if: a message that was acknowledged needs no reminder', async () => {
    const hub = await testHub(engine);
    const [ada, bob] = [await attach(hub, 'ada'), await attach(hub, 'bob')];
    const sent = await hub.messages.send(ada, { to: 'bob', body: 'read me' }, { tool: 'send' });
    await remind(hub, ada, { inMs: MINUTE, onlyIf: sent.message_id }, 'bob has not read it');
    await hub.inbox.acknowledge(bob, { ids: [sent.message_id], delayMs: 0 }, { tool: 'ack' });
    hub.fake.advance(MINUTE);
    await hub.firing.fireDue();
    expect((await inboxOf(hub, ada)).messages).toEqual([]);
  });

  it('a failure is counted, backs off, parks after five, and is retried on demand; others are not delayed', async () => {
    const hub = await testHub(engine, { limits: { inboxFull: 1 } });
    const boss = await attach(hub, 'boss', { role: 'manager' });
    const [ada, bob] = [await attach(hub, 'ada'), await attach(hub, 'bob')];
    const blocker = await hub.messages.send(boss, { to: 'ada', body: 'fills the inbox' }, { tool: 'send' });
    const { reminderId } = await remind(hub, boss, { inMs: MINUTE, to: 'ada' });
    await remind(hub, bob, { inMs: MINUTE }, 'for bob');
    hub.fake.advance(MINUTE);
    await hub.firing.fireDue();
    expect(await hub.reminders.list(boss, { state: null, limit: 10 })).toMatchObject([
      { attemptCount: 1, state: 'pending', lastError: expect.stringContaining('inbox_full') },
    ]);
    expect((await inboxOf(hub, bob)).messages).toHaveLength(1);
    for (let n = 0; n < 4; n++) {
      hub.fake.advance(30 * MINUTE);
      await hub.firing.fireDue();
    }
    expect(await hub.reminders.list(boss, { state: null, limit: 10 })).toMatchObject([{ attemptCount: 5, state: 'parked' }]);
    expect((await hub.openThreads.list(boss, 'mine')).threads).toMatchObject([
      { kind: 'reminder', state: expect.stringContaining('parked') },
    ]);
    await hub.inbox.acknowledge(ada, { ids: [blocker.message_id], delayMs: 0 }, { tool: 'ack' });
    expect(await hub.reminders.retry(boss, reminderId, { tool: 'retry_reminder' })).toMatchObject({ retried: true });
    expect(await hub.reminders.retry(boss, reminderId, { tool: 'retry_reminder' })).toMatchObject({ retried: false });
    await hub.firing.fireDue();
    expect((await inboxOf(hub, ada)).messages.map((one) => one.ref)).toEqual([reminderId]);
  });

  it('cancelled never fires, even when it was just due; only its owner and overseers may', async () => {
    const hub = await testHub(engine);
    const [ada, bob] = [await attach(hub, 'ada'), await attach(hub, 'bob')];
    const { reminderId } = await remind(hub, ada, { inMs: MINUTE });
    await expect(hub.reminders.cancel(bob, reminderId, { tool: 'cancel_reminder' })).rejects.toMatchObject({ code: 'not_found' });
    hub.fake.advance(MINUTE);
    const operator = await hub.projects.operator(PROJECT, 'cli');
    expect(await hub.reminders.cancel(operator, reminderId, { tool: 'cancel_reminder' })).toMatchObject({ state: 'cancelled' });
    expect(await hub.reminders.cancel(ada, reminderId, { tool: 'cancel_reminder' })).toMatchObject({ state: 'cancelled' });
    await hub.firing.fireDue();
    expect((await inboxOf(hub, ada)).messages).toEqual([]);
  });

  it('refuses the fifty-first, the eleventh within a minute, and reminders for others', async () => {
    const hub = await testHub(engine, { limits: { pendingReminders: 12 } });
    const ada = await attach(hub, 'ada');
    await attach(hub, 'bob');
    for (let n = 0; n < 10; n++) await remind(hub, ada, { inMs: DAY });
    await expect(remind(hub, ada, { inMs: DAY })).rejects.toMatchObject({ code: 'rate_limited', retryAfterMs: expect.any(Number) });
    hub.fake.advance(MINUTE + 1);
    await remind(hub, ada, { inMs: DAY });
    await remind(hub, ada, { inMs: DAY });
    await expect(remind(hub, ada, { inMs: DAY })).rejects.toMatchObject({
      code: 'limit_reached',
      message: expect.stringContaining('12 pending'),
    });
    await expect(remind(hub, ada, { inMs: DAY, to: 'bob' })).rejects.toMatchObject({ code: 'forbidden' });
  });

  it('a crash between claim and message leaves neither', async () => {
    const hub = await testHub(engine);
    const ada = await attach(hub, 'ada');
    const { reminderId } = await remind(hub, ada, { inMs: MINUTE });
    hub.fake.advance(MINUTE);
    await expect(
      hub.db.write(PROJECT.id, async (tx) => {
        await tx.run(
          'INSERT INTO reminder_firings (reminder_id, due_at, fired_at) SELECT id, due_at, due_at FROM reminders WHERE id = ?',
          reminderId,
        );
        throw new Error('power cut');
      }),
    ).rejects.toThrow('power cut');
    await hub.firing.fireDue();
    expect((await inboxOf(hub, ada)).messages).toHaveLength(1);
  });
});

const limits = effectiveLimits();
const at = (iso: string) => Date.parse(iso);

it('exactly one of in_seconds, at and cron; each wrong one names its field', () => {
  const now = at('2026-11-20T09:00:00Z');
  const refused = (when: object) => () => toSchedule(when, now, limits);
  expect(refused({})).toThrow('exactly one');
  expect(refused({ inMs: 1, at: '2026-12-01T00:00:00Z' })).toThrow('exactly one');
  expect(refused({ at: '2026-12-01T00:00:00' })).toThrow('at: not an ISO instant with its offset');
  expect(refused({ at: '2025-12-01T00:00:00Z' })).toThrow('not in the future');
  expect(refused({ cron: '* * * * * *' })).toThrow('cron: not an expression of five fields');
  expect(refused({ cron: '0 0 30 2 *' })).toThrow('never due');
  expect(refused({ cron: '0 9 * * *', timezone: 'Mars/Olympus' })).toThrow('timezone');
  expect(refused({ inMs: 5, timezone: 'UTC' })).toThrow('belong to cron');
  expect(toSchedule({ at: '2026-12-24T18:00:00+01:00' }, now, limits).dueAt).toBe(at('2026-12-24T17:00:00Z'));
});

/** Local half past two, every day, across both changes of the clocks in three zones: once a day, never twice, never left out. */
it.each([
  ['Europe/Berlin', '2026-03-27T12:00:00Z', '2026-10-23T12:00:00Z'],
  ['America/New_York', '2026-03-06T12:00:00Z', '2026-10-30T12:00:00Z'],
  ['Australia/Sydney', '2026-10-02T00:00:00Z', '2026-04-03T00:00:00Z'],
])('daylight saving in %s: once a day', (zone, forwards, back) => {
  for (const start of [forwards, back]) {
    const days: string[] = [];
    let instant = at(start);
    for (let n = 0; n < 5; n++) {
      instant = nextDue('30 2 * * *', zone, instant) ?? 0;
      days.push(new Intl.DateTimeFormat('en-CA', { timeZone: zone, dateStyle: 'short' }).format(instant));
    }
    expect(new Set(days).size).toBe(5);
  }
});
