// Waking with whole processes and the real clock: the server of a session, and what its client starts beside it.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { freshHub, type Running, start, withoutNativePart } from '../cli/command-line.ts';
import { cleanup, scratch } from '../support/engines.ts';

const SESSION = { CLAUDE_CODE_SESSION_ID: 's-1' };

/** A home in which a session that just came counts as idle at once. */
async function hubHome() {
  const home = scratch();
  writeFileSync(join(home, 'config.json'), JSON.stringify({ limits: { wakeQuietMs: 1 } }), { mode: 0o600 });
  return await freshHub(home);
}

/** The server as Claude Code starts it, and a way to call its tools. */
async function server(home: string, env: Record<string, string> = {}) {
  const running = start(['stdio', '--agent', 'bob'], { home, env: { ...SESSION, ...env } });
  let id = 0;
  const request = async (method: string, params: object): Promise<Record<string, unknown>> => {
    const wanted = ++id;
    running.write(`${JSON.stringify({ jsonrpc: '2.0', id: wanted, method, params })}\n`);
    let found: Record<string, unknown> | undefined;
    await expect
      .poll(
        () => {
          const lines = running
            .stdout()
            .split('\n')
            .filter((line) => line !== '');
          found = lines.map((line) => JSON.parse(line) as Record<string, unknown>).find((message) => message.id === wanted);
          return found;
        },
        { timeout: 30_000 },
      )
      .toBeDefined();
    return found ?? {};
  };
  const call = async (name: string, args: object = {}) => {
    const { result } = (await request('tools/call', { name, arguments: args })) as {
      result: { structuredContent: Record<string, unknown> };
    };
    return result.structuredContent;
  };
  await request('initialize', { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'claude-code', version: '2' } });
  running.write(`${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' })}\n`);
  await call('whoami');
  return { running, call };
}

/** A session's messaging socket. */
async function claudeSocket() {
  const path = join(scratch(), 's.sock');
  const heard: string[] = [];
  const listening = createServer((peer) => {
    peer.setEncoding('utf8').on('data', (part: string) => heard.push(part));
  });
  await new Promise<void>((done) => listening.listen(path, done));
  cleanup(() => {
    listening.close();
  });
  return { path, heard };
}

/** Something that lives as long as the client does. */
function client() {
  const child = spawn('/bin/sleep', ['600']);
  const ended = once(child, 'close');
  cleanup(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return { pid: child.pid ?? 0, end: () => child.kill('SIGKILL') };
}

const settled = (condition: () => unknown) => expect.poll(condition, { timeout: 30_000 });

it('the server wakes its own idle session by its messaging socket, once, and tells the truth about it', async () => {
  const hub = await hubHome();
  const socket = await claudeSocket();
  const { call } = await server(hub.home, { CLAUDE_CODE_MESSAGING_SOCKET: socket.path, CLAUDE_CODE_MESSAGING_TOKEN: 'tok' });
  await settled(async () => ((await call('whoami')).wake as { door: string }).door).toBe('messaging_socket');
  const sent = await hub.json('call', 'send', JSON.stringify({ to: 'bob', body: 'secret words', subject: 'the parser' }));
  await hub.json('call', 'send', JSON.stringify({ to: 'bob', body: 'more' }));
  await settled(() => socket.heard.join('')).toContain('Mail for bob from operator: \\"the parser\\" (note).');
  expect(await call('recv_batch')).toMatchObject({ messages: [{ subject: 'the parser' }, {}] });
  const status = await hub.json('call', 'message_status', JSON.stringify({ message_id: sent.message_id }));
  expect(status.recipients[0].wake_attempts).toEqual([
    { door: 'messaging_socket', at: expect.any(String), outcome: expect.stringMatching(/^read \d+ ms later$/) },
  ]);
  expect(socket.heard.join('').match(/cross-session-message from-name/g)).toHaveLength(1);
  expect(socket.heard.join('')).not.toContain('secret words');
});

it('a monitor prints a line for its session, and ends when the client does', async () => {
  const hub = await hubHome();
  const claude = client();
  const { call } = await server(hub.home);
  const monitor = start(['monitor'], { home: hub.home, env: { ...SESSION, CLAUDE_PID: String(claude.pid) } });
  await settled(async () => ((await call('whoami')).wake as { door: string }).door).toBe('monitor');
  await hub.json('call', 'send', JSON.stringify({ to: 'bob', body: 'hello' }));
  await settled(() => monitor.stdout()).toMatch(/^Mail for bob from operator: note\. recv_batch shows it\. \(wak_\w+\)\n$/);
  claude.end();
  expect(await monitor.ended).toMatchObject({ code: 0, stderr: '' });
});

it('a monitor never ends before its client, whatever is wrong with the hub', async () => {
  const home = scratch();
  mkdirSync(join(home, 'hub.db'));
  const claude = client();
  const broken = start(['monitor'], { home, env: { ...SESSION, CLAUDE_PID: String(claude.pid) } });
  writeFileSync(join(scratch(), 'x'), '');
  const misconfigured = start(['monitor'], { home, env: { ...SESSION, CLAUDE_PID: String(claude.pid), ROOKERY_LOG_LEVEL: 'loud' } });
  const over: Running[] = [];
  const miscalled = start(['monitor', '--bogus', '--home'], { home, env: { ...SESSION, CLAUDE_PID: String(claude.pid) } });
  const incomplete = start(['monitor'], { home, main: withoutNativePart(), env: { ...SESSION, CLAUDE_PID: String(claude.pid) } });
  const monitors = [broken, misconfigured, miscalled, incomplete];
  for (const one of monitors) void one.ended.then(() => over.push(one));
  // Whatever else starts meanwhile takes longer than failing would have taken them.
  rmSync(join(home, 'hub.db'), { recursive: true });
  const early = start(['monitor'], { home: join(home, 'none'), env: { CLAUDE_PID: String(claude.pid) } });
  void early.ended.then(() => over.push(early));
  await start(['config'], { home, input: '' }).ended;
  expect(over).toEqual([]);
  claude.end();
  for (const one of [...monitors, early]) expect(await one.ended).toMatchObject({ code: 0, stdout: '', stderr: '' });
});

it('a rewake ends with 2 and the news on standard error, and with 0 and nothing where it is of no use', async () => {
  const hub = await hubHome();
  const claude = client();
  const { call } = await server(hub.home);
  const env = { CLAUDE_PID: String(claude.pid) };
  const input = JSON.stringify({ session_id: 's-1', hook_event_name: 'Stop', stop_hook_active: false });
  const stranger = start(['rewake'], { home: hub.home, env, input: JSON.stringify({ session_id: 'other' }) });
  expect(await stranger.ended).toEqual({ code: 0, stdout: '', stderr: '' });
  expect(await start(['rewake'], { home: hub.home, env, input: 'no JSON' }).ended).toEqual({ code: 0, stdout: '', stderr: '' });
  // To Claude Code 2 means mail, also from a program that could not even read its command line.
  for (const words of [['--bogus'], ['--home'], ['two', 'words']])
    expect(await start(['rewake', ...words], { home: hub.home, env, input }).ended).toEqual({ code: 0, stdout: '', stderr: '' });
  // `claude -p` waits for what it started, and nobody would end it.
  const none = join(hub.home, 'none');
  expect(await start(['rewake'], { home: none, env, input }).ended).toEqual({ code: 0, stdout: '', stderr: '' });
  expect(existsSync(none)).toBe(false);
  const alone = { ...env, CLAUDE_CODE_SESSION_ATTENDED: '0' };
  expect(await start(['rewake'], { home: hub.home, env: alone, input }).ended).toEqual({ code: 0, stdout: '', stderr: '' });
  const rewake = start(['rewake'], { home: hub.home, env, input });
  await settled(async () => ((await call('whoami')).wake as { door: string }).door).toBe('async_rewake');
  await hub.json('call', 'send', JSON.stringify({ to: 'bob', body: 'hello' }));
  expect(await rewake.ended).toEqual({ code: 2, stdout: '', stderr: expect.stringMatching(/^Mail for bob from operator: note\./) });
});
