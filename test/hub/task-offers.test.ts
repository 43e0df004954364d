import { expect, it } from 'vitest';
import type { Caller } from '../../src/hub/caller.ts';
import type { Hub } from '../../src/hub/hub.ts';
import { DEFAULT_POLICY } from '../../src/hub/policy.ts';
import type { TaskRequest } from '../../src/hub/task-orders.ts';
import { saveTurn } from '../../src/store/turns.ts';
import { operatorOf, recv, refused } from '../support/acts.ts';
import { attach, onEveryEngine, PROJECT, testHub } from '../support/engines.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const create = async (hub: Hub, by: Caller, more: Partial<TaskRequest> = {}) =>
  (await hub.tasks.create(by, { title: 't', ...more }, { tool: 'create_task' })).taskId;
const claim = (hub: Hub, by: Caller, id?: string) => hub.claims.claim(by, id, { tool: 'claim_task' });
const offeredTo = async (hub: Hub, who: Caller) =>
  (await recv(hub, who, { max: 32, maxBytes: 48_000 })).messages
    .filter(({ subject }) => subject === 'task you could do')
    .map(({ ref }) => ref);
const join = (hub: Hub, who: Caller, capabilities: string[]) =>
  hub.joining.join(
    who,
    { project: PROJECT, door: 'stdio', client: { name: 't', version: '1' }, root: PROJECT.root },
    { capabilities },
    { tool: 'join' },
  );

async function crew(engine: Parameters<typeof testHub>[0], skills: Record<string, string[]>, more: Parameters<typeof testHub>[1] = {}) {
  const hub = await testHub(engine, { ...more, limits: { sendBurst: 10_000, sendPerMinute: 100_000, ...more.limits } });
  const boss = await attach(hub, 'boss', { role: 'manager' });
  const workers: Record<string, Caller> = {};
  for (const [name, capabilities] of Object.entries(skills)) {
    const worker = await attach(hub, name);
    await join(hub, worker, capabilities);
    workers[name] = worker;
  }
  const one = (name: string): Caller => workers[name] ?? boss;
  return { hub, boss, one };
}

onEveryEngine('offers of tasks', (engine) => {
  it('go round: nine tasks over three idle agents are three each (S-03)', async () => {
    const { hub, boss, one } = await crew(engine, { ada: ['x'], bob: ['x'], cal: ['x'] });
    for (let n = 0; n < 9; n++) await create(hub, boss, { capabilities: ['x'] });
    const other = await testHub(engine, { place: hub.place, clock: hub.fake });
    const made = await Promise.all([hub.offers.offerReady(), other.offers.offerReady()]);
    expect((made[0] ?? 0) + (made[1] ?? 0)).toBe(9);
    const given = await Promise.all(['ada', 'bob', 'cal'].map((name) => offeredTo(hub, one(name))));
    expect(given.map((ids) => ids.length)).toEqual([3, 3, 3]);
    expect(new Set(given.flat()).size).toBe(9);
    expect(await hub.offers.offerReady()).toBe(0);
  });

  it('pass over who has more to do, who is full, who is gone, who created it and who does something of its own (S-04)', async () => {
    const { hub, boss, one } = await crew(engine, { ada: ['x'], bob: ['x'], cal: [] });
    for (let n = 0; n < 2; n++) await claim(hub, one('ada'), await create(hub, boss));
    const id = await create(hub, boss, { capabilities: ['x'] });
    await hub.offers.offerReady();
    expect(await offeredTo(hub, one('bob'))).toEqual([id]);
    const own = await create(hub, one('bob'), { capabilities: ['x'] });
    await hub.offers.offerReady();
    expect(await offeredTo(hub, one('ada'))).toEqual([own]);
    await hub.sessions.end(one('ada'), 'closed');
    await hub.sessions.end(one('bob'), 'closed');
    const nobody = await create(hub, boss);
    expect(await hub.offers.offerReady()).toBe(0);
    expect((await hub.taskViews.get(boss, nobody)).task.waitsBecause).toContain('2 connected');
  });

  it('pass over who has used up its budget of a day, who is given nothing either (S-68)', async () => {
    const { hub, boss, one } = await crew(engine, { ada: ['x'], bob: ['x'] }, { limits: { dailyTokens: 1_000 } });
    const turn = async (who: Caller, outputTokens: number, endedAt = hub.fake.now()) =>
      await hub.context.db.write(who.projectId, async (tx) => {
        const spent = { inputTokens: 300, outputTokens, cacheReadTokens: 90_000, cacheWriteTokens: null };
        const rest = { turnKey: null, result: 'completed' as const, wakeDoor: null, model: '', toolCalls: 0, tools: {} };
        const id = hub.context.ids.next('trn');
        await saveTurn(tx, {
          id,
          projectId: who.projectId,
          agentId: who.agentId,
          sessionId: who.sessionId,
          startedAt: endedAt,
          endedAt,
          ...spent,
          ...rest,
        });
      });
    await turn(one('ada'), 700);
    await turn(one('bob'), 699);
    await turn(one('bob'), 5_000, hub.fake.now() - DAY - 1);
    const id = await create(hub, boss, { capabilities: ['x'] });
    await hub.offers.offerReady();
    expect([await offeredTo(hub, one('ada')), await offeredTo(hub, one('bob'))]).toEqual([[], [id]]);
    expect((await claim(hub, one('ada'))).reason).toBe('you have used 1000 tokens within 24 hours, the budget is 1000');
    await refused('limit_reached', claim(hub, one('ada'), id));
    expect((await claim(hub, one('bob'))).taskId).toBe(id);
    hub.fake.advance(DAY + 1);
    await hub.heartbeats.beat([one('ada').sessionId]);
    expect((await claim(hub, one('ada'))).reason).toBe('no open task is yours to take');
  });

  it('prefer who fits exactly; who is only related gets it when nobody better has room (S-06)', async () => {
    const policy = { ...DEFAULT_POLICY, relatedCapabilities: { typescript: { javascript: 0.5 } } };
    const { hub, boss, one } = await crew(engine, { ada: ['javascript'], bob: ['typescript'] }, { policy, limits: { heldTasks: 1 } });
    const [first, second] = [
      await create(hub, boss, { capabilities: ['typescript'] }),
      await create(hub, boss, { capabilities: ['typescript'] }),
    ];
    await hub.offers.offerReady();
    expect([await offeredTo(hub, one('bob')), await offeredTo(hub, one('ada'))]).toEqual([[first], [second]]);
    const exact = await create(hub, boss, { capabilities: ['javascript'] });
    expect((await claim(hub, one('ada'))).taskId).toBe(exact);
  });

  it('between equals prefer who has done such work well; what the infrastructure broke is not counted (S-57)', async () => {
    const { hub, boss, one } = await crew(engine, { ada: ['x'], bob: ['x'] });
    for (const [name, cause] of [
      ['ada', 'infra'],
      ['bob', 'agent'],
    ] as const) {
      const id = await create(hub, boss, { capabilities: ['x'] });
      await claim(hub, one(name), id);
      await hub.taskUpdates.update(one(name), id, { fencingToken: 1, state: 'failed', note: 'n', cause }, { tool: 'update_task' });
    }
    await create(hub, boss, { capabilities: ['x'] });
    await hub.offers.offerReady();
    expect([(await offeredTo(hub, one('ada'))).length, (await offeredTo(hub, one('bob'))).length]).toEqual([1, 0]);
  });

  it('reserve nothing, go to the next when declined or not taken up, and are withdrawn when another takes the task', async () => {
    const { hub, boss, one } = await crew(engine, { ada: ['x'], bob: ['x'], cal: ['x'] });
    const id = await create(hub, boss, { capabilities: ['x'] });
    await hub.offers.offerReady();
    expect(await offeredTo(hub, one('ada'))).toEqual([id]);
    expect((await hub.openThreads.list(one('ada'), 'mine')).threads).toMatchObject([
      { kind: 'task', id, state: 'for you to claim or decline' },
    ]);
    await hub.taskUpdates.update(one('ada'), id, { state: 'rejected', note: 'busy' }, { tool: 'update_task' });
    expect((await hub.openThreads.list(one('ada'), 'mine')).threads).toEqual([]);
    await hub.offers.offerReady();
    expect(await offeredTo(hub, one('bob'))).toEqual([id]);
    for (const who of [boss, one('ada'), one('bob'), one('cal')]) await hub.heartbeats.beat([who.sessionId]);
    hub.fake.advance(6 * MINUTE);
    await hub.heartbeats.beat([one('ada'), one('bob'), one('cal')].map(({ sessionId }) => sessionId));
    await hub.offers.offerReady();
    expect(await offeredTo(hub, one('cal'))).toEqual([id]);
    expect((await claim(hub, one('ada'))).taskId).toBe(id);
    expect((await recv(hub, one('cal'))).messages).toEqual([]);
  });

  it('an assignment that is not taken up is told to its owner, once', async () => {
    const { hub, boss } = await crew(engine, { ada: ['x'] });
    const id = await create(hub, boss, { assignee: 'ada' });
    hub.fake.advance(31 * MINUTE);
    for (let n = 0; n < 3; n++) await hub.offers.offerReady();
    expect((await recv(hub, boss)).messages).toMatchObject([{ subject: 'task not taken up', ref: id, authority: 'hub' }]);
  });

  it('an assignee is told when its task can be begun: after what blocked it, at its time, and when it came back', async () => {
    const { hub, boss, one } = await crew(engine, { ada: ['x'] });
    const ada = one('ada');
    const told = async () =>
      (await recv(hub, ada, { max: 32 })).messages.filter(({ subject }) => subject === 'task for you').map(({ ref }) => ref);
    const first = await create(hub, boss);
    const [blocked, later] = [
      await create(hub, boss, { assignee: 'ada', dependsOn: [first] }),
      await create(hub, boss, { assignee: 'ada', notBeforeMs: MINUTE }),
    ];
    expect([await hub.offers.offerReady(), await told()]).toEqual([1, []]);
    await claim(hub, ada, first);
    await hub.taskCompletion.complete(ada, first, { fencingToken: 1, result: 'r' }, { tool: 'complete_task' });
    hub.fake.advance(MINUTE);
    await hub.taskDeadlines.passDue();
    const other = await testHub(engine, { place: hub.place, clock: hub.fake });
    await Promise.all([hub.offers.offerReady(), other.offers.offerReady()]);
    expect((await told()).sort()).toEqual([blocked, later].sort());
    await claim(hub, ada, blocked);
    await hub.heartbeats.beat([ada.sessionId]);
    hub.fake.advance(16 * MINUTE);
    await hub.heartbeats.beat([ada.sessionId]);
    await hub.leases.expireDue();
    await hub.offers.offerReady();
    expect(await told()).toContain(blocked);
  });

  it('a backlog that grows is told to those who oversee, with its numbers, once an hour (S-91)', async () => {
    const { hub, boss } = await crew(engine, {}, { limits: { backlogTasks: 3 } });
    for (let n = 0; n < 4; n++) await create(hub, boss);
    expect(await hub.offers.tellBacklog()).toBe(0);
    hub.fake.advance(11 * MINUTE);
    await hub.offers.tellBacklog();
    hub.fake.advance(MINUTE);
    await hub.offers.tellBacklog();
    const told = (await recv(hub, await operatorOf(hub))).messages;
    expect(told).toMatchObject([{ subject: 'tasks are waiting', body: expect.stringContaining('4 tasks could be begun') }]);
  });
});

onEveryEngine('times of tasks', (engine) => {
  it('a deadline is told once to owner and holder, or fails the task, and what waits for its time is hidden from claims until then', async () => {
    const { hub, boss, one } = await crew(engine, { ada: ['x'] });
    const ada = one('ada');
    const later = await create(hub, boss, { notBeforeMs: 10 * MINUTE });
    expect((await hub.taskViews.get(boss, later)).task.waitsBecause).toContain('not before');
    expect((await claim(hub, ada)).taskId).toBeNull();
    const [told, failed, blocked] = [
      await create(hub, boss, { deadlineMs: 5 * MINUTE }),
      await create(hub, boss, { deadlineMs: 5 * MINUTE, overdue: 'fail' }),
      await create(hub, boss, { deadlineMs: DAY }),
    ];
    for (const id of [told, failed]) await claim(hub, ada, id);
    hub.fake.advance(5 * MINUTE);
    const other = await testHub(engine, { place: hub.place, clock: hub.fake });
    await Promise.all([hub.taskDeadlines.passDue(), other.taskDeadlines.passDue()]);
    await hub.taskDeadlines.passDue();
    expect(await Promise.all([told, failed, blocked].map(async (id) => (await hub.taskViews.get(boss, id)).task.state))).toEqual([
      'working',
      'failed',
      'submitted',
    ]);
    expect((await hub.taskViews.get(boss, failed)).task.failureCause).toBe('deadline');
    const subjects = async (who: Caller) => (await recv(hub, who)).messages.map(({ subject, ref }) => [subject, ref]).sort();
    expect(await subjects(boss)).toEqual([
      ['task failed', failed],
      ['task overdue', told],
    ]);
    expect(await subjects(ada)).toEqual([
      ['task failed', failed],
      ['task overdue', told],
    ]);
    hub.fake.advance(5 * MINUTE);
    expect(await hub.taskDeadlines.nextDue()).toBeLessThanOrEqual(hub.fake.now());
    await hub.taskDeadlines.passDue();
    expect(await hub.taskDeadlines.nextDue()).toBeGreaterThan(hub.fake.now());
    expect((await claim(hub, ada, later)).taskId).toBe(later);
  });

  it('what is held, waited for and undecided stands among the open threads', async () => {
    const { hub, boss, one } = await crew(engine, { ada: ['x'] });
    const [held, waiting] = [await create(hub, boss), await create(hub, boss)];
    await claim(hub, one('ada'), held);
    const threads = async (who: Caller, scope: 'mine' | 'group' = 'mine') =>
      (await hub.openThreads.list(who, scope)).threads
        .filter(({ kind }) => kind.startsWith('task'))
        .map(({ kind, id, counterpart, state }) => [kind, id, counterpart, state]);
    expect(await threads(one('ada'))).toEqual([['task', held, 'boss', expect.stringMatching(/^working, fencing_token 1, lease until/)]]);
    expect(await threads(boss)).toEqual([
      ['task_out', held, 'ada', 'working'],
      ['task_out', waiting, 'nobody', 'submitted'],
    ]);
    expect((await threads(boss, 'group')).length).toBe(2);
    await hub.taskUpdates.update(one('ada'), held, { fencingToken: 1, state: 'submitted' }, { tool: 'update_task' });
    const artifact = await create(hub, boss, { expectedArtifacts: ['no.such'] });
    await claim(hub, one('ada'), artifact);
    await hub.taskCompletion.complete(one('ada'), artifact, { fencingToken: 1, result: 'r' }, { tool: 'complete_task' });
    expect(await threads(await operatorOf(hub))).toEqual([
      ['task', artifact, 'boss', expect.stringContaining('needs attention: unverified')],
    ]);
    const reminder = await hub.reminders.remind(boss, { message: 'look', inMs: MINUTE, onlyIf: artifact }, { tool: 'remind' });
    await hub.taskUpdates.update(boss, artifact, { state: 'completed' }, { tool: 'update_task' });
    hub.fake.advance(MINUTE);
    await hub.firing.fireDue();
    expect((await hub.reminders.list(boss, { state: null, limit: 5 })).filter(({ id }) => id === reminder.reminderId)).toEqual([]);
  });
});
