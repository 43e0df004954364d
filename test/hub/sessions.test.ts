// Who acts: sessions and their fence (C5), names and roles (C15), isolation of projects (C16), and time that jumps (C13).

import { expect, it } from 'vitest';
import type { Caller } from '../../src/hub/caller.ts';
import type { Hub } from '../../src/hub/hub.ts';
import { systemHost } from '../../src/system/host.ts';
import { Connection } from '../../src/tools/connection.ts';
import { ack, bodies, events, ids, operatorOf, recv, refused, send, statusOf, stranger, until } from '../support/acts.ts';
import { attach, type Engine, onEveryEngine, PROJECT, scratch, testHub } from '../support/engines.ts';
import { FakeClock } from '../support/fake-clock.ts';

const CLIENT = { name: 'test', version: '1' };

/** A client that joins by tool. */
function connect(hub: Hub, name: string | undefined, more: Partial<Parameters<typeof attach>[2]> = {}) {
  const attachment = { project: PROJECT, door: 'stdio' as const, client: CLIENT, root: '/work/demo', name, ...more };
  return Connection.attaching(hub, attachment, ['core']);
}

const joining = (connection: Connection, request: Parameters<Connection['join']>[0]) => connection.join(request, { tool: 'join' });

/** Two processes on one database. PGlite lends one connection, which is enough for this. */
async function twoProcesses(engine: Engine, alive: () => boolean) {
  const place = scratch();
  const clock = new FakeClock();
  const one = await testHub(engine, { place, clock, host: { ...systemHost, startedAt: 0, pid: 4_000_001 } });
  const two = await testHub(engine, { place, clock, host: { ...systemHost, startedAt: 0, pid: 4_000_002, isAlive: alive } });
  return { one, two, clock };
}

onEveryEngine('sessions', (engine) => {
  it('refuses a second live session of an agent and names the first', async () => {
    const hub = await testHub(engine);
    const bob = await attach(hub, 'bob', { client: { name: 'claude', version: '1' } });
    const refusal = await refused('agent_busy', attach(hub, 'bob'));
    expect(refusal.message).toContain('claude');
    expect(refusal.message).toContain(bob.sessionId);
    expect(refusal.hint).toContain('takeover');
    await send(hub, bob, 'operator', 'still me');
  });

  it('fences every call of a session that was taken over, and names the new holder', async () => {
    const hub = await testHub(engine);
    const old = await attach(hub, 'bob');
    const alice = await attach(hub, 'alice');
    const { message_id } = await send(hub, alice, 'bob', 'one');
    const { receipt } = await recv(hub, old);
    const heir = await attach(hub, 'bob', { takeover: true, client: { name: 'codex', version: '2' } });
    expect(heir.epoch).toBe((old.epoch ?? 0) + 1);
    const calls = [
      send(hub, old, 'alice', 'late'),
      recv(hub, old),
      recv(hub, old, { peek: true }),
      ack(hub, old, { receipt: receipt ?? '' }),
      ack(hub, old, { nackIds: [message_id] }),
      hub.status.of(old, message_id),
      hub.agents.list(old, { waitMs: 0 }),
      hub.messages.read(old, message_id),
    ];
    const refusals = await Promise.all(calls.map((call) => refused('stale_session', call)));
    for (const { message } of refusals) expect(message).toContain(`codex (${heir.sessionId}`);
    expect((await recv(hub, heir)).messages[0]).toMatchObject({ id: message_id, attempt: 2 });
  });

  it('gives a silent agent’s name to the next who asks, and shows at once what it left', async () => {
    const hub = await testHub(engine);
    const alice = await attach(hub, 'alice');
    const old = await attach(hub, 'bob');
    await send(hub, alice, 'bob', 'one');
    await recv(hub, old);
    hub.fake.advance(60_000);
    await refused('agent_busy', attach(hub, 'bob'));
    hub.fake.advance(1);
    const heir = await attach(hub, 'bob');
    expect((await recv(hub, heir)).messages[0]).toMatchObject({ body: 'one', attempt: 2 });
  });

  it('lets a manager wait for agents until all are there, and names those who do not come (M-20)', async () => {
    const hub = await testHub(engine);
    const [boss] = [await attach(hub, 'boss'), await attach(hub, 'ada')];
    const waiting = hub.agents.list(boss, { waitMs: 20_000, waitFor: ['ada', 'bob'] });
    await until(() => hub.fake.sleeping > 0);
    hub.fake.advance(3_000);
    await attach(hub, 'bob');
    const found = await waiting;
    expect([found.end, found.missing]).toEqual(['found', []]);
    const never = hub.agents.list(boss, { waitMs: 20_000, waitFor: ['ada', 'nobody'] });
    await until(() => hub.fake.sleeping > 0);
    hub.fake.advance(20_000);
    expect(await never).toMatchObject({ end: 'timeout', missing: ['nobody'] });
  });

  it('holds clients of every kind to the same rules, also one that nobody knows (M-30)', async () => {
    const hub = await testHub(engine);
    const boss = await attach(hub, 'boss');
    const kinds = { ada: 'claude-code', bob: 'codex-mcp-client', cy: 'something-new' };
    const callers: Caller[] = [];
    for (const [name, client] of Object.entries(kinds)) callers.push(await attach(hub, name, { client: { name: client, version: '1' } }));
    const states = async () => {
      const { agents } = await hub.agents.list(boss, { waitMs: 0 });
      return agents.filter(({ agent }) => agent.name in kinds).map(({ session, state }) => [session?.clientName, state]);
    };
    const all = (state: string) => Object.values(kinds).map((client) => [client, state]);
    expect(await states()).toEqual(all('starting'));
    for (const { name } of callers) await send(hub, boss, name, 'look');
    for (const caller of callers) await recv(hub, caller);
    const sessions = [boss, ...callers].map(({ sessionId }) => sessionId);
    const record = { tool: 'recv_batch', door: 'stdio', code: 'ok', durationMs: 1, inputBytes: 1, outputBytes: 1 } as const;
    for (const caller of callers) hub.calls.record({ ...record, ...caller, startedAt: hub.fake.now() });
    await hub.calls.flush();
    expect(await states()).toEqual(all('ready'));
    for (let passed = 0; passed <= hub.limits.nudgeAfterMs; passed += 50_000) {
      hub.fake.advance(50_000);
      await hub.heartbeats.beat(sessions);
    }
    expect(await states()).toEqual(all('stalled'));
    hub.fake.advance(hub.limits.silentAfterMs + 1);
    await hub.heartbeats.beat([boss.sessionId]);
    expect(await states()).toEqual(all('gone'));
  });

  it('gives a dead process’s name to the next at once', async () => {
    let alive = true;
    const { one, two } = await twoProcesses(engine, () => alive);
    await attach(one, 'bob');
    await refused('agent_busy', attach(two, 'bob'));
    alive = false;
    expect((await attach(two, 'bob')).epoch).toBe(2);
  });

  it('lets the same client come back to its name without a takeover', async () => {
    const hub = await testHub(engine);
    const client = { ...CLIENT, key: 'claude:1' };
    const first = await hub.sessions.attach({ project: PROJECT, door: 'stdio', client, root: '/work/demo' });
    const again = await hub.sessions.attach({ project: PROJECT, door: 'stdio', client, root: '/work/demo' });
    expect([again.agentId, again.name]).toEqual([first.agentId, first.name]);
    await refused('stale_session', send(hub, first, 'operator', 'x'));
  });

  it('lets a session that was only silent go on when nobody replaced it', async () => {
    const hub = await testHub(engine);
    const alice = await attach(hub, 'alice');
    hub.fake.advance(61_000);
    expect(await hub.heartbeats.endDead()).toBe(1);
    expect((await hub.agents.self(alice)).state).toBe('gone');
    await send(hub, alice, 'operator', 'I was thinking');
    expect((await hub.agents.self(alice)).state).not.toBe('gone');
    expect((await events(hub)).map(({ type }) => type)).toContain('session.revived');
  });

  it('takes a retry for a sign of life without breaking the order of events', async () => {
    const hub = await testHub(engine);
    const alice = await attach(hub, 'alice');
    const retried = () => hub.messages.send(alice, { to: 'operator', body: 'once' }, { tool: 'send', key: 'k', args: {} });
    const first = await retried();
    hub.fake.advance(61_000);
    expect(await hub.heartbeats.endDead()).toBe(1);
    expect(await retried()).toMatchObject({ message_id: first.message_id, replayed: true });
    expect((await hub.agents.self(alice)).state).not.toBe('gone');
    await send(hub, alice, 'operator', 'and on');
    expect((await events(hub)).slice(-2).map(({ type }) => type)).toEqual(['session.revived', 'message.sent']);
  });

  it('never moves a heartbeat back by recording a call that began long ago', async () => {
    const hub = await testHub(engine);
    const alice = await attach(hub, 'alice');
    const began = hub.fake.now();
    hub.fake.advance(50_000);
    await hub.heartbeats.beat([alice.sessionId]);
    const call = { tool: 'recv_batch', door: 'stdio', durationMs: 50_000, code: 'ok', inputBytes: 1, outputBytes: 1 };
    hub.calls.record({ ...call, projectId: alice.projectId, agentId: alice.agentId, sessionId: alice.sessionId, startedAt: began });
    await hub.calls.flush();
    hub.fake.advance(20_000);
    await refused('agent_busy', attach(hub, 'alice'));
  });
});

onEveryEngine('time that jumps', (engine) => {
  it('keeps order and fires nothing twice when the clock steps back', async () => {
    const hub = await testHub(engine);
    const [alice, bob] = [await attach(hub, 'alice'), await attach(hub, 'bob')];
    await send(hub, alice, 'bob', 'one', { expiresInMs: 10_000 });
    await send(hub, alice, 'bob', 'two');
    hub.fake.advance(10_000);
    expect(await hub.deliveries.expireDue()).toBe(1);
    hub.fake.jump(-3_600_000);
    expect(await hub.deliveries.expireDue()).toBe(0);
    await send(hub, alice, 'bob', 'three');
    expect(bodies(await recv(hub, bob))).toEqual(['two', 'three']);
    const times = (await events(hub)).map(({ at }) => at);
    expect(times).toEqual([...times].sort());
    expect(hub.notices().join()).toContain('behind');
  });

  it('takes nothing from sessions that seem silent because the clock jumped ahead, and says so', async () => {
    const { one, two } = await twoProcesses(engine, () => true);
    const bob = await attach(one, 'bob');
    one.fake.jump(3_600_000);
    await refused('agent_busy', attach(two, 'bob'));
    expect(await two.heartbeats.endDead()).toBe(0);
    expect(two.notices().join()).toContain('jumped ahead by 3600 s');
    await one.heartbeats.beat([bob.sessionId]);
    two.fake.advance(61_000);
    expect(await two.heartbeats.endDead()).toBe(1);
  });

  it('shows a message that a process with a clock ahead has sent', async () => {
    const place = scratch();
    const two = await testHub(engine, { place, clock: new FakeClock(1_800_000_000_000) });
    const bob = await attach(two, 'bob');
    const one = await testHub(engine, { place, clock: new FakeClock(1_800_000_200_000) });
    await send(one, await attach(one, 'alice'), 'bob', 'from the future');
    expect(bodies(await recv(two, bob))).toEqual(['from the future']);
    expect((await two.inbox.counts(bob)).leased).toBe(1);
  });

  it('does not fall behind the time of a database that was used with a clock ahead', async () => {
    const place = scratch();
    const ahead = await testHub(engine, { place, clock: new FakeClock(1_800_000_100_000) });
    await ahead.probe();
    const hub = await testHub(engine, { place, clock: new FakeClock(1_800_000_000_000) });
    expect(hub.context.time.now()).toBe(1_800_000_100_000);
  });
});

onEveryEngine('names and roles', (engine) => {
  it('lets nobody join as operator, hub or manager, whatever the spelling', async () => {
    const hub = await testHub(engine);
    await attach(hub, 'boss', { role: 'manager' });
    const connection = connect(hub, 'alice');
    await connection.caller();
    for (const name of [
      'operator',
      'hub',
      'Operator',
      'HUB',
      'rookery',
      'Human',
      'system',
      'admin',
      '..',
      'a/b',
      '-a',
      'a'.repeat(41),
      'a\u202eb',
      '',
    ])
      await refused('invalid_input', joining(connection, { name }));
    for (const role of ['manager', 'operator', 'hub']) {
      await refused('forbidden', joining(connection, { role }));
      await refused('forbidden', joining(connection, { name: 'kid', role, childOfMe: true }));
    }
    await refused('forbidden', joining(connection, { name: 'boss', takeover: true }));
    await refused('conflict', joining(connection, { name: 'boss', childOfMe: true }));
    await refused('forbidden', attach(hub, 'eve', { role: 'operator' }));
    expect((await connection.caller()).role).toBe('agent');
  });

  it('takes another name by join, keeps the inbox with the agent, and frees a name that is left', async () => {
    const hub = await testHub(engine);
    const connection = connect(hub, 'alice');
    const bob = await attach(hub, 'bob');
    await connection.caller();
    await send(hub, bob, 'alice', 'hello');
    const renamed = await joining(connection, { name: 'alicia', capabilities: ['c++'], status: 'reviewing' });
    expect([renamed.previousName, renamed.caller.name]).toEqual(['alice', 'alicia']);
    await refused('not_found', send(hub, bob, 'alice', 'again'));
    expect(bodies(await recv(hub, await connection.caller()))).toEqual(['hello']);
    await hub.sessions.end(bob, 'closed');
    const moved = await joining(connection, { name: 'bob' });
    expect(moved.caller.agentId).toBe(bob.agentId);
    await refused('stale_session', send(hub, renamed.caller, 'bob', 'x'));
    expect((await attach(hub, 'alicia')).agentId).toBe(renamed.caller.agentId);
  });

  it('joins again after a takeover, under another name or by taking back', async () => {
    const hub = await testHub(engine);
    const connection = connect(hub, 'alice');
    await connection.caller();
    await attach(hub, 'alice', { takeover: true });
    await refused('agent_busy', joining(connection, {}));
    expect((await joining(connection, { takeover: true })).caller.name).toBe('alice');
    await attach(hub, 'alice', { takeover: true });
    expect((await joining(connection, { name: 'alice-2' })).caller.name).toBe('alice-2');
  });

  it('acts only as sub-agents that this very session registered', async () => {
    const hub = await testHub(engine);
    const connection = connect(hub, 'alice');
    const alice = await connection.caller();
    const bob = await attach(hub, 'bob');
    await joining(connection, { name: 'kid', childOfMe: true, role: 'tester' });
    const kid = await hub.sessions.actingAs(alice, 'kid');
    await send(hub, kid, 'bob', 'from the kid');
    await send(hub, kid, 'alice', 'done');
    expect((await recv(hub, bob)).messages[0]).toMatchObject({ from: 'kid', authority: 'peer' });
    expect((await recv(hub, alice)).messages[0]).toMatchObject({ from: 'kid', authority: 'child' });
    await send(hub, alice, 'kid', 'thanks for that report');
    expect((await recv(hub, kid)).messages[0]).toMatchObject({ authority: 'parent' });
    for (const name of ['bob', 'alice', 'operator', 'nobody']) await refused('forbidden', hub.sessions.actingAs(alice, name));
    await refused('forbidden', hub.sessions.actingAs(bob, 'kid'));
    const heir = await attach(hub, 'alice', { takeover: true });
    await refused('forbidden', hub.sessions.actingAs(heir, 'kid'));
    await refused('stale_session', send(hub, kid, 'bob', 'zombie'));
  });

  it('tells the truth about a sub-agent: it is where its parent’s session is', async () => {
    const hub = await testHub(engine);
    const connection = connect(hub, 'alice');
    const alice = await connection.caller();
    const bob = await attach(hub, 'bob');
    await joining(connection, { name: 'kid', childOfMe: true });
    const sent = await send(hub, bob, 'kid', 'hello');
    expect(sent.recipients[0]?.reachable).toBe(true);
    expect((await statusOf(hub, bob, sent.message_id)).why).toContain('kid is connected');
    await hub.sessions.end(alice, 'closed');
    expect((await statusOf(hub, bob, sent.message_id)).why).toContain('has not been connected since');
    expect((await attach(hub, 'kid')).name).toBe('kid');
  });

  it('refuses a sub-agent’s name while its parent lives, unless it is taken over', async () => {
    const hub = await testHub(engine);
    const connection = connect(hub, 'alice');
    const alice = await connection.caller();
    await joining(connection, { name: 'kid', childOfMe: true });
    await refused('agent_busy', attach(hub, 'kid'));
    await attach(hub, 'kid', { takeover: true });
    await refused('forbidden', hub.sessions.actingAs(alice, 'kid'));
  });

  it('lets only the operator give out the operator’s or a manager’s authority', async () => {
    const hub = await testHub(engine);
    const boss = await attach(hub, 'boss', { role: 'manager' });
    const alice = await attach(hub, 'alice');
    const operator = await operatorOf(hub);
    await refused('forbidden', hub.tokens.create(alice, { agent: 'alice' }));
    for (const wanted of [{ agent: 'operator' }, { agent: 'second', role: 'manager' }, { agent: 'boss' }])
      await refused('forbidden', hub.tokens.create(boss, wanted));
    for (const role of ['operator', 'hub']) await refused('forbidden', hub.tokens.create(operator, { agent: 'x', role }));
    const { token } = await hub.tokens.create(operator, { agent: 'second', role: 'manager' });
    expect(await hub.tokens.authenticate(token)).toMatchObject({ name: 'second', role: 'manager' });
    const plain = await hub.tokens.create(boss, { agent: 'worker-1' });
    expect((await hub.tokens.authenticate(plain.token)).role).toBe('agent');
  });

  it('writes a card only over the version that was read (A-13)', async () => {
    const { updateAgent, findAgent } = await import('../../src/store/agents.ts');
    const hub = await testHub(engine);
    const alice = await attach(hub, 'alice');
    const card = await hub.db.read((read) => findAgent(read, alice.agentId));
    if (card === undefined) throw new Error('no card');
    const write = (status: string) => hub.db.write(alice.projectId, (tx) => updateAgent(tx, { ...card, status }));
    expect([await write('first'), await write('second')]).toEqual([true, false]);
    expect((await hub.agents.self(alice)).agent.status).toBe('first');
  });
});

onEveryEngine('projects', (engine) => {
  it('answers not_found to every id, name and receipt of another project', async () => {
    const hub = await testHub(engine);
    const [alice, bob] = [await attach(hub, 'alice'), await attach(hub, 'bob')];
    const mallory = await stranger(hub);
    const { message_id, thread_id } = await send(hub, alice, 'bob', 'secret');
    const { receipt } = await recv(hub, bob);
    const foreignOperator = { ...(await operatorOf(hub)), projectId: mallory.projectId } satisfies Caller;
    const calls = [
      send(hub, mallory, 'alice', 'hi'),
      send(hub, mallory, ['bob'], 'hi'),
      send(hub, mallory, '*', 'hi'),
      send(hub, mallory, 'role:agent', 'hi'),
      recv(hub, mallory, { from: 'alice' }),
      ack(hub, mallory, { ids: [message_id] }),
      ack(hub, mallory, { nackIds: [message_id] }),
      hub.status.of(mallory, message_id),
      hub.messages.read(mallory, message_id),
      hub.messages.thread(mallory, { threadId: thread_id, limit: 20 }),
      hub.messages.thread(mallory, { messageId: message_id, limit: 20 }),
      hub.deliveries.requeueFor(foreignOperator, message_id, 'bob', { tool: 'requeue_dead' }),
      hub.tokens.revoke(foreignOperator, 'tok_any'),
    ];
    await Promise.all(calls.map((call) => refused('not_found', call)));
    await refused('stale_receipt', ack(hub, mallory, { receipt: receipt ?? '' }));
    await refused('forbidden', hub.sessions.actingAs(mallory, 'alice'));
    expect((await hub.agents.list(mallory, { waitMs: 0, waitFor: ['alice'] })).missing).toEqual(['alice']);
    expect((await hub.agents.list(mallory, { waitMs: 0 })).agents.map(({ agent }) => agent.name)).toEqual(['mallory', 'operator']);
    expect(ids(await recv(hub, mallory, { threadId: thread_id }))).toEqual([]);
  });

  it('keeps equal names, keys and words of two projects apart', async () => {
    const hub = await testHub(engine);
    const [alice, mallory] = [await attach(hub, 'alice'), await stranger(hub, 'alice')];
    const mine = await send(hub, alice, 'operator', 'same words', { key: 'k' });
    const theirs = await send(hub, mallory, 'operator', 'same words', { key: 'k' });
    expect(theirs.replayed).toBeUndefined();
    expect(theirs.message_id).not.toBe(mine.message_id);
    expect((await hub.verify()).map(({ project, messages, problems }) => [project, messages, problems])).toEqual([
      ['demo-1', 1, []],
      ['other-2', 1, []],
    ]);
  });

  it('lets neither role nor broadcast nor empty words reach past the project (T-28)', async () => {
    const hub = await testHub(engine);
    const alice = await attach(hub, 'alice');
    const mallory = await stranger(hub);
    for (const to of ['*', 'role:agent', 'any:agent', '..', '', '%']) await send(hub, alice, to, 'x').catch(() => {});
    expect(await hub.inbox.counts(mallory)).toMatchObject({ unread: 0, leased: 0 });
  });
});
