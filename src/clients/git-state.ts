// The repository of a folder as its git tells it: branch, uncommitted files, recent commits. Outside of a repository, without git, or when git
// takes too long, there is none: a hook never waits for a repository.

import type { GitState } from '../hub/checkpoints.ts';

const TIMEOUT_MS = 400;
const FILES = 50;
const COMMITS = 5;
const OUTPUT_BYTES = 256 * 1024;

export async function readGitState(folder: string): Promise<GitState | null> {
  const [status, log] = await Promise.all([
    git(folder, ['status', '--porcelain=v1', '--branch', '-z', '--untracked-files=normal']),
    git(folder, ['log', `-${COMMITS}`, '--format=%h %s']),
  ]);
  if (status === undefined) return null;
  const { branch, uncommitted } = parseStatus(status);
  // A repository without commits has no log: git then ends with an error.
  return { branch, uncommitted: uncommitted.slice(0, FILES), recentCommits: (log ?? '').split('\n').filter((line) => line !== '') };
}

/** `## main...origin/main [ahead 1]`, then an entry per file; that of a renamed one is followed by its old name. */
function parseStatus(text: string): { branch: string; uncommitted: string[] } {
  const [head = '', ...entries] = text.split('\0');
  const branch = head.replace(/^## (No commits yet on |Initial commit on )?/, '').replace(/(\.\.\.\S+)?( \[.*\])?$/, '');
  const uncommitted: string[] = [];
  for (let index = 0; index < entries.length; index++) {
    const entry = entries[index] ?? '';
    if (entry === '') continue;
    uncommitted.push(entry.slice(3));
    if (/^(R|C|.R|.C)/.test(entry)) index += 1;
  }
  return { branch: branch === 'HEAD (no branch)' ? 'detached HEAD' : branch, uncommitted };
}

/** Undefined when git fails, is missing, or is too slow. Without optional locks: looking must not get in the way of whoever works there. */
async function git(folder: string, args: readonly string[]): Promise<string | undefined> {
  const { execFile } = await import('node:child_process'); // most hooks need no git
  return await new Promise((resolve) => {
    execFile(
      'git',
      ['--no-optional-locks', ...args],
      { cwd: folder, timeout: TIMEOUT_MS, killSignal: 'SIGKILL', maxBuffer: OUTPUT_BYTES, encoding: 'utf8' },
      (error, stdout) => resolve(error === null ? stdout : undefined),
    );
  });
}
