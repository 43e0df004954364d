// The end-to-end scenario over the whole fixture matrix: every project, tree, door, role and client that can meet, through real front doors. A cell is
// a test, and its name says which.

import { execFileSync } from 'node:child_process';
import { beforeAll, describe, expect, it } from 'vitest';
import { built, run } from '../../server/http-process.ts';
import { apart, forTheFile } from '../../support/cleanup.ts';
import { assertNoErrors } from '../../support/log-file.ts';
import { overStdio, type Reply } from '../../support/mcp-agent.ts';
import { type Cell, CLIENTS, cells, DIMENSIONS, IMPOSSIBLE, MEMBERS, product } from './fixtures.ts';
import { play } from './scenario.ts';
import { openStage, type Stage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await forTheFile(openStage);
});

it('has every value of every dimension in some cell, and leaves out nothing but what cannot exist', () => {
  const all = product();
  expect(all).toHaveLength(Object.values(DIMENSIONS).reduce((count, values) => count * values.length, 1));
  for (const [dimension, values] of Object.entries(DIMENSIONS))
    for (const value of values) expect(cells.map((cell) => cell[dimension as keyof Cell])).toContain(value);
  for (const { why, is } of IMPOSSIBLE) expect([why, all.some((cell) => is(cell))]).toEqual([why, true]);
  expect(new Set(cells.map(({ name }) => name)).size).toBe(cells.length);
  expect(cells.length + all.filter((cell) => IMPOSSIBLE.some(({ is }) => is(cell))).length).toBe(all.length);
});

describe.concurrent('every cell', () => {
  it.each(cells.map((cell) => [cell.name, cell] as const))('%s', async (_, cell) => {
    await apart(() => play(stage, cell));
  });
});

it('cannot be what the matrix leaves out: git and the hub refuse it', async () => {
  const { top } = stage.projects.plain.trees.main;
  expect(() => execFileSync('git', ['worktree', 'add', '../no-tree'], { cwd: top, stdio: 'ignore' })).toThrow();
  const env = { PATH: process.env.PATH ?? '', HOME: top, ROOKERY_ROLE: 'operator' };
  const usurper = await overStdio('usurper', { command: process.execPath, args: [built(), 'stdio', '--home', stage.hub], env, cwd: top });
  expect(await usurper.refused('whoami')).toMatchObject({ code: 'forbidden', message: expect.stringContaining('operator') });
});

it('has shown each project its own agents, each as what it is, and no other; its history is whole, its log without an error', async () => {
  for (const [place, { members }] of Object.entries(stage.projects)) {
    const { agents } = (await members.mia.call('list_agents')) as { agents: Reply[] };
    const came = cells.filter((cell) => cell.place === place && cell.role !== 'operator');
    expect(agents.map(({ name }) => name).sort()).toEqual([...came.map(({ name }) => name), ...Object.keys(MEMBERS), 'operator'].sort());
    for (const { name, role, client } of came)
      expect(agents).toContainEqual(expect.objectContaining({ name, role, client: CLIENTS[client].name }));
  }
  expect(await run(['verify', '--home', stage.hub])).toMatchObject({ code: 0 });
  assertNoErrors(stage.logFile);
});
