import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { openHub } from '../../src/open.ts';
import { cleanup } from '../support/engines.ts';
import { freshHub, start } from './command-line.ts';

const digestOf = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');

/** Overwrites whole pages in the middle of a closed database. */
function corrupt(path: string): void {
  const bytes = readFileSync(path);
  for (let page = 8; page < 14; page++) bytes.fill(0xff, page * 4096, page * 4096 + 200);
  writeFileSync(path, bytes);
}

/** Changes a row behind the hub's back. */
function tamper(path: string, sql: string): void {
  const db = new Database(path);
  db.exec(sql);
  db.close();
}

describe('backup', () => {
  it('is private, verified and complete, while another process writes', async () => {
    const { home, config, run, json } = await freshHub();
    const hub = await openHub(config);
    cleanup(() => hub.close());
    const operator = await hub.projects.operator(config.place.project, 'cli');
    const accepted: number[] = [];
    const backup = json('backup');
    for (let i = 0, done = false; !done; i++) {
      accepted.push((await hub.messages.send(operator, { to: 'reviewer', body: `message ${i}` }, { tool: 'send' })).seq);
      done = (await Promise.race([backup, new Promise((resolve) => setImmediate(() => resolve(undefined)))])) !== undefined;
    }
    const made = await backup;
    expect(made).toMatchObject({ ok: true, problems: [], schema: hub.schema });
    expect(statSync(made.file).mode & 0o777).toBe(0o600);
    expect(statSync(join(home, 'backups')).mode & 0o777).toBe(0o700);
    expect(readdirSync(join(home, 'backups'))).toEqual([made.file.slice(join(home, 'backups').length + 1)]);
    expect(await json('verify', made.file)).toMatchObject({ ok: true, projects: made.projects });
    expect(await run('backup', made.file)).toMatchObject({ code: 1, stderr: expect.stringContaining('exists already') });
  });

  it('removes what an earlier one left that was ended in the middle', async () => {
    const { home, json } = await freshHub();
    const folder = join(home, 'backups');
    const made = await json('backup');
    const left = join(folder, 'hub-2026-01-01T00-00-00-000Z.db.4194300.tmp');
    const fresh = join(folder, 'hub-2026-01-02T00-00-00-000Z.db.4194301.tmp');
    const other = join(folder, 'mine.4194302.tmp');
    for (const file of [left, fresh, other]) writeFileSync(file, 'half');
    for (const file of [left, other]) utimesSync(file, 1_700_000_000, 1_700_000_000);
    const again = await json('backup');
    expect(readdirSync(folder).sort()).toEqual([made.file, again.file, fresh, other].map((path) => basename(path)).sort());
  });

  it('of a damaged database is refused, and leaves nothing behind', async () => {
    const { home, path, run } = await freshHub();
    corrupt(path);
    const before = digestOf(path);
    expect((await run('backup')).code).toBe(3);
    expect(readdirSync(join(home, 'backups'))).toEqual([]);
    expect(digestOf(path)).toBe(before);
  });
});

describe('verify', () => {
  it.each([
    ['a changed word', "UPDATE messages SET body = 'pay eve'", 'were altered'],
    ['a changed event', "UPDATE events SET data = '{}' WHERE seq = 2", 'was altered'],
    ['a removed event', 'DELETE FROM events WHERE seq = 2', 'missing'],
    ['a removed delivery', 'DELETE FROM deliveries', 'accepted, 0 are there'],
  ])('finds %s', async (_what, sql, finding) => {
    const { path, run, json } = await freshHub();
    await run('send', '--to', 'reviewer', 'pay bob');
    tamper(path, sql);
    const { problems, ok } = await json('verify');
    expect([ok, problems.join('\n')]).toEqual([false, expect.stringContaining(finding)]);
    expect((await run('verify')).code).toBe(1);
  });
});

describe('restore', () => {
  it('brings a damaged hub back, which was refused and kept as it was (S-106)', async () => {
    const { home, path, run, json } = await freshHub();
    const { message_id: id } = await json('send', '--to', 'reviewer', 'keep me');
    const { file } = await json('backup');
    corrupt(path);
    const damaged = digestOf(path);
    for (const command of [['stdio'], ['status']]) {
      const { code, stdout, stderr } = await run(...command);
      expect([code, stdout]).toEqual([3, '']);
      expect(stderr).toContain('rookery restore');
    }
    expect(digestOf(path)).toBe(damaged);
    const restored = await json('restore', file);
    expect(digestOf(restored.kept)).toBe(damaged);
    expect((await json('inbox', 'reviewer')).messages).toMatchObject([{ message_id: id }]);
    expect(await json('doctor', '--deep')).toMatchObject({ opened: true });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(home).filter((name) => name.includes('restore-') && !name.includes('before-restore'))).toEqual([]);
  });

  it('keeps the replaced database with what only its log held, and can go back to it', async () => {
    const { path, run, json } = await freshHub();
    const { file } = await json('backup');
    await run('send', '--to', 'reviewer', 'sent after the backup');
    const { kept } = await json('restore', file);
    expect((await json('inbox', 'reviewer')).messages).toEqual([]);
    await json('restore', kept);
    expect((await json('inbox', 'reviewer')).messages).toMatchObject([{ excerpt: 'sent after the backup' }]);
    expect(existsSync(path)).toBe(true);
  });

  it('is refused while a session is live; with --force that session acknowledges nothing more', async () => {
    const { home, run, json } = await freshHub();
    const { file } = await json('backup');
    const stdio = start(['stdio', '--agent', 'worker'], { home });
    const ask = (id: number, method: string, params: object) => stdio.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
    ask(1, 'initialize', { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '1' } });
    ask(2, 'tools/call', { name: 'whoami', arguments: {} });
    await expect.poll(stdio.stdout, { timeout: 15_000 }).toContain('"id":2');
    const refused = await run('restore', file);
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toContain(`pid ${stdio.pid}`);
    await json('restore', file, '--force');
    await expect
      .poll(
        () => {
          ask(3, 'tools/call', { name: 'send', arguments: { to: 'reviewer', body: 'into nothing', allow_duplicate: true } });
          return stdio.stdout();
        },
        { timeout: 15_000 },
      )
      .toContain('was removed or replaced');
    expect((await json('inbox', 'reviewer')).messages).toEqual([]);
  });

  it('refuses what is no sound hub, and changes nothing', async () => {
    const { home, path, run, json } = await freshHub();
    await run('send', '--to', 'reviewer', 'stay');
    const { file } = await json('backup');
    const altered = join(home, 'altered.db');
    writeFileSync(altered, readFileSync(file));
    tamper(altered, "UPDATE messages SET body = 'changed'");
    const noise = join(home, 'noise.db');
    writeFileSync(noise, Buffer.alloc(8192, 7));
    for (const [bad, code] of [
      [altered, 3],
      [noise, 3],
      [join(home, 'none.db'), 1],
      [path, 1],
    ] as const) {
      const before = digestOf(path);
      expect([bad, (await run('restore', bad)).code]).toEqual([bad, code]);
      expect(digestOf(path)).toBe(before);
    }
    expect(readdirSync(home).filter((name) => name.includes('restore'))).toEqual([]);
  });
});
