// The plug-in: its program finds Rookery from wherever a client has copied it, and its words name only what exists.

import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { leaveLauncher } from '../../src/clients/launcher.ts';
import { ERROR_CODES } from '../../src/hub/errors.ts';
import { tools } from '../../src/tools/index.ts';
import { listed } from '../../src/tools/schema.ts';
import { built } from '../server/http-process.ts';
import { cleanup, scratch } from '../support/engines.ts';

const PLUGIN = join(import.meta.dirname, '..', '..', 'plugin');
const SNAKE = /\b[a-z]+(?:_[a-z]+)+\b/g;
const SYSTEM = '/usr/bin:/bin';

/** A client's copy of the plug-in, away from the package. */
function copied(): { home: string; shim: string } {
  const home = scratch();
  const folder = join(home, 'cache of client', 'rookery', '0.1.0');
  cpSync(PLUGIN, folder, { recursive: true });
  return { home, shim: join(folder, 'bin', 'rookery') };
}

function program(path: string, says: string): void {
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, `#!/bin/sh\necho ${says} "$@"\n`);
  chmodSync(path, 0o755);
}

function run(shim: string, args: string[], env: Record<string, string>, more: { cwd?: string; shell?: string } = {}) {
  const { status, stdout, stderr } = spawnSync(more.shell ?? 'sh', [shim, ...args], { env, cwd: more.cwd ?? '/', encoding: 'utf8' });
  return { status, stdout, stderr };
}

describe('the program of the plug-in', () => {
  it('is the package’s own, from its folder, by a link, and from every shell', () => {
    const version = `${JSON.parse(readFileSync(join(PLUGIN, '..', 'package.json'), 'utf8')).version}\n`;
    built();
    const home = scratch();
    const link = join(home, 'a link');
    symlinkSync(join(PLUGIN, 'bin', 'rookery'), link);
    const env = { PATH: `${join(process.execPath, '..')}:${SYSTEM}`, HOME: home };
    const shells = ['sh', 'bash', 'zsh', 'dash'].filter((shell) => spawnSync(shell, ['-c', ':']).error === undefined);
    for (const shell of shells)
      for (const path of [join(PLUGIN, 'bin', 'rookery'), link])
        expect([shell, path, run(path, ['--version'], env, { shell })]).toEqual([shell, path, { status: 0, stdout: version, stderr: '' }]);
    expect(run('bin/rookery', ['--version'], env, { cwd: PLUGIN }).stdout).toBe(version);
  });

  it('is, in a copy, the one on PATH, and never the copy itself', () => {
    const { home, shim } = copied();
    program(join(home, 'global', 'rookery'), 'global');
    const path = [join(shim, '..'), join(home, 'global'), SYSTEM].join(':');
    expect(run(shim, ['stdio', 'a b'], { PATH: path, HOME: home }).stdout).toBe('global stdio a b\n');
  });

  it('is, where none is on PATH, the one that was installed or served last', () => {
    const { home, shim } = copied();
    const main = join(home, `it's "here"`, 'main.js');
    mkdirSync(join(main, '..'));
    writeFileSync(main, 'console.log("left", ...process.argv.slice(2))');
    leaveLauncher(join(home, 'hub'), { node: process.execPath, main });
    leaveLauncher(join(home, 'hub'), { node: process.execPath, main });
    const env = { PATH: SYSTEM, HOME: home, ROOKERY_HOME: join(home, 'hub') };
    expect(run(shim, ['stdio'], env)).toEqual({ status: 0, stdout: 'left stdio\n', stderr: '' });
    leaveLauncher(join(home, '.rookery'), { node: process.execPath, main });
    expect(run(shim, ['stdio'], { PATH: SYSTEM, HOME: home }).stdout).toBe('left stdio\n');
  });

  it('says so where there is none, but never disturbs a client by a hook', () => {
    const { home, shim } = copied();
    const env = { PATH: SYSTEM, HOME: home };
    expect(run(shim, ['stdio'], env)).toMatchObject({
      status: 127,
      stdout: '',
      stderr: expect.stringContaining('npm install --global rookery'),
    });
    for (const words of [['hook', 'Stop'], ['rewake']]) expect(run(shim, words, env)).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  it('does not end as a monitor, whose end would be news, while its client lives', () => {
    const { home, shim } = copied();
    const monitor = spawn('sh', [shim, 'monitor'], { env: { PATH: SYSTEM, HOME: home }, stdio: 'ignore' });
    cleanup(() => {
      monitor.kill('SIGKILL');
    });
    // As long as failing takes.
    for (let n = 0; n < 3; n++) run(shim, ['stdio'], { PATH: SYSTEM, HOME: home });
    expect([monitor.exitCode, monitor.signalCode]).toEqual([null, null]);
  });

  it('starts in Codex, too, which does not say where the plug-in is', () => {
    const { home } = copied();
    const { hub } = JSON.parse(readFileSync(join(PLUGIN, '.mcp.codex.json'), 'utf8')).mcpServers;
    const look = (path: string) => spawnSync(hub.command, hub.args, { env: { PATH: path, HOME: home }, encoding: 'utf8' });
    expect(look(SYSTEM)).toMatchObject({ status: 127, stderr: expect.stringContaining('README') });
    program(join(home, '.rookery', 'bin', 'rookery'), 'left');
    expect(look(SYSTEM).stdout).toBe('left stdio\n');
    program(join(home, 'global', 'rookery'), 'global');
    expect(look(`${join(home, 'global')}:${SYSTEM}`).stdout).toBe('global stdio\n');
  });
});

describe('the words of the plug-in', () => {
  const skill = join(PLUGIN, 'skills', 'rookery');
  const texts = [join(skill, 'SKILL.md'), ...readdirSync(join(skill, 'references')).map((name) => join(skill, 'references', name))].map(
    (path) => [path, readFileSync(path, 'utf8')] as const,
  );

  it('name only tools that exist (C-79)', () => {
    const words = tools.flatMap((tool) => [tool.name, ...(JSON.stringify(listed(tool).inputSchema).match(SNAKE) ?? [])]);
    const known = new Set([...words, ...Object.keys(ERROR_CODES)]);
    for (const [path, text] of texts)
      for (const word of text.match(SNAKE) ?? []) expect([path, word, known.has(word)]).toEqual([path, word, true]);
  });

  it('are short: a skill is read into the context of whoever needs it', () => {
    for (const [path, text] of texts) {
      expect([path, text.split(/\s+/).length < 700]).toEqual([path, true]);
      const headings = text.match(/^#+ .*$/gm) ?? [];
      expect([path, headings]).toEqual([path, [...new Set(headings)]]);
    }
  });

  it('have the roles that prompts have', () => {
    for (const role of ['worker', 'manager', 'reviewer', 'recover'])
      expect(readFileSync(join(skill, 'references', `${role}.md`), 'utf8')).toMatch(/^# /m);
  });
});
