// The doctor on the machine: Node, the native part of SQLite, its version, the file system, the room on the disk.

import { existsSync } from 'node:fs';
import type { Config } from '../config.ts';
import { isOldNode, loadFailure } from '../preflight.ts';
import { BALLAST_BYTES, ballastOf } from '../store/ballast.ts';
import { roomOf } from '../store/sqlite-disk.ts';
import type { Probes } from './doctor.ts';
import { type Finding, fail, ok, unknown, warn, wordsOf } from './finding.ts';

export function checkNode({ nodeVersion }: Probes): Finding {
  return isOldNode(nodeVersion)
    ? fail('node', `Node ${nodeVersion}`, 'Rookery needs Node 20.19 or newer.', 'Install a current Node, then run: npm ci')
    : ok('node', `Node ${nodeVersion}`);
}

/** The native module and the version of SQLite in it. */
export async function checkSqlite({ sqlite }: Probes): Promise<Finding[]> {
  try {
    const { version, trusted } = await sqlite();
    return [
      ok('native_module', 'better-sqlite3 loads'),
      trusted
        ? ok('sqlite_version', `SQLite ${version}`)
        : fail('sqlite_version', `SQLite ${version}`, 'It can corrupt a database that several processes share.', 'npm ci'),
    ];
  } catch (error) {
    const failure = loadFailure(error);
    return [
      fail(
        'native_module',
        failure?.message ?? `better-sqlite3 does not load: ${wordsOf(error)}`,
        'Without it no database can be opened.',
        failure?.hint ?? 'npm ci',
      ),
      unknown('sqlite_version', 'not known without the native module'),
    ];
  }
}

export async function checkFileSystem(config: Config, { fileSystemOf }: Probes): Promise<Finding> {
  const check = 'file_system';
  try {
    const kind = await fileSystemOf(config.home);
    if (kind === 'unknown') return unknown(check, `the file system of ${config.home} cannot be told on this platform`);
    if (kind === 'local') return ok(check, `${config.home} is on a local file system`);
    const what = `${config.home} is on a network file system`;
    const why = 'SQLite’s log needs memory that all its processes share: commits can be lost.';
    return config.allowNetworkFs
      ? warn(check, `${what}, which is allowed`, why, 'Move ROOKERY_HOME to a local disk.')
      : fail(check, what, why, 'Move ROOKERY_HOME to a local disk.');
  } catch (error) {
    return unknown(check, `the file system could not be told: ${wordsOf(error)}`);
  }
}

export function checkDisk(config: Config): Finding {
  try {
    const { free, floor } = roomOf(config.databasePath, config.limits.diskFloorBytes);
    const kept = config.databaseUrl === undefined && existsSync(ballastOf(config.databasePath));
    const what = `${mib(free)} MiB free, the floor is ${mib(floor)} MiB${kept ? `, and ${mib(BALLAST_BYTES)} MiB are kept for rookery prune` : ''}`;
    if (free >= floor) return ok('disk', what);
    const fix = `Free space on the disk of ${config.home}, or run: rookery prune`;
    return warn('disk', what, 'On a full disk nothing is accepted any more.', fix);
  } catch (error) {
    return unknown('disk', `free space could not be told: ${wordsOf(error)}`);
  }
}

function mib(bytes: number): number {
  return Math.floor(bytes / 1_048_576);
}
