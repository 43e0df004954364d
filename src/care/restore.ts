// Putting a backup in the place of the database, which may be damaged beyond opening.
// Invariants: what is restored was verified before anything is touched; the replaced database is kept under another name with its log;
// the name of the database never stands for nothing, because a hub that finds nothing there would start an empty one.

import { chmodSync, copyFileSync, existsSync, linkSync, readdirSync, renameSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Config } from '../config.ts';
import { assertFile } from '../database-place.ts';
import { HubError } from '../hub/errors.ts';
import { openSessions, type SessionRow } from '../store/sessions.ts';
import { foldLog, SqliteFile } from '../store/sqlite-care.ts';
import { MARK, OLDER } from '../store/sqlite-mark.ts';
import { systemClock } from '../system/clock.ts';
import { systemHost } from '../system/host.ts';
import { attachedTo } from '../system/locks.ts';
import { type Checked, checkFile, type Step } from './check.ts';
import { assertRoom, discard, discardLeft, reserve, stampOf, sync, wholeSizeOf } from './files.ts';

export type Restored = { checked: Checked; kept: string | null };

/** A session of another machine counts as live for this long after it was heard of. */
const SILENT_MS = 60_000;

/** Replaces the database by `from`. Errors: `conflict` while the hub is in use (unless `force`), `not_found`, `unavailable` for a bad backup. */
export async function restore(config: Config, from: string, force: boolean, step: Step): Promise<Restored> {
  assertFile(config, 'restore', 'Restore it by PostgreSQL’s own tools, while no hub runs: pg_restore (docs/deploying.md).');
  const source = resolve(from);
  assertUsable(config, source);
  const users = await usersOf(config);
  if (users.length > 0 && !force)
    throw new HubError('conflict', `The hub is in use by ${users.join(', ')}; nothing was changed.`, {
      hint: 'End those sessions first, or repeat with --force: they then refuse to go on.',
    });
  const copy = `${config.databasePath}.restore-${systemHost.pid}`;
  try {
    const checked = await stage(source, copy, step);
    const kept = replace(config.databasePath, copy, users.length === 0);
    return { checked, kept };
  } finally {
    discard(copy);
  }
}

function assertUsable(config: Config, source: string): void {
  const found = statSync(source, { throwIfNoEntry: false });
  if (found === undefined || !found.isFile())
    throw new HubError('not_found', `${source} is not a file; nothing was changed.`, { hint: `Backups are in ${config.backupDir}.` });
  const current = statSync(config.databasePath, { throwIfNoEntry: false });
  if (current !== undefined && current.ino === found.ino && current.dev === found.dev)
    throw new HubError('conflict', `${source} is the database in use itself; nothing was changed.`, {
      hint: `Backups are in ${config.backupDir}.`,
    });
}

/** Copies the backup beside the database, with its log if it has one, and verifies the copy. */
async function stage(source: string, copy: string, step: Step): Promise<Checked> {
  reserve(copy);
  discardLeft(dirname(copy), /\.restore-(\d+)$/);
  assertRoom(dirname(copy), wholeSizeOf(source));
  for (const part of ['', '-wal']) {
    if (!existsSync(source + part)) continue;
    copyFileSync(source + part, copy + part);
    chmodSync(copy + part, 0o600);
  }
  foldLog(copy);
  const checked = await checkFile(copy, step, source);
  if (checked.problems.length > 0)
    throw new HubError('unavailable', `${source} is damaged (${checked.problems[0]}); nothing was changed.`, {
      hint: 'Choose another backup; rookery verify FILE shows all findings.',
    });
  sync(copy);
  return checked;
}

/** Swaps the files and answers where the old database is now. */
function replace(path: string, copy: string, idle: boolean): string | null {
  const name = `${path}.before-restore-${stampOf(systemClock.now())}`;
  const kept = existsSync(path) ? name : null;
  // A sound database takes its log in first, so that its log cannot be left to a file it does not belong to.
  if (kept !== null && idle && isSound(path)) foldLog(path);
  for (const side of ['-wal', '-shm', MARK, OLDER]) if (existsSync(path + side)) renameSync(path + side, name + side);
  if (kept !== null) keep(path, name);
  renameSync(copy, path);
  sync(dirname(path));
  return kept;
}

/** A second name for the old file, so that the first never points to nothing. */
function keep(path: string, kept: string): void {
  try {
    linkSync(path, kept);
  } catch {
    renameSync(path, kept); // a file system without hard links
  }
}

function isSound(path: string): boolean {
  try {
    const file = new SqliteFile(path);
    try {
      return file.structureProblems(false).length === 0;
    } finally {
      file.close();
    }
  } catch {
    return false;
  }
}

/** Who works on this hub now, in words: by the kernel's locks, by open sessions of live processes, and by live doorbells. */
export async function usersOf(config: Pick<Config, 'databasePath' | 'bellDir'>): Promise<string[]> {
  const byLock = new Map((attachedTo(config.databasePath) ?? []).map(({ pid, name }) => [pid, `${name} (pid ${pid})`]));
  for (const pid of bellPids(config.bellDir)) if (!byLock.has(pid) && systemHost.isAlive(pid)) byLock.set(pid, `pid ${pid}`);
  const users = [...byLock].filter(([pid]) => pid !== systemHost.pid);
  const known = new Set(users.map(([pid]) => pid));
  const sessions = (await sessionsIn(config.databasePath)).filter((session) => isLive(session) && !known.has(session.pid));
  return [...users.map(([, words]) => words), ...sessions.map((session) => `${session.clientName} (pid ${session.pid})`)];
}

function bellPids(folder: string): number[] {
  try {
    return readdirSync(folder).flatMap((name) => (name.endsWith('.sock') ? [Number.parseInt(name, 10)] : []));
  } catch {
    return [];
  }
}

async function sessionsIn(path: string): Promise<SessionRow[]> {
  if (!existsSync(path)) return [];
  try {
    const file = new SqliteFile(path);
    try {
      return await file.read((read) => openSessions(read, null));
    } finally {
      file.close();
    }
  } catch {
    return []; // damaged beyond reading, which is why it is being replaced
  }
}

function isLive(session: SessionRow): boolean {
  if (session.host === systemHost.key) return systemHost.isAlive(session.pid);
  return systemClock.now() - session.heartbeatAt <= SILENT_MS;
}
