// Which project a folder belongs to. Walks up to the nearest `.rookery` or `.git`, else takes the folder itself; git worktrees share the
// project of their main repository. The id is a readable slug and a digest of the real path, so that equal folder names never collide.

import { createHash } from 'node:crypto';
import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import type { Project } from './hub/projects.ts';

/** The project, and the root of the tree the client works in (they differ in a git worktree). */
export type Place = { project: Project; workRoot: string };

/** `start`: a folder. `home`: the hub's own folder, whose `.rookery` name is no marker. */
export function findPlace(start: string, home: string): Place {
  const workRoot = markedRoot(realpathSync(start), home);
  const root = mainRepository(workRoot);
  return { project: { id: projectId(basename(root), root), name: basename(root) || 'root', root }, workRoot };
}

/** A project by an explicit name instead of a folder: every client that gives the name meets there, and works in the tree that it stands in. */
export function namedPlace(name: string, start: string, home: string): Place {
  const workRoot = markedRoot(realpathSync(start), home);
  return { project: { id: projectId(name, `name:${name}`), name, root: mainRepository(workRoot) }, workRoot };
}

/** What ROOKERY_PROJECT or --project says: a folder if it is one, else a name. `start`: where the client stands, if not in `cwd`. */
export function givenPlace(given: string, cwd: string, home: string, start = cwd): Place {
  return isFolder(given, cwd) ? findPlace(resolve(cwd, given), home) : namedPlace(given, start, home);
}

/** Whether a folder is given, and not a name. */
export function isFolder(given: string, cwd: string): boolean {
  const path = resolve(cwd, given);
  return (isAbsolute(given) || given.includes('/') || given === '.' || given === '..') && existsSync(path) && statSync(path).isDirectory();
}

function markedRoot(start: string, home: string): string {
  for (let folder = start; ; folder = dirname(folder)) {
    const marker = join(folder, '.rookery');
    if (existsSync(join(folder, '.git')) || (existsSync(marker) && resolve(marker) !== resolve(home) && realpathSync(marker) !== home))
      return folder;
    if (dirname(folder) === folder) return start;
  }
}

/** A worktree's `.git` is a file that leads to its own git folder, whose `commondir` leads to the main one. */
function mainRepository(root: string): string {
  const gitDir = linkedFrom(root);
  if (gitDir === undefined) return root;
  const pointer = join(gitDir, 'commondir');
  if (!existsSync(pointer)) return root; // a submodule: a project of its own
  const common = resolve(gitDir, readFileSync(pointer, 'utf8').trim());
  if (!existsSync(common)) return root;
  const around = dirname(common);
  if (basename(common) === '.git' || linkedFrom(around) === common) return realpathSync(around);
  return isBare(common) ? realpathSync(common) : root;
}

/** Where the `.git` of a folder leads, if it is a file. */
function linkedFrom(root: string): string | undefined {
  const git = join(root, '.git');
  if (!existsSync(git) || !statSync(git).isFile()) return undefined;
  const own = /^gitdir:\s*(.+)$/m.exec(readFileSync(git, 'utf8'))?.[1]?.trim();
  return own === undefined ? undefined : resolve(root, own);
}

/** A bare repository has no tree of its own. Git says so in its settings, in the second file where worktrees have settings of their own. */
function isBare(repository: string): boolean {
  const files = ['config', 'config.worktree'].map((name) => join(repository, name)).filter((file) => existsSync(file));
  return files.some((file) => /^\s*bare\s*=\s*true\s*$/m.test(readFileSync(file, 'utf8')));
}

function projectId(name: string, identity: string): string {
  const slug =
    name
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-+|-+$/g, '')
      .slice(0, 32) || 'project';
  return `${slug}-${createHash('sha256').update(identity).digest('hex').slice(0, 10)}`;
}
