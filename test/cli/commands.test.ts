import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { programWith } from '../../src/cli/program.ts';
import { tools } from '../../src/tools/index.ts';
import { built } from '../server/http-process.ts';
import { scratch } from '../support/engines.ts';
import { freshHub, rookeryOn, start } from './command-line.ts';

describe('tools as commands', () => {
  it('sends, shows what waits without taking it, and tells what became of it', async () => {
    const { run, json } = await freshHub();
    const sent = await json('send', '--to', 'reviewer', '--kind', 'request', 'please look');
    expect(sent).toMatchObject({ message_id: expect.stringMatching(/^msg_/), recipients: [{ name: 'reviewer', state: 'ready' }] });
    for (let look = 0; look < 2; look++) {
      const { messages } = await json('inbox', 'reviewer');
      expect(messages).toMatchObject([{ message_id: sent.message_id, state: 'ready', attempts: 0, excerpt: 'please look' }]);
    }
    const status = await json('message-status', sent.message_id);
    expect(status.recipients[0]).toMatchObject({
      state: 'ready',
      attempts: 0,
      first_shown_at: null,
      why: expect.stringContaining('never been connected'),
    });
    expect((await run('thread', sent.message_id)).stdout).toContain('  | please look');
  });

  it('speaks to a person in a person’s words', async () => {
    const { run, json } = await freshHub();
    expect((await run('approve', 'apr_none')).stderr).toBe(
      'rookery: There is no approval apr_none that you asked for or may decide. rookery open lists them.\n',
    );
    expect((await run('config', 'unset', 'nope')).stderr).toBe(
      'rookery: nope is not a policy; nothing was changed. rookery config list shows all.\n',
    );
    expect((await run('config', 'unset', 'limits.waitM')).stderr).toContain('Did you mean limits.waitMs');
    expect(await json('whoami')).toMatchObject({ name: 'operator', session_id: null });
    const { message_id: note } = await json('send', '--to', 'operator', 'note to self');
    expect((await json('message-status', note)).recipients[0].why).toBe(
      'operator is a person, who is shown this when that person next reads the inbox.',
    );
    const codex = (await run('agents', 'create', 'zed', '--print', 'codex')).stdout;
    expect(codex).toMatch(/^\[mcp_servers\.hub\]/);
  });

  it('takes a body from standard input', async () => {
    const { home, json } = await freshHub();
    const { stdout } = await start(['send', '--to', 'reviewer', '-', '--json'], { home, input: 'two\nlines\n' }).ended;
    expect((await json('get-message', JSON.parse(stdout).message_id)).body).toBe('two\nlines');
  });

  it('receives and acknowledges the operator’s own mail', async () => {
    const { json } = await freshHub();
    const { message_id: id } = await json('send', '--to', 'operator', 'note to self');
    const batch = await json('recv', '--max', '5');
    expect(batch.messages).toMatchObject([{ id, body: 'note to self' }]);
    expect((await json('ack', batch.receipt)).acked).toEqual([id]);
    expect((await json('recv-batch')).messages).toEqual([]);
  });

  it('calls a tool with raw JSON', async () => {
    const { run } = await freshHub();
    const { code, stdout } = await run('call', 'send', JSON.stringify({ to: 'reviewer', body: 'raw' }));
    expect([code, JSON.parse(stdout).recipients[0].name]).toEqual([0, 'reviewer']);
  });
});

describe('exit codes', () => {
  const home = mkdtempSync(join(tmpdir(), 'rookery-cli-'));
  const { run } = rookeryOn(home);
  beforeAll(async () => void (await freshHub(home)));
  afterAll(() => rmSync(home, { recursive: true }));

  it.each([
    [['send', '--to', 'nobody', 'hello'], 1, 'not_found'],
    [['requeue', 'msg_none', '--to', 'reviewer'], 1, 'not_found'],
    [['send', '--to', 'reviewer'], 2, 'invalid_input'],
    [['send', '--bogus'], 2, 'invalid_input'],
    [['frobnicate'], 2, 'invalid_input'],
    [['requeue', 'msg_none'], 2, 'invalid_input'],
    [['call', 'send', '{broken'], 2, 'invalid_input'],
    [['inbox', 'reviewer', '--limit', 'all'], 2, 'invalid_input'],
    [['token', 'create'], 2, 'invalid_input'],
    [['watch', '--after', '-1'], 2, 'invalid_input'],
    [['verify', '/nonexistent/file.db'], 1, 'not_found'],
  ])('%j ends with %d', async (args, code, word) => {
    const { stdout, stderr, ...ended } = await run(...args, '--json');
    expect([ended.code, stdout]).toEqual([code, '']);
    expect(JSON.parse(stderr).error).toMatchObject({ code: word, message: expect.any(String), retryable: false });
  });

  it('comes with one line for people', async () => {
    const { stderr } = await run('send', '--to', 'revewer', 'hello');
    expect(stderr).toMatch(/^rookery: No agent [^\n]+Did you mean reviewer\?[^\n]*\n$/);
  });

  it('is 3 when the hub’s folder is open to others', async () => {
    const { home, run } = await freshHub();
    chmodSync(home, 0o755);
    expect(await run('status')).toMatchObject({ code: 3, stderr: expect.stringContaining(`chmod 700 ${home}`) });
  });
});

/** They work on no hub of the user's. */
const WITHOUT_HUB = ['demo', 'completion', 'bench', 'prove'];

describe('help', () => {
  it('stands for every command, with an example and the common flags', async () => {
    const program = await programWith(undefined);
    const groups = program.commands.filter(({ commands }) => commands.length > 0);
    const commands = [...program.commands.filter((command) => !groups.includes(command)), ...groups.flatMap(({ commands }) => commands)];
    for (const tool of tools) expect(commands.map((command) => command.name())).toContain(tool.name.replaceAll('_', '-'));
    for (const command of [...commands, ...groups]) {
      const written: string[] = [];
      command.configureOutput({ writeOut: (text) => void written.push(text) }).outputHelp();
      const help = written.join('');
      const flags = WITHOUT_HUB.includes(command.name()) ? ['--json'] : ['--json', '--home', '--project'];
      for (const part of ['Example', ...(groups.includes(command) ? [] : flags)])
        expect([command.name(), help]).toEqual([command.name(), expect.stringContaining(part)]);
    }
  });

  it('is printed by the program', async () => {
    const { code, stdout } = await start(['send', '--help'], { home: scratch(), input: '' }).ended;
    expect([code, stdout]).toEqual([0, expect.stringContaining('$ rookery send --to reviewer')]);
  });

  it('ends quietly when its reader goes away', async () => {
    const child = spawn(process.execPath, [built(), '--help'], { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    const [[code], stderr] = await Promise.all([once(child, 'close'), text(child.stderr)]);
    expect([code, stderr]).toEqual([0, '']);
  });
});

describe('what a newcomer meets', () => {
  it('says where to begin when asked for nothing', async () => {
    const { code, stdout, stderr } = await start([], { home: scratch(), input: '' }).ended;
    expect([code, stderr]).toEqual([0, '']);
    for (const command of ['rookery demo', 'rookery install', 'rookery status', '--help']) expect(stdout).toContain(command);
  });

  it('lists every command under what it is for', async () => {
    const { stdout } = await start(['--help'], { home: scratch(), input: '' }).ended;
    const program = await programWith(undefined);
    for (const command of program.commands) expect(stdout).toMatch(new RegExp(`\\b${command.alias() ?? command.name()}\\b`));
    expect(stdout.split('\n').filter((line) => line.length > 160)).toEqual([]);
  });

  it.each([
    ['agnts', 'Did you mean agents?'],
    ['logs', 'rookery watch'],
    ['send --too x', 'Did you mean --to?'],
    ['inbox', '<name> is missing. rookery inbox --help shows an example.'],
    ['inbox a --limit', '--limit <number> needs its value.'],
    ['requeue msg_1', '--to <name> is missing.'],
    ['token creat', 'Did you mean create?'],
    ['status a b', 'more words than this command takes'],
    ['call sned', 'Did you mean send?'],
  ])('rookery %s: %s', async (line, said) => {
    const { code, stdout, stderr } = await start(line.split(' '), { home: scratch(), input: '' }).ended;
    expect([code, stdout, stderr]).toEqual([2, '', expect.stringContaining(said)]);
  });
});

describe('what people see', () => {
  it('neutralises what an agent wrote, in tables and in JSON', async () => {
    const { home, run } = await freshHub();
    const evil = '\u001b]52;c;ZXZpbA==\u0007\u009b2J\u202egnp\u{e0041}';
    await run('send', '--to', 'reviewer', '--subject', evil, evil);
    for (const args of [
      ['inbox', 'reviewer'],
      ['inbox', 'reviewer', '--json'],
      ['status', '--json'],
    ]) {
      const { stdout } = await start(args, { home, env: { FORCE_COLOR: '1' }, input: '' }).ended;
      expect(stdout.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    }
  });

  it('gives the status of the project with stable fields', async () => {
    const { json, path } = await freshHub();
    await json('send', '--to', 'reviewer', 'hello');
    expect(await json('status')).toEqual({
      project: expect.objectContaining({ id: expect.any(String) }),
      agents: { gone: 1 },
      waking: { can: 0, cannot: [] },
      deliveries: { ready: 1, leased: 0, acked: 0, dead: 0, expired: 0, recalled: 0 },
      inbox: { unread: 0, owed: 0 },
      asks: [],
      approvals: { pending: 0, yours: 0 },
      tasks: {},
      attention: [],
      paused: [],
      parked: [],
      stuck: [],
      dead: [],
      store: { path, bytes: expect.any(Number), wal_bytes: expect.any(Number) },
      queue_depth: 1,
      processes: [],
      notices: expect.any(Array),
    });
    expect((await json('agents')).agents).toMatchObject([{ name: 'reviewer', state: 'gone', unread: 1 }]);
    expect(await json('dead')).toEqual({ messages: [] });
  });

  it('explains where a setting comes from, and shows no secret', async () => {
    const home = scratch();
    const { stdout } = await start(['config', '--explain', '--json'], {
      home,
      env: { ROOKERY_TOKEN: 'rookery_secret', ROOKERY_LOG_LEVEL: 'info' },
      input: '',
    }).ended;
    const { settings } = JSON.parse(stdout);
    expect(settings).toContainEqual({ name: 'logLevel', value: 'info', source: 'environment', environment: 'ROOKERY_LOG_LEVEL' });
    expect(stdout).not.toContain('rookery_secret');
  });
});

describe('tokens', () => {
  it('are shown once, written privately, listed without their secret, and revoked', async () => {
    const { home, run, json } = await freshHub();
    const file = join(home, 'lead.token');
    const made = await json('token', 'create', '--agent', 'lead', '--days', '3', '--label', 'laptop', '--out', file);
    expect(made).toMatchObject({ agent: 'lead', file });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(await run('token', 'create', '--agent', 'lead', '--out', file)).toMatchObject({ code: 2 });
    const shown = await run('token', 'create', '--operator');
    expect(shown.stdout).toMatch(/^rookery_\S{43}\n$/);
    const listed = await run('token', 'list');
    expect(listed.stdout).toContain('laptop');
    expect(listed.stdout).not.toContain('rookery_');
    expect(await json('token', 'revoke', made.id)).toEqual({ revoked: made.id });
    expect((await json('token', 'list')).tokens.find((token: { id: string }) => token.id === made.id).state).toBe('revoked');
    expect((await run('token', 'revoke', made.id)).code).toBe(1);
  });
});
