// Waking another process: by the bell at once, by the poll at the latest. Two engines on one file stand for two processes.

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { bodies, recv, send, until } from '../support/acts.ts';
import { attach, cleanup, scratch, sqlite, testHub } from '../support/engines.ts';

async function twoHubs() {
  const place = scratch();
  const one = await testHub(sqlite, { place });
  const two = await testHub(sqlite, { place });
  return { place, one, two, alice: await attach(one, 'alice'), bob: await attach(two, 'bob') };
}

const sockets = (place: string) => readdirSync(join(place, 'run')).filter((name) => name.endsWith('.sock'));

it('wakes a waiting receive of another process without the clock moving', async () => {
  const { one, two, alice, bob, place } = await twoHubs();
  const waiting = recv(two, bob, { waitMs: 25_000 });
  await until(() => two.context.waiting.parked === 1 && existsSync(join(place, 'run')) && sockets(place).length > 0);
  const sent = await send(one, alice, 'bob', 'wake up');
  expect(sent.recipients[0]?.wake).toEqual({ door: 'waiting_call' });
  expect(bodies(await waiting)).toEqual(['wake up']);
  await send(one, alice, 'bob', 'again');
  expect(bodies(await recv(two, bob, { waitMs: 25_000 }))).toEqual(['wake up', 'again']);
});

it('finds what a lost bell did not announce with the next poll, half a second later', async () => {
  const place = scratch();
  const deaf = join(place, 'f'.repeat(120)); // too long for a socket: no bell between these two
  const clockless = {
    ...sqlite,
    open: async (clock: Parameters<typeof sqlite.open>[0]) =>
      (await import('../../src/store/sqlite.ts')).openSqlite({ path: join(place, 'hub.db'), bellDir: deaf, clock }),
  };
  const one = await testHub(clockless);
  const two = await testHub(clockless);
  const [alice, bob] = [await attach(one, 'alice'), await attach(two, 'bob')];
  const waiting = recv(two, bob, { waitMs: 25_000 });
  await until(() => two.context.waiting.parked === 1 && two.fake.sleeping >= 2);
  expect(two.notices().join()).toContain('No doorbell between processes');
  await send(one, alice, 'bob', 'quietly');
  two.fake.advance(499);
  expect(two.context.waiting.parked).toBe(1);
  two.fake.advance(1);
  expect(bodies(await waiting)).toEqual(['quietly']);
});

it('removes the socket of a process that is dead, and leaves one that lives', async () => {
  const { place, one, two, alice, bob } = await twoHubs();
  const waiting = recv(two, bob, { waitMs: 25_000 });
  await until(() => two.context.waiting.parked === 1 && sockets(place).length > 0);
  const dead = spawnSync(process.execPath, ['-e', '']).pid;
  const stale = join(place, 'run', `${dead}-0.sock`);
  writeFileSync(stale, '');
  const living = createServer().listen(join(place, 'run', `${process.ppid}-0.sock`));
  cleanup(() => {
    living.close();
  });
  await send(one, alice, 'bob', 'hello');
  await waiting;
  await until(() => !existsSync(stale));
  expect(sockets(place)).toContain(`${process.ppid}-0.sock`);
});

it('takes its own socket away when it closes', async () => {
  const { place, two, bob } = await twoHubs();
  const waiting = recv(two, bob, { waitMs: 25_000 });
  await until(() => two.context.waiting.parked === 1 && sockets(place).length > 0);
  await Promise.all([waiting, two.close()]);
  expect(sockets(place)).toEqual([]);
});
