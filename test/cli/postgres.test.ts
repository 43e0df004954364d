// The command line on a hub whose database is a PostgreSQL: what is looked after by files says so, and the rest is as ever.

import { expect, it } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { examine, realProbes } from '../../src/doctor/doctor.ts';
import type { Finding } from '../../src/doctor/finding.ts';
import { cleanup, scratch } from '../support/engines.ts';
import { emptyPlace, freshPlace, hasPostgres } from '../support/postgres.ts';
import { programFile, start } from './command-line.ts';

async function onServer() {
  const { url, schema } = await freshPlace();
  cleanup(() => emptyPlace(schema));
  const home = scratch();
  const databaseUrl = url.replace('rookery@', 'rookery:hunter2@');
  const run = (...args: string[]) => start(args, { home, env: { ROOKERY_DATABASE_URL: databaseUrl } }).ended;
  return { home, databaseUrl, schema, run };
}

it.runIf(hasPostgres)('tells where the hub is, verifies it, and leaves backups to the server', async () => {
  const { run, schema } = await onServer();
  const status = await run('status', '--json');
  expect(JSON.parse(status.stdout)).toMatchObject({ store: { path: expect.stringContaining(`schema ${schema}`) }, notices: [] });
  const verified = await run('verify', '--json');
  expect(JSON.parse(verified.stdout)).toMatchObject({ ok: true, projects: [expect.objectContaining({ events: 1 })] });
  for (const [command, file] of [
    ['backup', 'x.db'],
    ['restore', 'x.db'],
  ] as const) {
    const { code, stderr } = await run(command, file);
    expect([command, code]).toEqual([command, 2]);
    expect(stderr).toContain('PostgreSQL');
  }
  const config = await run('config', '--json');
  for (const { stdout, stderr } of [status, verified, config]) expect(stdout + stderr).not.toContain('hunter2');
});

it.runIf(hasPostgres)('has the doctor look at the server, and say what is wrong with the way to it', async () => {
  const { home, databaseUrl, run } = await onServer();
  await run('status');
  const examined = async (url: string) => {
    const config = readConfig({ env: { ROOKERY_HOME: home, ROOKERY_DATABASE_URL: url }, cwd: home, flags: {} });
    const probes = realProbes({
      userHome: home,
      env: {},
      program: { node: process.execPath, main: programFile() },
      startsServers: false,
    });
    const { findings, opened } = await examine(config, undefined, true, probes, () => ({ add: () => {}, end: () => {} }));
    return { opened, of: (check: string): Finding | undefined => findings.find((finding) => finding.check === check) };
  };
  const well = await examined(databaseUrl);
  expect([well.opened, well.of('database')?.status, well.of('chain')?.status, well.of('conservation')?.status]).toEqual([
    true,
    'ok',
    'ok',
    'ok',
  ]);
  const wrong = await examined(databaseUrl.replace('rookery:hunter2', 'somebody:else'));
  expect(wrong).toMatchObject({ opened: false });
  expect(wrong.of('database')).toMatchObject({ status: 'fail', what: expect.stringContaining('refuses this user') });
});
