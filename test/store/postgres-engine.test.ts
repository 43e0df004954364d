// The PostgreSQL engine where it differs: several processes and hosts, connections that break, and what is then said of a write.

import { createServer, connect as dial, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import type { Db, DbObserver } from '../../src/store/db.ts';
import { openPostgres } from '../../src/store/postgres-open.ts';
import { pgSettings } from '../../src/store/postgres-settings.ts';
import { systemClock } from '../../src/system/clock.ts';
import { cleanup, scratch } from '../support/engines.ts';
import { emptyPlace, freshPlace, hasPostgres, onServer } from '../support/postgres.ts';

async function openTwice(): Promise<{ one: Db; two: Db; url: string; schema: string }> {
  const { url, schema } = await freshPlace();
  cleanup(() => emptyPlace(schema));
  const [one, two] = [await open(url), await open(url)];
  return { one, two, url, schema };
}

async function open(url: string, connections = 10): Promise<Db> {
  const db = await openPostgres({ url, clock: systemClock, connections });
  cleanup(() => db.close());
  return db;
}

const addProject = (db: Db, id: string) =>
  db.write(id, (tx) =>
    tx.run(`INSERT INTO projects (id, name, root, created_at, clock_at, event_seq, event_hash) VALUES (?, 'p', '/p', 1, 1, 0, '')`, id),
  );
/** Something that is waited for until it is told. */
function signal(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

const seqOf = async (db: Db, id: string) =>
  Number((await db.read((read) => read.get('SELECT event_seq FROM projects WHERE id = ?', id)))?.event_seq);

/** Reads, then writes what it read and one more: it loses counts unless writes of a project are one after the other. */
const count = (db: Db, id: string) =>
  db.write(id, async (tx) => {
    const seq = Number((await tx.get('SELECT event_seq FROM projects WHERE id = ?', id))?.event_seq);
    await tx.run('UPDATE projects SET event_seq = ? WHERE id = ?', seq + 1, id);
    return seq + 1;
  });

describe.runIf(hasPostgres)('PostgreSQL', () => {
  it('puts the writes of a project in one order, whichever hub they come from', async () => {
    const { one, two } = await openTwice();
    await addProject(one, 'p');
    const counted = await Promise.all(Array.from({ length: 200 }, (_, n) => count(n % 2 === 0 ? one : two, 'p')));
    expect(counted.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 200 }, (_, n) => n + 1));
    expect(await seqOf(two, 'p')).toBe(200);
  });

  it('tells how long writes waited and the lock was held, how many shared it, and which statement was slow', async () => {
    const { one, url } = await openTwice();
    await addProject(one, 'p');
    const commits: { writes: number; waited: readonly number[]; held: number }[] = [];
    const slow: string[] = [];
    const observer: DbObserver = {
      committed: (writes, waited, held) => void commits.push({ writes, waited, held }),
      busy() {},
      slowMs: 150,
      slow: (sql, ms) => void slow.push(`${sql} ${ms >= 150}`),
    };
    const two = await openPostgres({ url, clock: systemClock, connections: 4, observer });
    cleanup(() => two.close());
    const holds = signal();
    const holding = one.write('p', async (tx) => {
      await tx.run('UPDATE projects SET event_seq = 1');
      holds.resolve();
      await tx.get('SELECT pg_sleep(0.3)');
    });
    await holds.promise;
    await Promise.all([holding, count(two, 'p'), count(two, 'p'), count(two, 'p')]);
    expect(commits).toMatchObject([{ writes: 3 }]);
    // They waited for another hub's lock, which is no statement's own time.
    for (const ms of commits[0]?.waited ?? []) expect(ms).toBeGreaterThan(100);
    expect(commits[0]?.held).toBeGreaterThan(0);
    expect(slow).toEqual([]);
    await two.write('p', (tx) => tx.run('UPDATE projects SET event_seq = 9 + length(pg_sleep(0.2)::text)'));
    expect(slow).toEqual(['UPDATE projects SET event_seq = 9 + length(pg_sleep(0.2)::text) true']);
  });

  it('lets a write of one project pass while another project is held', async () => {
    const { one, two } = await openTwice();
    await addProject(one, 'held');
    await addProject(one, 'free');
    const gate = signal();
    const inside = signal();
    const held = one.write('held', async (tx) => {
      await tx.get('SELECT 1 AS one');
      inside.resolve();
      await gate.promise;
    });
    await inside.promise;
    expect(await count(two, 'free')).toBe(1);
    gate.resolve();
    await held;
  });

  it('gives way to a project with what concerns the whole hub, and does it afterwards', async () => {
    const { one, two } = await openTwice();
    await addProject(one, 'p');
    const touched = signal();
    const attempts = vi.fn();
    const both = Promise.all([
      one.write('p', async (tx) => {
        await tx.run(`UPDATE projects SET name = 'mine' WHERE id = 'p'`);
        touched.resolve();
        await vi.waitUntil(() => attempts.mock.calls.length > 1);
      }),
      touched.promise.then(() =>
        two.write('', async (tx) => {
          attempts();
          await tx.run(`UPDATE projects SET root = '/hub' WHERE id = 'p'`);
        }),
      ),
    ]);
    await both;
    expect(await one.read((read) => read.get('SELECT name, root FROM projects'))).toEqual({ name: 'mine', root: '/hub' });
  });

  it('undoes one failing change of a shared commit alone', async () => {
    const { one } = await openTwice();
    await addProject(one, 'p');
    const outcomes = await Promise.allSettled(
      Array.from({ length: 12 }, (_, n) =>
        one.write('p', async (tx) => {
          await tx.run('UPDATE projects SET event_seq = event_seq + 1 WHERE id = ?', 'p');
          if (n === 5) throw new Error('not this one');
          if (n === 7) await tx.run('INSERT INTO projects (id) VALUES (NULL)').catch(() => 0); // even if its failure is ignored
        }),
      ),
    );
    expect(outcomes.flatMap(({ status }, n) => (status === 'rejected' ? [n] : []))).toEqual([5, 7]);
    expect(await seqOf(one, 'p')).toBe(10);
  });

  it('wakes who waits at another hub, and again after its connections were cut', async () => {
    const { one, two, schema } = await openTwice();
    const heard = vi.fn();
    two.onChange(heard);
    two.listen(true);
    await addProject(one, 'p');
    await vi.waitUntil(() => heard.mock.calls.length > 0);
    await onServer(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND query LIKE '%LISTEN%'`);
    expect(schema).not.toBe('');
    await vi.waitUntil(async () => {
      const before = heard.mock.calls.length;
      await count(one, 'p');
      await systemClock.sleep(5);
      return heard.mock.calls.length > before;
    });
  });

  it('says of a write whose connection is cut before the commit that nothing was changed, and goes on', async () => {
    const { one, schema } = await openTwice();
    await addProject(one, 'p');
    const cut = one.write('p', async (tx) => {
      await tx.run('UPDATE projects SET event_seq = 5 WHERE id = ?', 'p');
      const pid = Number((await tx.get('SELECT pg_backend_pid() AS pid'))?.pid);
      await onServer(`SELECT pg_terminate_backend(${pid})`);
      await tx.run('UPDATE projects SET event_seq = 6 WHERE id = ?', 'p');
    });
    await expect(cut).rejects.toMatchObject({ code: 'unavailable', message: expect.stringContaining('nothing was changed') });
    expect(await seqOf(one, 'p')).toBe(0);
    expect(await count(one, 'p')).toBe(1);
    expect(schema).not.toBe('');
  });

  it('finds out what became of a commit whose answer was lost', async () => {
    const { one, url } = await openTwice();
    await addProject(one, 'p');
    const way = await openWay(url);
    const far = await open(way.url);
    await count(far, 'p');
    way.cut = 'after the commit';
    expect(await count(far, 'p')).toBe(2);
    expect(await seqOf(one, 'p')).toBe(2);
    way.cut = 'before the commit';
    await expect(count(far, 'p')).rejects.toMatchObject({ code: 'unavailable', message: expect.stringContaining('nothing was changed') });
    expect(await seqOf(one, 'p')).toBe(2);
    expect(way.cuts).toBe(2);
    way.cut = 'for good';
    const left = await count(far, 'p').catch((error: unknown) => error);
    expect(left).toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('unknown'),
      hint: expect.stringContaining('same idempotency_key'),
    });
  }, 30_000);

  it('fails calls at once while the server is away, says so, and recovers by itself', async () => {
    const { one, url } = await openTwice();
    await addProject(one, 'p');
    const way = await openWay(url);
    const far = await open(way.url);
    way.close();
    await expect(count(far, 'p')).rejects.toMatchObject({ code: 'unavailable' }); // what was connected is lost
    for (const _ of [1, 2]) await expect(count(far, 'p')).rejects.toThrow('cannot be reached');
    expect(far.notices().join()).toContain('has not been reached');
    await way.open();
    expect(await count(far, 'p')).toBe(1);
    expect(far.notices()).toEqual([]);
  }, 30_000);

  it('refuses what was written by a newer program, and is no guest of an older one', async () => {
    const { one, url, schema } = await openTwice();
    await onServer(`UPDATE "${schema}".schema_version SET version = version + 1000`);
    await expect(openPostgres({ url, clock: systemClock })).rejects.toThrow('newer Rookery');
    await onServer(
      `UPDATE "${schema}".schema_version SET version = 1 WHERE version = 1001; DELETE FROM "${schema}".schema_version WHERE version > 1000`,
    );
    await expect(openPostgres({ url, clock: systemClock, asGuest: true })).rejects.toThrow('schema yet');
    await onServer(`DROP SCHEMA "${schema}" CASCADE`);
    await openPostgres({ url, clock: systemClock }).then((db) => db.close());
    expect(one.engine).toBe('postgres');
  });
});

describe('ROOKERY_DATABASE_URL', () => {
  it('demands a server that proves its name, unless it is on this machine or told otherwise', () => {
    expect(pgSettings('postgres://a:b@db.example/hub').ssl).toEqual({ rejectUnauthorized: true, servername: 'db.example' });
    expect(pgSettings('postgres://127.0.0.1:5433/hub')).toMatchObject({ ssl: false, port: 5433, notices: [] });
    expect(pgSettings('postgres:///hub?host=/run/postgresql')).toMatchObject({ ssl: false, host: '/run/postgresql' });
    expect(pgSettings('postgres://db.example/hub?sslmode=disable').notices.join()).toContain('not encrypted');
    expect(pgSettings('postgres://localhost/hub?sslmode=verify-full').ssl).toMatchObject({ rejectUnauthorized: true });
  });

  it('refuses what it does not understand, and never repeats a password', () => {
    const secret = 'hunter2';
    for (const url of [
      `mysql://a:${secret}@db/hub`,
      `postgres://a:${secret}@db`,
      `postgres://a:${secret}@db/hub?sslmode=require`,
      `postgres://a:${secret}@db/hub?nonsense=1`,
      `postgres://a:${secret}@db/hub?schema=No`,
      `postgres://a:${secret}@db/hub?sslrootcert=${join(scratch(), 'none.pem')}`,
      `a:${secret}@`,
    ]) {
      const refused = (() => {
        try {
          return pgSettings(url);
        } catch (error) {
          return error;
        }
      })();
      expect(refused).toMatchObject({ code: 'invalid_input', message: expect.stringContaining('ROOKERY_DATABASE_URL') });
      expect(`${(refused as Error).message} ${(refused as { hint?: string }).hint}`).not.toContain(secret);
    }
  });
});

type Cut = 'after the commit' | 'before the commit' | 'for good';

/** A way to the server on which connections can be cut at the moment of a commit. */
async function openWay(url: string) {
  const parsed = new URL(url);
  const target = join(parsed.searchParams.get('host') ?? '', `.s.PGSQL.${parsed.searchParams.get('port')}`);
  const sockets = new Set<Socket>();
  const way = { cut: undefined as Cut | undefined, cuts: 0, url: '', port: 0, close, open };
  const server = createServer((near) => {
    const far = dial(target);
    let isCommitting = false;
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    near.on('data', (bytes) => {
      if (way.cut !== undefined && bytes.includes('COMMIT\0')) {
        isCommitting = true;
        way.cuts += 1;
        if (way.cut === 'before the commit') near.destroy();
        if (way.cut === 'for good') close();
        if (way.cut !== 'after the commit') {
          way.cut = undefined;
          return;
        }
        way.cut = undefined;
      }
      far.write(bytes);
    });
    far.on('data', (bytes) => {
      if (isCommitting) near.destroy();
      else near.write(bytes);
    });
  });
  function close(): void {
    server.close();
    for (const socket of sockets) socket.destroy();
  }
  async function open(): Promise<void> {
    await new Promise<void>((resolve) => server.listen(way.port, '127.0.0.1', resolve));
    const address = server.address();
    way.port = address !== null && typeof address === 'object' ? address.port : 0;
  }
  await open();
  cleanup(close);
  way.url = `postgres://rookery@127.0.0.1:${way.port}/postgres?schema=${parsed.searchParams.get('schema')}`;
  return way;
}
