// Views: one look at a project, for those who oversee it. Looking changes nothing, and what a page builds from events is what a fresh look shows.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Params, ViewStore } from '../../dashboard/src/view-store.ts';
import type { Caller } from '../../src/hub/caller.ts';
import type { Hub } from '../../src/hub/hub.ts';
import { Connection } from '../../src/tools/connection.ts';
import { getOpenThreads } from '../../src/tools/get-open-threads.ts';
import type { ViewName } from '../../src/views/freshness.ts';
import { findView, views } from '../../src/views/index.ts';
import { ack, events, operatorOf, recv, refused, send } from '../support/acts.ts';
import { attach, onEveryEngine, PROJECT, sqlite, testHub } from '../support/engines.ts';

const look = (hub: Hub, caller: Caller, everyProject = true) => ({ hub, caller, everyProject, examine: undefined });

async function view(hub: Hub, caller: Caller, name: ViewName, params: Params = {}): Promise<Record<string, unknown>> {
  return (await findView(name)?.run(look(hub, caller), params)) as Record<string, unknown>;
}

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

describe('what a page builds from events', () => {
  const WATCHED: [ViewName, Params][] = [
    ['projects', {}],
    ['overview', {}],
    ['waiting', {}],
    ['agents', {}],
    ['agents', { q: 'a', limit: 2 }],
    ['agent', { name: 'ada' }],
    ['agent', { name: 'bob' }],
    ['threads', { limit: 3 }],
    ['threads', { q: 'words' }],
    ['board', {}],
    ['board', { worker: 'bob' }],
    ['reminders', {}],
    ['reminders', { state: 'cancelled' }],
    ['activity', { window: '1h' }],
    ['events', { limit: 20 }],
    ['events', { kinds: 'ask,agent', limit: 5 }],
  ];
  const NAMES = ['ada', 'bob', 'cleo', 'dan'];

  it('equals a fresh look after any sequence of changes', { timeout: 240_000 }, async () => {
    const step = fc.record({ act: fc.nat(23), who: fc.nat(3), whom: fc.nat(3), pick: fc.nat(20) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 30 }), async (steps) => {
        const hub = await testHub(sqlite, { limits: { deliveryAttempts: 2, poisonMinAgeMs: 1, sendPerSecond: 1_000, alternations: 4 } });
        const operator = await operatorOf(hub);
        const timers = new Set<() => void>();
        const page = new ViewStore((name, params) => view(hub, operator, name, params), {
          now: () => 0, // time stands still: what it alone changes is another matter
          later: (ms, work) => {
            if (ms < 5_000) timers.add(work);
            return () => timers.delete(work);
          },
        });
        const { thread_id } = await send(hub, await attach(hub, 'ada', { role: 'manager' }), 'operator', 'the first words');
        const watched = [...WATCHED, ['thread', { thread_id }] satisfies [ViewName, Params]];
        for (const [name, params] of watched) page.watch(name, params, () => {});
        let seen = 0;
        for (const one of steps) {
          await change(hub, operator, one).catch((error: { code?: string }) => {
            if (error.code === undefined) throw error;
          });
          for (const event of await hub.feed.after(operator, seen)) {
            page.touched(event.type);
            seen = event.seq;
          }
          await settled(timers);
          for (const [name, params] of watched)
            expect([name, one, page.peek(name, params).value]).toEqual([
              name,
              one,
              await view(hub, operator, name, params).catch(() => undefined),
            ]);
        }
        page.close();
        await hub.close();
      }),
      { numRuns: 15 },
    );
  });

  const attachmentOf = (name: string) => ({
    project: PROJECT,
    door: 'stdio' as const,
    client: { name: 'test', version: '1' },
    root: PROJECT.root,
    name,
  });

  /** Runs what was put off until nothing is. */
  async function settled(timers: Set<() => void>): Promise<void> {
    for (let quiet = 0; quiet < 30; quiet++) {
      if (timers.size > 0) quiet = 0;
      for (const work of [...timers]) {
        timers.delete(work);
        work();
      }
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }

  /** One of everything that agents and the operator do. */
  async function change(
    hub: Awaited<ReturnType<typeof testHub>>,
    operator: Caller,
    { act, who, whom, pick }: Record<'act' | 'who' | 'whom' | 'pick', number>,
  ) {
    const live = await hub.sessions.live('demo-1', NAMES[who] ?? 'ada');
    const me = live ?? (await attach(hub, NAMES[who] ?? 'ada', { role: who === 0 ? 'manager' : 'worker' }));
    const to = pick % 4 === 0 ? 'operator' : (NAMES[whom] ?? 'bob');
    const waiting = (await view(hub, operator, 'waiting')) as Record<string, Record<string, string>[]>;
    const first = (list: string) => waiting[list]?.[pick % Math.max(1, waiting[list]?.length ?? 1)];
    switch (act) {
      case 0:
      case 1:
        return await send(hub, me, to, `words ${pick}`, {
          allowDuplicate: true,
          expectsReply: pick % 2 === 0,
        });
      case 2:
      case 3:
        return await recv(hub, me, { max: 3 });
      case 4:
        return await ack(hub, me, { receipt: (await recv(hub, me)).receipt ?? '' });
      case 5:
        return await ack(hub, me, { nackIds: [(await recv(hub, me)).messages[0]?.id ?? ''], delayMs: 0 });
      case 6:
        return await hub.asks.ask(me, { to, question: `May I ${pick}?` }, { tool: 'ask' });
      case 7:
        return await hub.asks.answer(operator, first('asks')?.ask_id ?? '', { answer: ['yes'] }, { tool: 'answer' });
      case 8:
        return await hub.asks.cancel(operator, first('asks')?.ask_id ?? '', { tool: 'cancel_ask' });
      case 9:
        return await hub.deliveries.requeueFor(operator, first('dead')?.message_id ?? '', first('dead')?.to ?? '', {
          tool: 'requeue_dead',
        });
      case 10:
        return await hub.threads.resume(operator, first('paused')?.thread_id ?? '', { tool: 'resume_thread' });
      case 11:
        return await ack(hub, operator, { ids: [first('mail')?.message_id ?? ''] });
      case 12: {
        const asked = await hub.approvals.request(me, { action: `act ${pick}`, risk: 'high' }, { tool: 'request_approval' });
        const state = pick % 2 === 0 ? ('approved' as const) : ('denied' as const);
        return await hub.approvals.decide(operator, asked.approvalId, { state }, { tool: 'decide_approval' });
      }
      case 13:
        return await hub.sessions.end(me, 'closed');
      case 14:
        return await send(hub, me, to, 'again', { inReplyTo: (await recv(hub, me, { peek: true })).messages[0]?.id });
      case 15:
        return await hub.reminders.remind(me, { message: `later ${pick}`, inMs: 60_000 }, { tool: 'remind' });
      case 16: {
        const [mine] = await hub.reminders.list(me, { state: null, limit: 1 });
        return await hub.reminders.cancel(me, mine?.id ?? '', { tool: 'cancel_reminder' });
      }
      case 19:
        return await hub.tasks.create(
          me,
          { title: `job ${pick}`, ...(pick % 2 === 0 ? {} : { assignee: NAMES[whom] }) },
          { tool: 'create_task' },
        );
      case 20:
        return await hub.claims.claim(me, undefined, { tool: 'claim_task' });
      case 21: {
        const { tasks } = await hub.taskViews.list(me, { limit: 5 });
        const [one] = tasks.filter(({ holder }) => holder === me.name);
        const update = { state: pick % 2 === 0 ? ('failed' as const) : undefined, progress: pick * 5, fencingToken: one?.fencingToken };
        return await hub.taskUpdates.update(me, one?.id ?? '', update, { tool: 'update_task' });
      }
      case 22: {
        const { tasks } = await hub.taskViews.list(operator, { limit: 20 });
        const [last, other] = [tasks.at(0)?.id ?? '', tasks.at(-1)?.id ?? ''];
        return pick % 2 === 0
          ? await hub.taskDecisions.cancel(operator, last, undefined, { tool: 'cancel_task' })
          : await hub.tasks.create(me, { title: 'later', dependsOn: [other] }, { tool: 'create_task' });
      }
      case 17:
        return await hub.joining.join(me, attachmentOf(me.name), { status: `doing ${pick}` }, { tool: 'join' });
      default:
        return await hub.approvals.request(me, { action: `act ${pick}`, risk: 'high' }, { tool: 'request_approval' });
    }
  }
});
