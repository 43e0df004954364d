// The doctor in the hub's folder: who may read it, doorbells, backups, the log.
// Database files are only ever asked for their state, never opened with `fs` (H4).

import { closeSync, existsSync, openSync, readdirSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config.ts';
import { counted } from '../hub/counted.ts';
import type { Probes } from './doctor.ts';
import { type Finding, fail, ok, warn, wordsOf } from './finding.ts';

const BACKUP_MAX_AGE_MS = 26 * 3_600_000;

/** The folder 0700, everything in it 0600 (folders 0700), all of it the user's own. */
export function checkModes(config: Config, { uid }: Probes): Finding[] {
  const paths = [
    config.home,
    ...entries(config.home),
    ...entries(config.backupDir),
    ...(existsSync(config.bellDir) ? [config.bellDir] : []),
  ];
  const found = [...new Set(paths)].map((path) => ({ path, stats: statOf(path) }));
  const open = found.filter(({ stats }) => stats !== undefined && !stats.isSocket() && (stats.mode & 0o077) !== 0);
  const foreign = found.filter(({ stats }) => stats !== undefined && uid !== undefined && stats.uid !== uid);
  const [first] = open.sort((a, b) => a.path.length - b.path.length);
  const [other] = foreign;
  const home = statOf(config.home);
  const closed = home !== undefined && (home.mode & 0o077) === 0;
  return [
    first === undefined
      ? ok('modes', `${config.home} and its ${found.length - 1} entries are private`)
      : (closed ? warn : fail)(
          'modes',
          `${first.path} has mode ${((first.stats?.mode ?? 0) & 0o777).toString(8)}${open.length > 1 ? `, and ${open.length - 1} more ${open.length === 2 ? 'is' : 'are'} open` : ''}`,
          closed
            ? 'Only the folder keeps other users from reading it.'
            : 'Other users can read every message; the hub does not start on it.',
          `chmod ${first.stats?.isDirectory() === true ? '700' : '600'} ${first.path}`,
        ),
    other === undefined
      ? ok('owners', uid === undefined ? 'no owners on this platform' : 'all of it belongs to this user')
      : fail(
          'owners',
          `${other.path} belongs to user ${other.stats?.uid}`,
          'That user can change what the hub says.',
          `chown ${uid} ${other.path}`,
        ),
  ];
}

export function checkDoorbells(config: Config, { isAlive, uid }: Probes): Finding {
  const check = 'doorbells';
  const folder = statOf(config.bellDir);
  if (folder === undefined) return ok(check, 'nobody has waited on this hub yet');
  const trouble = [
    ...(uid !== undefined && folder.uid !== uid ? ['belongs to another user'] : []),
    ...((folder.mode & 0o077) !== 0 ? ['is open to other users'] : []),
    ...(Buffer.byteLength(join(config.bellDir, '1234567-0.sock')) > 103 ? ['has too long a path for sockets'] : []),
  ];
  if (trouble.length > 0)
    return warn(
      check,
      `${config.bellDir} ${trouble.join(' and ')}`,
      'Waiting calls look twice a second instead of being woken.',
      `rm -r ${config.bellDir}`,
    );
  const pids = entries(config.bellDir).flatMap((path) =>
    path.endsWith('.sock') ? [Number.parseInt(path.slice(config.bellDir.length + 1), 10)] : [],
  );
  const gone = pids.filter((pid) => !isAlive(pid)).length;
  return ok(
    check,
    `${counted(pids.length - gone, 'process listens', 'processes listen')}${gone === 0 ? '' : `; ${gone} left a bell behind, which the next commit clears`}`,
  );
}

/** `bornAt`: when the hub came to be, if that could be read. */
export function checkBackups(config: Config, { now }: Probes, bornAt: number | undefined): Finding {
  const newest = Math.max(
    0,
    ...entries(config.backupDir)
      .filter((path) => path.endsWith('.db'))
      .map((path) => statOf(path)?.mtimeMs ?? 0),
  );
  const hours = Math.floor((now - newest) / 3_600_000);
  if (newest > 0 && now - newest <= BACKUP_MAX_AGE_MS) return ok('backup', `the newest is ${hours} h old`);
  if (newest === 0 && (bornAt === undefined || now - bornAt <= BACKUP_MAX_AGE_MS))
    return ok('backup', 'none yet; the hub is younger than a day');
  return warn(
    'backup',
    newest === 0 ? 'there is none' : `the newest is ${hours} h old`,
    'A damaged disk takes everything since with it.',
    'rookery backup',
  );
}

export function checkLog(config: Config): Finding {
  const check = 'log';
  if (config.logFile === undefined) return ok(check, `level ${config.logLevel}, to standard error`);
  try {
    closeSync(openSync(config.logFile, 'a', 0o600));
    return ok(check, `level ${config.logLevel}, to ${config.logFile}`);
  } catch (error) {
    return warn(
      check,
      `${config.logFile} cannot be written: ${wordsOf(error)}`,
      'The log goes to standard error instead (log_write_failures).',
      'Correct logFile: rookery config --explain',
    );
  }
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder).map((name) => join(folder, name));
  } catch {
    return [];
  }
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}
