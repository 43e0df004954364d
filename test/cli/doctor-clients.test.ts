// The doctor at the clients: what is in their settings, whether it starts, whether its hooks are heard and trusted, and one thing to do.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hookSettings } from '../../src/clients/hook-events.ts';
import { untrusted } from '../../src/clients/install/codex-trust.ts';
import { journalOf } from '../../src/clients/install/installation.ts';
import { isOurHook } from '../../src/clients/install/json-edits.ts';
import { readConfig } from '../../src/config.ts';
import type { Evidence } from '../../src/doctor/client-hooks.ts';
import { startServer } from '../../src/doctor/client-server.ts';
import { checkClients } from '../../src/doctor/clients.ts';
import { type Probes, realProbes } from '../../src/doctor/doctor.ts';
import { systemClock } from '../../src/system/clock.ts';
import { desk, type Given } from '../clients/desk.ts';
import { built, MAIN } from '../server/http-process.ts';
import { scratch } from '../support/engines.ts';
import { rookeryOn, start } from './command-line.ts';

const HEARD = { sessionAt: null, startAt: null, anyAt: null, toolAt: null, stopAt: null };

/** A person's machine: clients are on it as far as they left something; what the doctor says of them. */
function machine() {
  const own = desk();
  const program = { node: process.execPath, main: MAIN };
  const config = readConfig({ env: { ROOKERY_HOME: own.hub }, cwd: own.project, flags: {} });
  const probes: Probes = {
    ...realProbes({ userHome: own.home, env: {}, program, startsServers: false }),
    startServer: async () => ({ tools: 20, ms: 300 }),
  };
  const findings = (more: Partial<Probes> = {}, evidence?: Partial<Evidence>) =>
    checkClients(config, { ...probes, ...more }, evidence && { hooks: {}, doors: [], ...evidence });
  const examine = async (more: Partial<Probes> = {}, evidence?: Partial<Evidence>) =>
    Object.fromEntries((await findings(more, evidence)).map((finding) => [finding.check, finding]));
  const flags = { '--home': own.hub };
  return {
    ...own,
    flags,
    program,
    examine,
    findings,
    installed: (name: 'claude', given: Given) => own.install([name], given),
    install: (name: 'claude' | 'codex' | 'gemini') => own.install([name], { program, flags }),
  };
}

describe('clients on this machine', () => {
  it('are examined one by one, the others named in one line', async () => {
    const { examine, put } = machine();
    expect(await examine()).toEqual({
      clients: expect.objectContaining({ status: 'ok', what: expect.stringMatching(/^not on this machine: Claude Code, Codex/) }),
    });
    put('.codex/config.toml', '');
    expect(await examine()).toMatchObject({ codex: { status: 'unknown', what: expect.stringContaining('rookery install codex') } });
  });

  it('pass when everything is there, starts, is heard and has woken somebody', async () => {
    const { examine, install } = machine();
    await install('claude');
    const now = 1_900_000_000_000;
    const found = await examine(
      {},
      {
        hooks: { 'claude:': { sessionAt: now, startAt: now, anyAt: now, toolAt: null, stopAt: now } },
        doors: [{ kind: 'monitor', open: 1, provenAt: now }],
      },
    );
    expect(found).toMatchObject({
      claude: { status: 'ok', what: expect.stringContaining('up to date, written by version 0.1.0') },
      claude_server: { status: 'ok', what: expect.stringContaining('20 tools in 300 ms') },
      claude_patience: { status: 'ok' },
      claude_hooks: { status: 'ok', what: expect.stringMatching(/session start 2030.*, end of turn 2030/) },
      claude_wake: { status: 'ok', what: expect.stringContaining('by monitor') },
    });
  });

  it('that start a Rookery which is gone are told so, and how to mend it', async () => {
    const { examine, install, put, text, flags, uninstall } = machine();
    await install('codex');
    put('.codex/config.toml', text('.codex/config.toml').replace(MAIN, '/moved/rookery/dist/main.js'));
    expect(await examine()).toMatchObject({
      codex: { status: 'fail', what: expect.stringContaining('/moved/rookery/dist/main.js, which is gone'), fix: 'rookery install codex' },
    });
    await uninstall(['codex'], { flags });
    expect((await examine()).clients).toMatchObject({ what: expect.stringContaining('Codex') });
  });

  it('that have other words, no hooks, too little patience, or a foreign hub, are told what that means', async () => {
    const { examine, install, put, text } = machine();
    await install('codex');
    put('.codex/config.toml', text('.codex/config.toml').replace('tool_timeout_sec = 120', 'tool_timeout_sec = 30'));
    put('.codex/hooks.json', '{}\n');
    put('.gemini/settings.json', '{"mcpServers":{"hub":{"command":"another"}}}');
    const found = await examine();
    expect(found).toMatchObject({
      codex: { status: 'warn', fix: expect.stringContaining('rookery install codex') },
      codex_patience: {
        status: 'warn',
        what: expect.stringContaining('after 30 s'),
        fix: expect.stringContaining('tool_timeout_sec to 60'),
      },
      codex_hooks: { status: 'warn', fix: 'rookery install codex' },
      gemini: { status: 'warn', what: expect.stringContaining('not Rookery') },
    });
    await install('codex');
    expect((await examine()).codex).toMatchObject({ status: 'ok' });
  });

  it('whose hooks nobody hears are told what to do, but not before a session came', async () => {
    const { examine, install } = machine();
    await install('claude');
    const later = 1_900_000_000_000;
    expect((await examine({}, { hooks: { 'claude:': HEARD } })).claude_hooks).toMatchObject({ status: 'unknown' });
    expect((await examine({}, { hooks: { 'claude:': { ...HEARD, sessionAt: later } } })).claude_hooks).toMatchObject({
      status: 'warn',
      what: expect.stringContaining('never heard since'),
      fix: expect.stringContaining('claude --debug hooks'),
    });
    expect((await examine({}, { hooks: { 'claude:': HEARD } })).claude_wake).toMatchObject({
      status: 'unknown',
      what: expect.stringContaining('rookery send'),
    });
  });

  it('have the hub twice, by plug-in and by installation', async () => {
    const { examine, install, put, home } = machine();
    await install('claude');
    const settings = JSON.parse(readFileSync(join(home, '.claude', 'settings.json'), 'utf8'));
    put('.claude/settings.json', JSON.stringify({ ...settings, enabledPlugins: { 'rookery@rookery': true } }));
    put('.claude/plugins/installed_plugins.json', JSON.stringify({ plugins: { 'rookery@rookery': [{ installPath: '/copy' }] } }));
    expect((await examine()).claude).toMatchObject({
      status: 'warn',
      what: expect.stringContaining('twice'),
      fix: 'rookery uninstall claude',
    });
  });

  it('have a hub that goes before the installed one, or every hook twice', async () => {
    const { examine, install, put, text, project, program, flags, ...own } = machine();
    await install('claude');
    const state = JSON.parse(text('.claude.json'));
    put('.claude.json', JSON.stringify({ ...state, projects: { [project]: { mcpServers: { hub: { command: 'x' } } } } }));
    expect((await examine()).claude).toMatchObject({ status: 'ok' });
    const all = await own.findings();
    expect(all).toContainEqual(expect.objectContaining({ check: 'claude', status: 'warn', what: expect.stringContaining('-s local') }));
    await own.installed('claude', { scope: 'project', program, flags });
    expect((await examine()).claude_hooks).toMatchObject({ status: 'warn', what: expect.stringContaining('twice') });
  });

  it('were being written when the power went', async () => {
    const { examine, hub } = machine();
    mkdirSync(join(hub, 'clients'), { recursive: true });
    writeFileSync(journalOf(hub), JSON.stringify({ pid: 1, entries: [] }));
    expect(Object.values(await examine())).not.toContainEqual(expect.objectContaining({ status: 'fail' }));
    expect(existsSync(journalOf(hub))).toBe(true);
  });
});

describe('Codex’s trust in hooks', () => {
  it('is read as Codex wrote it', () => {
    const path = '/tmp/install/lab/h2/codex/hooks.json';
    const hooks = {
      SessionStart: [
        { hooks: [{ type: 'command', command: 'echo hi >> /tmp/install/lab/h2/fired; cat >> /tmp/install/lab/h2/in.jsonl', timeout: 10 }] },
      ],
      Stop: [{ hooks: [{ type: 'command', command: 'echo stop >> /tmp/install/lab/h2/fired', timeout: 10 }] }],
    };
    const state = {
      [`${path}:session_start:0:0`]: { trusted_hash: 'sha256:d2105ca5ea61a1226e22b1c199daf40731fb1488935fbbc977314e5ba0eb8113' },
      [`${path}:stop:0:0`]: { trusted_hash: 'sha256:efcb90c63da5af0a09b68664f569bbf0e09832fc05c4a9ba446d80f0635b920a' },
    };
    const all = () => true;
    expect(untrusted({ hooks: { state } }, path, hooks, all)).toEqual([]);
    expect(untrusted({}, path, hooks, all)).toEqual(['SessionStart', 'Stop']);
    const [group] = hooks.Stop;
    expect(untrusted({ hooks: { state } }, path, { ...hooks, Stop: [{ hooks: [] }, group] }, all)).toEqual(['Stop']);
    expect(
      untrusted({}, path, hookSettings('codex', { program: ['node', '/x/rookery/dist/main.js'], server: 'hub' }), isOurHook),
    ).toContain('Stop');
  });

  it('is asked for until it is given', async () => {
    const { examine, install } = machine();
    await install('codex');
    expect((await examine()).codex_trust).toMatchObject({ status: 'warn', fix: expect.stringContaining('/hooks') });
  });
});

describe('the server of a client', () => {
  const words = () => [process.execPath, built(), 'stdio', '--agent', 'ada'];
  const env = (home: string) => ({ PATH: process.env.PATH ?? '', HOME: home, ROOKERY_HOME: join(home, 'hub') });

  it('is started, asked and ended, and nobody has joined by that', async () => {
    const home = scratch();
    const answer = await startServer({ words: words(), env: env(home), cwd: home, limitMs: 30_000 }, systemClock);
    expect(answer).toMatchObject({ tools: expect.any(Number), ms: expect.any(Number) });
    const agents = await start(['agents', '--json', '--all-projects'], { home: join(home, 'hub'), input: '', env: { HOME: home } }).ended;
    expect(JSON.parse(agents.stdout)).toMatchObject({ agents: [] });
  });

  it('that ends, is not there, or says nothing, is described in a sentence', async () => {
    const home = scratch();
    const look = (line: string[], limitMs = 20_000) => startServer({ words: line, env: env(home), cwd: home, limitMs }, systemClock);
    expect(await look([process.execPath, '-e', 'console.error("no way"); process.exit(3)'])).toBe('ended with 3: no way');
    expect(await look(['/nowhere/node'])).toContain('cannot be started');
    expect(await look([process.execPath, '-e', 'process.stdin.resume()'], 200)).toBe('does not answer within 0.2 s');
  });
});

it('rookery doctor says all of it, and its exit code', async () => {
  const home = scratch();
  const { run, json } = rookeryOn(home);
  await run('install', 'codex');
  const { findings } = await json('doctor');
  const of = (check: string) => findings.find((finding: { check: string }) => finding.check === check);
  expect([of('codex').status, of('codex_server').status, of('codex_trust').status]).toEqual(['ok', 'ok', 'warn']);
  expect((await run('doctor')).code).toBe(1);
});
