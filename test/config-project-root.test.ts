// Which project a folder belongs to: the same wherever in it one stands, and never that of another folder of the same name.

import { execFileSync } from 'node:child_process';
import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { findPlace, givenPlace } from '../src/project-root.ts';
import { scratch } from './support/engines.ts';

const HOME = '/nonexistent/.rookery';

function folder(...parts: string[]): string {
  const path = join(...parts);
  mkdirSync(path, { recursive: true });
  return path;
}

function git(cwd: string, ...args: string[]): void {
  execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args], { cwd, stdio: 'ignore' });
}

it('finds the same project from any folder in it, by marker or repository', () => {
  for (const marker of ['.git', '.rookery']) {
    const root = folder(realpathSync(scratch()), 'app');
    folder(root, marker);
    const deep = folder(root, 'a', 'b', 'c');
    expect(findPlace(deep, HOME)).toEqual({ project: { id: findPlace(root, HOME).project.id, name: 'app', root }, workRoot: root });
  }
});

it('finds it through a symbolic link', () => {
  const base = realpathSync(scratch());
  const root = folder(base, 'app');
  folder(root, '.git');
  symlinkSync(root, join(base, 'link'));
  expect(findPlace(join(base, 'link'), HOME)).toEqual(findPlace(root, HOME));
});

it('takes a worktree for its main repository, but works in the worktree', () => {
  const base = realpathSync(scratch());
  const root = folder(base, 'app');
  git(root, 'init', '-q');
  git(root, 'commit', '-q', '--allow-empty', '-m', 'first');
  git(root, 'worktree', 'add', '-q', '../tree', '-b', 'side');
  const place = findPlace(folder(base, 'tree', 'src'), HOME);
  expect(place.project).toEqual(findPlace(root, HOME).project);
  expect(place.workRoot).toBe(join(base, 'tree'));
});

it('takes the worktrees of a bare repository for one project: they have no other folder in common', () => {
  const base = realpathSync(scratch());
  const [from, bare, around] = [folder(base, 'from'), join(base, 'app.git'), folder(base, 'app')];
  git(from, 'init', '-q');
  git(from, 'commit', '-q', '--allow-empty', '-m', 'first');
  git(base, 'clone', '-q', '--bare', from, bare);
  for (const name of ['one', 'two']) git(bare, 'worktree', 'add', '-q', join(base, name), '-b', name);
  const [one, two] = [findPlace(folder(base, 'one', 'src'), HOME), findPlace(join(base, 'two'), HOME)];
  expect(one).toEqual({ project: findPlace(bare, HOME).project, workRoot: join(base, 'one') });
  expect([one.project.root, two.project.id]).toEqual([bare, one.project.id]);
  // The repository hidden in a folder that says so: that folder is the project's.
  git(base, 'clone', '-q', '--bare', from, join(around, '.bare'));
  writeFileSync(join(around, '.git'), 'gitdir: ./.bare\n');
  git(around, 'worktree', 'add', '-q', 'three', '-b', 'three');
  expect(findPlace(join(around, 'three'), HOME).project).toEqual(findPlace(around, HOME).project);
  expect(findPlace(around, HOME).project.root).toBe(around);
});

it('takes a submodule for a project of its own', () => {
  const base = realpathSync(scratch());
  const root = folder(base, 'app');
  folder(root, '.git', 'modules', 'lib');
  const module = folder(root, 'lib');
  writeFileSync(join(module, '.git'), 'gitdir: ../.git/modules/lib\n');
  expect(findPlace(module, HOME).project.root).toBe(module);
});

it('survives a .git file that leads nowhere', () => {
  const root = realpathSync(scratch());
  writeFileSync(join(root, '.git'), 'gitdir: /gone/away\n');
  expect(findPlace(root, HOME).project.root).toBe(root);
  writeFileSync(join(root, '.git'), 'nonsense');
  expect(findPlace(root, HOME).project.root).toBe(root);
});

it('tells two folders of one name apart, and never collides by slug', () => {
  const base = realpathSync(scratch());
  const places = [folder(base, 'x', 'app'), folder(base, 'y', 'app'), folder(base, 'x', 'app!'), folder(base, 'x', 'ÄÖÜ')].map((path) => {
    folder(path, '.git');
    return findPlace(path, HOME).project;
  });
  expect(new Set(places.map(({ id }) => id)).size).toBe(4);
  for (const { id } of places) expect(id).toMatch(/^[a-z0-9-]{1,32}-[0-9a-f]{10}$/);
});

it('does not take the hub’s folder in a home for a marker', () => {
  const base = realpathSync(scratch());
  const home = folder(base, '.rookery');
  const work = folder(base, 'notes');
  expect(findPlace(work, home).project.root).toBe(work);
  expect(findPlace(work, HOME).project.root).toBe(base);
});

it('takes an explicit name as it is, wherever it is given, and a path as a folder', () => {
  const base = realpathSync(scratch());
  const [one, two] = [folder(base, 'one'), folder(base, 'two')];
  expect(givenPlace('team', one, HOME).project.id).toBe(givenPlace('team', two, HOME).project.id);
  expect(givenPlace('one', base, HOME).project.name).toBe('one');
  expect(givenPlace('one', base, HOME).project.id).not.toBe(findPlace(one, HOME).project.id);
  expect(givenPlace('./one', base, HOME).project.id).toBe(findPlace(one, HOME).project.id);
  expect(givenPlace('.', one, HOME).project.id).toBe(findPlace(one, HOME).project.id);
});

it('works in the whole tree, of the main repository’s project, also where that is given by name', () => {
  const base = realpathSync(scratch());
  const root = folder(base, 'app');
  git(root, 'init', '-q');
  git(root, 'commit', '-q', '--allow-empty', '-m', 'first');
  git(root, 'worktree', 'add', '-q', '../tree', '-b', 'side');
  expect(givenPlace('team', folder(root, 'src'), HOME).workRoot).toBe(root);
  // The project's own folder outlives its worktrees, whichever its agents came from first.
  expect(givenPlace('team', folder(base, 'tree', 'src'), HOME)).toMatchObject({ project: { root }, workRoot: join(base, 'tree') });
  expect(givenPlace('team', folder(base, 'loose', 'src'), HOME).workRoot).toBe(join(base, 'loose', 'src'));
});
