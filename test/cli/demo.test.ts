import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { systemHost } from '../../src/system/host.ts';
import { scratch } from '../support/engines.ts';
import { programFile, rookeryOn, start } from './command-line.ts';

type Told = { number: number; act: string; who: string | null; what: string };

const told = (text: string): Told[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
const pids = (text: string) => [...text.matchAll(/\(process (\d+)\)/g)].map(([, pid]) => Number(pid));

it('shows the whole picture, and leaves nothing behind', async () => {
  const tmp = scratch();
  const { code, stdout, stderr } = await start(['demo', '--speed', 'fast', '--json'], { home: scratch(), env: { TMPDIR: tmp }, input: '' })
    .ended;
  expect([code, stderr]).toEqual([0, '']);
  const lines = told(stdout);
  expect(lines.at(-1)).toMatchObject({ done: true, kept: null, seconds: expect.any(Number) });
  const said = lines.map(({ what }) => what).join('\n');
  for (const part of [
    'ben acknowledged it.',
    'ada’s ask is answered: yes',
    'is gone: kill -9',
    'is reminded: Look after the parser.',
    'tokens are done, lists are next',
    'marked as attempt 2',
    'Mind the empty list.',
    'stale_lease',
    'The task is completed.',
    'it holds once',
  ])
    expect(said).toContain(part);
  expect(readdirSync(tmp)).toEqual([]);
  expect(pids(stdout).filter((pid) => systemHost.isAlive(pid))).toEqual([]);
});

it('leaves nothing behind when it is interrupted', async () => {
  const tmp = scratch();
  const demo = start(['demo', '--json'], { home: scratch(), env: { TMPDIR: tmp }, input: '' });
  await expect.poll(demo.stdout, { timeout: 30_000 }).toContain('is a manager');
  expect(pids(demo.stdout()).length).toBeGreaterThan(1);
  demo.kill('SIGINT');
  const { code, stdout } = await demo.ended;
  expect([code, told(stdout).at(-1)]).toMatchObject([130, { done: false, kept: null }]);
  expect(readdirSync(tmp)).toEqual([]);
  expect(pids(stdout).filter((pid) => systemHost.isAlive(pid))).toEqual([]);
});

it('leaves nothing behind when nobody reads on', async () => {
  const tmp = scratch();
  const child = spawn(process.execPath, [programFile(), 'demo', '--speed', 'fast'], {
    env: { PATH: process.env.PATH ?? '', HOME: scratch(), TMPDIR: tmp },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  await once(child.stdout, 'data');
  child.stdout.destroy();
  expect(await once(child, 'close')).toEqual([0, null]);
  await expect.poll(() => readdirSync(tmp), { timeout: 10_000 }).toEqual([]);
});

it('is interrupted before it has begun, too', async () => {
  const tmp = scratch();
  const demo = start(['demo'], { home: scratch(), env: { TMPDIR: tmp }, input: '' });
  await expect.poll(() => readdirSync(tmp).length, { timeout: 30_000, interval: 5 }).toBe(1);
  demo.kill('SIGTERM');
  expect(await demo.ended).toMatchObject({ code: 0, stdout: expect.stringContaining('interrupted') });
  expect(readdirSync(tmp)).toEqual([]);
});

it('keeps its hub when asked to, so that one can look around', async () => {
  const tmp = scratch();
  const demo = await start(['demo', '--speed', 'fast', '--keep', '--json'], { home: scratch(), env: { TMPDIR: tmp }, input: '' }).ended;
  const { kept } = JSON.parse(demo.stdout.trim().split('\n').at(-1) ?? '{}');
  expect(existsSync(kept)).toBe(true);
  const { json } = rookeryOn(`${kept}/hub`);
  expect((await json('agents', '--project', `${kept}/parser`)).agents).toHaveLength(3);
  expect((await json('verify')).ok).toBe(true);
});

it('says how fast it can go', async () => {
  expect(await start(['demo', '--speed', 'warp'], { home: scratch(), input: '' }).ended).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('normal or fast'),
  });
});
