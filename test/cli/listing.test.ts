import { expect, it } from 'vitest';
import { openHub } from '../../src/open.ts';
import { freshHub } from './command-line.ts';

it('says that a list goes on, and how to see the rest', async () => {
  const { config, run } = await freshHub();
  const hub = await openHub(config);
  const operator = await hub.projects.operator(config.place.project, 'cli');
  for (let n = 0; n < 3; n++) await hub.asks.ask(operator, { to: 'reviewer', question: `Number ${n}?` }, { tool: 'ask' });
  await hub.close();
  expect((await run('asks', '--limit', '2')).stdout).toContain('The first 2; --limit shows more, up to 500.');
  expect((await run('asks', '--limit', '2', '--all-projects')).stdout).toContain('The first 2; --limit shows more, up to 500.');
  expect((await run('asks')).stdout).not.toContain('The first');
  expect((await run('inbox', 'reviewer', '--limit', '1')).stdout).toContain('The first 1; --limit shows more, up to 200.');
  expect(await run('reminders', '--limit', '501')).toMatchObject({ code: 2, stderr: expect.stringContaining('--limit must be 1 to 500') });
  expect((await run('agents', '--offset', '0')).stdout).toContain('reviewer');
  expect((await run('agents', '--offset', '1')).stdout).not.toContain('reviewer  ');
  expect((await run('threads', '--limit', '1')).stdout).toContain('Older ones: repeat it with --before');
  for (const title of ['Read', 'Write']) await run('task', 'create', title);
  expect((await run('tasks', '--limit', '1')).stdout).toMatch(/Write[\s\S]*Older ones: repeat it with --before/);
  expect(await run('tasks', '--limit', '101')).toMatchObject({ code: 2, stderr: expect.stringContaining('limit') });
});
