// The policy of waking as a property: whatever mail, reads, doors, turns and time do, in whatever order, its invariants hold.

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { effectiveLimits } from '../../src/hub/limits.ts';
import { type Decision, decide, inOrder, type Reader, type Situation } from '../../src/hub/wake-policy.ts';
import type { WakingMail } from '../../src/store/unread.ts';
import type { AttemptRow } from '../../src/store/wake-attempts.ts';
import { type DoorRow, WAKE_DOORS, type WakeDoor } from '../../src/store/wake-doors.ts';

const limits = effectiveLimits();
const NOON = 1_000_000;
const IDLE: Reader = { waits: false, inTurn: false, turnEndedAt: null, toldSeq: 0, heardAt: null, attachedAt: null };

function door(kind: WakeDoor, more: Partial<DoorRow> = {}): DoorRow {
  return {
    id: kind,
    projectId: 'p',
    agentId: 'a',
    kind,
    registered: false,
    target: null,
    sessionId: 's',
    host: 'h',
    pid: 1,
    openedAt: 0,
    closedAt: null,
    provenAt: null,
    failures: 0,
    ...more,
  };
}

function mailAt(at: number, more: Partial<WakingMail> = {}): WakingMail {
  return { unread: 1, urgent: 0, oldestReadyAt: at, newestReadyAt: at, newestSeq: 1, newestUrgentSeq: 0, ...more };
}

function attempt(more: Partial<AttemptRow> = {}): AttemptRow {
  return {
    id: 'w',
    projectId: 'p',
    agentId: 'a',
    doorId: 'monitor',
    door: 'monitor',
    seq: 1,
    state: 'sent',
    unread: 1,
    newestSeq: 1,
    newestReadyAt: NOON,
    startedAt: NOON,
    sentAt: NOON,
    endedAt: null,
    stirred: false,
    gaveUp: false,
    detail: '',
    ...more,
  };
}

function at(now: number, more: Partial<Situation> = {}): Decision {
  return decide({ now, mail: mailAt(NOON), reader: IDLE, doors: [door('monitor')], attempts: [], ...more }, limits);
}

const kinds = (decision: Decision) => decision.doors.map(({ kind }) => kind);

describe('who is owed a wake-up', () => {
  it('an idle agent with unread mail, at once', () => {
    expect(at(NOON)).toMatchObject({ why: 'now', doors: [{ kind: 'monitor' }] });
  });

  it('nobody without such mail, in a turn, or in a waiting call', () => {
    expect(at(NOON, { mail: undefined }).why).toBe('no_mail');
    expect(at(NOON, { reader: { ...IDLE, inTurn: true } }).why).toBe('in_turn');
    expect(at(NOON, { reader: { ...IDLE, waits: true } }).why).toBe('waits');
    expect(at(NOON, { doors: [] }).why).toBe('no_door');
  });

  it('where no hooks tell of turns, not before it was quiet for a while; urgent mail does not wait for that', () => {
    const reader = { ...IDLE, inTurn: undefined, heardAt: NOON - 1_000 };
    expect(at(NOON, { reader })).toMatchObject({ why: 'later', again: NOON - 1_000 + limits.wakeQuietMs });
    expect(at(NOON, { reader, mail: mailAt(NOON, { urgent: 1, newestUrgentSeq: 1 }) }).why).toBe('now');
    expect(at(NOON, { reader: { ...reader, inTurn: false } }).why).toBe('now');
  });

  it('not who has just come and is about to be prompted', () => {
    expect(at(NOON, { reader: { ...IDLE, attachedAt: NOON } })).toMatchObject({ why: 'later', again: NOON + limits.wakeQuietMs });
    expect(at(NOON + 2, { reader: { ...IDLE, attachedAt: NOON, turnEndedAt: NOON + 1 } }).why).toBe('now');
  });

  it('not at once who was told by its hooks before its turn ended', () => {
    const reader = { ...IDLE, turnEndedAt: NOON + 5_000, toldSeq: 1 };
    expect(at(NOON + 6_000, { reader: { ...reader, toldSeq: 0 } }).why).toBe('now');
    expect(at(NOON + 6_000, { reader })).toMatchObject({ why: 'later', again: NOON + 5_000 + limits.wakeBackoffMs });
    expect(at(NOON + 6_000, { reader, mail: mailAt(NOON, { newestReadyAt: NOON + 5_500 }) }).why).toBe('now');
  });
});

describe('one wake-up at a time', () => {
  it('covers whatever comes while it is outstanding', () => {
    const mail = mailAt(NOON, { unread: 10, newestSeq: 10, newestReadyAt: NOON + 900 });
    expect(at(NOON + 1_000, { mail, attempts: [attempt()] })).toMatchObject({ why: 'outstanding', doors: [] });
  });

  it('is over when a turn ended without reading, or when nothing happened for long enough', () => {
    expect(at(NOON + 9_000, { attempts: [attempt()], reader: { ...IDLE, turnEndedAt: NOON + 8_000 } }).ending).toMatchObject({
      state: 'no_effect',
      stirred: true,
    });
    expect(at(NOON + limits.wakeEffectMs - 1, { attempts: [attempt()] }).ending).toBeUndefined();
    expect(at(NOON + limits.wakeEffectMs, { attempts: [attempt()] }).ending).toMatchObject({ state: 'no_effect', stirred: false });
  });

  it('goes on as long as its client is heard of', () => {
    const reader = { ...IDLE, inTurn: undefined, heardAt: NOON + 20_000 };
    expect(at(NOON + limits.wakeEffectMs, { attempts: [attempt()], reader }).why).toBe('outstanding');
  });

  it('has failed when its claimer says nothing more', () => {
    const claimed = attempt({ state: 'claimed', sentAt: null });
    expect(at(NOON + limits.wakeSendMs - 1, { attempts: [claimed] }).why).toBe('outstanding');
    expect(at(NOON + limits.wakeSendMs, { attempts: [claimed] }).ending).toMatchObject({ state: 'failed' });
  });
});

describe('which door', () => {
  const all = WAKE_DOORS.map((kind) => door(kind, kind === 'command' || kind === 'webhook' ? { registered: true } : {}));

  it('a proven one first, then the order of the ladder, one that failed before last', () => {
    expect(inOrder(all).map(({ kind }) => kind)).toEqual([...WAKE_DOORS]);
    const proven = all.map((one) => (one.kind === 'messaging_socket' ? { ...one, provenAt: 5 } : one));
    expect(inOrder(proven)[0]?.kind).toBe('messaging_socket');
    const failing = proven.map((one) => (one.kind === 'messaging_socket' ? { ...one, failures: 1 } : one));
    expect(inOrder(failing).at(-1)?.kind).toBe('messaging_socket');
  });

  it('the next one at once after a wake-up that nobody noticed', () => {
    const silent = attempt({ state: 'no_effect', endedAt: NOON + 30_000 });
    const doors = [door('monitor', { failures: 1 }), door('async_rewake')];
    expect(kinds(at(NOON + 30_000, { doors, attempts: [silent] }))).toEqual(['async_rewake']);
  });

  it('the same one, later, after a wake-up that was noticed and not followed by reading', () => {
    const stirred = attempt({ state: 'no_effect', stirred: true, endedAt: NOON + 30_000 });
    const doors = [door('monitor'), door('async_rewake')];
    expect(at(NOON + 30_000, { doors, attempts: [stirred] })).toMatchObject({ why: 'later', again: NOON + 30_000 + limits.wakeBackoffMs });
    expect(kinds(at(NOON + 30_000 + limits.wakeBackoffMs, { doors, attempts: [stirred] }))[0]).toBe('monitor');
    const byOther = { ...stirred, doorId: 'async_rewake', door: 'async_rewake' as const };
    expect(kinds(at(NOON + 30_000 + limits.wakeBackoffMs, { doors, attempts: [byOther] }))[0]).toBe('async_rewake');
  });

  it('the next one also when the better one does not take its turn: its process may be stopped', () => {
    const doors = [door('monitor'), door('async_rewake')];
    expect(kinds(at(NOON, { doors }))).toEqual(['monitor']);
    expect(at(NOON, { doors }).again).toBe(NOON + 3_000);
    expect(kinds(at(NOON + 3_000, { doors }))).toEqual(['monitor', 'async_rewake']);
    const fresh = [door('monitor', { openedAt: NOON + 2_000 }), door('async_rewake')];
    expect(kinds(at(NOON + 3_000, { doors: fresh }))).toEqual(['monitor']);
    expect(at(NOON + 3_000, { doors: fresh }).again).toBe(NOON + 5_000);
  });
});

describe('how often', () => {
  const ignored = (n: number) =>
    Array.from({ length: n }, (_, i) => attempt({ id: `w${i}`, state: 'no_effect', stirred: true, endedAt: NOON + i }));

  it('later each time, then not again until something new comes', () => {
    const waits = [1, 2, 3, 4].map((n) => (at(NOON + n, { attempts: ignored(n) }).again ?? 0) - (NOON + n - 1));
    expect(waits).toEqual([1, 2, 4, 8].map((factor) => factor * limits.wakeBackoffMs));
    const later = mailAt(NOON, { newestSeq: 2, newestReadyAt: NOON + 9 });
    expect(at(NOON + 9, { attempts: ignored(9), mail: later }).again).toBe(NOON + 8 + 600_000);
    expect(at(NOON * 2, { attempts: ignored(limits.wakeAttempts) })).toMatchObject({ why: 'gave_up', again: null });
    const news = mailAt(NOON, { newestSeq: 2, newestReadyAt: NOON * 2 });
    expect(at(NOON * 3, { attempts: ignored(limits.wakeAttempts), mail: news }).why).toBe('now');
  });

  it('urgent news does not wait for the pause after older mail', () => {
    const news = mailAt(NOON, { urgent: 1, newestSeq: 2, newestUrgentSeq: 2, newestReadyAt: NOON + 10 });
    expect(at(NOON + 10, { attempts: ignored(3), mail: news }).why).toBe('now');
    expect(at(NOON + 10, { attempts: ignored(3), mail: { ...news, urgent: 0, newestUrgentSeq: 0 } }).why).toBe('later');
  });
});

// A small world around the policy: an agent with hooks or without, hosts that carry out what is decided or die, and time.

type World = {
  now: number;
  seq: number;
  unread: { seq: number; readyAt: number; urgent: boolean }[];
  reader: Reader;
  doors: Map<WakeDoor, DoorRow>;
  attempts: AttemptRow[];
  pieces: number;
};

type Step =
  | { do: 'mail'; urgent: boolean }
  | { do: 'read' | 'turn' | 'stop' | 'park' | 'leave' | 'call' }
  | { do: 'open' | 'close'; kind: WakeDoor }
  | { do: 'pass'; ms: number; sends: boolean };

const HOSTED: readonly WakeDoor[] = ['monitor', 'async_rewake', 'messaging_socket', 'channel'];

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('mail' as const), urgent: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('read', 'turn', 'stop', 'park', 'leave', 'call') }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('open', 'close'), kind: fc.constantFrom(...HOSTED) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('pass' as const),
      ms: fc.constantFrom(1, 500, 4_000, 31_000, 120_000, 900_000),
      sends: fc.boolean(),
    }),
  },
);

function mailOf({ unread, now }: World): WakingMail | undefined {
  if (unread.length === 0) return undefined;
  const ready = unread.map(({ readyAt }) => readyAt);
  const urgent = unread.filter((one) => one.urgent);
  expect(Math.max(...ready)).toBeLessThanOrEqual(now);
  return {
    unread: unread.length,
    urgent: urgent.length,
    oldestReadyAt: Math.min(...ready),
    newestReadyAt: Math.max(...ready),
    newestSeq: Math.max(...unread.map(({ seq }) => seq)),
    newestUrgentSeq: Math.max(0, ...urgent.map(({ seq }) => seq)),
  };
}

function look(world: World): Decision {
  const mail = mailOf(world);
  const since = mail?.oldestReadyAt ?? world.now;
  return decide(
    {
      now: world.now,
      mail,
      reader: world.reader,
      doors: [...world.doors.values()],
      attempts: world.attempts.filter(({ endedAt }) => endedAt === null || (mail !== undefined && endedAt >= since)),
    },
    limits,
  );
}

function end(world: World, one: AttemptRow, state: AttemptRow['state'], stirred: boolean): void {
  Object.assign(one, { state, stirred, endedAt: world.now });
  const used = world.doors.get(one.door);
  if (used === undefined) return;
  if (state === 'read') Object.assign(used, { provenAt: world.now, failures: 0 });
  else if (!stirred) used.failures += 1;
}

/** Hosts act on what is decided now, if they may; returns whether one woke. */
function hostsAct(world: World, sends: boolean): boolean {
  const decision = look(world);
  const outstanding = world.attempts.find(({ endedAt }) => endedAt === null);
  if (decision.ending !== undefined) {
    expect(decision.ending.attempt.id).toBe(outstanding?.id);
    if (outstanding !== undefined) end(world, outstanding, decision.ending.state, decision.ending.stirred);
  }
  const [chosen] = decision.doors;
  if (chosen === undefined) return false;
  const mail = mailOf(world);
  if (mail === undefined) throw new Error('woken without mail');
  expect(world.attempts.every(({ endedAt }) => endedAt !== null)).toBe(true);
  expect(world.reader.waits || world.reader.inTurn === true).toBe(false);
  const { newestSeq, newestReadyAt } = mail;
  expect(world.attempts.filter((one) => one.newestSeq >= newestSeq && one.newestReadyAt >= newestReadyAt).length).toBeLessThan(
    limits.wakeAttempts,
  );
  world.attempts.push(
    attempt({
      id: `w${world.attempts.length}`,
      doorId: chosen.id,
      door: chosen.kind,
      state: sends ? 'sent' : 'claimed',
      sentAt: sends ? world.now : null,
      startedAt: world.now,
      newestSeq,
      newestReadyAt,
    }),
  );
  return true;
}

function apply(world: World, one: Step): void {
  const { reader } = world;
  switch (one.do) {
    case 'mail':
      world.pieces += 1;
      world.unread.push({ seq: ++world.seq, readyAt: world.now, urgent: one.urgent });
      break;
    case 'read': {
      const outstanding = world.attempts.find(({ endedAt }) => endedAt === null);
      if (outstanding !== undefined && world.unread.length > 0) end(world, outstanding, 'read', true);
      world.unread = [];
      reader.heardAt = world.now;
      break;
    }
    case 'turn':
      if (reader.inTurn !== undefined) reader.inTurn = true;
      reader.heardAt = world.now;
      break;
    case 'stop':
      if (reader.inTurn === true) Object.assign(reader, { inTurn: false, turnEndedAt: world.now, toldSeq: world.seq });
      break;
    case 'park':
      reader.waits = true;
      break;
    case 'leave':
      reader.waits = false;
      break;
    case 'call':
      reader.heardAt = world.now;
      break;
    case 'open':
      world.doors.set(one.kind, { ...(world.doors.get(one.kind) ?? door(one.kind)), openedAt: world.now, failures: 0 });
      break;
    case 'close':
      world.doors.delete(one.kind);
      break;
    case 'pass':
      world.now += one.ms;
  }
  hostsAct(world, one.do === 'pass' ? one.sends : true);
}

it('holds its invariants in any world, and gets round to whoever has a door', () => {
  const run = fc.property(fc.array(step, { maxLength: 60 }), fc.boolean(), (steps, hooks) => {
    const world: World = {
      now: NOON,
      seq: 0,
      unread: [],
      reader: { ...IDLE, inTurn: hooks ? false : undefined },
      doors: new Map(),
      attempts: [],
      pieces: 0,
    };
    for (const one of steps) apply(world, one);
    expect(world.attempts.length).toBeLessThanOrEqual(limits.wakeAttempts * world.pieces);
    // From here on nobody reads: an idle agent with a door is woken as often as the limit allows, and then left alone for good.
    Object.assign(world.reader, { waits: false, ...(hooks ? { inTurn: false } : {}) });
    world.doors.set('monitor', door('monitor', { openedAt: world.now }));
    const before = world.attempts.length;
    for (let rounds = 0; rounds < 400; rounds++) {
      hostsAct(world, true);
      const { again } = look(world);
      if (again === null) break;
      expect(again).toBeGreaterThan(world.now);
      world.now = again;
    }
    expect(look(world)).toMatchObject({ why: world.unread.length === 0 ? 'no_mail' : 'gave_up', again: null });
    const mail = mailOf(world);
    if (mail !== undefined) {
      const tries = world.attempts.filter((one) => one.newestSeq >= mail.newestSeq && one.newestReadyAt >= mail.newestReadyAt);
      expect(tries).toHaveLength(limits.wakeAttempts);
    } else expect(world.attempts.length).toBe(before);
  });
  fc.assert(run, { numRuns: 2_000 });
});
