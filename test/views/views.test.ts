// Views: one look at a project, for those who oversee it. Looking changes nothing.

import { describe, expect, it } from 'vitest';
import type { Params } from '../../dashboard/src/view-store.ts';
import { foldToolUses } from '../../src/store/days.ts';
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

  it('tell who owes whom what, what is due first, and who of them is not there', async () => {
    const hub = await testHub(engine);
    const [ada, bob, cleo] = [await attach(hub, 'ada', { role: 'manager' }), await attach(hub, 'bob'), await attach(hub, 'cleo')];
    const operator = await operatorOf(hub);
    const { taskId } = await hub.tasks.create(ada, { title: 'Mend the parser', reviewers: ['cleo'], quorum: 1 }, { tool: 'create_task' });
    await hub.claims.claim(bob, taskId, { tool: 'claim_task' });
    const { askId } = await hub.asks.ask(ada, { to: 'bob', question: 'When?' }, { tool: 'ask' });
    const owed = async () =>
      ((await view(hub, operator, 'overview')).owed as Record<string, unknown>[]).map(({ kind, by, to, text, present }) => [
        ...[kind, by, to, text, present],
      ]);
    expect((await view(hub, operator, 'overview')).owed).toMatchObject([
      { kind: 'answer', id: askId, thread_id: expect.stringMatching(/^thr_/), by: 'bob', to: 'ada', text: 'When?', present: true },
      { kind: 'result', id: taskId, by: 'bob', to: 'ada', text: 'Mend the parser', due_at: null },
    ]);
    await hub.asks.answer(bob, askId, { answer: ['now'] }, { tool: 'answer' });
    const { task } = await hub.taskViews.get(bob, taskId);
    await hub.taskCompletion.complete(bob, taskId, { fencingToken: task.fencingToken, result: 'done' }, { tool: 'complete_task' });
    await hub.approvals.request(bob, { action: 'git push --force', risk: 'high' }, { tool: 'request_approval' });
    await hub.sessions.end(cleo, 'closed');
    expect(await owed()).toEqual([
      ['decision', 'operator', 'bob', 'git push --force', true],
      ['verdict', 'cleo', 'bob', 'Mend the parser', false],
    ]);
    expect((await view(hub, ada, 'overview')).owed).toHaveLength(2);
  });

  it('show tasks that nobody begins, what is reserved, and an agent from close by', async () => {
    const hub = await testHub(engine);
    const bob = await attach(hub, 'bob');
    const operator = await operatorOf(hub);
    const { taskId } = await hub.tasks.create(operator, { title: 'Ask a lawyer', capabilities: ['legal'] }, { tool: 'create_task' });
    expect((await view(hub, operator, 'overview')).stuck_tasks).toEqual([]);
    hub.fake.advance(31 * 60_000);
    await hub.heartbeats.beat([bob.sessionId]);
    expect((await view(hub, operator, 'overview')).stuck_tasks).toMatchObject([{ id: taskId, why: 'no agent has declared legal' }]);
    const { taken } = await hub.reservations.reserve(
      bob,
      { paths: ['src/parser.ts'], names: ['db'], mode: 'exclusive', reason: 'mending' },
      { tool: 'reserve' },
    );
    expect((await view(hub, operator, 'reservations')).reservations).toMatchObject(
      taken.map(({ id, resource }) => ({ reservation_id: id, resource, holder: 'bob', reason: 'mending' })),
    );
    await hub.checkpoints.save(bob, { currentTask: 'the parser', decisions: ['recursive descent'] }, { tool: 'save_checkpoint' });
    await hub.usage.report(bob, 72, { tool: 'report_usage' });
    await hub.wakeDoors.open(bob, 'monitor');
    const at = hub.fake.now();
    const use = { id: 'u1', tool: 'Bash', args: { command: 'git push --force' }, cwd: '/work/demo', subAgent: '' };
    await hub.toolUses.start(bob, use, { turnKey: null, at });
    await hub.turns.end(bob, { turnKey: 't1', at }, 'completed', {
      ...{ startedAt: at, ended: 'completed', model: 'claude-opus-5', tools: {} },
      ...{ inputTokens: 1_000_000, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 },
    });
    expect(await view(hub, operator, 'agent', { name: 'bob' })).toMatchObject({
      checkpoint: { current_task: 'the parser', decisions: ['recursive descent'], source: 'agent' },
      context: { percent: 72, checkpoint_owed: true },
      doors: [{ door: 'monitor', open: true, proven_at: null, failures: 0 }],
      wakes: [],
      refusals: [{ tool: 'Bash', reason: expect.stringContaining('it rewrites or deletes what others have fetched') }],
      turns: [{ model: 'claude-opus-5', cost: 5 }],
      reminders: { pending: 0, parked: 0, fired: 0 },
    });
    expect(await view(hub, operator, 'refusals')).toEqual({
      refusals: [
        {
          agent: 'bob',
          sub_agent: '',
          tool: 'Bash',
          at: expect.any(String),
          reason: expect.stringMatching(/holds this command back.*Approval apr_/),
        },
      ],
    });
    await hub.reminders.remind(bob, { message: 'later', inMs: 3_600_000 }, { tool: 'remind' });
    expect(await view(hub, operator, 'stats', { report: 'agents', agent: 'bob' })).toMatchObject({
      agents: [{ agent: 'bob', held_back: 1, reminders: { pending: 1, parked: 0, fired: 0 } }],
    });
    await hub.db.write('', async (tx) => expect(await foldToolUses(tx, hub.fake.now())).toBe(1));
    expect(await view(hub, operator, 'stats', { report: 'agents', since: '7d', agent: 'bob' })).toMatchObject({
      agents: [{ held_back: 1 }],
    });
    expect(await view(hub, operator, 'agents')).toMatchObject({ agents: [{ name: 'bob', wake: { door: 'monitor' }, woken: null }] });
    expect(await view(hub, operator, 'approvals')).toMatchObject({
      approvals: [{ from: 'bob', state: 'pending', decides: 'operator', note: null, used_at: null }],
    });
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

describe('the page', () => {
  it('could not write if it wanted to: every view answers the same on a hub that cannot write', async () => {
    const hub = await testHub(sqlite);
    const [ada, bob] = [await attach(hub, 'ada', { role: 'manager' }), await attach(hub, 'bob')];
    const operator = await operatorOf(hub);
    const { thread_id } = await send(hub, ada, 'bob', 'words');
    const { taskId } = await hub.tasks.create(ada, { title: 'a task', reviewers: ['bob'] }, { tool: 'create_task' });
    await hub.asks.ask(bob, { to: 'operator', question: 'May I?' }, { tool: 'ask' });
    await hub.approvals.request(bob, { action: 'rm -rf build', risk: 'high' }, { tool: 'request_approval' });
    await hub.reservations.reserve(bob, { paths: ['src/**'], names: [], mode: 'exclusive' }, { tool: 'reserve' });
    const given: Partial<Record<ViewName, Params>> = { agent: { name: 'bob' }, thread: { thread_id }, task: { task_id: taskId } };
    const all = async () => {
      const answers: [ViewName, unknown][] = [];
      for (const { name } of views) answers.push([name, await view(hub, operator, name, given[name])]);
      return answers;
    };
    const before = await all();
    hub.db.write = () => Promise.reject(new Error('a view writes'));
    expect(await all()).toEqual(before);
  });

  it('names no path of this machine in what it may ask for', () => {
    for (const { name, input } of views)
      for (const field of Object.keys(input.shape))
        expect([name, field, /path|file|folder|dir|url/.test(field)]).toEqual([name, field, false]);
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
