import { spawn } from 'node:child_process';
import { chmodSync, closeSync, openSync, readFileSync, utimesSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { examine, type Probes, realProbes } from '../../src/doctor/doctor.ts';
import type { Finding } from '../../src/doctor/finding.ts';
import { parseLocks } from '../../src/system/locks.ts';
import { MAIN } from '../server/http-process.ts';
import { cleanup } from '../support/engines.ts';
import { freshHub, start } from './command-line.ts';

type Fresh = Awaited<ReturnType<typeof freshHub>>;
const noStep = () => ({ add: () => {}, end: () => {} });

const probesOf = (userHome: string) =>
  realProbes({ userHome, env: {}, program: { node: process.execPath, main: MAIN }, startsServers: false });

/** Examines in this process, with some of the machine replaced. */
async function examined({ config, home }: Fresh, probes: Partial<Probes> = {}, deep = false) {
  const { findings, opened } = await examine(config, undefined, deep, { ...probesOf(home), ...probes }, noStep);
  const of = (check: string): Finding | undefined => findings.find((finding) => finding.check === check);
  return { findings, opened, of };
}

describe('a healthy hub', () => {
  it('passes every check, also the deep ones', async () => {
    const { run, json } = await freshHub();
    const { findings, ...rest } = await json('doctor', '--deep');
    expect(rest).toEqual({ ok: true, opened: true });
    // Clients that are on this machine have no hub in this home, which is no fault.
    expect(findings.filter((finding: Finding) => !['ok', 'unknown'].includes(finding.status))).toEqual([]);
    expect((await run('doctor')).code).toBe(0);
  });
});

describe('what the doctor finds', () => {
  it('sees that a server without a session keeps time', async () => {
    const hub = await freshHub();
    const idle = await examined(hub, { now: Date.now() + 3_600_000 });
    expect(idle.of('duties')).toMatchObject({ status: 'ok', what: 'nothing runs here that should keep time' });
    const db = new Database(hub.path);
    db.prepare('UPDATE hub SET beat_at = ?').run(Date.now());
    db.close();
    expect((await examined(hub)).of('duties')).toMatchObject({ status: 'ok', what: 'timed duties ran just now' });
  });

  it('names one command for every fault', async () => {
    const hub = await freshHub();
    chmodSync(hub.home, 0o755);
    const { of } = await examined(hub, {
      nodeVersion: '18.20.1',
      sqlite: async () => ({ version: '3.50.0', trusted: false }),
      fileSystemOf: async () => 'network',
    });
    expect(of('node')).toMatchObject({ status: 'fail', fix: expect.stringContaining('npm ci') });
    expect(of('sqlite_version')).toMatchObject({ status: 'fail', fix: 'npm ci' });
    expect(of('file_system')).toMatchObject({ status: 'fail', what: expect.stringContaining('network') });
    expect(of('modes')).toMatchObject({ status: 'fail', fix: `chmod 700 ${hub.home}` });
  });

  it('sees a file that others may read, and one of another user', async () => {
    const hub = await freshHub();
    chmodSync(hub.path, 0o644);
    expect((await examined(hub)).of('modes')).toMatchObject({ status: 'warn', fix: `chmod 600 ${hub.path}` });
    expect((await examined(hub, { uid: 4_711 })).of('owners')).toMatchObject({ status: 'fail' });
  });

  it('sees a newer schema, and the hub refuses it', async () => {
    const { path, run, json } = await freshHub();
    const db = new Database(path);
    db.pragma('user_version = 999');
    db.close();
    const { findings, opened } = await json('doctor');
    expect(opened).toBe(false);
    expect(findings).toContainEqual(expect.objectContaining({ check: 'schema', status: 'fail', fix: expect.stringContaining('Update') }));
    expect((await run('doctor')).code).toBe(3);
    expect(await run('status')).toMatchObject({ code: 3, stderr: expect.stringContaining('newer Rookery') });
  });

  it.each([
    ['at its head', 0, 'database'],
    ['in a page', 9 * 4096, 'quick_check'],
  ])('sees damage %s, names restore, and changes nothing', async (_where, at, check) => {
    const { path, run, json } = await freshHub();
    const handle = openSync(path, 'r+');
    writeSync(handle, Buffer.alloc(200, 0xff), 0, 200, at);
    closeSync(handle);
    const before = readFileSync(path);
    const { findings } = await json('doctor');
    expect(findings).toContainEqual(expect.objectContaining({ check, status: 'fail', fix: expect.stringContaining('rookery restore') }));
    expect((await run('doctor', '--deep')).code).toBe(3);
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it('works while a setting is wrong, and says which', async () => {
    const { home, json } = await freshHub();
    writeFileSync(join(home, 'config.json'), '{"prot": 1}', { mode: 0o600 });
    const { findings, opened } = await json('doctor');
    expect(opened).toBe(true);
    expect(findings[0]).toMatchObject({ check: 'configuration', status: 'fail', what: expect.stringContaining('prot') });
  });

  it('sees a log that cannot be written, without which everything still works', async () => {
    const { home, run, json } = await freshHub();
    writeFileSync(join(home, 'plain'), '', { mode: 0o600 });
    writeFileSync(join(home, 'config.json'), JSON.stringify({ logFile: join(home, 'plain', 'hub.log') }), { mode: 0o600 });
    expect((await json('doctor')).findings).toContainEqual(expect.objectContaining({ check: 'log', status: 'warn' }));
    expect((await run('status')).code).toBe(0);
  });

  it('sees a tampered history only with --deep, and missing deliveries always', async () => {
    const hub = await freshHub();
    await hub.run('send', '--to', 'reviewer', 'original');
    const db = new Database(hub.path);
    db.exec("UPDATE messages SET body = 'forged'");
    db.close();
    expect((await examined(hub)).of('chain')).toBeUndefined();
    expect((await examined(hub, {}, true)).of('chain')).toMatchObject({ status: 'fail', what: expect.stringContaining('altered') });
    const again = new Database(hub.path);
    again.exec('DELETE FROM deliveries');
    again.close();
    expect((await examined(hub)).of('conservation')).toMatchObject({ status: 'fail' });
  });

  it('sees a session whose process is gone', async () => {
    const hub = await freshHub();
    const stdio = start(['stdio', '--agent', 'worker'], { home: hub.home });
    const hello = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '1' } };
    stdio.write(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params: hello })}\n`);
    stdio.write(`${JSON.stringify({ jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'whoami', arguments: {} } })}\n`);
    await expect.poll(stdio.stdout, { timeout: 15_000 }).toContain('"id":2');
    expect((await examined(hub)).of('sessions')).toMatchObject({ status: 'ok', what: '1 open' });
    stdio.kill('SIGKILL');
    await stdio.ended;
    expect((await examined(hub)).of('sessions')).toMatchObject({ status: 'warn', what: expect.stringContaining(`pid ${stdio.pid}`) });
  });

  it('sees old backups, messages that nobody reads, and a clock that is behind', async () => {
    const hub = await freshHub();
    await hub.run('send', '--to', 'reviewer', 'anybody there?');
    const later = probesOf(hub.home).now + 48 * 3_600_000;
    const { of } = await examined(hub, { now: later });
    expect(of('backup')).toMatchObject({ status: 'warn', fix: 'rookery backup' });
    expect(of('stuck')).toMatchObject({ status: 'warn', fix: expect.stringContaining('rookery status') });
    expect((await examined(hub, { now: later - 96 * 3_600_000 })).of('clock')).toMatchObject({ status: 'warn' });
    const { file } = await hub.json('backup');
    expect((await examined(hub)).of('backup')).toMatchObject({ status: 'ok' });
    utimesSync(file, 1_700_000_000, 1_700_000_000);
    expect((await examined(hub)).of('backup')).toMatchObject({ status: 'warn' });
  });
});

describe('the write lock', () => {
  it('is read from the kernel’s table', () => {
    const text =
      '1: POSIX  ADVISORY  WRITE 4242 fe:00:2146370 120 120\n1: -> POSIX  ADVISORY  WRITE 4243 fe:00:2146370 120 120\n2: FLOCK  ADVISORY  WRITE 1 00:19:22 0 EOF\n';
    expect(parseLocks(text)).toEqual([{ kind: 'WRITE', pid: 4242, device: '254:0', inode: 2146370n, start: 120 }]);
  });

  it.runIf(process.platform === 'linux')('names a stopped process that holds it', async () => {
    const hub = await freshHub();
    const script = `const db = new (require('better-sqlite3'))(process.argv[1]); db.pragma('journal_mode = WAL'); db.exec('BEGIN IMMEDIATE'); console.log('held'); setInterval(() => {}, 1000);`;
    const holder = spawn(process.execPath, ['-e', script, hub.path], { stdio: ['ignore', 'pipe', 'inherit'] });
    cleanup(() => void holder.kill('SIGKILL'));
    await new Promise((resolve) => holder.stdout.once('data', resolve));
    expect((await examined(hub)).of('write_lock')).toMatchObject({ status: 'warn', what: expect.stringContaining(`pid ${holder.pid}`) });
    holder.kill('SIGSTOP');
    await expect
      .poll(async () => (await examined(hub)).of('write_lock'))
      .toMatchObject({ status: 'fail', fix: `kill -CONT ${holder.pid}` });
  });

  it('is unknown where the kernel does not tell', async () => {
    expect((await examined(await freshHub(), { writers: () => undefined })).of('write_lock')).toMatchObject({ status: 'unknown' });
  });
});
