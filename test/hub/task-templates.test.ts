import { expect, it } from 'vitest';
import type { Caller } from '../../src/hub/caller.ts';
import type { Hub } from '../../src/hub/hub.ts';
import { callTool } from '../../src/tools/call.ts';
import { Connection } from '../../src/tools/connection.ts';
import { findTool } from '../../src/tools/index.ts';
import { refused } from '../support/acts.ts';
import { attach, onEveryEngine, testHub } from '../support/engines.ts';

const RELEASE = {
  body: 'Release {{version}} of {{ product }}.',
  labels: ['release'],
  steps: [
    { key: 'test', title: 'Test {{version}}', after: ['build'], capabilities: ['typescript'] },
    { key: 'build', title: 'Build {{version}}', priority: 'high', expected_artifacts: ['dist/{{product}}-{{version}}.tgz'] },
    { key: 'tell', title: 'Announce {{version}}', after: ['test', 'build:ignore'] },
  ],
};

async function call(hub: Hub, caller: Caller, name: string, input: unknown) {
  const tool = findTool(name);
  if (tool === undefined) throw new Error(name);
  const reply = await callTool(hub, Connection.fixed(hub, caller, ['core', 'work', 'manage']), tool, input);
  return reply.ok ? reply.result : reply.error;
}
const write = (hub: Hub, caller: Caller, definition: unknown, name = 'release') =>
  call(hub, caller, 'create_template', { name, definition: typeof definition === 'string' ? definition : JSON.stringify(definition) });
const make = (hub: Hub, caller: Caller, params: string[], template = 'release') =>
  hub.tasks.create(caller, { title: 'Release', template, params }, { tool: 'create_task' });

onEveryEngine('templates', (engine) => {
  it('make a task with steps in their order, with parameters filled in once', async () => {
    const hub = await testHub(engine, { limits: { sendBurst: 1_000 } });
    const [boss, ada] = [await attach(hub, 'boss', { role: 'manager' }), await attach(hub, 'ada')];
    expect(await write(hub, boss, RELEASE)).toMatchObject({ version: 1, params: ['product', 'version'] });
    const made = await make(hub, ada, ['version={{product}} 2', 'product=rookery']);
    const { task, children } = await hub.taskViews.get(boss, made.taskId);
    expect(task).toMatchObject({ title: 'Release', body: 'Release {{product}} 2 of rookery.', labels: ['release'], creator: 'ada' });
    expect(children).toEqual({ submitted: 3 });
    const steps = new Map(made.steps.map(({ key, taskId }) => [key, taskId]));
    const step = async (key: string) => await hub.taskViews.get(boss, steps.get(key) ?? '');
    expect((await step('build')).task).toMatchObject({ priority: 'high', expectedArtifacts: ['dist/rookery-{{product}} 2.tgz'] });
    expect((await step('test')).dependsOn).toMatchObject([{ taskId: steps.get('build'), policy: 'block' }]);
    expect((await step('tell')).dependsOn.map(({ taskId, policy }) => [taskId, policy])).toEqual([
      [steps.get('build'), 'ignore'],
      [steps.get('test'), 'block'],
    ]);
    expect((await step('test')).task).toMatchObject({ title: 'Test {{product}} 2', needs: ['typescript'], parentId: made.taskId });
  });

  it('name what is missing or unknown; what the request says counts before what the template says', async () => {
    const hub = await testHub(engine, { limits: { sendBurst: 1_000 } });
    const boss = await attach(hub, 'boss', { role: 'manager' });
    await write(hub, boss, RELEASE);
    expect((await refused('invalid_input', make(hub, boss, ['version=2']))).message).toContain('product is missing');
    expect((await refused('invalid_input', make(hub, boss, ['version=2', 'colour=red']))).hint).toContain('product, version');
    expect((await refused('not_found', make(hub, boss, [], 'realease'))).hint).toContain('release');
    const request = { title: 'R', template: 'release', params: ['version=2', 'product=x'], priority: 'urgent' as const, labels: ['mine'] };
    const { taskId } = await hub.tasks.create(boss, request, { tool: 'create_task' });
    expect((await hub.taskViews.get(boss, taskId)).task).toMatchObject({ priority: 'urgent', labels: ['mine'], body: 'Release 2 of x.' });
    expect((await hub.taskViews.list(boss, { limit: 50 })).tasks).toHaveLength(4);
  });

  it('are written by managers, in versions, and checked when they are written', async () => {
    const hub = await testHub(engine);
    const [boss, ada] = [await attach(hub, 'boss', { role: 'manager' }), await attach(hub, 'ada')];
    expect(await write(hub, ada, RELEASE)).toMatchObject({ code: 'forbidden' });
    expect(await write(hub, boss, RELEASE)).toMatchObject({ version: 1 });
    expect(await write(hub, boss, { steps: [] })).toMatchObject({ version: 2, params: [] });
    for (const [bad, code, words] of [
      ['not json', 'invalid_input', 'definition: it is not JSON'],
      [{ stepz: [] }, 'invalid_input', 'stepz'],
      [{ steps: [{ key: 'a', title: 'A', after: ['b'] }] }, 'invalid_input', '"b", which is no step'],
      [
        {
          steps: [
            { key: 'a', title: 'A' },
            { key: 'a', title: 'B' },
          ],
        },
        'invalid_input',
        'same key',
      ],
      [{ capabilities: ['No Such!'] }, 'invalid_input', 'capabilities'],
      [
        {
          steps: [
            { key: 'a', title: 'A', after: ['c'] },
            { key: 'b', title: 'B', after: ['a'] },
            { key: 'c', title: 'C', after: ['b'] },
          ],
        },
        'conflict',
        'a -> c -> b -> a',
      ],
    ] as const)
      expect(await write(hub, boss, bad)).toMatchObject({ code, message: expect.stringContaining(words) });
  });
});
