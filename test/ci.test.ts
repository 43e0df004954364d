// What CI runs (A-37, S-02): the unit tests, the end-to-end matrix over both transports among them, the proofs, and the real clients; and it fails as soon as one does.

import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import config from '../vitest.config.ts';
import { cells } from './e2e/matrix/fixtures.ts';
import { scratch } from './support/cleanup.ts';

const ROOT = join(import.meta.dirname, '..');
const STEPS = ['ci', 'test -- --coverage', 'run prove -- --quick', 'run e2e:clients'];
/** What CI looks for and would install: it is all here, and installing anything is a mistake of this test. */
const FOUND = ['g++', 'make', 'python3', 'chromium', 'initdb', 'strace', 'faketime', 'mkfs.ext4', 'tmux'];

/** Runs CI with an npm that only writes down what it was called for, and fails at `broken`. */
function ci(broken = 'nothing') {
  const bin = scratch();
  const called = join(bin, 'called');
  const program = (name: string, body: string) => writeFileSync(join(bin, name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  for (const name of FOUND) program(name, 'exit 0');
  program('apt-get', 'exit 9');
  program('npm', `echo "$*" >> '${called}'; [ "$*" != '${broken}' ]`);
  const { status } = spawnSync(join(ROOT, '.ci', 'run'), { env: { PATH: `${bin}:${process.env.PATH}` } });
  return { passed: status === 0, called: readFileSync(called, 'utf8').trim().split('\n') };
}

it('runs every kind of test, over both transports', () => {
  expect(ci()).toEqual({ passed: true, called: STEPS });
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> };
  expect(scripts.test?.split(' && ')).toContain('vitest run');
  expect(new Set(cells.map(({ door }) => door))).toEqual(new Set(['stdio', 'http']));
});

it('refuses tests that run less than 85 % of the lines of src, whichever file they are in', () => {
  expect(config.test?.coverage).toMatchObject({ include: ['src/**/*.ts'], thresholds: { lines: 85 } });
  expect(config.test?.coverage).not.toHaveProperty('exclude');
});

it.each(STEPS)('fails when npm %s does, and goes no further', (broken) => {
  const { passed, called } = ci(broken);
  expect([passed, called.at(-1)]).toEqual([false, broken]);
});
