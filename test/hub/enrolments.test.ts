// Enrolling: a token makes exactly one client the agent that was made for it; who enrolled may come back, anybody else is told.

import { expect, it } from 'vitest';
import type { Caller } from '../../src/hub/caller.ts';
import type { EnrolmentWish } from '../../src/hub/enrolments.ts';
import type { Attachment } from '../../src/hub/sessions.ts';
import { events, operatorOf, recv, refused, send, sweep } from '../support/acts.ts';
import { attach, OTHER_PROJECT, onEveryEngine, PROJECT, type TestHub, testHub } from '../support/engines.ts';

const DAY = 86_400_000;

function make(hub: TestHub, caller: Caller, wish: EnrolmentWish, key?: string) {
  return hub.enrolments.create(caller, wish, { tool: 'create_agent', key, args: wish });
}

/** A client with a token, in the project's folder unless told otherwise. */
function enrol(hub: TestHub, token: string | undefined, more: Partial<Attachment> = {}, client: Partial<Attachment['client']> = {}) {
  const about = { name: 'claude-code', version: '1', ...client };
  return hub.sessions.attach({ project: PROJECT, door: 'stdio', root: '/work/demo', enrol: token, ...more, client: about });
}

onEveryEngine('an enrolment', (engine) => {
  it('makes one client the agent, with its role, and says who made it', async () => {
    const hub = await testHub(engine);
    const boss = await attach(hub, 'boss', { role: 'manager' });
    const made = await make(hub, boss, { name: 'child', role: 'worker', model: 'opus', description: 'tests' });
    expect(made).toMatchObject({ name: 'child', role: 'worker', model: 'opus', token: expect.stringMatching(/^enrol_/) });
    const child = await enrol(hub, made.token, {}, { key: 'claude:1' });
    expect(child).toMatchObject({ name: 'child', role: 'worker', model: 'opus' });
    const { agents } = await hub.agents.list(boss, { waitMs: 0 });
    expect(agents.find(({ agent }) => agent.name === 'child')).toMatchObject({ spawnedBy: 'boss', agent: { description: 'tests' } });
    await send(hub, boss, 'child', 'begin');
    await send(hub, child, 'boss', 'begun');
    expect((await recv(hub, child)).messages).toMatchObject([{ authority: 'parent' }]);
    expect((await recv(hub, boss)).messages).toMatchObject([{ authority: 'child' }]);
    const types = (await events(hub)).map(({ type }) => type);
    expect(types).toEqual(expect.arrayContaining(['enrolment.created', 'agent.enrolled']));
    expect(JSON.stringify(await events(hub))).not.toContain(made.token);
  });

  it('is good for one: whoever comes second is told who was first, while that one lives and after', async () => {
    const hub = await testHub(engine);
    const { token } = await make(hub, await operatorOf(hub), { name: 'child' });
    const first = await enrol(hub, token, {}, { key: 'claude:1' });
    for (const [more, client] of [
      [{}, { key: 'claude:2' }],
      [{}, {}],
      [{ root: '/work/elsewhere', name: 'child' }, { key: 'claude:3' }],
      [{ name: 'child' }, { name: 'codex' }],
      [{ takeover: true }, { key: 'claude:4' }],
    ] as const) {
      const error = await refused('conflict', enrol(hub, token, more, client));
      expect(error.message).toMatch(/was used at .* by claude-code as child/);
      expect(error.hint).toContain('rookery agents create child');
    }
    await hub.sessions.end(first, 'closed');
    await refused('conflict', enrol(hub, token, {}, { key: 'claude:2' }));
    await refused('conflict', enrol(hub, token));
  });

  it('lets of two that come at once one in', async () => {
    const hub = await testHub(engine);
    const { token } = await make(hub, await operatorOf(hub), { name: 'child' });
    const outcomes = await Promise.allSettled([1, 2, 3, 4].map((one) => enrol(hub, token, {}, { key: `claude:${one}` })));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('lets the same client come back: by its own session, or by its place where it is configured by name', async () => {
    const hub = await testHub(engine);
    const operator = await operatorOf(hub);
    const { token } = await make(hub, operator, { name: 'child' });
    const first = await enrol(hub, token, {}, { key: 'claude:1', pid: 4711 });
    expect((await enrol(hub, token, {}, { key: 'claude:1' })).agentId).toBe(first.agentId);
    const again = await enrol(hub, token, {}, { key: 'claude:1', pid: 4711 });
    await hub.sessions.end(again, 'closed');
    // One process may start many children: it is no client.
    await refused('conflict', enrol(hub, token, {}, { pid: 4711 }));
    await refused('conflict', enrol(hub, token, {}, { pid: 4711, key: 'claude:2' }));
    const named = await make(hub, operator, { name: 'fixed' });
    const one = await enrol(hub, named.token, { name: 'fixed' });
    await refused('agent_busy', enrol(hub, named.token, { name: 'fixed' }));
    await hub.sessions.end(one, 'closed');
    expect(await enrol(hub, named.token, { name: 'fixed' })).toMatchObject({ name: 'fixed', epoch: 2 });
  });

  it('is not used up by a client that only looks', async () => {
    const hub = await testHub(engine);
    const { token } = await make(hub, await operatorOf(hub), { name: 'child' });
    const probe: Attachment = {
      project: PROJECT,
      door: 'stdio',
      root: '/work/demo',
      name: 'child',
      enrol: token,
      client: { name: 'c', version: '1', key: 'claude:9' },
    };
    expect(await hub.sessions.knows(probe)).toBe(false);
    await enrol(hub, token, { name: 'child' }, { key: 'claude:1' });
    expect(await hub.sessions.knows(probe)).toBe(false);
    expect(await hub.sessions.knows({ ...probe, client: { ...probe.client, key: 'claude:1' } })).toBe(true);
  });

  it('keeps its name for whoever has it, until it is used or has ended', async () => {
    const hub = await testHub(engine, { limits: { enrolmentMs: DAY } });
    const { token } = await make(hub, await operatorOf(hub), { name: 'child' });
    expect((await refused('forbidden', attach(hub, 'child'))).message).toContain('kept until');
    hub.fake.advance(DAY + 1);
    expect((await refused('expired', enrol(hub, token))).message).toContain('ended at');
    expect(await attach(hub, 'child')).toMatchObject({ name: 'child' });
  });

  it('is replaced by a newer one for the same agent', async () => {
    const hub = await testHub(engine);
    const operator = await operatorOf(hub);
    const first = await make(hub, operator, { name: 'child', role: 'worker' });
    const second = await make(hub, operator, { name: 'child', model: 'opus' });
    expect((await refused('conflict', enrol(hub, first.token))).message).toContain('replaced');
    const child = await enrol(hub, second.token, {}, { key: 'claude:1' });
    expect(child).toMatchObject({ role: 'worker', model: 'opus' });
    await refused('agent_busy', make(hub, operator, { name: 'child' }));
    await hub.sessions.end(child, 'closed');
    const third = await make(hub, operator, { name: 'child' });
    expect(await enrol(hub, third.token, {}, { key: 'claude:2' })).toMatchObject({ agentId: child.agentId });
  });

  it('gives no role above what its maker may give, and none that configuration contradicts', async () => {
    const hub = await testHub(engine);
    const operator = await operatorOf(hub);
    const boss = await attach(hub, 'boss', { role: 'manager' });
    const worker = await attach(hub, 'worker');
    await refused('forbidden', make(hub, worker, { name: 'child' }));
    for (const role of ['manager', 'operator', 'hub']) await refused('forbidden', make(hub, boss, { name: 'child', role }));
    await refused('forbidden', make(hub, operator, { name: 'child', role: 'operator' }));
    await refused('forbidden', make(hub, boss, { name: 'boss' }));
    await refused('conflict', make(hub, boss, { name: 'worker' }));
    await refused('conflict', make(hub, operator, { name: 'worker', role: 'reviewer' }));
    const { token } = await make(hub, operator, { name: 'second', role: 'manager' });
    await refused('conflict', enrol(hub, token, { role: 'worker' }));
    await refused('conflict', enrol(hub, token, { name: 'third' }));
    expect(await enrol(hub, token, {}, { key: 'claude:1' })).toMatchObject({ name: 'second', role: 'manager' });
  });

  it('stays in its project, and is nothing that can be guessed', async () => {
    const hub = await testHub(engine);
    const { token } = await make(hub, await operatorOf(hub), { name: 'child' });
    const error = await refused('forbidden', enrol(hub, token, { project: OTHER_PROJECT }));
    expect(error.message).toContain('another project');
    expect(error.message).not.toContain('child');
    await refused('unauthorized', enrol(hub, 'enrol_nonsense'));
    await refused('unauthorized', hub.enrolments.exchange('enrol_nonsense'));
    expect(await enrol(hub, token)).toMatchObject({ name: 'child' });
  });

  it('is exchanged, once, for a token of the agent', async () => {
    const hub = await testHub(engine);
    const { token = '' } = await make(hub, await operatorOf(hub), { name: 'webby', role: 'worker' });
    const made = await hub.enrolments.exchange(token);
    expect(await hub.tokens.authenticate(made.token)).toMatchObject({ name: 'webby', role: 'worker', projectId: PROJECT.id });
    await refused('conflict', hub.enrolments.exchange(token));
    await refused('conflict', enrol(hub, token));
  });

  it('keeps its secret out of what is stored, also of a repeated call', async () => {
    const hub = await testHub(engine);
    const boss = await attach(hub, 'boss', { role: 'manager' });
    const first = await make(hub, boss, { name: 'child' }, 'k1');
    const again = await make(hub, boss, { name: 'child' }, 'k1');
    expect([again.enrolmentId, again.token, again.replayed]).toEqual([first.enrolmentId, undefined, true]);
    expect(await enrol(hub, first.token)).toMatchObject({ name: 'child' });
  });

  it('is bounded in number, and forgotten in time', async () => {
    const hub = await testHub(engine, { limits: { openEnrolments: 2, enrolmentMs: DAY, enrolmentKeptMs: DAY } });
    const operator = await operatorOf(hub);
    const { token } = await make(hub, operator, { name: 'a' });
    await make(hub, operator, { name: 'b' });
    await refused('limit_reached', make(hub, operator, { name: 'c' }));
    hub.fake.advance(DAY + 1);
    await make(hub, operator, { name: 'c' });
    expect((await sweep(hub)).enrolments).toBeUndefined();
    hub.fake.advance(DAY);
    expect((await sweep(hub)).enrolments).toBe(2);
    await refused('unauthorized', enrol(hub, token));
  });
});
