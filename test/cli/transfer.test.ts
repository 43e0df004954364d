import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { scratch } from '../support/engines.ts';
import { freshHub, rookeryOn, start } from './command-line.ts';

it('carries a hub to another machine: the diff first, then the same export, and no credential', { timeout: 180_000 }, async () => {
  const { home, run, json } = await freshHub();
  const { token } = await json('token', 'create', '--agent', 'lead', '--role', 'manager');
  await json('config', 'set', 'limits.hops', '9');
  await json('config', 'set', 'tools.deny', 'create_task', '--agent', 'reviewer');
  const file = join(home, 'hub.ndjson');
  expect(await json('export', file)).toEqual({ file, projects: 1, agents: 2, templates: 0, policies: 2, reminders: 0 });
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readFileSync(file, 'utf8')).not.toContain(token.slice(8));
  expect((await run('export', file)).code).toBe(2);
  expect((await run('export')).stdout).toBe(readFileSync(file, 'utf8'));

  const there = rookeryOn(scratch());
  const dry = await there.run('import', file, '--dry-run');
  expect(dry).toMatchObject({ code: 0, stdout: expect.stringContaining('+ agent reviewer') });
  expect((await there.run('export')).stdout.split('\n')).toHaveLength(4);
  expect(dry.stdout).toContain('+ policy limits.hops = 9');
  const brought = await there.json('import', file);
  expect(brought.all_projects).toMatchObject([{ act: 'add', kind: 'policy', name: 'limits.hops' }]);
  expect(brought.projects[0].changes).toMatchObject([
    { act: 'add', kind: 'agent', name: 'lead' },
    { act: 'add', kind: 'agent', name: 'reviewer' },
    { act: 'add', kind: 'policy', name: 'tools.deny of reviewer' },
  ]);
  expect((await there.run('export')).stdout).toBe(readFileSync(file, 'utf8'));
});

it('brings one project of a file into another, and says what it cannot do', { timeout: 180_000 }, async () => {
  const { home, run, json } = await freshHub();
  const file = join(home, 'hub.ndjson');
  await json('export', file);
  expect((await json('import', file, '--project', 'elsewhere')).projects).toMatchObject([
    { project: 'elsewhere', changes: [{ act: 'add' }] },
  ]);
  expect((await json('agents', '--project', 'elsewhere')).agents).toMatchObject([{ name: 'reviewer' }]);
  await json('export', join(home, 'both.ndjson'));
  expect(await run('import', join(home, 'both.ndjson'), '--project', 'third')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--from'),
  });
  expect(await run('import', file, '--remove')).toMatchObject({ code: 2 });
  expect(await run('import', join(home, 'nothing'))).toMatchObject({ code: 1 });
  writeFileSync(join(home, 'newer'), '{"rookery_export":999,"kind":"profile"}\n{"end":true}\n');
  expect(await run('import', join(home, 'newer'))).toMatchObject({ code: 3, stderr: expect.stringContaining('version 999') });
  const inside = await start(['import', file], { home, env: { CLAUDECODE: '1' }, input: '' }).ended;
  expect(inside).toMatchObject({ code: 1, stderr: expect.stringContaining('only a person') });
});
