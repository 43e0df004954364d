// rookery install and uninstall as a person runs them: what they print, how they end, and that nothing happens in a dry run.

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MAIN } from '../server/http-process.ts';
import { scratch } from '../support/engines.ts';
import { rookeryOn } from './command-line.ts';

/** A person's home, which is the hub's folder, too. */
function person() {
  const home = scratch();
  const path = (name: string) => join(home, name);
  return { home, path, ...rookeryOn(home) };
}

describe('rookery install', () => {
  it('shows a dry run as a diff, and writes nothing', async () => {
    const { run, json, path } = person();
    const { code, stdout } = await run('install', 'claude', 'codex', '--dry-run');
    expect(code).toBe(0);
    for (const line of ['--- /dev/null', `+++ ${path('.claude.json')}`, '+[mcp_servers.hub]', 'Nothing was written (--dry-run).'])
      expect(stdout.split('\n')).toContain(line);
    expect(existsSync(path('.claude.json'))).toBe(false);
    expect(await json('install', 'claude', '--dry-run')).toMatchObject({
      changed: false,
      dry_run: true,
      files: [{ act: 'create' }, { act: 'create' }],
    });
  });

  it('writes words that start this Rookery from anywhere, and says what is left to do', async () => {
    const { run, json, path } = person();
    const { code, stdout } = await run('install', 'claude', 'codex', '--agent', 'ada');
    expect([code, stdout]).toEqual([0, expect.stringContaining('looked at them')]);
    expect(stdout).toMatch(/not found on this machine|rookery doctor tells/);
    const { command, args } = JSON.parse(readFileSync(path('.claude.json'), 'utf8')).mcpServers.hub;
    // The home of this hub is not the usual one, so a client is told.
    expect([command, ...args]).toEqual([expect.stringMatching(/^\/.*node/), MAIN, 'stdio', '--agent', 'ada', '--home', path('')]);
    expect(await json('install', 'claude', 'codex')).toMatchObject({ changed: false });
    expect(await json('uninstall', 'claude', 'codex')).toMatchObject({ changed: true });
    expect(await json('uninstall', 'claude', 'codex')).toMatchObject({ changed: false });
    expect(existsSync(path('.claude.json'))).toBe(false);
  });

  it('ends with 1 and one sentence where it is not safe, and with 2 for what it does not know', async () => {
    const { run, path } = person();
    writeFileSync(path('.claude.json'), '{"mcpServers":{"hub":{"command":"another"}}}');
    expect(await run('install', 'claude')).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('rookery install claude'),
    });
    expect(readFileSync(path('.claude.json'), 'utf8')).toBe('{"mcpServers":{"hub":{"command":"another"}}}');
    for (const args of [['emacs'], ['claude', '--scope', 'world'], ['claude', '--agent', 'a b'], ['claude', '--role', 'operator'], []])
      expect((await run('install', ...args)).code).toBeGreaterThan(0);
    expect((await run('install', 'emacs')).code).toBe(2);
  });

  it('tells nothing of what stands beside its changes but where they are', async () => {
    const { run, path } = person();
    writeFileSync(path('.claude.json'), '{\n  "oauthToken": "very-secret",\n  "mcpServers": {}\n}\n');
    const { stdout } = await run('install', 'claude');
    expect(stdout).toContain('oauthToken');
    expect(stdout).not.toContain('very-secret');
  });
});

describe('the program (M-12)', () => {
  it('finds itself and its store from every shell, by a link, and from another folder', async () => {
    const { home, json } = person();
    const database = (await json('config')).places.database;
    const folder = join(home, 'some where');
    mkdirSync(folder);
    symlinkSync(MAIN, join(folder, 'rookery'));
    const env = { PATH: `${folder}:${process.env.PATH}`, HOME: home, ROOKERY_HOME: home };
    const shells = ['sh', 'bash', 'zsh', 'dash'].filter((shell) => spawnSync(shell, ['-c', ':']).error === undefined);
    expect(shells).toContain('sh');
    for (const shell of shells) {
      for (const line of [
        'node "$0" config --json',
        `"${process.execPath}" ./rookery config --json`,
        `cd / && exec "${process.execPath}" "$0" config --json`,
      ]) {
        const out = execFileSync(shell, ['-c', line, line.includes('./') ? '' : MAIN], { cwd: folder, env, encoding: 'utf8' });
        expect([shell, line, JSON.parse(out).places.database]).toEqual([shell, line, database]);
      }
    }
  });
});
