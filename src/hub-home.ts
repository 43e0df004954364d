// Where the hub of this user lives: its folder, and where its doorbells hang. Apart from config.ts, because a hook has to know it before it may
// spend the time that reading a whole configuration takes.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, realpathSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { HubError } from './hub/errors.ts';

export type HubFiles = { home: string; databasePath: string; backupDir: string; bellDir: string };

/** The hub's folder, made private if new, by its real path: two spellings of it are one hub. */
export function hubHome(given: unknown): string {
  const home = homeOf(given);
  try {
    makeFolder(home);
    return realpathSync(home);
  } catch (error) {
    throw new HubError('unavailable', `ROOKERY_HOME ${home} cannot be created or read.`, {
      hint: 'Set ROOKERY_HOME to a folder of your own on a local disk.',
      cause: error,
    });
  }
}

/** The same without making anything: undefined where no hub is. `databaseUrl`: what the environment says of a server that holds it. */
export function existingHub(given: unknown, databaseUrl: string | undefined): HubFiles | undefined {
  const home = homeOf(given);
  const isThere = existsSync(join(home, 'hub.db')) || (existsSync(home) && (Boolean(databaseUrl) || namesServer(home)));
  return isThere ? filesOf(realpathSync(home)) : undefined;
}

/** The hub's folder by its real path, where there is one. */
export function existingHome(given: unknown): string | undefined {
  const home = homeOf(given);
  return existsSync(home) ? realpathSync(home) : undefined;
}

/** Whether the hub's own settings may name a server: their reader says for certain. */
export function namesServer(home: string): boolean {
  try {
    return readFileSync(join(home, 'config.json'), 'utf8').includes('"databaseUrl"');
  } catch {
    return false;
  }
}

/** `home` by its real path. */
export function filesOf(home: string): HubFiles {
  const databasePath = join(home, 'hub.db');
  return { home, databasePath, backupDir: join(home, 'backups'), bellDir: bellDir(home, databasePath) };
}

/** A folder that is there; undefined for anything else. */
export function existingFolder(path: unknown): string | undefined {
  return typeof path === 'string' && path !== '' && existsSync(path) ? path : undefined;
}

function homeOf(given: unknown): string {
  return resolve(typeof given === 'string' && given !== '' ? given : join(homedir(), '.rookery'));
}

/** Level by level: a recursive mkdir below /proc never returns (Node 20). */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(dirname(folder));
  mkdirSync(folder, { mode: 0o700 });
}

/** Sockets need a short path; every process of one user must come to the same one, whatever its environment. */
function bellDir(home: string, databasePath: string): string {
  const inside = join(home, 'run');
  if (Buffer.byteLength(inside) <= 80) return inside;
  const digest = createHash('sha256').update(databasePath).digest('hex').slice(0, 12);
  return `/tmp/rookery-${userInfo().uid}-${digest}`;
}
