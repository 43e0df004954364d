// A backup: one consistent, verified, private file. The hub may go on writing meanwhile.
// Invariant (H7): under its final name stands only a copy that was checked whole and synced.

import { existsSync, renameSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Config } from '../config.ts';
import { assertFile } from '../database-place.ts';
import { HubError } from '../hub/errors.ts';
import { SqliteFile } from '../store/sqlite-care.ts';
import { systemClock } from '../system/clock.ts';
import { systemHost } from '../system/host.ts';
import { type Checked, checkFile, type Step } from './check.ts';
import { assertRoom, discard, discardLeft, reserve, stampOf, sync, wholeSizeOf } from './files.ts';

/** Copies the database into `target` (default: a dated file in the backup folder). Errors: `not_found`, `conflict`, `storage_full`, `unavailable`. */
export async function backUp(config: Config, target: string | undefined, step: Step): Promise<Checked> {
  assertFile(config, 'backup', 'PostgreSQL’s own tools do it: pg_dump, or pg_basebackup with an archive of its log (docs/deploying.md).');
  if (!existsSync(config.databasePath))
    throw new HubError('not_found', `There is no hub in ${config.home} yet.`, {
      hint: 'It comes to be with the first session or command.',
    });
  const path = resolve(target ?? join(config.backupDir, `hub-${stampOf(systemClock.now())}.db`));
  if (existsSync(path)) throw new HubError('conflict', `${path} exists already; nothing was written.`, { hint: 'Choose another name.' });
  const copy = `${path}.${systemHost.pid}.tmp`;
  reserve(copy);
  try {
    discardLeft(dirname(path), /^hub-[\dTZ-]+\.db\.(\d+)\.tmp$/);
    assertRoom(dirname(path), wholeSizeOf(config.databasePath));
    const copying = step('copying', 1);
    copyTo(config.databasePath, copy);
    copying.end();
    const checked = await checkFile(copy, step, path);
    if (checked.problems.length > 0) throw damaged(config.databasePath, checked.problems);
    sync(copy);
    renameSync(copy, path);
    sync(dirname(path));
    return checked;
  } catch (error) {
    discard(copy);
    throw error;
  }
}

function copyTo(from: string, to: string): void {
  const file = new SqliteFile(from);
  try {
    file.copyInto(to);
  } finally {
    file.close();
  }
}

function damaged(path: string, problems: readonly string[]): HubError {
  return new HubError('unavailable', `${path} is damaged (${problems[0]}); its copy was not kept.`, {
    hint: 'Run rookery verify for all findings, then rookery restore FILE with the newest older backup.',
  });
}
