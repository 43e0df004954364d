// Retention (A-19, S-16): what is over goes in its time and says so, what is open never does, and the history still proves itself.

import { expect, it } from 'vitest';
import type { Caller } from '../../src/hub/caller.ts';
import { parseRanges, RangeSet, rangesOf } from '../../src/hub/swept-ranges.ts';
import { ack, events, operatorOf, recv, refused, send, sweep } from '../support/acts.ts';
import { attach, OTHER_PROJECT, onEveryEngine, PROJECT, type TestHub, testHub } from '../support/engines.ts';

const DAY = 86_400_000;
const FAST = { sendPerSecond: 100_000, sendBurst: 100_000, sendPerMinute: 10_000_000 };

async function trio(hub: TestHub) {
  return { ana: await attach(hub, 'ana'), ben: await attach(hub, 'ben'), operator: await operatorOf(hub) };
}

/** Sends, and has it read and acknowledged. */
async function settled(hub: TestHub, from: Caller, to: Caller, body: string, more = {}): Promise<string> {
  const { message_id: id } = await send(hub, from, to.name, body, more);
  await recv(hub, to);
  await ack(hub, to, { ids: [id] });
  return id;
}

async function sound(hub: TestHub): Promise<void> {
  expect((await hub.verify()).flatMap(({ problems }) => problems)).toEqual([]);
}

async function rowsOf(hub: TestHub, table: string): Promise<number> {
  return await hub.db.read(async (read) => Number((await read.get(`SELECT COUNT(*) AS n FROM ${table}`))?.n));
}

onEveryEngine('retention', (engine) => {
  it('takes a thread a month after the last of it was dealt with, says so, and the history still proves itself', async () => {
    const hub = await testHub(engine, { limits: FAST });
    const { ana, ben } = await trio(hub);
    const first = await settled(hub, ana, ben, 'one');
    hub.fake.advance(20 * DAY);
    const reply = await send(hub, ben, 'ana', 'two', { inReplyTo: first });
    await recv(hub, ana);
    await ack(hub, ana, { ids: [reply.message_id] });
    const other = await settled(hub, ana, ben, 'elsewhere');
    hub.fake.advance(11 * DAY);
    expect((await sweep(hub)).messages).toBeUndefined();
    hub.fake.advance(20 * DAY);
    expect(await sweep(hub)).toMatchObject({ messages: 3, deliveries: 3 });
    await refused('not_found', hub.messages.read(ben, first));
    await refused('not_found', hub.messages.read(ben, other));
    const told = (await events(hub)).filter(({ type }) => type === 'retention.swept');
    expect(told).toMatchObject([
      { subject: 'retention', data: { rows: { messages: 3, deliveries: 3 }, seqs: expect.stringMatching(/^\d+-\d+$/) } },
    ]);
    const [verified] = await hub.verify();
    expect(verified).toMatchObject({ problems: [], messages: 0, swept: { messages: 3, events: 0 } });
  });

  it('never takes what is open, however old', async () => {
    const hub = await testHub(engine, { limits: FAST });
    const { ana, ben, operator } = await trio(hub);
    const unread = await send(hub, ana, 'ben', 'unread');
    const owed = await settled(hub, ana, ben, 'never answered', { kind: 'request' });
    const { askId } = await hub.asks.ask(ana, { to: 'operator', question: 'open?', deadlineMs: 7 * DAY }, { tool: 'ask' });
    await ack(hub, operator, { ids: (await recv(hub, operator)).messages.map(({ id }) => id) });
    const task = await hub.tasks.create(ana, { title: 'open' }, { tool: 'create_task' });
    const child = await hub.tasks.create(ana, { title: 'done', parentId: task.taskId }, { tool: 'create_task' });
    await hub.tasks.create(ana, { title: 'open, too', parentId: task.taskId }, { tool: 'create_task' });
    await hub.taskDecisions.cancel(ana, child.taskId, undefined, { tool: 'cancel_task' });
    await hub.reminders.remind(ana, { message: 'yearly', cron: '0 0 1 1 *' }, { tool: 'remind' });
    hub.fake.advance(6 * DAY);
    const before = await hub.openThreads.list(operator, 'group');
    await sweep(hub, { olderThanMs: DAY, audit: true });
    expect(await hub.openThreads.list(operator, 'group')).toMatchObject({ threads: before.threads });
    hub.fake.advance(400 * DAY);
    await hub.askEnds.expireDue();
    for (const who of [ana, operator]) await ack(hub, who, { ids: (await recv(hub, who)).messages.map(({ id }) => id) });
    hub.fake.advance(91 * DAY);
    await sweep(hub);
    for (const id of [unread.message_id, owed]) expect((await hub.messages.read(ben, id)).message.id).toBe(id);
    expect((await hub.taskViews.get(ana, child.taskId)).task.state).toBe('canceled');
    await refused('not_found', hub.asks.find(ana, askId));
    await sound(hub);
  });

  it('keeps a task that another waits for, and an approval with its thread until it is over', async () => {
    const hub = await testHub(engine, { limits: FAST });
    const { ana, ben, operator } = await trio(hub);
    const end = (taskId: string) => hub.taskDecisions.cancel(ana, taskId, undefined, { tool: 'cancel_task' });
    const { taskId: awaited } = await hub.tasks.create(ana, { title: 'awaited' }, { tool: 'create_task' });
    const { taskId: waiter } = await hub.tasks.create(ana, { title: 'waits', dependsOn: [awaited] }, { tool: 'create_task' });
    await end(awaited);
    const wish = await hub.approvals.request(ben, { action: 'npm publish', risk: 'high' }, { tool: 'request_approval' });
    const held = async () => [await rowsOf(hub, 'tasks'), await rowsOf(hub, 'approvals')];
    const read = async () => {
      for (const who of [ana, ben, operator])
        await ack(hub, who, { ids: (await recv(hub, who, { max: 32 })).messages.map(({ id }) => id) });
      return (await hub.approvals.list(operator, { pending: false, limit: 9 })).map(({ id, state, messageId }) => ({
        id,
        state,
        messageId,
      }));
    };
    const [asked] = await read();
    expect(asked).toMatchObject({ id: wish.approvalId, state: 'pending' });
    // Words end the message and decide nothing.
    await send(hub, operator, 'ben', 'Let me think.', { inReplyTo: asked?.messageId ?? '' });
    await read();
    hub.fake.advance(400 * DAY); // no duty runs here: it is still pending
    const messages = await rowsOf(hub, 'messages');
    await sweep(hub);
    expect(await held()).toEqual([2, 1]);
    expect(await rowsOf(hub, 'messages')).toBe(messages);
    await hub.approvalEnds.expireDue();
    await end(waiter);
    await read();
    hub.fake.advance(400 * DAY);
    await sweep(hub);
    expect(await held()).toEqual([0, 0]);
    await sound(hub);
  });

  it('takes on request what is older than was said, and nothing younger', async () => {
    const hub = await testHub(engine, { limits: FAST });
    const { ana, ben } = await trio(hub);
    const old = await settled(hub, ana, ben, 'three days old');
    hub.fake.advance(2 * DAY);
    const young = await settled(hub, ana, ben, 'a day old');
    hub.fake.advance(DAY);
    expect(await sweep(hub, { olderThanMs: 4 * DAY })).toEqual({});
    expect(await sweep(hub, { olderThanMs: 2 * DAY })).toMatchObject({ messages: 1, deliveries: 1 });
    await refused('not_found', hub.messages.read(ben, old));
    expect((await hub.messages.read(ben, young)).message.id).toBe(young);
    await sound(hub);
  });

  it('takes what is over once there is too much of it, an hour after it ended', async () => {
    const hub = await testHub(engine, { limits: { ...FAST, messagesKept: 5, tasksKept: 2, sessionsKept: 1, sweepBatch: 3 } });
    const { ana, ben } = await trio(hub);
    for (let n = 0; n < 12; n++) await settled(hub, ana, ben, `m${n}`);
    for (let n = 0; n < 4; n++) {
      const { taskId } = await hub.tasks.create(ana, { title: `t${n}` }, { tool: 'create_task' });
      await hub.taskDecisions.cancel(ana, taskId, undefined, { tool: 'cancel_task' });
      hub.fake.advance(1_000);
    }
    expect(await sweep(hub)).toEqual({});
    hub.fake.advance(2 * 3_600_000);
    expect(await sweep(hub)).toMatchObject({ messages: 7, deliveries: 7, tasks: 2 });
    await sound(hub);
  });

  it('takes whole trees of tasks, children first, with their reviews, results and messages', async () => {
    const hub = await testHub(engine, { limits: { ...FAST, sweepBatch: 2 } });
    const { ana, ben } = await trio(hub);
    const root = await hub.tasks.create(ana, { title: 'root' }, { tool: 'create_task' });
    const children: string[] = [];
    for (const title of ['a', 'b', 'c'])
      children.push(
        (await hub.tasks.create(ana, { title, parentId: root.taskId, reviewers: ['ana'], labels: ['x'] }, { tool: 'create_task' })).taskId,
      );
    for (const taskId of children) {
      await hub.claims.claim(ben, taskId, { tool: 'claim_task' });
      const { fencingToken } = (await hub.taskViews.get(ben, taskId)).task;
      await hub.taskCompletion.complete(ben, taskId, { fencingToken, result: 'r' }, { tool: 'complete_task' });
      await hub.reviews.submit(ana, { taskId, revision: 1, verdict: 'PASS', findings: [] }, { tool: 'submit_review' });
    }
    expect((await hub.taskViews.get(ana, root.taskId)).task.state).toBe('completed');
    for (const who of [ana, ben]) await ack(hub, who, { ids: (await recv(hub, who, { max: 32 })).messages.map(({ id }) => id) });
    hub.fake.advance(91 * DAY);
    const went = await sweep(hub);
    expect(went).toMatchObject({ tasks: 4, reviews: 3, task_results: 4, task_labels: 3 });
    for (const table of ['tasks', 'task_history', 'task_offers', 'reviews', 'messages', 'deliveries'])
      expect([table, await rowsOf(hub, table)]).toEqual([table, 0]);
    await sound(hub);
  });

  it('forgets the oldest events and proves the rest from where it begins', async () => {
    const hub = await testHub(engine, { limits: { ...FAST, sweepBatch: 7 } });
    const { ana, ben, operator } = await trio(hub);
    for (let n = 0; n < 5; n++) await settled(hub, ana, ben, `old ${n}`);
    const open = await send(hub, ana, 'ben', 'still unread');
    hub.fake.advance(40 * DAY);
    await sweep(hub);
    hub.fake.advance(330 * DAY);
    const young = await send(hub, ana, 'ben', 'young');
    const went = await sweep(hub);
    expect(went.events).toBeGreaterThan(20);
    const [first] = await hub.feed.after(operator, 0);
    expect(first?.seq).toBeGreaterThan(20);
    await sound(hub);
    const [verified] = await hub.verify();
    expect(verified).toMatchObject({ messages: 2, swept: { messages: 0, events: (first?.seq ?? 0) - 1 } });
    for (const { message_id: id } of [open, young]) await ack(hub, ben, { ids: [id] });
    hub.fake.advance(40 * DAY);
    expect(await sweep(hub)).toMatchObject({ messages: 2 });
    await sound(hub);
  });

  it.each([
    ['a message taken behind its back', 'DELETE FROM messages', 'is missing'],
    ['a delivery more than a sweep said', `DELETE FROM deliveries`, 'are there'],
    ['a history cut off without a word', 'UPDATE projects SET base_seq = 3', 'none says that they were forgotten'],
  ])('is no cover for %s', async (_what, sql, finding) => {
    const hub = await testHub(engine, { limits: FAST });
    const { ana, ben } = await trio(hub);
    await settled(hub, ana, ben, 'swept');
    hub.fake.advance(31 * DAY);
    await sweep(hub);
    await settled(hub, ana, ben, 'kept');
    await sound(hub);
    await hub.db.write('', async (tx) => {
      if (sql.includes('messages')) await tx.run('DELETE FROM deliveries');
      if (sql.includes('projects')) await tx.run('DELETE FROM events WHERE seq <= 3');
      await tx.run(sql);
    });
    expect((await hub.verify()).flatMap(({ problems }) => problems).join('\n')).toContain(finding);
  });

  it('leaves sums by day of turns, calls and uses of tools', async () => {
    const hub = await testHub(engine, { limits: FAST });
    const { ana } = await trio(hub);
    for (let n = 0; n < 3; n++) {
      hub.calls.record({
        projectId: PROJECT.id,
        agentId: ana.agentId,
        sessionId: ana.sessionId,
        tool: 'send',
        door: 'stdio',
        startedAt: hub.fake.now(),
        durationMs: 10 + n,
        code: 'ok',
        inputBytes: 5,
        outputBytes: 7,
      });
      const use = { id: `u${n}`, tool: 'Bash', args: {}, cwd: '/work/demo', subAgent: '' };
      await hub.toolUses.start(ana, use, { turnKey: `t${n}`, at: hub.fake.now() });
      await hub.turns.begin(ana, { turnKey: `t${n}`, at: hub.fake.now() }, null);
      hub.fake.advance(1_000);
      await hub.turns.end(ana, { turnKey: `t${n}`, at: hub.fake.now() }, 'completed', null);
    }
    await hub.calls.flush();
    hub.fake.advance(91 * DAY);
    expect(await sweep(hub)).toMatchObject({ turns: 3, tool_calls: 3, tool_uses: 3 });
    const days = await hub.db.read(async (read) => [
      await read.all('SELECT turns, duration_ms FROM turn_days'),
      await read.all('SELECT tool, calls, duration_ms, longest_ms FROM call_days'),
      await read.all('SELECT tool, uses FROM tool_use_days'),
    ]);
    const numbers = JSON.parse(JSON.stringify(days, (_key, value) => (typeof value === 'bigint' ? Number(value) : value)));
    expect(numbers).toEqual([
      [{ turns: 3, duration_ms: 3_000 }],
      [{ tool: 'send', calls: 3, duration_ms: 33, longest_ms: 12 }],
      [{ tool: 'Bash', uses: 3 }],
    ]);
  });

  it('is one duty for all processes, a few transactions at a time, and says what it did', async () => {
    const hub = await testHub(engine, { limits: { ...FAST, sweepBatch: 1 } });
    const peer = await testHub(engine, { place: hub.place, clock: hub.fake, limits: { ...FAST, sweepBatch: 1 } });
    const { ana, ben, operator } = await trio(hub);
    for (let n = 0; n < 30; n++) await settled(hub, ana, ben, `m${n}`);
    hub.fake.advance(31 * DAY);
    let turns = 0;
    for (let idle = 0; idle < 2; ) {
      const went = (await hub.sweeps.run()) + (await peer.sweeps.run());
      turns += 1;
      idle = went === 0 && (await hub.sweeps.nextDue()) === null && (await peer.sweeps.nextDue()) === null ? idle + 1 : 0;
    }
    expect(turns).toBeGreaterThan(2);
    expect(await rowsOf(hub, 'messages')).toBe(0);
    expect((await hub.sweeps.last(operator.projectId)).at(-1)).toMatchObject({
      scope: PROJECT.id,
      endedAt: hub.fake.now(),
      swept: { messages: 30, deliveries: 30 },
    });
    await sound(hub);
  });

  it('prunes one project on request, and for the operator alone', async () => {
    const hub = await testHub(engine, { limits: FAST });
    const { ana, ben, operator } = await trio(hub);
    const [eve, joe] = [
      await attach(hub, 'eve', { project: OTHER_PROJECT, root: '/work/other' }),
      await attach(hub, 'joe', { project: OTHER_PROJECT, root: '/work/other' }),
    ];
    await settled(hub, ana, ben, 'here');
    await settled(hub, eve, joe, 'there');
    hub.fake.advance(2 * DAY);
    await refused('forbidden', hub.sweeps.prune(ana, {}));
    const batches: number[] = [];
    const went = await hub.sweeps.prune(operator, { olderThanMs: DAY, projectId: PROJECT.id }, (rows) => batches.push(rows.messages ?? 0));
    expect([went.messages, batches.filter((n) => n > 0)]).toEqual([1, [1]]);
    expect(await rowsOf(hub, 'messages')).toBe(1);
    expect((await events(hub)).find(({ type }) => type === 'retention.swept')?.actor).toBe(operator.agentId);
    await sound(hub);
  });
});

it('writes what went as ranges that hold every message between their ends', async () => {
  const stays = new Set([5, 12]);
  const staysBetween = async (from: number, to: number) => [...stays].some((seq) => seq > from && seq < to);
  const ranges = await rangesOf([9, 1, 3, 7, 20], staysBetween);
  expect(ranges).toEqual([
    { from: 1, to: 3 },
    { from: 7, to: 9 },
    { from: 20, to: 20 },
  ]);
  const set = new RangeSet(parseRanges('1-3,7-9,20'));
  expect([0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 20, 21].filter((seq) => set.has(seq))).toEqual([1, 2, 3, 7, 8, 9, 20]);
});
