// Context survives (C14): checkpoints hold the agent's own words and what its hooks saw, and are asked for once when the context fills.

import { expect, it } from 'vitest';
import type { Caller } from '../../src/hub/caller.ts';
import type { CheckpointWords } from '../../src/hub/checkpoints.ts';
import { describeGit } from '../../src/hub/checkpoints.ts';
import type { Hub } from '../../src/hub/hub.ts';
import { events, operatorOf, refused, stranger } from '../support/acts.ts';
import { attach, onEveryEngine, testHub } from '../support/engines.ts';

const save = (hub: Hub, caller: Caller, currentTask: string, more: Partial<CheckpointWords> = {}, key?: string) =>
  hub.checkpoints.save(caller, { currentTask, ...more }, { tool: 'save_checkpoint', key, args: { currentTask, ...more } });
const report = (hub: Hub, caller: Caller, percent: number) => hub.usage.report(caller, percent, { tool: 'report_usage' });
const newest = async (hub: Hub, caller: Caller, of?: string) => (await hub.checkpoints.load(caller, of)).checkpoint;
const ofType = async (hub: Hub, type: string) => (await events(hub)).filter((event) => event.type === type);

onEveryEngine('checkpoints', (engine) => {
  it('the newest counts, whole, across a restart', async () => {
    const hub = await testHub(engine);
    const ada = await attach(hub, 'ada');
    expect(await newest(hub, ada)).toBeNull();
    await save(hub, ada, 'first');
    await save(hub, ada, '  port the parser; then run the tests ', {
      filesModified: ['/work/demo/src/a.ts', 'src/a.ts', './src/b.ts', '/etc/hosts'],
      decisions: ['zod, because the border is typed'],
      openQuestions: ['which port?'],
      blockers: ['bob holds src/c.ts'],
      gitState: 'branch main',
      note: 'ask_1 is open',
    });
    await hub.close();
    const again = await testHub(engine, { place: hub.place, clock: hub.fake });
    expect(await newest(again, await attach(again, 'ada', { takeover: true }))).toMatchObject({
      source: 'agent',
      currentTask: 'port the parser; then run the tests',
      filesModified: ['src/a.ts', 'src/b.ts', '/etc/hosts'],
      decisions: ['zod, because the border is typed'],
      openQuestions: ['which port?'],
      blockers: ['bob holds src/c.ts'],
      gitState: 'branch main',
      note: 'ask_1 is open',
      observedAt: null,
    });
    expect((await ofType(again, 'checkpoint.saved')).map(({ data }) => data)).toEqual([
      { agent: 'ada', source: 'agent', files: 0 },
      { agent: 'ada', source: 'agent', files: 3 },
    ]);
  });

  it('a blank task and what is too large are refused, and nothing is saved (T-27)', async () => {
    const hub = await testHub(engine, { limits: { checkpointFiles: 3 } });
    const ada = await attach(hub, 'ada');
    for (const blank of ['', ' ', '\n\t', '\u00a0']) await refused('invalid_input', save(hub, ada, blank));
    await refused('too_large', save(hub, ada, 'x', { note: 'x'.repeat(20_000) }));
    await refused('too_large', save(hub, ada, 'x', { filesModified: ['a', 'b', 'c', 'd'] }));
    expect(await newest(hub, ada)).toBeNull();
    expect(await ofType(hub, 'checkpoint.saved')).toEqual([]);
  });

  it('two agents’ checkpoints hold only their own files (T-27)', async () => {
    const hub = await testHub(engine);
    const [ada, bob] = [await attach(hub, 'ada'), await attach(hub, 'bob')];
    await save(hub, ada, 'one', { filesModified: ['a.ts'] });
    await save(hub, bob, 'two', { filesModified: ['b.ts'] });
    await hub.checkpoints.observe(ada, { filesModified: ['a2.ts'], gitState: null, trigger: 'before compaction' });
    expect((await newest(hub, ada))?.filesModified).toEqual(['a.ts', 'a2.ts']);
    expect((await newest(hub, bob))?.filesModified).toEqual(['b.ts']);
  });

  it('what a hook saw stands beside the words, never instead of them', async () => {
    const hub = await testHub(engine);
    const ada = await attach(hub, 'ada');
    const gitState = { branch: 'fix', uncommitted: ['src/a.ts'], recentCommits: ['1a2b Mend it', '3c4d Begin'] };
    await hub.checkpoints.observe(ada, { filesModified: [], gitState: null, trigger: 'before compaction (auto)' });
    expect(await newest(hub, ada)).toMatchObject({ source: 'hook', currentTask: null, note: 'before compaction (auto)' });
    await save(hub, ada, 'mend it', { filesModified: ['src/a.ts'], gitState: 'branch main', decisions: ['keep the name'] });
    expect(await newest(hub, ada)).toMatchObject({ source: 'agent', observedAt: null, filesModified: ['src/a.ts'] });
    hub.fake.advance(1_000);
    const { savedAt } = await hub.checkpoints.observe(ada, {
      filesModified: ['/work/demo/src/b.ts'],
      gitState,
      trigger: 'before compaction',
    });
    expect(await newest(hub, ada)).toMatchObject({
      source: 'agent',
      currentTask: 'mend it',
      decisions: ['keep the name'],
      filesModified: ['src/a.ts', 'src/b.ts'],
      gitState: 'branch fix; uncommitted: src/a.ts; last commits: 1a2b Mend it | 3c4d Begin',
      observedAt: savedAt,
    });
  });

  it('keeps the last few of each kind, so that no hook pushes words out', async () => {
    const hub = await testHub(engine, { limits: { checkpointsKept: 3 } });
    const ada = await attach(hub, 'ada');
    for (let n = 0; n < 5; n++) await save(hub, ada, `task ${n}`);
    for (let n = 0; n < 8; n++) await hub.checkpoints.observe(ada, { filesModified: [`f${n}`], gitState: null, trigger: 'x' });
    const rows = await hub.db.read((read) => read.all('SELECT source, current_task FROM checkpoints ORDER BY seq'));
    expect(rows.map(({ source, current_task }) => current_task ?? source)).toEqual(['task 2', 'task 3', 'task 4', 'hook', 'hook', 'hook']);
    expect(await newest(hub, ada)).toMatchObject({ currentTask: 'task 4', filesModified: ['f7'] });
  });

  it('cuts what a hook saw to the limits instead of failing', async () => {
    const hub = await testHub(engine, { limits: { checkpointFiles: 2 } });
    const ada = await attach(hub, 'ada');
    const gitState = { branch: 'b\0'.repeat(5_000), uncommitted: [], recentCommits: [] };
    await hub.checkpoints.observe(ada, { filesModified: ['a\0', 'b', 'c', 'd', '\ud800'], gitState, trigger: 't'.repeat(9_999) });
    const seen = await newest(hub, ada);
    expect(seen?.filesModified).toEqual(['b', 'c']);
    expect(seen?.gitState?.length).toBe(2_000);
    expect(seen?.note.length).toBe(200);
  });

  it('a retry with the same key saves once', async () => {
    const hub = await testHub(engine);
    const ada = await attach(hub, 'ada');
    const first = await save(hub, ada, 'x', {}, 'k');
    expect(await save(hub, ada, 'x', {}, 'k')).toEqual({ ...first, replayed: true });
    expect(await ofType(hub, 'checkpoint.saved')).toHaveLength(1);
  });

  it('is read by its agent, its parent, managers and the operator, and by nobody else', async () => {
    const hub = await testHub(engine);
    const ada = await attach(hub, 'ada');
    const attachment = {
      project: { id: 'demo-1', name: 'demo', root: '/work/demo' },
      door: 'stdio',
      client: { name: 't', version: '1' },
      root: '/',
    } as const;
    await hub.joining.join(ada, attachment, { name: 'tester', childOfMe: true }, { tool: 'join' });
    const tester = await hub.sessions.actingAs(ada, 'tester');
    await save(hub, tester, 'test it');
    const [bob, boss] = [await attach(hub, 'bob'), await attach(hub, 'boss', { role: 'manager' })];
    for (const reader of [ada, boss, await operatorOf(hub)])
      expect(await newest(hub, reader, 'tester')).toMatchObject({ currentTask: 'test it' });
    for (const [reader, of] of [
      [bob, 'tester'],
      [tester, 'ada'],
      [ada, 'boss'],
      [boss, 'nobody'],
      [await stranger(hub), 'tester'],
    ] as const)
      await refused('not_found', hub.checkpoints.load(reader, of));
  });
});

onEveryEngine('context pressure', (engine) => {
  it('asks for a checkpoint once, and not again until one is saved and the context has grown (C-43)', async () => {
    const hub = await testHub(engine);
    const ada = await attach(hub, 'ada');
    const requests = async () => (await ofType(hub, 'checkpoint.requested')).map(({ data }) => data.percent);
    expect(await report(hub, ada, 59.4)).toMatchObject({ percent: 59, threshold: 60, requested: false, owed: false });
    expect(await report(hub, ada, 61)).toMatchObject({ requested: true, owed: true });
    for (const percent of [61, 70, 99]) expect(await report(hub, ada, percent)).toMatchObject({ requested: false, owed: true });
    expect(await hub.checkpoints.isOwed(ada)).toBe(true);
    await hub.checkpoints.observe(ada, { filesModified: [], gitState: null, trigger: 'before compaction' });
    expect(await hub.checkpoints.isOwed(ada)).toBe(true);
    await report(hub, ada, 65);
    await save(hub, ada, 'x');
    expect(await hub.checkpoints.isOwed(ada)).toBe(false);
    for (const percent of [65, 74]) expect(await report(hub, ada, percent)).toMatchObject({ requested: false, owed: false });
    expect(await report(hub, ada, 75)).toMatchObject({ requested: true, owed: true });
    expect(await requests()).toEqual([61, 75]);
  });

  it('an emptied context owes nothing, and is watched anew; so is another session', async () => {
    const hub = await testHub(engine);
    const ada = await attach(hub, 'ada');
    await report(hub, ada, 90);
    expect(await report(hub, ada, 12)).toMatchObject({ requested: false, owed: false });
    expect(await report(hub, ada, 62)).toMatchObject({ requested: true });
    const next = await attach(hub, 'ada', { takeover: true });
    expect(await hub.checkpoints.isOwed(next)).toBe(false);
    expect(await report(hub, next, 62)).toMatchObject({ requested: true });
    await refused('stale_session', report(hub, ada, 62));
  });
});

it('says in one line how a repository stands', () => {
  expect(describeGit({ branch: 'main', uncommitted: [], recentCommits: [] })).toBe('branch main; nothing uncommitted');
});
