// Policies: set while the hub runs, for all, a project or an agent; in force with the next call in every process; and explained (S-37, S-90, A-08).

import { expect, it } from 'vitest';
import type { Caller } from '../../src/hub/caller.ts';
import type { Target } from '../../src/hub/policies.ts';
import { ask } from '../../src/tools/ask.ts';
import { callTool } from '../../src/tools/call.ts';
import { Connection } from '../../src/tools/connection.ts';
import { send as sendTool } from '../../src/tools/send.ts';
import { TOOLSETS, type Tool } from '../../src/tools/tool.ts';
import { events, operatorOf, refused, stranger } from '../support/acts.ts';
import { attach, OTHER_PROJECT, onEveryEngine, PROJECT, sqlite, type TestHub, testHub } from '../support/engines.ts';

const GLOBAL: Target = { level: 'global' };
const HERE: Target = { level: 'project' };
const of = (agent: string): Target => ({ level: 'agent', agent });

const remind = (hub: TestHub, who: Caller) => hub.reminders.remind(who, { message: 'x', inMs: 60_000 }, { tool: 'remind' });
const call = (hub: TestHub, who: Caller, tool: Tool, input: unknown) => callTool(hub, Connection.fixed(hub, who, TOOLSETS), tool, input);

onEveryEngine('policies', (engine) => {
  it('hold by the finest level, say where they come from, and are enforced (A-08)', async () => {
    const hub = await testHub(engine, { limits: { pendingReminders: 4 } });
    const operator = await operatorOf(hub);
    const [ana, ben, eve] = [await attach(hub, 'ana'), await attach(hub, 'ben'), await stranger(hub, 'eve')];
    for (const [target, value] of [
      [GLOBAL, 3],
      [HERE, 2],
      [of('ana'), 1],
    ] as const)
      await hub.policies.set(operator, target, 'limits.pendingReminders', value);
    for (const [who, most] of [
      [ana, 1],
      [ben, 2],
      [eve, 3],
    ] as const) {
      for (let n = 0; n < most; n++) await remind(hub, who);
      expect((await refused('limit_reached', remind(hub, who))).message).toContain(String(most));
    }
    const [explained] = await hub.policies.explain(operator, 'ana', 'limits.pendingReminders');
    expect(explained).toMatchObject({
      value: 1,
      from: 'agent',
      layers: [
        { from: 'agent', value: 1, setBy: 'operator' },
        { from: 'project', value: 2 },
        { from: 'global', value: 3 },
        { from: 'configuration', value: 4 },
        { from: 'default', value: 50 },
      ],
    });
    await hub.policies.unset(operator, of('ana'), 'limits.pendingReminders');
    expect((await hub.policies.explain(operator, 'ana', 'limits.pendingReminders'))[0]).toMatchObject({ value: 2, from: 'project' });
    await remind(hub, ana);
  });

  it('hold from the next call on in every process, before anything else is checked', async () => {
    const hub = await testHub(engine);
    const peer = await testHub(engine, { place: hub.place, clock: hub.fake });
    const operator = await operatorOf(hub);
    const [ana] = [await attach(peer, 'ana'), await attach(peer, 'ben')];
    const long = { to: 'ben', body: 'x'.repeat(100) };
    expect((await call(peer, ana, sendTool, long)).ok).toBe(true);
    await hub.policies.set(operator, HERE, 'limits.bodyBytes', 50);
    expect(await call(peer, ana, sendTool, { ...long, allow_duplicate: true })).toMatchObject({ ok: false, error: { code: 'too_large' } });
    await hub.policies.set(operator, of('ana'), 'limits.bodyBytes', 200);
    expect((await call(peer, ana, sendTool, { ...long, allow_duplicate: true })).ok).toBe(true);
    await hub.policies.set(operator, GLOBAL, 'limits.sendPerMinute', 1);
    await call(peer, ana, sendTool, { to: 'ben', body: 'the one of this minute' });
    expect(await call(peer, ana, sendTool, { to: 'ben', body: 'fast' })).toMatchObject({ ok: false, error: { code: 'rate_limited' } });
    await hub.policies.unset(operator, GLOBAL, 'limits.sendPerMinute');
    hub.fake.advance(60_000);
    await hub.policies.set(operator, of('ana'), 'tools.deny', ['as*']);
    expect(await call(peer, ana, ask, { to: 'ben', question: 'q?' })).toMatchObject({ ok: false, error: { code: 'forbidden' } });
    expect((await call(peer, ana, sendTool, { to: 'ben', body: 'still' })).ok).toBe(true);
  });

  it('change what is guarded, reserved and decided', async () => {
    const hub = await testHub(engine);
    const operator = await operatorOf(hub);
    const [ana, ben] = [await attach(hub, 'ana'), await attach(hub, 'ben')];
    const check = (command: string) => hub.guard.check(ana, { command, files: [], folder: '/work/demo', useId: null });
    expect((await check('deploy now')).decision).toBe('none');
    const rule = { name: 'deploy', match: 'deploy *', risk: 'high', why: 'goes live' };
    await hub.policies.set(operator, HERE, 'guard.commands', [rule]);
    expect((await check('deploy now')).decision).toBe('deny');
    expect((await check('npm publish')).decision).toBe('deny');
    await hub.policies.set(operator, of('ana'), 'guard.off', ['deploy', 'npm publish']);
    for (const command of ['deploy again', 'npm publish']) expect((await check(command)).decision).toBe('none');
    const reserve = (who: Caller) => hub.reservations.reserve(who, { paths: ['a'], names: [], mode: 'exclusive' }, { tool: 'reserve' });
    await reserve(ana);
    await reserve(ben);
    await hub.policies.set(operator, HERE, 'guard.overlaps', 'refuse');
    await refused('conflict', reserve(await attach(hub, 'cleo')));
    await hub.policies.set(operator, HERE, 'approvals.low', 'operator');
    await hub.approvals.request(ana, { action: 'x', risk: 'low' }, { tool: 'request_approval' });
    expect((await hub.approvals.list(operator, { pending: true, limit: 9 })).map(({ action }) => action)).toContain('x');
  });

  it('refuse what cannot be, keep the old value, and name the nearest', async () => {
    const hub = await testHub(engine);
    const operator = await operatorOf(hub);
    const ana = await attach(hub, 'ana');
    await hub.policies.set(operator, HERE, 'limits.pendingAsks', 7);
    for (const bad of [0, -1, 1.5, 501, '7', null, [7]]) {
      expect((await refused('invalid_input', hub.policies.set(operator, HERE, 'limits.pendingAsks', bad))).message).toContain('1 to 500');
    }
    expect((await hub.policies.explain(operator, undefined, 'pendingAsks'))[0]).toMatchObject({ key: 'limits.pendingAsks', value: 7 });
    expect((await refused('invalid_input', hub.policies.set(operator, HERE, 'limits.pendingAks', 7))).hint).toContain('limits.pendingAsks');
    expect((await refused('invalid_input', hub.policies.set(operator, of('ana'), 'limits.messageKeptMs', 1))).message).toContain(
      'cannot differ by agent',
    );
    expect((await refused('invalid_input', hub.policies.set(operator, HERE, 'limits.waiters', 1))).message).toContain(
      'cannot differ by project',
    );
    await refused(
      'invalid_input',
      hub.policies.set(operator, HERE, 'guard.commands', [{ name: 'x', match: 'y', risk: 'dreadful', why: 'z' }]),
    );
    await refused('not_found', hub.policies.set(operator, of('nobody'), 'limits.pendingAsks', 1));
    await refused('forbidden', hub.policies.set(ana, HERE, 'limits.pendingAsks', 500));
  });

  it('stand in the history of every project that they concern, with who and from what to what', async () => {
    const hub = await testHub(engine);
    const operator = await operatorOf(hub);
    await stranger(hub);
    await hub.policies.set(operator, GLOBAL, 'wake.for', 'urgent');
    await hub.policies.set(operator, GLOBAL, 'wake.for', 'nothing');
    const changes = (await events(hub)).filter(({ type }) => type === 'policy.changed');
    expect(changes.map(({ actor, data }) => [actor, data.key, data.level, data.from, data.to])).toEqual([
      [operator.agentId, 'wake.for', 'global', null, 'urgent'],
      [operator.agentId, 'wake.for', 'global', 'urgent', 'nothing'],
    ]);
    const there = await hub.projects.operator(OTHER_PROJECT, 'cli');
    expect((await hub.feed.after(there, 0)).filter(({ type }) => type === 'policy.changed')).toHaveLength(2);
    expect((await hub.verify()).flatMap(({ problems }) => problems)).toEqual([]);
  });
});

it('are swept by the times of each project', async () => {
  const hub = await testHub(sqlite);
  const operator = await operatorOf(hub);
  await hub.policies.set(operator, HERE, 'limits.messageKeptMs', 1_000);
  expect(hub.context.limitsOf({ projectId: PROJECT.id }).messageKeptMs).toBe(1_000);
  expect(hub.context.limitsOf({ projectId: OTHER_PROJECT.id }).messageKeptMs).toBe(hub.limits.messageKeptMs);
});
