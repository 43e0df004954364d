// The laboratories refuse what they do not know, before anything runs: a run that leaves everything out would end well.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..');

it.each([
  ['prove/run.mjs --faults --only power-cuts', '--only: there is no power-cuts. There are: power-cut, '],
  ['prove/run.mjs --mutants --only task', '--only: there is no task. There are: contract, tasks, '],
  ['prove/run.mjs --count many', "--count takes a number of at least 0, not 'many'."],
  ['prove/run.mjs --fast', "Unknown option '--fast'"],
  ['bench/run.mjs --only sends', '--only: there is no sends. There are: floors, '],
  ['prove/soak.mjs --agents 1', '--agents: at least 2'],
])('refuses %s', (command, sentence) => {
  const { status, stdout, stderr } = run(command);
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr.startsWith(sentence), stderr).toBe(true);
});

it.each(['prove/run.mjs', 'bench/run.mjs', 'prove/soak.mjs'])('%s tells how it is used', (program) => {
  const { status, stdout } = run(`${program} --help`);
  expect(status).toBe(0);
  expect(stdout).toMatch(/^`npm run \w+/);
});

function run(command: string) {
  return spawnSync(process.execPath, command.split(' '), { cwd: ROOT, encoding: 'utf8' });
}
