// The slow log: what took long is told once, by name and time, without a word of what it was about; what only waited is not slow.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import * as z from 'zod';
import { createHub } from '../../src/hub/hub.ts';
import { effectiveLimits } from '../../src/hub/limits.ts';
import type { DbObserver } from '../../src/store/db.ts';
import { openSqlite } from '../../src/store/sqlite.ts';
import { systemHost } from '../../src/system/host.ts';
import { systemIds } from '../../src/system/ids.ts';
import { openLog } from '../../src/system/log.ts';
import { systemFiles } from '../../src/system/project-files.ts';
import { slowLog } from '../../src/system/slow-log.ts';
import { callTool } from '../../src/tools/call.ts';
import { Connection } from '../../src/tools/connection.ts';
import { recvBatch } from '../../src/tools/recv-batch.ts';
import { defineTool } from '../../src/tools/tool.ts';
import { until } from '../support/acts.ts';
import { cleanup, PROJECT, scratch } from '../support/engines.ts';
import { FakeClock } from '../support/fake-clock.ts';

function logged(clock: FakeClock) {
  const file = join(scratch(), 'log.jsonl');
  const log = openLog('warn', file);
  const lines = () =>
    readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { slow: slowLog(log, clock, { callMs: 1_000, queryMs: 200 }), lines };
}

it('tells of a slow statement once, by its text', async () => {
  const clock = new FakeClock();
  const { slow, lines } = logged(clock);
  // Every look at this clock is 120 ms after the last: a statement is looked at before and after.
  let step = 0;
  const monotonic = () => {
    clock.advance(step);
    return clock.monotonic();
  };
  const observer: DbObserver = { slowMs: slow.queryMs, committed() {}, busy() {}, slow: (sql, ms) => slow.tell('query', sql, ms) };
  const ticking = { now: () => clock.now(), sleep: clock.sleep.bind(clock), monotonic };
  const place = scratch();
  const db = await openSqlite({ path: join(place, 'hub.db'), bellDir: join(place, 'run'), clock: ticking, observer });
  cleanup(() => db.close());
  const look = (ms: number) => {
    step = ms;
    return db.read((read) => read.get('SELECT COUNT(*) AS n\n  FROM messages WHERE body = ?', 'a secret body'));
  };
  await look(120);
  expect(lines()).toEqual([]);
  await look(240);
  await look(240);
  step = 0;
  expect(lines()).toMatchObject([{ level: 40, event: 'slow', query: 'SELECT COUNT(*) AS n FROM messages WHERE body = ?', ms: 240 }]);
  clock.advance(60_000);
  await look(300);
  step = 0;
  expect(lines()[1]).toMatchObject({ ms: 300, again: 1 });
  expect(JSON.stringify(lines())).not.toContain('secret');
});

it('tells of a slow call, and not of one that only waited', async () => {
  const clock = new FakeClock();
  const { slow, lines } = logged(clock);
  const place = scratch();
  const db = await openSqlite({ path: join(place, 'hub.db'), bellDir: join(place, 'run'), clock });
  const parts = { ids: systemIds(clock), limits: effectiveLimits(), host: { ...systemHost, startedAt: 0 }, files: systemFiles };
  const hub = await createHub({ db, clock, ...parts, slowLog: slow });
  cleanup(() => hub.close());
  const attachment = { project: PROJECT, door: 'stdio' as const, client: { name: 't', version: '1' }, root: PROJECT.root, name: 'ada' };
  const connection = Connection.attaching(hub, attachment, ['core']);
  const words = { title: 't', description: 't', access: 'read', toolset: 'core', output: () => ({}) } as const;
  const taking = defineTool({
    ...words,
    name: 'taking',
    input: () => ({ ms: z.int(), body: z.string() }),
    run: async (_call, { ms }) => {
      clock.advance(ms);
      return {};
    },
  });
  expect((await callTool(hub, connection, taking, { ms: 900, body: 'a secret body' })).ok).toBe(true);
  const waiting = callTool(hub, connection, recvBatch, { wait_seconds: 20 });
  await until(() => hub.context.waiting.parked === 1);
  clock.advance(20_000);
  expect((await waiting).ok).toBe(true);
  expect(lines()).toEqual([]);
  await callTool(hub, connection, taking, { ms: 1_500, body: 'a secret body' });
  expect(lines()).toMatchObject([{ level: 40, event: 'slow', tool: 'taking', ms: 1_500 }]);
  expect(JSON.stringify(lines())).not.toContain('secret');
});
