import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { freshHub, start } from './command-line.ts';

it('prune says what would go on a copy, and changes nothing', async () => {
  const { home, path, run, json } = await freshHub();
  await run('send', '--to', 'reviewer', 'unread');
  const before = createHash('sha256').update(readFileSync(path)).digest('hex');
  expect(await json('prune', '--dry-run', '--older-than', '30d')).toMatchObject({ dry_run: true, rows: {}, total: 0 });
  expect(createHash('sha256').update(readFileSync(path)).digest('hex')).toBe(before);
  expect(readdirSync(home).filter((name) => name.startsWith('rehearsal'))).toEqual([]);
  expect((await run('prune')).stdout).toBe('Nothing went: everything is open, or within its time.\n');
  expect((await run('prune', '--older-than', '1h')).code).toBe(2);
  expect((await json('inbox', 'reviewer')).messages).toHaveLength(1);
});

it('untrack asks for the name, takes no pattern, and removes one project', async () => {
  const { home, run, json } = await freshHub();
  await run('token', 'create', '--agent', 'ada', '--project', 'other');
  const { projects } = await json('verify');
  expect(projects).toHaveLength(2);
  for (const pattern of ['', 'ot*']) expect((await run('untrack', pattern, '--yes')).code).toBe(2);
  expect(await run('untrack', 'other')).toMatchObject({ code: 2, stderr: expect.stringContaining('--yes') });
  expect((await run('untrack', 'nobody', '--yes')).code).toBe(1);
  expect(await json('untrack', 'other', '--dry-run')).toMatchObject({
    dry_run: true,
    name: 'other',
    rows: { projects: 1, agents: 3 },
  });
  const marked = await start(['untrack', 'other', '--yes'], { home, input: '', env: { CLAUDECODE: '1' } }).ended;
  expect([marked.code, marked.stderr]).toEqual([1, expect.stringContaining('only a person')]);
  expect(await json('untrack', 'other', '--yes')).toMatchObject({ dry_run: false, rows: { projects: 1, agents: 3 } });
  expect((await json('verify')).projects.map(({ project }: { project: string }) => project)).toEqual([projects[0].project]);
});
