// Approvals as a property (C8, I9): whatever is asked, decided, verified, used and run through the gate, in whatever order, with restarts and a clock
// that steps both ways, the hub answers what a small model of the rules answers, and every approval has at most one decision and one use.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { JumpClock } from './fake-clock.mjs';
import { attachment, openHub, PACKAGE, PROJECT, scratch } from './hub.mjs';

const MINUTE = 60_000;
export const APPROVAL_LIMITS = {
  pendingApprovals: 200,
  approvalDeadlineMs: 30 * MINUTE,
  approvalUseMs: 60 * MINUTE,
  sendPerSecond: 100_000,
  sendBurst: 100_000,
  sendPerMinute: 10_000_000,
};
const CAST = [
  { name: 'ana' },
  { name: 'ben' },
  { name: 'mia', role: 'manager' },
  { name: 'max', role: 'manager' },
  { name: 'operator', role: 'operator' },
];
const RISKS = ['low', 'medium', 'high'];
/** Commands that no rule knows, and one that the default rules hold back at high risk. */
const ACTIONS = ['deploy a', 'deploy b', '{"do":"c","n":1}'];
const RISKY = 'git push --force';

/** One step, for fast-check. */
function stepsOf(fc) {
  const by = fc.constantFrom(...CAST.map(({ name }) => name));
  const action = fc.nat(ACTIONS.length - 1);
  const approval = fc.nat(200);
  const step = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        op: fc.constant('request'),
        by,
        action,
        risk: fc.constantFrom(...RISKS),
        ms: fc.option(fc.integer({ min: 1_000, max: 90 * MINUTE })),
      }),
    },
    { weight: 6, arbitrary: fc.record({ op: fc.constant('decide'), by, approval, yes: fc.boolean() }) },
    { weight: 5, arbitrary: fc.record({ op: fc.constant('verify'), by, approval, action: fc.option(action), consume: fc.boolean() }) },
    { weight: 3, arbitrary: fc.record({ op: fc.constant('gate'), by: fc.constantFrom('ana', 'ben', 'mia'), use: fc.option(fc.nat(3)) }) },
    {
      weight: 4,
      arbitrary: fc.record({ op: fc.constant('advance'), ms: fc.constantFrom(1_000, MINUTE, 20 * MINUTE, 45 * MINUTE, 3 * 60 * MINUTE) }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ op: fc.constant('jump'), ms: fc.constantFrom(-3 * 60 * MINUTE, -MINUTE, MINUTE, 3 * 60 * MINUTE) }),
    },
    { weight: 3, arbitrary: fc.record({ op: fc.constant('duties') }) },
    { weight: 1, arbitrary: fc.record({ op: fc.constant('restart') }) },
  );
  return fc.array(step, { minLength: 10, maxLength: 60, size: 'max' });
}

/**
 * Runs `runs` sequences; throws fast-check's report, with the seed, at the first that differs. `world` gives a fresh place:
 * { clock, open(): hub, attach(hub, name, role): caller, operator(hub): caller, done() }. The clock has advance and jump.
 */
export async function checkApprovals(fc, world, { runs, seed, endOnFailure = false }) {
  const figures = { sequences: 0, approvals: 0, decided: 0, used: 0, expired: 0 };
  const property = fc.asyncProperty(stepsOf(fc), async (steps) => {
    const place = await world();
    const state = { ...place, rows: [], hub: await place.open() };
    state.attachAll = async () => {
      state.callers = new Map();
      for (const { name, role } of CAST)
        state.callers.set(name, role === 'operator' ? await place.operator(state.hub) : await place.attach(state.hub, name, role));
    };
    await state.attachAll();
    try {
      for (const one of steps) await act(state, one);
      await duties(state);
      await judge(state, figures);
    } finally {
      figures.sequences += 1;
      await state.hub.close();
      await place.done();
    }
  });
  await fc.assert(property, { numRuns: runs, ...(seed === undefined ? {} : { seed }), endOnFailure });
  return figures;
}

/** The property on the built package, on the real SQLite engine. */
export async function proveApprovals({ runs, seed, root = PACKAGE, endOnFailure = false }) {
  const world = () => {
    const { folder, done } = scratch({ inMemory: true });
    const clock = new JumpClock();
    return {
      clock,
      open: () => openHub(folder, { root, clock, limits: APPROVAL_LIMITS }),
      attach: (hub, name, role) => hub.sessions.attach(attachment(name, role === undefined ? {} : { role })),
      operator: (hub) => hub.projects.operator(PROJECT, 'cli'),
      done,
    };
  };
  return await checkApprovals(fc, world, { runs, seed, endOnFailure });
}

/** The time as the next change of the project will see it. */
function timeOf({ hub, callers }) {
  const { projectId } = callers.get('ana');
  return hub.context.db.read((read) => hub.context.commands.now(read, projectId));
}

const roleOf = (name) => CAST.find((one) => one.name === name).role ?? 'agent';
const code = (promise) => promise.then((value) => ({ value })).catch((error) => ({ code: error.code ?? String(error) }));

async function act(state, one) {
  const { hub, clock, rows } = state;
  const caller = state.callers?.get(one.by);
  const now = await timeOf(state);
  const row = rows[one.approval % Math.max(1, rows.length)];
  switch (one.op) {
    case 'request': {
      const action = ACTIONS[one.action];
      const answer = await code(
        hub.approvals.request(caller, { action, risk: one.risk, deadlineMs: one.ms ?? undefined }, { tool: 'request_approval' }),
      );
      if (one.by === 'operator') return assert.equal(answer.code, 'forbidden');
      const standing = standingOf(rows, one.by, [action], one.risk, now);
      if (standing.length > 0) return assert.deepEqual(answer.value, { approvalId: standing[0].id, standing: true });
      assert.equal(answer.value?.standing, false);
      return rows.push(opened({ id: answer.value.approvalId, by: one.by, action, risk: one.risk, now, ms: one.ms ?? undefined }));
    }
    case 'decide': {
      if (row === undefined) return;
      const answer = await code(
        hub.approvals.decide(caller, row.id, { state: one.yes ? 'approved' : 'denied' }, { tool: 'decide_approval' }),
      );
      const expected = refusalToDecide(row, one.by, now);
      if (expected !== undefined) return assert.equal(answer.code, expected, `${one.by} decides ${JSON.stringify(row)} at ${now}`);
      assert.equal(answer.value?.state, one.yes ? 'approved' : 'denied');
      return Object.assign(row, { state: answer.value.state, expiresAt: now + APPROVAL_LIMITS.approvalUseMs, decided: one.by });
    }
    case 'verify': {
      if (row === undefined) return;
      const action = one.action === null ? row.action : ACTIONS[one.action];
      const answer = await code(hub.approvals.verify(caller, row.id, action, one.consume, { tool: 'verify_approval' }));
      const matches = action === row.action;
      if (!matches && one.by !== row.by && roleOf(one.by) === 'agent') return assert.equal(answer.code, 'not_found');
      const valid = matches && row.state === 'approved' && now < row.expiresAt;
      assert.equal(answer.value?.valid, valid, `${JSON.stringify(row)} at ${now}: ${answer.value?.why ?? answer.code}`);
      if (valid && one.consume) Object.assign(row, { state: 'consumed', used: one.by });
      return;
    }
    case 'gate':
      return await gate(state, one, caller, now);
    case 'advance':
      return clock.advance(one.ms);
    case 'jump':
      return clock.jump(one.ms);
    case 'duties':
      return await duties(state);
    case 'restart':
      await hub.close();
      state.hub = await state.open();
      return await state.attachAll();
  }
}

/** A risky command: passes with an approval, asks for one where none stands, and is answered alike for the same use. */
async function gate({ hub, rows }, one, caller, now) {
  const here = `# in /work/demo\n${RISKY}`;
  const use = { useId: one.use === null ? null : `${one.by}-use-${one.use}`, command: RISKY, files: [], folder: '/work/demo' };
  const { decision, reason } = await hub.guard.check(caller, use);
  const own = rows.filter((row) => row.by === one.by && [here, RISKY].includes(row.action));
  const again = own.find((row) => use.useId !== null && row.use === use.useId);
  if (again !== undefined) return assert.equal(decision, 'allow');
  const [standing] = standingOf(rows, one.by, [here, RISKY], 'high', now);
  if (standing?.state === 'approved') {
    assert.equal(decision, 'allow', reason);
    return Object.assign(standing, { state: 'consumed', used: one.by, use: use.useId });
  }
  assert.equal(decision, 'deny', reason);
  if (standing !== undefined) return assert.ok(reason.includes(standing.id), reason);
  const denied = own.some(
    (row) => row.state === 'denied' && now - (row.expiresAt - APPROVAL_LIMITS.approvalUseMs) < APPROVAL_LIMITS.approvalDeadlineMs,
  );
  if (denied) return assert.match(reason, /denied it at/);
  const id = /apr_\w+/.exec(reason)?.[0];
  assert.ok(id !== undefined && !rows.some((row) => row.id === id), reason);
  rows.push(opened({ id, by: one.by, action: here, risk: 'high', now }));
}

function opened({ id, by, action, risk, now, ms }) {
  const row = { id, by, action, risk, state: 'pending', requestedAt: now, expiresAt: now + (ms ?? APPROVAL_LIMITS.approvalDeadlineMs) };
  return risk === 'low' ? { ...row, state: 'approved', expiresAt: now + APPROVAL_LIMITS.approvalUseMs, decided: 'policy' } : row;
}

function standingOf(rows, by, actions, risk, now) {
  return rows
    .filter((row) => row.by === by && actions.includes(row.action) && (row.state === 'pending' || row.state === 'approved'))
    .filter((row) => row.expiresAt > now && RISKS.indexOf(row.risk) >= RISKS.indexOf(risk))
    .sort(
      (a, b) =>
        Number(b.state === 'approved') - Number(a.state === 'approved') ||
        RISKS.indexOf(a.risk) - RISKS.indexOf(b.risk) ||
        a.requestedAt - b.requestedAt,
    );
}

function refusalToDecide(row, by, now) {
  if (roleOf(by) === 'agent') return 'not_found';
  if (by === row.by) return 'forbidden';
  if (by !== 'operator' && row.risk === 'high') return 'forbidden';
  if (row.state !== 'pending') return 'conflict';
  return row.expiresAt <= now ? 'expired' : undefined;
}

/** What a scheduler runs, twice at once, as two processes would. */
async function duties(state) {
  const { hub, rows } = state;
  const now = hub.context.time.now();
  await Promise.all([hub.approvalEnds.expireDue(), hub.approvalEnds.expireDue()]);
  for (let round = 0; round < 100 && (await hub.approvalEnds.expireDue()) > 0; round++);
  for (const row of rows) {
    if ((row.state !== 'pending' && row.state !== 'approved') || row.expiresAt > now) continue;
    Object.assign(row, { was: row.state, state: 'expired' });
  }
}

async function judge({ hub, rows }, figures) {
  const stored = await hub.context.db.read((read) => read.all('SELECT id, state, decided_as FROM approvals'));
  assert.deepEqual(new Map(stored.map(({ id, state }) => [id, state])), new Map(rows.map(({ id, state }) => [id, state])));
  const { events, told } = await hub.context.db.read(async (read) => ({
    events: await read.all("SELECT subject, type FROM events WHERE type LIKE 'approval.%' ORDER BY seq"),
    told: await read.all(
      "SELECT ref, subject FROM messages WHERE ref LIKE 'apr_%' AND subject IN ('approved', 'denied', 'approval expired')",
    ),
  }));
  for (const row of rows) {
    const course = events.filter(({ subject }) => subject === row.id).map(({ type }) => type.slice('approval.'.length));
    const decided = row.decided === undefined ? [] : [row.decided === 'policy' || row.state !== 'denied' ? 'approved' : 'denied'];
    const end = row.state === 'consumed' || row.state === 'expired' ? [row.state] : [];
    assert.deepEqual(course, ['requested', ...decided, ...end], `the course of ${JSON.stringify(row)}`);
    const words = [
      ...(row.decided === undefined || row.decided === 'policy' ? [] : decided),
      ...(row.state === 'expired' ? ['approval expired'] : []),
    ];
    assert.deepEqual(
      told.filter(({ ref }) => ref === row.id).map(({ subject }) => subject),
      words,
      `what the requester of ${row.id} was told`,
    );
  }
  for (const { problems } of await hub.verify()) assert.deepEqual(problems, []);
  figures.approvals += rows.length;
  figures.decided += rows.filter(({ decided }) => decided !== undefined).length;
  figures.used += rows.filter(({ state }) => state === 'consumed').length;
  figures.expired += rows.filter(({ state }) => state === 'expired').length;
}
