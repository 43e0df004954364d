// Untracking removes every row of a project, and nothing else: the whole schema is walked, so that no table can be forgotten.

import Database from 'better-sqlite3';
import { expect, it } from 'vitest';
import type { Caller } from '../../src/hub/caller.ts';
import { PROJECT_TABLES, TABLES_OF_NO_PROJECT } from '../../src/store/untracking.ts';
import { ack, recv, refused, send } from '../support/acts.ts';
import { attach, cleanup, OTHER_PROJECT, onEveryEngine, PROJECT, sqlite, type TestHub, testHub } from '../support/engines.ts';

/** Something of everything in one project. */
async function work(hub: TestHub, project: typeof PROJECT): Promise<Caller> {
  const join = (name: string) =>
    attach(hub, name, { project, root: project.root, client: { name: 't', version: '1', key: `k-${project.id}-${name}` } });
  const [ana, ben] = [await join('ana'), await join('ben')];
  const operator = await hub.projects.operator(project, 'cli');
  await hub.sweeps.run();
  const { message_id: id } = await send(hub, ana, 'ben', 'hello', { key: 'k' });
  await recv(hub, ben);
  await ack(hub, ben, { ids: [id] });
  const { askId } = await hub.asks.ask(ana, { to: 'ben', question: 'q?' }, { tool: 'ask' });
  for (const answer of ['yes', 'too late']) await hub.asks.answer(ben, askId, { answer: [answer] }, { tool: 'answer' });
  await hub.reminders.remind(ana, { message: 'x', inMs: 60_000 }, { tool: 'remind' });
  const parent = await hub.tasks.create(ana, { title: 'one', labels: ['l'], cacheKey: 'c' }, { tool: 'create_task' });
  const { taskId } = await hub.tasks.create(
    ana,
    { title: 'two', reviewers: ['ana'], dependsOn: [], parentId: parent.taskId },
    { tool: 'create_task' },
  );
  await hub.tasks.create(ana, { title: 'three', dependsOn: [taskId], assignee: 'ben' }, { tool: 'create_task' });
  await hub.claims.claim(ben, taskId, { tool: 'claim_task' });
  const { fencingToken } = (await hub.taskViews.get(ben, taskId)).task;
  await hub.taskCompletion.complete(ben, taskId, { fencingToken, result: 'r' }, { tool: 'complete_task' });
  await hub.approvals.request(ana, { action: 'rm', risk: 'high' }, { tool: 'request_approval' });
  await hub.reservations.reserve(ana, { paths: ['a'], names: [], mode: 'shared' }, { tool: 'reserve' });
  await hub.tokens.create(operator, { agent: 'svc', role: 'worker' });
  await hub.enrolments.create(operator, { name: 'kid' }, { tool: 'create_agent' });
  await hub.signIns.offer(operator);
  await hub.wakeDoors.open(ben, 'monitor');
  await hub.usage.report(ana, 70, { tool: 'report_usage' });
  const moment = { turnKey: 't', at: hub.fake.now() };
  await hub.turns.begin(ana, moment, null);
  await hub.toolUses.start(ana, { id: 'u', tool: 'Bash', args: {}, cwd: project.root, subAgent: '' }, moment);
  await hub.turns.end(ana, moment, 'completed', null);
  const call = { projectId: project.id, agentId: ana.agentId, sessionId: ana.sessionId, tool: 'send', door: 'stdio', code: 'ok' };
  hub.calls.record({ ...call, startedAt: hub.fake.now(), durationMs: 1, inputBytes: 1, outputBytes: 1 });
  await hub.calls.flush();
  hub.fake.advance(61_000);
  await hub.firing.fireDue();
  await hub.heartbeats.beat([ana.sessionId]);
  return operator;
}

/** Every row of every table, as text. */
async function dump(hub: TestHub): Promise<Map<string, string[]>> {
  return await hub.db.read(async (read) => {
    const rows = new Map<string, string[]>();
    for (const [table] of [...PROJECT_TABLES, ...TABLES_OF_NO_PROJECT.filter((name) => name !== 'schema_version').map((name) => [name])])
      rows.set(
        table ?? '',
        (await read.all(`SELECT * FROM ${table}`)).map((row) => JSON.stringify(row, (_k, v) => (typeof v === 'bigint' ? Number(v) : v))),
      );
    return rows;
  });
}

onEveryEngine('untracking', (engine) => {
  it('leaves no row of the project and every row of the others', async () => {
    const hub = await testHub(engine);
    await work(hub, OTHER_PROJECT);
    const before = await dump(hub);
    const operator = await work(hub, PROJECT);
    const filled = Object.entries(await hub.untracking.count(PROJECT.id))
      .filter(([, n]) => n > 0)
      .map(([table]) => table);
    expect(filled.length).toBeGreaterThanOrEqual(30);
    const live = await refused('conflict', hub.untracking.remove(operator, PROJECT.id));
    expect(live.message).toContain('ana (t, pid');
    const { rows } = await hub.untracking.remove(operator, PROJECT.id, true);
    expect(Object.keys(rows).filter((table) => (rows[table] ?? 0) > 0)).toEqual(filled);
    expect(Object.values(await hub.untracking.count(PROJECT.id)).filter((n) => n > 0)).toEqual([]);
    const after = await dump(hub);
    for (const [table, left] of after) if (table !== 'hub' && table !== 'sweeps') expect([table, left]).toEqual([table, before.get(table)]);
    for (const [table, left] of after) expect([table, left.filter((row) => row.includes(PROJECT.id))]).toEqual([table, []]);
    expect((await hub.verify()).flatMap(({ problems }) => problems)).toEqual([]);
    await attach(hub, 'ana');
    expect(await hub.untracking.count(PROJECT.id)).toMatchObject({ projects: 1, agents: 3 });
  });

  it('is for the operator, by a name that stands for one project', async () => {
    const hub = await testHub(engine);
    const ana = await attach(hub, 'ana');
    await attach(hub, 'eve', { project: { ...OTHER_PROJECT, id: 'demo-3', name: 'demo' } });
    await refused('forbidden', hub.untracking.remove(ana, PROJECT.id));
    for (const pattern of ['', '  ', '*', 'de*', 'dem?', '%', '{demo-1,demo-3}'])
      await refused('invalid_input', hub.untracking.find(pattern));
    expect((await refused('conflict', hub.untracking.find('demo'))).hint).toContain('demo-1, demo-3');
    await refused('not_found', hub.untracking.find('dem'));
    for (const name of ['demo-3', OTHER_PROJECT.root]) expect(await hub.untracking.find(name)).toMatchObject({ id: 'demo-3' });
  });
});

it('knows every table of the schema', async () => {
  const hub = await testHub(sqlite);
  const raw = new Database(`${hub.place}/hub.db`, { readonly: true });
  cleanup(() => {
    raw.close();
  });
  const tables = raw.prepare(`SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`).pluck().all() as string[];
  const known = [...PROJECT_TABLES.map(([table]) => table), ...TABLES_OF_NO_PROJECT];
  expect(
    tables.filter((table) => !known.includes(table)),
    'a table that src/store/untracking.ts has to know',
  ).toEqual([]);
  expect(new Set(known).size).toBe(known.length);
});
