// A hub for one short visit, such as a hook's: on a database that is there and up to date, without duties and without a log. It opens in a
// fraction of the time that a server takes to start.

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { clientSurroundings } from './clients/surroundings.ts';
import type { Config } from './config.ts';
import { createHub, type Hub } from './hub/hub.ts';
import { effectiveLimits } from './hub/limits.ts';
import { DEFAULT_POLICY } from './hub/policy.ts';
import type { HubFiles } from './hub-home.ts';
import type { Db } from './store/db.ts';
import { openSqlite } from './store/sqlite.ts';
import { systemClock } from './system/clock.ts';
import { systemHost } from './system/host.ts';
import { systemIds } from './system/ids.ts';
import { systemFiles } from './system/project-files.ts';

/** A visit does one thing after the other. */
const GUEST_CONNECTIONS = 2;

/** `config`: what is configured; undefined where nothing is. Throws `unavailable` where there is no hub, or its database is of another schema. */
export async function openAsGuest({ databasePath: path, bellDir }: HubFiles, config: Config | undefined): Promise<Hub> {
  const db = await openDatabase(path, bellDir, config);
  const parts = {
    db,
    clock: systemClock,
    ids: systemIds(systemClock),
    limits: effectiveLimits(Object.fromEntries(Object.entries(config?.limits ?? {}).filter(([, value]) => value !== undefined))),
    host: systemHost,
    files: systemFiles,
    surroundings: clientSurroundings(systemClock),
  };
  if (config === undefined) return await createHub(parts);
  const { approvals, guard, relatedCapabilities } = config;
  return await createHub({ ...parts, policy: { ...DEFAULT_POLICY, approvals, guard, relatedCapabilities } });
}

async function openDatabase(path: string, bellDir: string, config: Config | undefined): Promise<Db> {
  const clock = systemClock;
  if (config?.databaseUrl !== undefined) {
    const { openPostgres } = await import('./store/postgres-open.ts');
    return await openPostgres({ url: config.databaseUrl, clock, connections: GUEST_CONNECTIONS, asGuest: true });
  }
  return await openSqlite({
    path,
    bellDir,
    clock,
    asGuest: true,
    nativePart: nativePart(),
    allowNetworkFs: config?.allowNetworkFs === true,
  });
}

/** Where its installation puts the native part of SQLite; undefined where it is elsewhere, and then searched for. */
function nativePart(): string | undefined {
  try {
    const lib = dirname(createRequire(import.meta.url).resolve('better-sqlite3'));
    const path = join(lib, '..', 'build', 'Release', 'better_sqlite3.node');
    return existsSync(path) ? path : undefined;
  } catch {
    return undefined;
  }
}
