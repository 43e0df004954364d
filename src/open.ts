// From a configuration to a running hub: the database, the services, the scheduler. Every command and server begins here.

import { clientSurroundings } from './clients/surroundings.ts';
import type { Config } from './config.ts';
import { counted } from './hub/counted.ts';
import { createHub, type Hub } from './hub/hub.ts';
import { effectiveLimits } from './hub/limits.ts';
import { DEFAULT_POLICY } from './hub/policy.ts';
import { priceTable } from './hub/prices.ts';
import { NO_SLOW_LOG, type SlowLog } from './hub/slow-log.ts';
import { NO_TELEMETRY, seconds, type Telemetry } from './hub/telemetry.ts';
import { type Duty, dutiesOf } from './scheduler/duties.ts';
import { Scheduler } from './scheduler/scheduler.ts';
import { layBallast } from './store/ballast.ts';
import type { Db, DbObserver } from './store/db.ts';
import { openSqlite } from './store/sqlite.ts';
import { systemClock } from './system/clock.ts';
import { systemHost } from './system/host.ts';
import { systemIds } from './system/ids.ts';
import type { Log } from './system/log.ts';
import { logWriteFailures } from './system/log-failures.ts';
import { systemFiles } from './system/project-files.ts';
import { slowLog } from './system/slow-log.ts';
import { RegisteredWakes } from './wake/registered.ts';

const BALLAST_MS = 60_000;

/** Opens the hub that the configuration names, creating and migrating its database as needed. */
/** `watch`: who is told how it does; a command that is over soon tells nobody. */
export async function openHub(config: Config, watch?: { log: Log; telemetry: Telemetry }): Promise<Hub> {
  const telemetry = watch?.telemetry ?? NO_TELEMETRY;
  const slow = watch && slowLog(watch.log, systemClock, { callMs: config.slowCallMs, queryMs: config.slowQueryMs });
  const db = await openDatabase(config, watch && observerOf(telemetry, slow ?? NO_SLOW_LOG));
  const limits = effectiveLimits(Object.fromEntries(Object.entries(config.limits).filter(([, value]) => value !== undefined)));
  const policy = {
    approvals: config.approvals,
    guard: config.guard,
    wake: DEFAULT_POLICY.wake,
    agent: DEFAULT_POLICY.agent,
    tools: DEFAULT_POLICY.tools,
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
    telemetry,
    ...(slow === undefined ? {} : { slowLog: slow }),
  });
}

/** PostgreSQL where a URL names one, else the file of this user's hub; the driver that is not used is not loaded. */
async function openDatabase(config: Config, observer: DbObserver | undefined): Promise<Db> {
  const clock = systemClock;
  if (config.databaseUrl !== undefined) {
    const { openPostgres } = await import('./store/postgres-open.ts');
    return await openPostgres({ url: config.databaseUrl, connections: config.databaseConnections, clock, observer });
  }
  const { databasePath: path, bellDir, backupDir, allowNetworkFs } = config;
  return await openSqlite({ path, bellDir, backupDir, allowNetworkFs, diskFloorBytes: config.limits.diskFloorBytes, clock, observer });
}

/** The hub with its clockwork, not yet started. */
export async function openWithScheduler(
  config: Config,
  log: Log,
  telemetry: Telemetry = NO_TELEMETRY,
): Promise<{ hub: Hub; scheduler: Scheduler }> {
  const hub = await openHub(config, { log, telemetry });
  const wakes = new RegisteredWakes({ hub, log, settings: config });
  const duty = { name: 'wake registered agents', everyMs: 2_000, nextDue: () => wakes.nextDue(), run: () => wakes.run() };
  const duties = [...dutiesOf(hub), duty, ...(config.databaseUrl === undefined ? [keepBallast(config)] : [])];
  const scheduler = new Scheduler(hub, duties, systemClock, log);
  scheduler.alsoStop(() => wakes.close());
  return { hub, scheduler };
}

/** Not at once: what is over in a minute needs none. */
function keepBallast({ databasePath, limits }: Config): Duty {
  const since = systemClock.monotonic();
  const run = async () => {
    if (systemClock.monotonic() - since >= BALLAST_MS) layBallast(databasePath, limits.diskFloorBytes);
  };
  return { name: 'keep room for a full disk', everyMs: BALLAST_MS, run };
}

/** The engine's own words as numbers and as slow lines. */
function observerOf(telemetry: Telemetry, slow: SlowLog): DbObserver {
  return {
    slowMs: slow.queryMs,
    committed(writes, waitedMs, heldMs) {
      telemetry.record('hub.db.commit', seconds(heldMs));
      telemetry.record('hub.db.commit_writes', writes);
      for (const ms of waitedMs) telemetry.record('hub.db.write_wait', seconds(ms));
    },
    busy: () => telemetry.count('hub.db.busy'),
    slow(sql, ms) {
      slow.tell('query', sql, ms);
      telemetry.count('hub.slow', 1, { kind: 'query' });
    },
  };
}

function logNotices(): string[] {
  const failures = logWriteFailures();
  return failures === 0
    ? []
    : [`The log of this process could not be written ${counted(failures, 'time')} (log_write_failures): check logFile.`];
}
