// The pre-commit guard of git: a hook that asks the hub whether another agent holds one of the files of a commit. A hook that was there before
// goes on running, first. The hook never stands in the way of a commit when the hub, its program or Node is missing: only a clear no stops one.

import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, lstatSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { isAbsolute, join, relative, resolve } from 'node:path';
import { HubError } from '../hub/errors.ts';
import type { Program } from './install/program.ts';

const MARK = '# rookery guard: asks the hub whether another agent has reserved what is committed';
const BEFORE = 'pre-commit.before-rookery';

export type HookPlace = { hook: string; before: string };

/** The top folder of the work tree. Errors: `not_found`. */
export function workTree(folder: string): string {
  return git(folder, ['rev-parse', '--show-toplevel']);
}

/** Where this repository's hook lies: core.hooksPath and worktrees are git's to know. Errors: `not_found`, `conflict` for hooks that many repositories share. */
export function hookPlace(folder: string): HookPlace {
  const top = workTree(folder);
  const hooks = resolve(top, git(top, ['rev-parse', '--git-path', 'hooks']));
  const common = resolve(top, git(top, ['rev-parse', '--git-common-dir']));
  if (![top, common].some((home) => isWithin(home, hooks))) {
    throw new HubError('conflict', `core.hooksPath of this repository is ${hooks}, which other repositories share; nothing was changed.`, {
      hint: 'Call `rookery guard check` in that hook yourself, or give this repository hooks of its own: git config --local core.hooksPath .git/hooks',
    });
  }
  return { hook: join(hooks, 'pre-commit'), before: join(hooks, BEFORE) };
}

/** Writes the hook. A hook that was there is kept beside it and runs first. Answers what was done. */
export function installHook({ hook, before }: HookPlace, program: Program, home: string | undefined): 'installed' | 'renewed' | 'chained' {
  const found = existsSync(hook) || isLink(hook) ? (isOurs(hook) ? 'ours' : 'foreign') : 'none';
  if (found === 'foreign' && existsSync(before)) {
    throw new HubError('conflict', `${before} is in the way; nothing was changed.`, {
      hint: 'Move it aside; it is a hook from before an earlier install.',
    });
  }
  mkdirSync(resolve(hook, '..'), { recursive: true });
  if (found === 'foreign') renameSync(hook, before);
  const fresh = `${hook}.rookery-new`;
  writeFileSync(fresh, hookText(program, home), { mode: 0o755 });
  chmodSync(fresh, 0o755); // whatever the umask says
  renameSync(fresh, hook);
  return found === 'foreign' ? 'chained' : found === 'ours' ? 'renewed' : 'installed';
}

/** Takes the hook away, and puts back what was there before. Answers whether there was anything to take. */
export function uninstallHook({ hook, before }: HookPlace): boolean {
  if (!existsSync(hook) || !isOurs(hook)) return false;
  rmSync(hook);
  if (existsSync(before) || isLink(before)) renameSync(before, hook);
  return true;
}

/** The files of the commit that is being made, from the top of the work tree; both names of one that is renamed. */
export function stagedFiles(top: string): string[] {
  const out = execFileSync('git', ['diff', '--cached', '--name-only', '--no-renames', '-z'], {
    cwd: top,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  return out.split('\0').filter((name) => name !== '');
}

function hookText({ node, main }: Program, home: string | undefined): string {
  return [
    '#!/bin/sh',
    `${MARK}.`,
    '# It was put here by `rookery guard install`; `rookery guard uninstall` takes it away. Exit 1 of the check is a no; anything else lets the commit pass.',
    'before="$(dirname "$0")/pre-commit.before-rookery"',
    'if [ -x "$before" ]; then "$before" "$@" || exit $?; fi',
    `node=${quoted(node)} main=${quoted(main)}`,
    'if [ ! -x "$node" ] || [ ! -f "$main" ]; then exit 0; fi',
    `"$node" "$main" guard check${home === undefined ? '' : ` --home ${quoted(home)}`}`,
    'if [ $? -eq 1 ]; then exit 1; fi',
    'exit 0',
    '',
  ].join('\n');
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

function isOurs(path: string): boolean {
  return !isLink(path) && readFileSync(path, 'utf8').includes(MARK);
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
}

function isWithin(home: string, path: string): boolean {
  const inside = relative(home, path);
  return inside !== '' && !inside.startsWith('..') && !isAbsolute(inside);
}

function git(folder: string, args: readonly string[]): string {
  try {
    return execFileSync('git', [...args], { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch (error) {
    throw new HubError('not_found', `${folder} is in no git work tree, or git is not installed; nothing was changed.`, {
      hint: 'Run it inside the repository.',
      cause: error,
    });
  }
}
