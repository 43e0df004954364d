// A hub is moved from one engine to the other and back: the same bytes wherever it is exported, whatever is in it, and however often the import dies.

import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import * as fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { checkFile } from '../../src/care/check.ts';
import { type BringOptions, exportHub, importHub, type Place } from '../../src/care/move.ts';
import { writeMoveFile } from '../../src/care/move-file.ts';
import { isHubError } from '../../src/hub/errors.ts';
import { filesOf } from '../../src/hub-home.ts';
import { migrationsOf, schemaVersion } from '../../src/store/migrate.ts';
import type { MoveTarget } from '../../src/store/moving.ts';
import { PostgresTarget } from '../../src/store/postgres-moving.ts';
import { openPostgres } from '../../src/store/postgres-open.ts';
import { openSqlite } from '../../src/store/sqlite.ts';
import { SqliteSource, SqliteTarget } from '../../src/store/sqlite-moving.ts';
import { systemClock } from '../../src/system/clock.ts';
import { ack, operatorOf, recv, send } from '../support/acts.ts';
import { attach, cleanup, type Engine, postgres, scratch, sqlite, type TestHub, testHub, urlOf } from '../support/engines.ts';
import { emptyPlace, freshPlace, hasPostgres, onServer } from '../support/postgres.ts';
import { FAST, step, World } from '../support/world.ts';

const quiet = () => ({ add: () => {}, end: () => {} });
const NEVER: BringOptions = { dryRun: false, restart: 'never' };

afterEach(() => vi.restoreAllMocks());

const fileAt = (folder = scratch()): Place => ({ ...filesOf(folder), allowNetworkFs: false, databaseUrl: undefined });

async function onFreshServer(): Promise<Place> {
  const { url, schema } = await freshPlace();
  // The place may have been used before: nothing of it is left, as where no hub was.
  await onServer(`DROP SCHEMA IF EXISTS "${schema}" CASCADE`);
  cleanup(() => emptyPlace(schema));
  return { ...fileAt(), databaseUrl: url };
}

const places: { name: string; place: () => Promise<Place>; target: { prototype: MoveTarget } }[] = [
  { name: 'sqlite', place: async () => fileAt(), target: SqliteTarget },
  ...(hasPostgres ? [{ name: 'postgres', place: onFreshServer, target: PostgresTarget }] : []),
];

/** Opens whatever is there as a hub does. */
async function open(place: Place): Promise<void> {
  const { databasePath: path, bellDir, databaseUrl: url } = place;
  const db =
    url === undefined
      ? await openSqlite({ path, bellDir, clock: systemClock })
      : await openPostgres({ url, clock: systemClock, connections: 2 });
  await db.close();
}

const ODD = [
  'plain',
  '"quoted" \\ and {braces}, NULL',
  'line\nbreak\ttab\r',
  'é ß 漢字 🐦 \u2028 \ufeff',
  '',
  "it''s",
  '\\N',
  '[]{}',
  'NULL',
];

/** What agents and the operator leave behind beside their messages and tasks. */
async function furnish(hub: TestHub): Promise<void> {
  const operator = await operatorOf(hub);
  const ana = await attach(hub, 'ana', { takeover: true });
  await attach(hub, 'ben', { takeover: true });
  for (const [n, body] of ODD.entries())
    await send(hub, ana, 'ben', `${n} ${body}`, { key: `odd-${n}`, subject: body.slice(0, 40).trim() });
  await hub.documents.put(ana, { name: 'notes', body: ODD.join('\n'), expectedVersion: 0 }, { tool: 'put_document' });
  await hub.policies.set(operator, { level: 'project' }, 'limits.sendPerMinute', 1_000_000);
  await hub.tokens.create(operator, { agent: 'ana' });
  await hub.enrolments.create(operator, { name: 'dora', description: 'Größe' }, { tool: 'create_agent' });
  await hub.signIns.offer(operator);
  await hub.checkpoints.save(ana, { currentTask: ODD[3] ?? '', decisions: [...ODD] }, { tool: 'save_checkpoint' });
  await hub.usage.report(ana, 80, { tool: 'report_usage' });
  await hub.taskTemplates.put(
    operator,
    'release',
    { request: {}, steps: [{ key: 'a', after: [], request: { title: 'A' } }] },
    { tool: 'create_template' },
  );
  await hub.tasks.create(ana, { title: 'signed', external: true, labels: ['x'] }, { tool: 'create_task' });
  const moment = { turnKey: 'turn-1', at: hub.fake.now() };
  await hub.turns.begin(ana, moment, null);
  const use = { id: 'use-1', tool: 'Read', args: {}, cwd: '/', subAgent: '' };
  await hub.toolUses.start(ana, use, moment);
  await hub.toolUses.end(ana, use, moment, 'ok', 12);
  await hub.turns.end(ana, { ...moment, at: hub.fake.now() + 5 }, 'completed', null);
  await hub.wakeDoors.open(ana, 'monitor');
  const { receipt } = await recv(hub, await attach(hub, 'ben', { takeover: true }), { max: 2 });
  if (typeof receipt === 'string') await ack(hub, await attach(hub, 'ben', { takeover: true }), { receipt }).catch(() => {});
  hub.calls.record({ ...ana, tool: 'send', startedAt: hub.fake.now(), durationMs: 3, code: 'ok', inputBytes: 1, outputBytes: 2 } as never);
  await hub.calls.flush();
}

/** A hub on `engine` in which agents did `steps`; answers where it is. */
async function lived(
  engine: Engine,
  place: Place,
  steps: readonly { act: number; who: number; whom: number; pick: number }[],
): Promise<Place> {
  const hub = await testHub(engine, { place: place.home, limits: { ...FAST, sweepBatch: 7 } });
  const world = new World(hub);
  await world.start();
  for (const one of steps) await world.take(one);
  await furnish(hub);
  await hub.close();
  return place;
}

const text = (path: string) => readFileSync(path, 'utf8');
const out = (name: string) => join(scratch(), name);

async function exported(place: Place): Promise<string> {
  const file = out('hub.ndjson');
  await exportHub(place, file, quiet);
  return file;
}

it('exports the same bytes from every engine, and there and back', { timeout: 300_000 }, async () => {
  const filled = new Set<string>();
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 30, maxLength: 80 }), async (steps) => {
      const from = await lived(sqlite, fileAt(), steps);
      const file = await exported(from);
      for (const { place } of places) {
        const there = await place();
        const brought = await importHub(there, file, NEVER, quiet);
        for (const [table, n] of Object.entries(brought.rows)) if (n > 0) filled.add(table);
        await open(there);
        const again = await exported(there);
        expect(text(again)).toBe(text(file));
        const back = fileAt();
        await importHub(back, again, NEVER, quiet);
        await open(back);
        expect(text(await exported(back))).toBe(text(file));
      }
    }),
    { numRuns: 4, endOnFailure: true },
  );
  expect(filled.size).toBeGreaterThan(30);
});

/** Dies at the n-th step of an import, before it or after it; answers false where there is no n-th step. */
async function dieAt(target: { prototype: MoveTarget }, n: number, after: boolean, run: () => Promise<unknown>): Promise<boolean> {
  let steps = 0;
  const { prototype } = target;
  for (const name of ['begin', 'put', 'settle', 'finish'] as const) {
    const real = prototype[name] as (...args: unknown[]) => Promise<void>;
    vi.spyOn(prototype, name).mockImplementation(async function (this: MoveTarget, ...args: unknown[]) {
      steps += 1;
      if (steps === n && !after) throw new Error('killed');
      await real.apply(this, args);
      if (steps === n) throw new Error('killed');
    });
  }
  try {
    await run();
    return false;
  } catch (error) {
    if (!(error instanceof Error && error.message === 'killed')) throw error;
    return true;
  } finally {
    vi.restoreAllMocks();
  }
}

describe.each(places)('an import into $name', ({ name, place, target }) => {
  it('goes on wherever it was killed, and opens for no hub before its end', { timeout: 300_000 }, async () => {
    const file = await exported(await lived(sqlite, fileAt(), []));
    const deaths = { before: 0, after: 0 };
    for (const after of [false, true])
      for (let n = 1; ; n += name === 'postgres' ? 13 : 6) {
        const there = await place();
        if (!(await dieAt(target, n, after, () => importHub(there, file, NEVER, quiet)))) break;
        deaths[after ? 'after' : 'before'] += 1;
        const opened = await open(there).then(
          () => 'opened',
          (error: unknown) => (isHubError(error) ? `${error.code}: ${error.message}` : String(error)),
        );
        // Either nothing was begun or all is over: what is between opens for nobody.
        if (opened !== 'opened') expect(opened).toMatch(/^unavailable: An import into .* is not finished/);
        if (opened === 'opened' && n > 1) {
          expect(text(await exported(there))).toBe(text(file));
          continue;
        }
        const { state } = await importHub(there, file, NEVER, quiet);
        expect(state.is).toBe(opened === 'opened' ? 'empty' : 'unfinished');
        expect(text(await exported(there))).toBe(text(file));
      }
    expect(deaths.before).toBeGreaterThan(2);
    expect(deaths.after).toBeGreaterThan(2);
  });

  it('is refused where a hub is, where another file was begun, and where two do it at once', { timeout: 120_000 }, async () => {
    const file = await exported(await lived(sqlite, fileAt(), []));
    const other = await exported(await lived(sqlite, fileAt(), [{ act: 0, who: 0, whom: 1, pick: 0 }]));
    const there = await place();
    expect((await importHub(there, file, { ...NEVER, dryRun: true }, quiet)).state).toEqual({ is: 'absent' });
    expect((await importHub(there, file, { ...NEVER, dryRun: true }, quiet)).state).toEqual({ is: 'absent' });
    await dieAt(target, 3, true, () => importHub(there, file, NEVER, quiet));
    await expect(importHub(there, other, NEVER, quiet)).rejects.toMatchObject({
      code: 'conflict',
      hint: expect.stringContaining('--restart'),
    });
    expect((await importHub(there, file, { ...NEVER, dryRun: true }, quiet)).state).toMatchObject({
      is: 'unfinished',
      done: expect.any(Number),
    });
    // Both go on from the same line: one of them is told that it was overtaken.
    const both = await Promise.allSettled([importHub(there, file, NEVER, quiet), importHub(there, file, NEVER, quiet)]);
    expect(both.map(({ status }) => status)).toContain('rejected');
    for (const one of both) if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'conflict' });
    if (both.every(({ status }) => status === 'rejected')) await importHub(there, file, NEVER, quiet);
    expect(text(await exported(there))).toBe(text(file));
    await expect(importHub(there, file, NEVER, quiet)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('messages'),
    });
    expect(text(await exported(there))).toBe(text(file));
  });

  it('begins anew when told so, and finds out what else was written there', { timeout: 120_000 }, async () => {
    const file = await exported(await lived(sqlite, fileAt(), []));
    const other = await exported(await lived(sqlite, fileAt(), [{ act: 0, who: 0, whom: 1, pick: 0 }]));
    const there = await place();
    await dieAt(target, 9, true, () => importHub(there, other, NEVER, quiet));
    const real = target.prototype.settle;
    vi.spyOn(target.prototype, 'settle').mockImplementationOnce(async function (this: MoveTarget) {
      await real.call(this);
      const sweeps = (await this.tables()).find((table) => table.name === 'sweeps');
      const row: Record<string, string | number> = { scope: 'stranger', due_at: 1, swept: '{}' };
      const done = await doneOf(this);
      if (sweeps !== undefined) await this.put(sweeps, [sweeps.columns.map((column) => row[column.name] ?? null)], done, done);
    });
    await expect(importHub(there, file, { ...NEVER, restart: 'always' }, quiet)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('rows of sweeps'),
    });
    await expect(open(there)).rejects.toMatchObject({ message: expect.stringContaining('not finished') });
    await importHub(there, file, { ...NEVER, restart: 'always' }, quiet);
    expect(text(await exported(there))).toBe(text(file));
  });
});

async function doneOf(target: MoveTarget): Promise<number> {
  const state = await target.look();
  return state.is === 'unfinished' ? state.done : -1;
}

it.each(places)(
  'takes the rows of an older schema into $name, which its next start brings up to date',
  { timeout: 120_000 },
  async ({ place }) => {
    const older = schemaVersion('sqlite') - 1;
    const path = join(scratch(), 'old.db');
    const db = new Database(path);
    for (const { version, sql } of migrationsOf('sqlite')) if (version <= older) db.exec(sql);
    db.exec(`INSERT INTO projects (id, name, root, created_at, clock_at, event_seq, event_hash) VALUES ('p', 'old', '/', 1, 1, 0, '')`);
    const file = out('old.ndjson');
    await writeMoveFile(file, new SqliteSource(db, older), () => {});
    db.close();
    const there = await place();
    await importHub(there, file, NEVER, quiet);
    await open(there);
    const [header] = text(await exported(there)).split('\n');
    expect(JSON.parse(header ?? '')).toMatchObject({ schema: older + 1 });
    expect(text(await exported(there))).toContain('"old"');
    // Where a newer hub is already, even an empty one, its tables are not those of the file.
    const newer = await place();
    await open(newer);
    await expect(importHub(newer, file, NEVER, quiet)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('schema'),
    });
  },
);

it('refuses what is cut off, altered, newer or foreign, and changes nothing', async () => {
  const file = await exported(await lived(sqlite, fileAt(), []));
  const lines = text(file).trimEnd().split('\n');
  const there = fileAt();
  const bad = async (name: string, content: string) => {
    const path = out(name);
    writeFileSync(path, content);
    const error: unknown = await importHub(there, path, NEVER, quiet).catch((thrown: unknown) => thrown);
    expect(existsSync(there.databasePath)).toBe(false);
    return isHubError(error) ? `${error.code} ${error.message} ${error.hint}` : error;
  };
  const joined = (given: readonly string[]) => `${given.join('\n')}\n`;
  expect(await bad('cut', joined(lines.slice(0, -1)))).toContain('cut off');
  expect(await bad('half', text(file).slice(0, -40))).toContain('cut off');
  expect(await bad('altered', text(file).replace('plain', 'plaim'))).toContain('altered');
  expect(await bad('fewer', joined(lines.filter((line) => !line.includes('plain'))))).toContain('altered');
  expect(await bad('newer', joined(['{"rookery_export":2,"kind":"hub","schema":1}', ...lines.slice(1)]))).toMatch(
    /^unavailable .*version 2.*Update Rookery/,
  );
  const schema = text(file).replace(/"schema":\d+/, '"schema":999');
  const digest = createHash('sha256')
    .update(schema.slice(0, schema.lastIndexOf('{"end"')))
    .digest('hex');
  expect(await bad('schema', schema.replace(/"digest":"\w+"/, `"digest":"${digest}"`))).toMatch(
    /^unavailable .*schema 999.*Update Rookery/,
  );
  expect(await bad('profile', '{"rookery_export":1,"kind":"profile"}\n{"end":true}\n')).toMatch(/^invalid_input/);
});

it('is one moment of a hub that goes on, whatever is written meanwhile', { timeout: 120_000 }, async () => {
  for (const [engine, given] of [[sqlite, fileAt()] as const, ...(hasPostgres ? [[postgres, await onFreshServer()] as const] : [])]) {
    const hub = await testHub(engine, { place: given.home, limits: FAST });
    const url = engine === postgres ? urlOf(given.home) : undefined;
    const place = { ...given, databaseUrl: url };
    const ana = await attach(hub, 'ana');
    await attach(hub, 'ben');
    let over = false;
    let sent = 0;
    const sender = async () => {
      while (!over) await send(hub, ana, 'ben', `${sent++}`, { key: `k${sent}` });
    };
    const senders = Promise.all(Array.from({ length: 4 }, sender));
    const files: string[] = [];
    for (let n = 0; n < 3; n++) {
      files.push(await exported(place));
      await new Promise((resolve) => setImmediate(resolve));
    }
    over = true;
    await senders;
    files.push(await exported(place));
    for (const file of files) {
      const there = fileAt();
      await importHub(there, file, NEVER, quiet);
      const { problems } = await checkFile(there.databasePath, quiet);
      expect(problems).toEqual([]);
    }
    expect(text(files[0] ?? '').length).toBeLessThan(text(files[3] ?? '').length);
    await hub.close();
  }
});
