import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { freshHub, start } from './command-line.ts';

it('config sets a policy for all, a project and an agent, explains it, and takes it back', async () => {
  const { home, run, json } = await freshHub();
  expect(await json('config', 'set', 'pendingAsks', '9')).toEqual({
    key: 'limits.pendingAsks',
    level: 'global',
    from: null,
    to: 9,
    effective: 'at once',
  });
  await json('config', 'set', 'limits.messageKeptMs', '14d', '--project', '.');
  await json('config', 'set', 'limits.pendingAsks', '3', '--agent', 'reviewer');
  const { policies } = await json('config', 'list', '--agent', 'reviewer');
  const one = (key: string) => policies.find((policy: { key: string }) => policy.key === key);
  expect(one('limits.pendingAsks')).toMatchObject({
    value: 3,
    from: 'agent',
    layers: [
      { from: 'agent', set_by: 'operator' },
      { from: 'global', value: 9 },
      { from: 'default', value: 50 },
    ],
  });
  expect(one('limits.messageKeptMs')).toMatchObject({ value: 14 * 86_400_000, from: 'project' });
  expect((await run('config', 'set', 'limits.pendingAsk', '3')).stderr).toContain('Did you mean limits.pendingAsks');
  expect(await run('config', 'set', 'limits.pendingAsks', '0')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('the old value stays'),
  });
  expect(await json('config', 'unset', 'limits.pendingAsks')).toMatchObject({ from: 9, to: null });
  const marked = await start(['config', 'set', 'guard.off', '*'], { home, input: '', env: { CLAUDECODE: '1' } }).ended;
  expect([marked.code, marked.stderr]).toEqual([1, expect.stringContaining('only a person')]);
});

it('config writes what processes read when they start, checked, and says so; never a secret', async () => {
  const { home, run, json } = await freshHub();
  expect(await json('config', 'set', 'port', '7461')).toMatchObject({ effective: 'when a process starts' });
  expect(JSON.parse(readFileSync(join(home, 'config.json'), 'utf8'))).toEqual({ port: 7461 });
  expect((await json('config', 'show', 'port')).settings).toMatchObject([{ name: 'port', value: 7461, source: 'home file' }]);
  expect((await run('config', 'set', 'port', '99999')).code).toBe(2);
  expect((await run('config', 'set', 'token', 'secret')).code).toBe(2);
  expect(readFileSync(join(home, 'config.json'), 'utf8')).not.toContain('secret');
});
