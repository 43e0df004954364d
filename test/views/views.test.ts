// Views: one look at a project, for those who oversee it. Looking changes nothing.

import { describe, expect, it } from 'vitest';
import type { Params } from '../../dashboard/src/view-store.ts';
import { Connection } from '../../src/tools/connection.ts';
import { getOpenThreads } from '../../src/tools/get-open-threads.ts';
import type { ViewName } from '../../src/views/freshness.ts';
import { views } from '../../src/views/index.ts';
import { ack, events, operatorOf, recv, refused, send } from '../support/acts.ts';
import { attach, onEveryEngine, sqlite, testHub } from '../support/engines.ts';
import { view } from './look.ts';

onEveryEngine('views', (engine) => {
  it('show what is, to those who oversee it, and change nothing', async () => {
    const hub = await testHub(engine);
    const [alice, bob] = [await attach(hub, 'alice', { role: 'manager' }), await attach(hub, 'bob')];
    const operator = await operatorOf(hub);
    await send(hub, alice, 'bob', 'first words', { subject: 'one' });
    await ack(hub, bob, { receipt: (await recv(hub, bob)).receipt ?? '' });
    const { askId } = await hub.asks.ask(bob, { to: 'operator', question: 'May I?', options: ['yes'] }, { tool: 'ask' });
    await send(hub, bob, 'operator', 'for your eyes');
    await send(hub, alice, 'bob', 'waits');
    const before = await events(hub);
    expect(await view(hub, operator, 'waiting')).toMatchObject({
      asks: [{ ask_id: askId, from: 'bob', question: 'May I?', options: ['yes'] }],
      mail: [{ from: 'bob', excerpt: 'for your eyes' }],
      dead: [],
      parked: [],
      paused: [],
      approvals: [],
    });
    expect(await view(hub, operator, 'overview')).toMatchObject({ deliveries: { ready: 3, acked: 1 }, stuck: [] });
    expect(await view(hub, operator, 'agents', { q: 'AL' })).toMatchObject({ total: 1, agents: [{ name: 'alice', role: 'manager' }] });
    expect(await view(hub, operator, 'agents', { limit: '1', offset: '1' })).toMatchObject({
      total: 2,
      agents: [{ name: 'bob', unread: 1 }],
    });
    expect(await view(hub, operator, 'projects')).toMatchObject({ projects: [{ id: 'demo-1', agents: 2, waiting: 1 }], current: 'demo-1' });
    const { steps } = (await view(hub, operator, 'activity')) as {
      steps: { accepted: number; acked: number; shown_p50_ms: number | null }[];
    };
    expect(steps.at(-1)).toMatchObject({ accepted: 4, acked: 1, shown_p50_ms: 0 });
    expect(steps.length).toBeGreaterThanOrEqual(59);
    expect(await view(hub, operator, 'events', { kinds: 'ask', limit: 5 })).toMatchObject({
      events: [{ type: 'ask.opened', actor: 'bob' }],
      next: null,
    });
    expect(await view(hub, operator, 'events', { actor: 'alice', limit: 1 })).toMatchObject({
      events: [{ type: 'message.sent', actor: 'alice' }],
    });
    expect(await view(hub, operator, 'events', { actor: 'nobody' })).toMatchObject({ events: [], next: null });
    expect((await view(hub, alice, 'waiting')).asks).toEqual([]);
    for (const { name } of views) await refused('forbidden', view(hub, bob, name, { name: 'bob', thread_id: 'thr_1' }));
    expect(await events(hub)).toEqual(before);
  });

  it('show a thread as a tree with the truth for every recipient, and find it by its words', async () => {
    const hub = await testHub(engine);
    const [ada, bob, cleo] = [await attach(hub, 'ada'), await attach(hub, 'bob'), await attach(hub, 'cleo')];
    const operator = await operatorOf(hub);
    const first = await send(hub, ada, ['bob', 'cleo'], 'Who takes the 100 % case?', { subject: 'Coverage' });
    const byBob = await send(hub, bob, 'ada', 'I do.', { inReplyTo: first.message_id });
    const byCleo = await send(hub, cleo, 'ada', 'Or I.', { inReplyTo: first.message_id });
    const thanks = await send(hub, ada, 'bob', 'Then bob.', { inReplyTo: byBob.message_id });
    const { messages } = (await view(hub, operator, 'thread', { thread_id: first.thread_id })) as {
      messages: { id: string; depth: number; recipients: { recipient: string; state: string; why: string }[] }[];
    };
    expect(messages.map(({ id, depth }) => [id, depth])).toEqual([
      [first.message_id, 0],
      [byBob.message_id, 1],
      [thanks.message_id, 1],
      [byCleo.message_id, 1],
    ]);
    expect(messages[0]?.recipients).toMatchObject([
      { recipient: 'bob', state: 'acked', why: 'bob replied.' },
      { recipient: 'cleo', state: 'acked' },
    ]);
    const other = await send(hub, ada, 'bob', 'Something else entirely');
    expect(await view(hub, operator, 'threads')).toMatchObject({
      threads: [
        { thread_id: other.thread_id, messages: 1, open: 1 },
        { thread_id: first.thread_id, title: 'Coverage', messages: 4, from: 'ada', open: 2 },
      ],
      next: null,
    });
    const pages = (await view(hub, operator, 'threads', { limit: 1 })) as { threads: { thread_id: string }[]; next: number };
    expect(await view(hub, operator, 'threads', { limit: 1, before: pages.next })).toMatchObject({
      threads: [{ thread_id: first.thread_id }],
    });
    expect(await view(hub, operator, 'threads', { q: '100 %' })).toMatchObject({ threads: [{ seq: first.seq }] });
    expect(await view(hub, operator, 'threads', { q: '100_%' })).toMatchObject({ threads: [] });
    expect(await view(hub, operator, 'threads', { q: 'COVERAGE' })).toMatchObject({ threads: [{ seq: first.seq }] });
  });

  it('show an agent as it sees itself, and take nothing from it', async () => {
    const hub = await testHub(engine);
    const [ada, bob] = [await attach(hub, 'ada'), await attach(hub, 'bob')];
    const operator = await operatorOf(hub);
    await send(hub, ada, 'bob', 'waits', { expectsReply: true });
    await hub.asks.ask(ada, { to: 'bob', question: 'Ready?' }, { tool: 'ask' });
    await hub.reminders.remind(bob, { message: 'look again', inMs: 60_000 }, { tool: 'remind' });
    const before = await events(hub);
    const shown = await view(hub, operator, 'agent', { name: 'bob' });
    const call = { hub, caller: bob, connection: Connection.fixed(hub, bob, []), key: undefined, args: {}, signal: undefined };
    expect(shown.open).toEqual((await getOpenThreads.run(call, {})).threads);
    expect(shown).toMatchObject({
      name: 'bob',
      inbox: [{ excerpt: 'waits', attempts: 0 }, { from: 'ada' }],
      sessions: [{ epoch: 1, ended_at: null }],
    });
    expect(await view(hub, operator, 'reminders')).toMatchObject({
      reminders: [{ owner: 'bob', message: 'look again', state: 'pending' }],
    });
    expect(await events(hub)).toEqual(before);
    expect((await refused('not_found', view(hub, operator, 'agent', { name: 'bop' }))).hint).toContain('bob');
    expect(await view(hub, operator, 'health')).toMatchObject({ findings: [], tools: [] });
  });

  it('are reached by a browser that signed in, until it signs out', async () => {
    const hub = await testHub(engine);
    const operator = await operatorOf(hub);
    const { code } = await hub.signIns.offer(operator);
    const session = await hub.signIns.redeem(code);
    await refused('unauthorized', hub.signIns.redeem(code));
    const bearer = await hub.signIns.authenticate(session, undefined);
    expect(await hub.signIns.end(operator, bearer.tokenId)).toBe(1);
    await refused('unauthorized', hub.signIns.authenticate(session, undefined));
  });

  it('page through the events without a gap', async () => {
    const hub = await testHub(engine);
    const [alice, operator] = [await attach(hub, 'alice'), await operatorOf(hub)];
    for (let i = 0; i < 7; i++) await send(hub, alice, 'operator', `message ${i}`);
    const seen: number[] = [];
    for (let before: number | null | undefined; before !== null; ) {
      const page = (await view(
        hub,
        operator,
        'events',
        { before: before ?? '', limit: 3 }.before === '' ? { limit: 3 } : { before, limit: 3 },
      )) as {
        events: { seq: number }[];
        next: number | null;
      };
      seen.push(...page.events.map(({ seq }) => seq));
      before = page.next;
    }
    expect(seen).toEqual((await events(hub)).map(({ seq }) => seq).reverse());
  });
});

describe('arguments of views', () => {
  it('are named when they do not fit', async () => {
    const hub = await testHub(sqlite);
    const operator = await operatorOf(hub);
    for (const [name, params, field] of [
      ['agents', { limit: '0' }, 'limit'],
      ['agents', { state: 'asleep' }, 'state'],
      ['events', { kinds: 'message,nonsense' }, 'kinds'],
      ['events', { before: 'x' }, 'before'],
      ['overview', { path: '/etc/passwd' }, 'path'],
    ] as [ViewName, Params, string][])
      expect((await refused('invalid_input', view(hub, operator, name, params))).message).toContain(field);
  });
});
