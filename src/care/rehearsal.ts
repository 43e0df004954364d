// A copy of the database to try something on: what it would do is then seen exactly, and the hub is neither changed nor held up.

import { dirname, join } from 'node:path';
import type { Config } from '../config.ts';
import { SqliteFile } from '../store/sqlite-care.ts';
import { systemHost } from '../system/host.ts';
import { assertRoom, discardFolder, discardLeft, reserve, wholeSizeOf } from './files.ts';

/** Runs `work` with a configuration that names a private copy, which is gone afterwards. */
export async function onCopy<T>(config: Config, work: (config: Config) => Promise<T>): Promise<T> {
  const copy = join(dirname(config.databasePath), `rehearsal-${systemHost.pid}`, 'hub.db');
  reserve(copy);
  try {
    discardLeft(dirname(config.databasePath), /^rehearsal-(\d+)$/);
    assertRoom(dirname(copy), 3 * wholeSizeOf(config.databasePath));
    const file = new SqliteFile(config.databasePath);
    try {
      file.copyInto(copy);
    } finally {
      file.close();
    }
    return await work({ ...config, databasePath: copy, backupDir: dirname(copy), bellDir: join(dirname(copy), 'run') });
  } finally {
    discardFolder(dirname(copy));
  }
}
