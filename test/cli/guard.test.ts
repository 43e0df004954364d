// The pre-commit guard as git runs it: in a real repository, with hooks that were there before, in worktrees, and without a hub.

import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { openHub } from '../../src/open.ts';
import { scratch } from '../support/engines.ts';
import { programFile, start } from './command-line.ts';

const ENV = {
  PATH: process.env.PATH ?? '',
  GIT_AUTHOR_NAME: 't',
  GIT_AUTHOR_EMAIL: 't@example.org',
  GIT_COMMITTER_NAME: 't',
  GIT_COMMITTER_EMAIL: 't@example.org',
  GIT_CONFIG_NOSYSTEM: '1',
};

/** A repository with two files, the hub's home beside it, and what one does in both. */
async function repository() {
  const home = scratch();
  chmodSync(home, 0o700);
  const top = join(scratch(), 'demo');
  mkdirSync(top);
  const env = { ...ENV, HOME: home, ROOKERY_HOME: home };
  const git = (args: string[], more: { cwd?: string; env?: Record<string, string> } = {}) => {
    const { status, stdout, stderr } = spawnSync('git', args, { cwd: more.cwd ?? top, env: { ...env, ...more.env }, encoding: 'utf8' });
    return { code: status, stdout, stderr };
  };
  git(['init', '-q', '-b', 'main']);
  for (const file of ['a.ts', 'b.ts']) writeFileSync(join(top, file), '1\n');
  git(['add', '.']);
  git(['commit', '-qm', 'one']);
  const rookery = (args: string[], cwd = top) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [programFile(), ...args], { cwd, env, encoding: 'utf8' });
    return { code: status, stdout, stderr };
  };
  /** Changes a file and commits it. */
  const commit = (file: string, more: { cwd?: string; env?: Record<string, string> } = {}) => {
    writeFileSync(join(more.cwd ?? top, file), `${Math.random()}\n`);
    return git(['commit', '-qam', 'change'], more);
  };
  return { home, top, env, git, rookery, commit };
}

/** Two agents of the project, known by the session of their client; ada holds a.ts. */
async function reserved({ home, top }: { home: string; top: string }) {
  const config = readConfig({ env: { ROOKERY_HOME: home }, cwd: top, flags: {} });
  const hub = await openHub(config);
  const attach = (name: string) =>
    hub.sessions.attach({
      project: config.place.project,
      door: 'http',
      client: { name: 'test', version: '1', key: `claude:${name}` },
      root: config.place.workRoot,
      name,
    });
  const [ada] = [await attach('ada'), await attach('bob')];
  await hub.reservations.reserve(ada, { paths: ['a.ts'], names: [], mode: 'exclusive', reason: 'rewriting it' }, { tool: 'reserve' });
  await hub.close();
}

const as = (name: string) => ({ env: { CLAUDE_CODE_SESSION_ID: name } });

it('stops an agent from committing what another holds, tells a person, and lets everything else pass', async () => {
  const place = await repository();
  await reserved(place);
  expect(place.rookery(['guard', 'install'])).toMatchObject({ code: 0, stdout: expect.stringContaining('.git/hooks/pre-commit') });
  const stopped = place.commit('a.ts', as('bob'));
  expect(stopped).toMatchObject({ code: 1, stderr: expect.stringContaining('Not committed: a.ts is reserved exclusively by ada until') });
  expect(stopped.stderr).toContain('"rewriting it"');
  expect(place.commit('a.ts', as('ada'))).toMatchObject({ code: 0, stderr: '' });
  expect(place.commit('b.ts', as('bob'))).toMatchObject({ code: 0, stderr: '' });
  const person = place.commit('a.ts');
  expect(person).toMatchObject({ code: 0, stderr: expect.stringContaining('a.ts is reserved exclusively by ada') });
  writeFileSync(join(place.top, 'a.ts'), 'again\n');
  expect(place.git(['commit', '-qam', 'on purpose', '--no-verify'], as('bob')).code).toBe(0);
});

it('sees the files of a rename and of a worktree', async () => {
  const place = await repository();
  await reserved(place);
  place.rookery(['guard', 'install']);
  place.git(['mv', 'a.ts', 'c.ts']);
  expect(place.git(['commit', '-qm', 'moved'], as('bob'))).toMatchObject({ code: 1, stderr: expect.stringContaining('a.ts is reserved') });
  const tree = join(scratch(), 'tree');
  place.git(['worktree', 'add', '-q', tree, '-b', 'side']);
  expect(place.commit('a.ts', { cwd: tree, ...as('bob') })).toMatchObject({ code: 1, stderr: expect.stringContaining('a.ts is reserved') });
  expect(place.rookery(['guard', 'install'], tree).stdout).toContain('renewed');
});

it('keeps the hook that was there, runs it first, and puts it back', async () => {
  const place = await repository();
  await reserved(place);
  const hook = join(place.top, '.git/hooks/pre-commit');
  const before = '#!/bin/sh\necho before >&2\nexit $BEFORE_EXIT\n';
  mkdirSync(join(place.top, '.git/hooks'), { recursive: true });
  writeFileSync(hook, before, { mode: 0o755 });
  expect(place.rookery(['guard', 'install']).stdout).toContain('the hook that was there runs first');
  expect(place.rookery(['guard', 'install']).stdout).toContain('renewed');
  expect(place.commit('b.ts', as('bob'))).toMatchObject({ code: 0, stderr: 'before\n' });
  expect(place.commit('b.ts', { env: { BEFORE_EXIT: '3' } }).code).not.toBe(0);
  expect(place.rookery(['guard', 'uninstall']).code).toBe(0);
  expect(readFileSync(hook, 'utf8')).toBe(before);
  expect(place.rookery(['guard', 'uninstall']).stdout).toContain('not ours');
});

it('respects core.hooksPath, and leaves hooks that others share alone', async () => {
  const place = await repository();
  place.git(['config', 'core.hooksPath', '.husky']);
  expect(place.rookery(['guard', 'install']).stdout).toContain(join(place.top, '.husky/pre-commit'));
  const shared = scratch();
  place.git(['config', 'core.hooksPath', shared]);
  expect(place.rookery(['guard', 'install'])).toMatchObject({ code: 1, stderr: expect.stringContaining('other repositories share') });
  expect(existsSync(join(shared, 'pre-commit'))).toBe(false);
  expect(place.rookery(['guard', 'install'], scratch())).toMatchObject({ code: 1, stderr: expect.stringContaining('no git work tree') });
});

it('never stands in the way when the hub is missing or broken', async () => {
  const place = await repository();
  place.rookery(['guard', 'install']);
  expect(place.commit('a.ts', as('bob'))).toMatchObject({ code: 0, stderr: '' });
  expect(existsSync(join(place.home, 'hub.db'))).toBe(false);
  await reserved(place);
  writeFileSync(join(place.home, 'config.json'), '{broken');
  expect(place.commit('a.ts', as('bob')).code).toBe(0);
  writeFileSync(join(place.home, 'config.json'), '{}');
  writeFileSync(join(place.home, 'hub.db'), 'no database');
  expect(place.commit('a.ts', as('bob')).code).toBe(0);
  const hook = join(place.top, '.git/hooks/pre-commit');
  writeFileSync(hook, readFileSync(hook, 'utf8').replace(programFile(), '/nowhere/main.js'));
  expect(place.commit('a.ts', as('bob'))).toMatchObject({ code: 0, stderr: '' });
});

it('knows the agent by the process that started both, without any mark', async () => {
  const place = await repository();
  await reserved(place);
  place.rookery(['guard', 'install']);
  // This test stands for the client: it started the agent's server, and now runs its command.
  const config = readConfig({ env: { ROOKERY_HOME: place.home }, cwd: place.top, flags: {} });
  const server = start(['stdio', '--agent', 'eve', '--project', config.place.project.root], { home: place.home });
  const say = (message: object) => server.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  say({
    id: 0,
    method: 'initialize',
    params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 't', version: '1' } },
  });
  say({ method: 'notifications/initialized' });
  say({ id: 1, method: 'tools/call', params: { name: 'whoami', arguments: {} } });
  await expect.poll(() => server.stdout(), { timeout: 20_000 }).toContain('"id":1');
  expect(place.commit('a.ts')).toMatchObject({ code: 1, stderr: expect.stringContaining('a.ts is reserved exclusively by ada') });
  expect(JSON.parse(place.rookery(['guard', 'check', 'a.ts', '--json']).stdout)).toMatchObject({ refused: true, agent: 'eve' });
});

it('lists rules and reservations', async () => {
  const place = await repository();
  await reserved(place);
  writeFileSync(
    join(place.home, 'config.json'),
    JSON.stringify({
      guard: { off: ['npm publish'], commands: [{ name: 'deploy', match: 'make deploy', risk: 'medium', why: 'puts it live' }] },
    }),
  );
  const { rules } = JSON.parse(place.rookery(['guard', 'rules', '--json']).stdout);
  expect(rules).toContainEqual({ name: 'deploy', risk: 'medium', match: 'make deploy', outside: false, why: 'it puts it live' });
  expect(rules.map(({ name }: { name: string }) => name)).not.toContain('npm publish');
  expect(JSON.parse(place.rookery(['reservations', '--json']).stdout).reservations).toMatchObject([
    { holder: 'ada', resource: 'a.ts', mode: 'exclusive' },
  ]);
  expect(
    execFileSync(process.execPath, [programFile(), 'guard', 'check', 'b.ts'], { cwd: place.top, env: place.env, encoding: 'utf8' }),
  ).toBe('');
});
