// A job as a file: whole, and the same again in another hub (M-03). Nothing comes in by it that could set something going.

import { expect, it } from 'vitest';
import { jobFile, readJobFile } from '../../src/care/job-file.ts';
import type { Caller } from '../../src/hub/caller.ts';
import { verifyProjects } from '../../src/hub/verify.ts';
import { events, operatorOf, recv, refused } from '../support/acts.ts';
import { attach, onEveryEngine, type TestHub, testHub } from '../support/engines.ts';

const exported = async (hub: TestHub, id: string) => {
  const { tasks, cut } = await hub.taskTrees.job(await operatorOf(hub), id);
  return JSON.stringify(jobFile(tasks, cut));
};

/** A job of three: one reviewed twice after a worker was lost, one canceled, one that waited for the first; all under a parent. */
async function finishedJob(hub: TestHub) {
  const boss = await attach(hub, 'boss', { role: 'manager' });
  const [ada, bob, eve] = [await attach(hub, 'ada'), await attach(hub, 'bob'), await attach(hub, 'eve')];
  const create = async (title: string, more: object = {}) =>
    (await hub.tasks.create(boss, { title, body: `\u202e"${title}"\n`, labels: ['x', 'a'], ...more }, { tool: 'create_task' })).taskId;
  const claim = async (caller: Caller, id: string) => {
    await hub.claims.claim(caller, id, { tool: 'claim_task' });
    return (await hub.taskViews.get(caller, id)).task.fencingToken;
  };
  const complete = (caller: Caller, id: string, fencingToken: number, result: string) =>
    hub.taskCompletion.complete(caller, id, { fencingToken, result }, { tool: 'complete_task' });
  const parent = await create('job', { priority: 'high', effortMinutes: 30 });
  const first = await create('first', { parentId: parent, reviewers: ['eve'], overdue: 'fail', deadlineMs: 864e5 });
  const second = await create('second', { parentId: parent, dependsOn: [`${first}:ignore`], cacheKey: 'k' });
  const third = await create('third', { parentId: parent });
  const lost = await claim(ada, first);
  hub.fake.advance(16 * 60_000);
  expect(await hub.leases.expireDue()).toBe(1);
  const token = await claim(bob, first);
  await refused('stale_lease', complete(ada, first, lost, 'too late'));
  await complete(bob, first, token, 'half');
  const judge = (revision: number, verdict: 'PASS' | 'NOT_PASS', findings: string[]) =>
    hub.reviews.submit(eve, { taskId: first, revision, verdict, findings }, { tool: 'submit_review' });
  await judge(1, 'NOT_PASS', ['the other half']);
  hub.fake.advance(5);
  await complete(bob, first, token, 'whole');
  await judge(2, 'PASS', []);
  await complete(ada, second, await claim(ada, second), 'done');
  await hub.taskDecisions.cancel(boss, third, 'no need', { tool: 'cancel_task' });
  await hub.taskUpdates.update(boss, parent, { state: 'completed', note: 'all that is needed' }, { tool: 'update_task' });
  return { parent, first, boss };
}

onEveryEngine('a job in a file', (engine) => {
  it('is the same again in another hub, once, and sets nothing going', async () => {
    const here = await testHub(engine);
    const { parent } = await finishedJob(here);
    const file = await exported(here, parent);
    const there = await testHub(engine);
    const operator = await operatorOf(there);
    const ada = await attach(there, 'ada');
    const brought = await there.carriedJobs.bring(operator, readJobFile(file));
    expect([brought.added.length, brought.known, brought.registered, brought.leftOut]).toEqual([4, [], ['boss', 'eve', 'bob'], []]);
    expect(await exported(there, parent)).toBe(file);
    expect(JSON.parse(file).tasks[1]).toMatchObject({ late_results: [{ by: 'ada', result: 'too late' }], reviews: [{}, {}] });
    expect((await there.carriedJobs.bring(operator, readJobFile(file))).known).toHaveLength(4);
    expect((await events(there)).filter(({ type }) => type === 'task.imported')).toHaveLength(4);
    expect((await recv(there, ada)).messages).toEqual([]);
    await refused('conflict', there.claims.claim(ada, parent, { tool: 'claim_task' }));
    expect((await verifyProjects(there.context)).flatMap(({ problems }) => problems)).toEqual([]);
  });

  it('is refused when it has not ended, does not fit together, is another’s, or comes from anybody but the operator', async () => {
    const here = await testHub(engine);
    const { parent, boss } = await finishedJob(here);
    const [there, file] = [await testHub(engine), await exported(here, parent)];
    const operator = await operatorOf(there);
    const changed = (change: (task: Record<string, unknown>) => void) => {
      const job = JSON.parse(file);
      change(job.tasks[1]);
      return JSON.stringify(job);
    };
    const ids = JSON.parse(file).tasks.map(({ id }: { id: string }) => id);
    const edge = (task_id: unknown) => ({ task_id, on_failure: 'ignore', state: 'completed', settled: true });
    const wrong: [string, RegExp][] = [
      [changed((task) => Object.assign(task, { state: 'working', closed_at: null })), /is working: only a job that has ended/],
      [changed((task) => (task.history as unknown[]).splice(1, 1)), /history does not lead to version/],
      [changed((task) => Object.assign(task, { title: 7 })), /tasks\.1\.title/],
      [changed((task) => Object.assign(task, { id: '../x' })), /tasks\.1\.id/],
      [changed((task) => Object.assign(task, { creator: 'a b' })), /name must be/],
      [changed((task) => Object.assign(task, { body: 'a\0b' })), /tasks\.1\.body: .*NUL/],
      [changed((task) => Object.assign((task.history as object[])[0] ?? {}, { note: '\0' })), /tasks\.1\.history\.0\.note: .*NUL/],
      [changed((task) => Object.assign((task.history as object[])[1] ?? {}, { from: 'failed' })), /history does not lead/],
      [changed((task) => Object.assign(task, { creator: 'hub' })), /hub/],
      [changed((task) => (task.depends_on as object[]).push(edge(task.id))), /waits for itself/],
      [changed((task) => (task.depends_on as object[]).push(edge(ids[3]), edge(ids[3]))), /depends_on names .* twice/],
      [changed((task) => (task.reviews as object[]).push((task.reviews as object[])[0] ?? {})), /reviews names .* twice/],
      [JSON.stringify({ ...JSON.parse(file), tasks: [...JSON.parse(file).tasks, JSON.parse(file).tasks[2]] }), /tasks names .* twice/],
      [JSON.stringify({ ...JSON.parse(file), cut: true }), /too large to be whole/],
      ['{', /not JSON/],
    ];
    for (const [text, words] of wrong) {
      const error = await refused(
        'invalid_input',
        Promise.resolve(text).then((given) => there.carriedJobs.bring(operator, readJobFile(given))),
      );
      expect(error.message).toMatch(words);
    }
    await refused('forbidden', here.carriedJobs.bring(boss, readJobFile(file)));
    const other = changed((task) => {
      Object.assign(task, { version: (task.version as number) - 1 });
      (task.history as { to: string }[]).pop();
      Object.assign((task.history as { to: string }[]).at(-1) ?? {}, { to: task.state });
    });
    await refused('conflict', here.carriedJobs.bring(await operatorOf(here), readJobFile(other)));
    expect((await there.taskViews.list(operator, { limit: 5 })).tasks).toEqual([]);
  });

  it('leaves out what it names and nobody here has, and says so', async () => {
    const here = await testHub(engine);
    const { first } = await finishedJob(here);
    const there = await testHub(engine);
    const brought = await there.carriedJobs.bring(await operatorOf(there), readJobFile(await exported(here, first)));
    expect(brought).toMatchObject({ added: [first], leftOut: [expect.stringMatching(/its parent, tsk_/)] });
  });
});
