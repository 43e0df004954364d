// What all processes share, told by the one that serves: the census of the hub (hub/census.ts), and the files of its database. Looking at the
// census also reports what happened since the last look, so its counters are up to date in the same collection.

import { existsSync, readdirSync, statfsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Config } from '../config.ts';
import { type Hub, VERSION } from '../hub/hub.ts';
import { seconds } from '../hub/telemetry.ts';
import type { Instruments, Observed } from './instruments.ts';

type Files = Pick<Config, 'databasePath' | 'backupDir'>;

export async function observeShared(instruments: Instruments, hub: Hub, files: Files): Promise<void> {
  await hub.census.begin();
  instruments.begin('hub');
  const { engine } = hub.context.db;
  instruments.gauges('hub', async () => {
    const { counted, oldestUnackedMs } = await hub.census.look();
    return [
      { name: 'hub.build_info', value: 1, attributes: { version: VERSION, engine, schema: hub.schema } },
      ...counted.flatMap(toObserved),
      { name: 'hub.oldest_unacked', value: seconds(oldestUnackedMs) },
      { name: 'hub.scheduler.heartbeat_timestamp', value: seconds(await hub.beatAt()) },
      ...(await roomOf(hub.context, files)),
    ];
  });
}

function toObserved({ what, state, n }: { what: string; state: string; n: number }): Observed[] {
  if (what === 'delivery') return [{ name: 'hub.inbox.messages', value: n, attributes: { state } }];
  if (what === 'session') return [{ name: 'hub.sessions', value: n, attributes: { door: state } }];
  if (what === 'task') return [{ name: 'hub.tasks', value: n, attributes: { state } }];
  return [{ name: 'hub.obligations', value: n, attributes: { kind: what, state } }];
}

/** The engine knows its sizes; the disk and the backups of a server elsewhere are its own. */
async function roomOf({ db }: Hub['context'], { databasePath, backupDir }: Files): Promise<Observed[]> {
  const { bytes, walBytes } = await db.describe();
  const sizes: Observed[] = [{ name: 'hub.db', value: bytes }];
  if (db.engine !== 'sqlite' || !existsSync(databasePath)) return sizes;
  const { bavail, bsize } = statfsSync(dirname(databasePath));
  const backup = newest(backupDir);
  return [
    ...sizes,
    { name: 'hub.wal', value: walBytes ?? 0 },
    { name: 'hub.disk.free', value: bavail * bsize },
    ...(backup === undefined ? [] : [{ name: 'hub.backup.last_success_timestamp', value: seconds(backup) } as const]),
  ];
}

/** When the newest file of a folder was written; undefined without one. */
function newest(folder: string): number | undefined {
  try {
    const times = readdirSync(folder).map((name) => statSync(join(folder, name)).mtimeMs);
    return times.length === 0 ? undefined : Math.max(...times);
  } catch {
    return undefined; // there has been no backup
  }
}
