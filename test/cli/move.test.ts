// Moving a hub by the command: to PostgreSQL and back, killed on the way, and refused where it would lose something.

import { chmodSync, existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { MoveTarget } from '../../src/store/moving.ts';
import { PostgresTarget } from '../../src/store/postgres-moving.ts';
import { ServerPool } from '../../src/store/postgres-pool.ts';
import { pgSettings } from '../../src/store/postgres-settings.ts';
import { SqliteTarget } from '../../src/store/sqlite-moving.ts';
import { systemClock } from '../../src/system/clock.ts';
import { send } from '../support/acts.ts';
import { attach, cleanup, scratch, sqlite, testHub } from '../support/engines.ts';
import { freshPlace, hasPostgres, onServer } from '../support/postgres.ts';
import { freshHub, rookeryOn, start } from './command-line.ts';

/** A home whose hub holds so many messages that bringing them takes several transactions. */
async function busyHub(): Promise<string> {
  const home = scratch();
  chmodSync(home, 0o700);
  const hub = await testHub(sqlite, {
    place: home,
    limits: { sendPerSecond: 100_000, sendBurst: 100_000, sendPerMinute: 1_000_000, inboxFull: 50_000 },
  });
  const ana = await attach(hub, 'ana');
  const ben = await attach(hub, 'ben');
  await Promise.all(Array.from({ length: 5_000 }, (_none, n) => send(hub, ana, 'ben', `letter ${n}`, { key: `k${n}` })));
  for (const agent of [ana, ben]) await hub.sessions.end(agent, 'closed'); // whose process this is, and it would be no person
  await hub.close();
  return home;
}

async function emptyServer(): Promise<string> {
  const { url, schema } = await freshPlace();
  await onServer(`DROP SCHEMA IF EXISTS "${schema}" CASCADE`);
  cleanup(() => onServer(`DROP SCHEMA IF EXISTS "${schema}" CASCADE`));
  return url;
}

async function doneIn(target: MoveTarget): Promise<number> {
  const state = await target.look();
  return state.is === 'unfinished' ? state.done : 0;
}

const targets = ['sqlite', ...(hasPostgres ? ['postgres'] : [])];

it.each(targets)('goes on after kill -9 until all is in %s, and until then no hub opens there', { timeout: 300_000 }, async (engine) => {
  const from = await busyHub();
  const file = join(from, 'hub.ndjson');
  const { rows } = await rookeryOn(from).json('export', file, '--everything');
  expect(statSync(file).mode & 0o777).toBe(0o600);

  const home = scratch();
  chmodSync(home, 0o700);
  const url = engine === 'postgres' ? await emptyServer() : undefined;
  const env: Record<string, string> = url === undefined ? {} : { ROOKERY_DATABASE_URL: url };
  const path = join(home, 'hub.db');
  const target: MoveTarget =
    url === undefined
      ? new SqliteTarget({ path, bellDir: join(home, 'run'), clock: systemClock })
      : new PostgresTarget(new ServerPool(pgSettings(url), systemClock, 2), pgSettings(url).schema);
  cleanup(() => target.close());
  let kills = 0;
  for (let reached = 0; kills < 3; ) {
    const running = start(['import', file], { home, env, input: '' });
    let isOver = false;
    void running.ended.then(() => {
      isOver = true;
    });
    while (!isOver && (await doneIn(target)) <= reached) await new Promise((resolve) => setTimeout(resolve, 5));
    running.kill('SIGKILL');
    const { code } = await running.ended;
    if (code !== null) break;
    kills += 1;
    const now = await doneIn(target);
    expect(now).toBeGreaterThan(reached);
    reached = now;
    const refused = await start(['status'], { home, env, input: '' }).ended;
    expect(refused).toMatchObject({ code: 3, stderr: expect.stringMatching(/import into .* is not finished.* Run the same import/) });
  }
  expect(kills).toBe(3);
  const last = await start(['import', file, '--json'], { home, env, input: '' }).ended;
  expect(JSON.parse(last.stdout)).toMatchObject({ resumed: true, rows, verified: { ok: true } });
  const again = join(home, 'again.ndjson');
  await start(['export', again, '--everything'], { home, env, input: '' }).ended;
  expect(readFileSync(again, 'utf8')).toBe(readFileSync(file, 'utf8'));
});

it.runIf(hasPostgres)(
  'moves a hub to a server and back with one command each, and tokens go on to hold',
  { timeout: 300_000 },
  async () => {
    const { home, run, json } = await freshHub();
    const { token } = await json('token', 'create', '--agent', 'lead', '--role', 'manager');
    const url = await emptyServer();
    const dry = await run('move', '--to', url, '--dry-run');
    expect(dry).toMatchObject({ code: 0, stdout: expect.stringContaining('Nothing was changed') });
    expect(dry.stderr + dry.stdout).not.toContain(token);
    const moved = await run('move', '--to', url);
    expect(moved).toMatchObject({ code: 0, stdout: expect.stringMatching(/sound[\s\S]*databaseUrl/) });
    expect(existsSync(join(home, 'backups', 'move.ndjson'))).toBe(false);
    expect(await run('move', '--to', url)).toMatchObject({ code: 1, stderr: expect.stringContaining('There is a hub at') });

    const back = scratch();
    chmodSync(back, 0o700);
    const away = { home: back, env: { ROOKERY_DATABASE_URL: url }, input: '' };
    expect(await start(['move', '--to', url], away).ended).toMatchObject({ code: 2 });
    expect(await start(['move', '--to', back], away).ended).toMatchObject({ code: 0 });
    const here = rookeryOn(back);
    const tokens = await here.json('token', 'list');
    expect(JSON.stringify(tokens)).not.toContain(token);
    const a = join(home, 'a.ndjson');
    await run('export', a, '--everything');
    const b = join(back, 'b.ndjson');
    await here.run('export', b, '--everything');
    expect(readFileSync(b, 'utf8')).toBe(readFileSync(a, 'utf8'));
  },
);

it('refuses a whole hub where it does not belong', { timeout: 180_000 }, async () => {
  const { home, run } = await freshHub();
  const file = join(home, 'hub.ndjson');
  expect(await run('export', '--everything')).toMatchObject({ code: 2, stderr: expect.stringContaining('file') });
  expect(await run('export', file, '--everything', '--project', 'x')).toMatchObject({ code: 2 });
  expect(await run('export', file, '--everything')).toMatchObject({ code: 0, stdout: expect.stringContaining('hashes') });
  expect(await run('export', file, '--everything')).toMatchObject({ code: 1, stderr: expect.stringContaining('exists already') });
  expect(await run('import', file)).toMatchObject({ code: 1, stderr: expect.stringMatching(/There is a hub .*1 agents/) });
  expect(await run('import', file, '--overwrite')).toMatchObject({ code: 2, stderr: expect.stringContaining('--overwrite') });
  expect(await start(['import', '-'], { home, input: readFileSync(file, 'utf8') }).ended).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('rookery import FILE'),
  });
  const there = scratch();
  const inside = await start(['import', file], { home: there, env: { CLAUDECODE: '1' }, input: '' }).ended;
  expect(inside).toMatchObject({ code: 1, stderr: expect.stringContaining('only a person') });
  // A hub that is at work stays where it is.
  const agent = start(['stdio', '--agent', 'ana'], { home });
  agent.write(
    '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}\n',
  );
  while (!agent.stdout().includes('"id":1')) await new Promise((resolve) => setTimeout(resolve, 20));
  const target = scratch();
  expect(await run('move', '--to', target)).toMatchObject({ code: 1, stderr: expect.stringContaining('--force') });
  expect(await run('move', '--to', target, '--force')).toMatchObject({ code: 0 });
});
