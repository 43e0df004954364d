// The engines that every behavioural test runs on, and a hub on a fresh database of each.

import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { describe } from 'vitest';
import type { Caller } from '../../src/hub/caller.ts';
import type { Clock } from '../../src/hub/clock.ts';
import type { Host } from '../../src/hub/host.ts';
import { createHub, type Hub } from '../../src/hub/hub.ts';
import { effectiveLimits, type LimitName } from '../../src/hub/limits.ts';
import type { Policy } from '../../src/hub/policy.ts';
import type { Project } from '../../src/hub/projects.ts';
import type { Attachment } from '../../src/hub/sessions.ts';
import type { Surroundings } from '../../src/hub/surroundings.ts';
import type { Db } from '../../src/store/db.ts';
import type { PgPool } from '../../src/store/postgres.ts';
import { openOn, openPostgres } from '../../src/store/postgres-open.ts';
import { openSqlite } from '../../src/store/sqlite.ts';
import { systemClock } from '../../src/system/clock.ts';
import { systemHost } from '../../src/system/host.ts';
import { systemIds } from '../../src/system/ids.ts';
import { systemFiles } from '../../src/system/project-files.ts';
import { cleanup, scratch } from './cleanup.ts';
import { FakeClock } from './fake-clock.ts';
import { emptyPlace, freshPlace, hasPostgres } from './postgres.ts';

export { cleanup, scratch } from './cleanup.ts';

export type Engine = {
  name: 'sqlite' | 'postgres' | 'pglite';
  /** Opens a database; the same `place` opens the same one again. */
  open(clock: Clock, place?: string): Promise<Db>;
};

export const sqlite: Engine = {
  name: 'sqlite',
  open: (clock, place = scratch()) => openSqlite({ path: join(place, 'hub.db'), bellDir: join(place, 'run'), clock }),
};

/** A place is a schema. The engine waits and polls by the real clock, because the server does. */
const places = new Map<string, string>();

/** Where a place that `postgres` opened is. */
export function urlOf(place: string): string {
  return places.get(place) ?? '';
}

export const postgres: Engine = {
  name: 'postgres',
  async open(_clock, place = scratch()) {
    let url = places.get(place);
    if (url === undefined) {
      const fresh = await freshPlace();
      url = fresh.url;
      places.set(place, url);
      cleanup(async () => {
        places.delete(place);
        await emptyPlace(fresh.schema);
      });
    }
    return await openPostgres({ url, clock: systemClock });
  },
};

/** Starting a cluster takes seconds and migrating a second, so a test file shares one; a place is a schema, emptied for the next test. */
let cluster: Promise<PGlite> | undefined;
const schemas = new Map<string, string>();
const free: string[] = [];
let made = 0;

export const pglite: Engine = {
  name: 'pglite',
  async open(_clock, place = scratch()) {
    cluster ??= PGlite.create();
    const pg = await cluster;
    if (!schemas.has(place)) {
      const schema = free.pop() ?? (await freshSchema(pg));
      schemas.set(place, schema);
      cleanup(async () => {
        await tail;
        await emptySchema(pg, schema);
        schemas.delete(place);
        free.push(schema);
      });
    }
    return await openOn(poolOf(pg, schemas.get(place) ?? ''), systemClock);
  },
};

async function freshSchema(pg: PGlite): Promise<string> {
  const schema = `place_${made++}`;
  await pg.exec(`CREATE SCHEMA ${schema}`);
  return schema;
}

async function emptySchema(pg: PGlite, schema: string): Promise<void> {
  const { rows } = await pg.query<{ name: string }>(
    `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = $1 AND table_name <> 'schema_version'`,
    [schema],
  );
  if (rows.length > 0) await pg.exec(`TRUNCATE ${rows.map(({ name }) => `${schema}.${name}`).join(', ')}`);
}

/** The engines there are here: PGlite stands in where no PostgreSQL is installed. */
export const engines: readonly Engine[] = [sqlite, hasPostgres ? postgres : pglite];

/** Describes the same behaviour for every engine. */
export function onEveryEngine(title: string, suite: (engine: Engine) => void): void {
  for (const engine of engines) describe(`${title} [${engine.name}]`, () => suite(engine));
}

export type TestHub = Hub & { fake: FakeClock; db: Db; place: string };

export const PROJECT: Project = { id: 'demo-1', name: 'demo', root: '/work/demo' };
export const OTHER_PROJECT: Project = { id: 'other-2', name: 'other', root: '/work/other' };

/** A hub on a fresh database (or again on `place`) with a clock of its own. */
export async function testHub(
  engine: Engine,
  options: {
    place?: string;
    limits?: Partial<Record<LimitName, number>>;
    clock?: FakeClock;
    host?: Host;
    surroundings?: Surroundings;
    policy?: Policy;
  } = {},
): Promise<TestHub> {
  const fake = options.clock ?? new FakeClock();
  const place = options.place ?? scratch();
  const db = await engine.open(fake, place);
  const hub = await createHub({
    db,
    clock: fake,
    ids: systemIds(fake),
    limits: effectiveLimits(options.limits),
    ...(options.policy === undefined ? {} : { policy: options.policy }),
    host: options.host ?? { ...systemHost, startedAt: 0 },
    ...(options.surroundings === undefined ? {} : { surroundings: options.surroundings }),
    files: systemFiles,
  });
  cleanup(() => hub.close());
  return Object.assign(hub, { fake, db, place });
}

/** Attaches an agent over stdio. */
export function attach(hub: Hub, name: string, more: Partial<Attachment> = {}): Promise<Caller> {
  return hub.sessions.attach({
    project: PROJECT,
    door: 'stdio',
    client: { name: 'test', version: '1' },
    root: '/work/demo',
    name,
    ...more,
  });
}

let tail: Promise<unknown> = Promise.resolve();

/** One connection, lent to one transaction at a time, whatever the schema. Closing a pool leaves the cluster, so that a test can open it again. */
function poolOf(pg: PGlite, schema: string): PgPool {
  return {
    use(work) {
      const result = tail.then(async () => {
        await pg.exec(`SET search_path TO ${schema}`);
        return await work({
          life: { history: '', crash: '' },
          async query(sql, args) {
            const { rows, affectedRows } = await pg.query<Record<string, unknown>>(sql, [...args]);
            return { rows, affected: affectedRows ?? 0 };
          },
          async script(sql) {
            return (await pg.exec(sql)).at(-1)?.rows ?? [];
          },
        });
      });
      tail = result.catch(() => {});
      return result;
    },
    name: `PGlite, schema ${schema}`,
    outcomeOf: async () => 'unknown',
    notices: () => [],
    async close() {},
  };
}
