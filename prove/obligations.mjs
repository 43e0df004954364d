// Asks and reminders as a property: whatever happens in whatever order, with restarts, clock steps both ways and changes of the clocks in three
// zones, every ask has one end that its asker is told once, and every due instant has one firing and one message, none of them early (C7, C9, I10).

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { JumpClock } from './fake-clock.mjs';
import { attachment, load, openHub, PACKAGE, scratch } from './hub.mjs';

const NAMES = ['ana', 'ben', 'cal'];
/** Days around which the clocks change, so that recurring reminders meet it: Berlin and New York back, Sydney forward, and the ways round. */
const STARTS = ['2026-10-24T12:00:00Z', '2026-10-31T12:00:00Z', '2026-03-28T12:00:00Z', '2026-03-07T12:00:00Z', '2026-10-03T02:00:00Z'];
const ZONES = ['Europe/Berlin', 'America/New_York', 'Australia/Sydney'];
const MINUTE = 60_000;
const LIMITS = {
  pendingReminders: 1_000,
  remindersPerMinute: 100_000,
  sendBurst: 100_000,
  sendPerSecond: 100_000,
  sendPerMinute: 10_000_000,
};
const ENDS = new Map([
  ['answer', 'answered'],
  ['declined', 'declined'],
  ['expired', 'expired'],
]);

const who = fc.constantFrom(...NAMES);
const index = fc.nat(200);
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ op: fc.constant('ask'), by: who, to: who, ms: fc.integer({ min: 1_000, max: 90 * MINUTE }) }) },
  { weight: 4, arbitrary: fc.record({ op: fc.constant('answer'), by: who, ask: index, decline: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('cancelAsk'), by: who, ask: index }) },
  {
    weight: 4,
    arbitrary: fc.record({ op: fc.constant('remind'), by: who, ms: fc.integer({ min: 1_000, max: 180 * MINUTE }), ask: fc.option(index) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constant('cron'),
      by: who,
      zone: fc.constantFrom(...ZONES),
      hour: fc.integer({ min: 0, max: 4 }),
      minute: fc.constantFrom(0, 30),
    }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('cancelReminder'), by: who, reminder: index }) },
  {
    weight: 6,
    arbitrary: fc.record({
      op: fc.constant('advance'),
      ms: fc.constantFrom(1_000, MINUTE, 20 * MINUTE, 90 * MINUTE, 8 * 60 * MINUTE, 26 * 60 * MINUTE),
    }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('jump'), ms: fc.constantFrom(-3 * 60 * MINUTE, -MINUTE, MINUTE, 3 * 60 * MINUTE) }) },
  { weight: 5, arbitrary: fc.record({ op: fc.constant('duties') }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('restart') }) },
);

/** Runs `runs` random sequences; throws fast-check's report, with the seed, at the first that breaks a rule. */
export async function proveObligations({ runs, seed, root = PACKAGE, endOnFailure = false }) {
  const { nextDue } = await load('hub/schedules.js', root);
  const figures = { sequences: 0, asks: 0, firings: 0, late: 0 };
  const property = fc.asyncProperty(
    fc.constantFrom(...STARTS),
    fc.array(step, { minLength: 10, maxLength: 60, size: 'max' }),
    async (start, steps) => {
      const { folder, done } = scratch({ inMemory: true });
      const world = { clock: new JumpClock(Date.parse(start)), ends: new Map(), late: new Map(), asks: [], reminders: [] };
      const open = () => openHub(folder, { root, clock: world.clock, limits: LIMITS });
      world.hub = await open();
      world.attach = async () => {
        world.callers = new Map();
        for (const name of NAMES) world.callers.set(name, await world.hub.sessions.attach(attachment(name)));
      };
      await world.attach();
      try {
        for (const one of steps) await act(world, one, open);
        await duties(world.hub);
        await judge(world, nextDue, figures);
      } finally {
        figures.sequences += 1;
        await world.hub.close();
        done();
      }
    },
  );
  await fc.assert(property, { numRuns: runs, ...(seed === undefined ? {} : { seed }), endOnFailure });
  return figures;
}

async function act(world, one, open) {
  const { hub, clock } = world;
  const by = world.callers.get(one.by);
  const ask = world.asks[one.ask % Math.max(1, world.asks.length)];
  const now = hub.context.time.now();
  switch (one.op) {
    case 'ask': {
      if (one.by === one.to)
        return await assert.rejects(hub.asks.ask(by, { to: one.to, question: 'q' }, { tool: 'ask' }), { code: 'invalid_input' });
      const { askId, deadlineAt } = await hub.asks.ask(by, { to: one.to, question: 'q', deadlineMs: one.ms }, { tool: 'ask' });
      return world.asks.push({ id: askId, by: one.by, to: one.to, deadlineAt });
    }
    case 'answer': {
      if (ask === undefined) return;
      const given = one.decline ? { reason: 'no' } : { answer: ['yes'] };
      const outcome = await hub.asks.answer(by, ask.id, given, { tool: 'answer' }).catch((error) => error);
      if (one.by !== ask.to) return assert.equal(outcome.code, 'not_found');
      const ended = world.ends.get(ask.id);
      if (ended === 'cancelled') return assert.equal(outcome.code, 'expired');
      const counts = ended === undefined && now < ask.deadlineAt;
      if (!counts && !one.decline) {
        // So many are kept beside an ask, and no more.
        const kept = world.late.get(ask.id) ?? 0;
        if (kept >= hub.limits.lateAnswers) return assert.equal(outcome.code, 'limit_reached');
        world.late.set(ask.id, kept + 1);
      }
      assert.equal(outcome.late, !counts);
      if (counts) world.ends.set(ask.id, one.decline ? 'declined' : 'answered');
      return;
    }
    case 'cancelAsk': {
      if (ask === undefined) return;
      const outcome = await hub.asks.cancel(by, ask.id, { tool: 'cancel_ask' }).catch((error) => error);
      if (one.by !== ask.by) return assert.equal(outcome.code, 'not_found');
      // Past its deadline an ask that no duty has looked at yet can still be withdrawn: either end is one end.
      if (outcome.state === 'cancelled') world.ends.set(ask.id, world.ends.get(ask.id) ?? 'cancelled');
      return;
    }
    case 'remind': {
      const onlyIf = one.ask === null || world.asks.length === 0 ? undefined : world.asks[one.ask % world.asks.length].id;
      const made = await hub.reminders.remind(by, { message: 'm', inMs: one.ms, onlyIf }, { tool: 'remind' }).catch((error) => error);
      if (made.reminderId !== undefined) world.reminders.push({ id: made.reminderId, by: one.by });
      return;
    }
    case 'cron': {
      const when = { cron: `${one.minute} ${one.hour} * * *`, timezone: one.zone };
      const { reminderId } = await hub.reminders.remind(by, { message: 'c', ...when }, { tool: 'remind' });
      return world.reminders.push({ id: reminderId, by: one.by, ...when });
    }
    case 'cancelReminder': {
      const reminder = world.reminders[one.reminder % Math.max(1, world.reminders.length)];
      if (reminder !== undefined) await hub.reminders.cancel(by, reminder.id, { tool: 'cancel_reminder' }).catch(() => {});
      return;
    }
    case 'advance':
      return clock.advance(one.ms);
    case 'jump':
      return clock.jump(one.ms);
    case 'duties':
      return await duties(hub, world);
    case 'restart':
      await hub.close();
      world.hub = await open();
      return await world.attach();
  }
}

/** What a scheduler runs, twice at once, as two processes would. */
async function duties(hub) {
  await Promise.all([hub.firing.fireDue(), hub.askEnds.expireDue(), hub.firing.fireDue(), hub.askEnds.expireDue()]);
  // Bounded: a broken rule must end as a failure, not as a loop.
  for (let round = 0; round < 100 && (await hub.firing.fireDue()) > 0; round++);
  for (let round = 0; round < 100 && (await hub.askEnds.expireDue()) > 0; round++);
}

async function judge(world, nextDue, figures) {
  const { hub } = world;
  const now = hub.context.time.now();
  const { asks, notices, firings, reminders, messages } = await hub.context.db.read(async (read) => ({
    asks: await read.all('SELECT id, state, deadline_at, closed_at FROM asks'),
    notices: await read.all("SELECT ref, subject FROM messages WHERE ref LIKE 'ask_%' AND subject IN ('answer', 'declined', 'expired')"),
    firings: await read.all('SELECT reminder_id, due_at, fired_at, message_id FROM reminder_firings'),
    reminders: await read.all('SELECT id, state, due_at, runs FROM reminders'),
    messages: await read.all("SELECT id, ref FROM messages WHERE ref LIKE 'rem_%'"),
  }));
  for (const ask of asks) {
    const told = notices.filter(({ ref }) => ref === ask.id).map(({ subject }) => ENDS.get(subject));
    const expected = world.ends.get(ask.id) ?? (ask.deadline_at <= now ? 'expired' : 'open');
    assert.equal(ask.state, expected, `ask ${ask.id}`);
    assert.deepEqual(told, expected === 'open' || expected === 'cancelled' ? [] : [expected], `what the asker of ${ask.id} was told`);
  }
  const instants = firings.map(({ reminder_id: id, due_at: at }) => `${id} ${at}`);
  assert.equal(new Set(instants).size, instants.length, 'an instant fired twice');
  const sent = firings.filter(({ message_id: id }) => id !== null);
  assert.equal(messages.length, sent.length, 'a message without its firing, or the reverse');
  assert.deepEqual(new Set(messages.map(({ id }) => id)), new Set(sent.map(({ message_id: id }) => id)));
  for (const { due_at: due, fired_at: fired } of firings) assert.ok(fired >= due, `fired ${due - fired} ms early`);
  for (const reminder of reminders) {
    if (reminder.state === 'pending') assert.ok(reminder.due_at > now, `${reminder.id} was due and did not fire`);
    const known = world.reminders.find(({ id }) => id === reminder.id);
    if (known?.cron === undefined) continue;
    for (const { due_at: due } of firings.filter(({ reminder_id: id }) => id === reminder.id)) {
      assert.equal(nextDue(known.cron, known.timezone, due - 1), due, `${reminder.id} fired for an instant that is none of its own`);
    }
  }
  for (const { problems } of await hub.verify()) assert.deepEqual(problems, []);
  figures.asks += asks.length;
  figures.firings += firings.length;
  figures.late += firings.filter(({ due_at: due, fired_at: fired }) => fired - due > 5_000).length;
}
