import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { freshHub } from './command-line.ts';

it('keeps what was compiled for the next command, and neither dies of damage nor trusts what another may have written', async () => {
  const { home, run } = await freshHub();
  const file = () => join(home, 'cache', readdirSync(join(home, 'cache'))[0] ?? '');
  const agents = async () => {
    const { code, stdout, stderr } = await run('agents');
    expect([code, stderr]).toEqual([0, '']);
    return stdout;
  };
  const shown = await agents();
  const good = readFileSync(file());
  const writtenAt = statSync(file()).mtimeMs;
  expect(await agents()).toBe(shown);
  expect(statSync(file()).mtimeMs).toBe(writtenAt);
  expect(statSync(file()).mode & 0o777).toBe(0o600);

  const flipped = (at: number) => {
    const copy = Buffer.from(good);
    copy[at] = (copy[at] ?? 0) ^ 0xff;
    return copy;
  };
  const inIndex = good.indexOf('"digest"');
  const damages = [
    Buffer.alloc(0),
    good.subarray(0, 20),
    good.subarray(0, 40),
    good.subarray(0, good.length - 1),
    good.subarray(0, good.length / 2),
    flipped(3),
    flipped(33),
    flipped(35),
    flipped(inIndex + 14),
    flipped(Math.round(good.length * 0.5)),
    flipped(Math.round(good.length * 0.9)),
  ];
  for (const damage of damages) {
    writeFileSync(file(), damage);
    expect(await agents()).toBe(shown);
    // What was damaged was compiled, and is kept again.
    expect(readFileSync(file()).length).toBeGreaterThan(good.length * 0.7);
  }
  chmodSync(file(), 0o666);
  expect(await agents()).toBe(shown);
  expect(statSync(file()).mode & 0o777).toBe(0o600);
});

it('makes no folder for a hub that is not there', async () => {
  const { home, run } = await freshHub();
  const none = join(home, 'none');
  const { code } = await run('--help', '--home', none);
  expect(code).toBe(0);
  expect(existsSync(none)).toBe(false);
});
