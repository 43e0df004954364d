// From a configuration to a running hub: the database, the services, the scheduler. Every command and server begins here.

import { clientSurroundings } from './clients/surroundings.ts';
import type { Config } from './config.ts';
import { createHub, type Hub } from './hub/hub.ts';
import { effectiveLimits } from './hub/limits.ts';
import { priceTable } from './hub/prices.ts';
import { dutiesOf } from './scheduler/duties.ts';
import { Scheduler } from './scheduler/scheduler.ts';
import type { Db } from './store/db.ts';
import { openSqlite } from './store/sqlite.ts';
import { systemClock } from './system/clock.ts';
import { systemHost } from './system/host.ts';
import { systemIds } from './system/ids.ts';
import { type Log, logWriteFailures } from './system/log.ts';
import { systemFiles } from './system/project-files.ts';
import { RegisteredWakes } from './wake/registered.ts';

/** Opens the hub that the configuration names, creating and migrating its database as needed. */
export async function openHub(config: Config): Promise<Hub> {
  const db = await openDatabase(config);
  const limits = effectiveLimits(Object.fromEntries(Object.entries(config.limits).filter(([, value]) => value !== undefined)));
  const policy = {
    approvals: config.approvals,
    guard: config.guard,
    relatedCapabilities: config.relatedCapabilities,
    prices: priceTable(config.prices),
  };
  return await createHub({
    db,
    clock: systemClock,
    ids: systemIds(systemClock),
    limits,
    policy,
    surroundings: clientSurroundings(systemClock),
    host: systemHost,
    files: systemFiles,
    notices: logNotices,
  });
}

/** PostgreSQL where a URL names one, else the file of this user's hub; the driver that is not used is not loaded. */
async function openDatabase(config: Config): Promise<Db> {
  const clock = systemClock;
  if (config.databaseUrl !== undefined) {
    const { openPostgres } = await import('./store/postgres-open.ts');
    return await openPostgres({ url: config.databaseUrl, connections: config.databaseConnections, clock });
  }
  const { databasePath: path, bellDir, backupDir, allowNetworkFs } = config;
  return await openSqlite({ path, bellDir, backupDir, allowNetworkFs, clock });
}

/** The hub with its clockwork, not yet started. */
export async function openWithScheduler(config: Config, log: Log): Promise<{ hub: Hub; scheduler: Scheduler }> {
  const hub = await openHub(config);
  const wakes = new RegisteredWakes({ hub, log, settings: config });
  const duty = { name: 'wake registered agents', everyMs: 2_000, nextDue: () => wakes.nextDue(), run: () => wakes.run() };
  const scheduler = new Scheduler(hub, [...dutiesOf(hub), duty], systemClock, log);
  scheduler.alsoStop(() => wakes.close());
  return { hub, scheduler };
}

function logNotices(): string[] {
  const failures = logWriteFailures();
  return failures === 0 ? [] : [`The log of this process could not be written ${failures} times (log_write_failures): check logFile.`];
}
