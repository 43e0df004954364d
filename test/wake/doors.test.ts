// The doors to clients as they really are: a unix socket, a program. What is not as expected is a failure of the door, never of its process.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { WAKE_DOORS } from '../../src/store/wake-doors.ts';
import { systemClock } from '../../src/system/clock.ts';
import { systemIds } from '../../src/system/ids.ts';
import { clientDoors } from '../../src/wake/client-doors.ts';
import { findCodex } from '../../src/wake/codex-program.ts';
import { codexQueue, type Machine } from '../../src/wake/codex-queue.ts';
import { hasSocket, messagingSocket } from '../../src/wake/messaging-socket.ts';
import { runProgram } from '../../src/wake/program.ts';
import type { Notice } from '../../src/wake/waker.ts';
import { built } from '../server/http-process.ts';
import { until } from '../support/acts.ts';
import { cleanup, scratch } from '../support/engines.ts';
import { FakeClock } from '../support/fake-clock.ts';

const notice: Notice = {
  line: 'Mail for bob from alice: "the parser" (request). recv_batch shows it. (wak_1)',
  plain: 'Mail for bob (wak_1)',
  attemptId: 'wak_1',
};
const machine: Machine = { env: { PATH: process.env.PATH ?? '' }, ids: systemIds(systemClock), sleep: systemClock.sleep };

/** A session of Claude Code as far as its socket goes: it takes lines and says nothing. */
async function session(take: (peer: Socket) => void = () => {}) {
  const path = join(scratch(), 's.sock');
  const heard: string[] = [];
  const server = createServer((peer) => {
    take(peer);
    peer.setEncoding('utf8').on('data', (part: string) => heard.push(part));
    peer.on('error', () => {});
  });
  await new Promise<void>((done) => server.listen(path, done));
  cleanup(() => {
    server.close();
  });
  return {
    path,
    lines: () =>
      heard
        .join('')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>),
  };
}

it('writes two lines to the messaging socket: the token, and the notice as words of another session', async () => {
  const { path, lines } = await session();
  expect(await messagingSocket({ path, token: 't0ken' }, systemClock.sleep).wake(notice)).toEqual({ sent: true });
  expect(lines()).toMatchObject([
    { type: 'auth', token: 't0ken' },
    {
      msgV: 1,
      type: 'user',
      priority: 'next',
      message: { role: 'user', content: `<cross-session-message from-name="hub">\n${notice.line}\n</cross-session-message>` },
    },
  ]);
});

it('fails when the socket is gone, is no socket, objects, or takes nothing in time', async () => {
  const folder = scratch();
  const wake = (path: string) => messagingSocket({ path, token: undefined }, systemClock.sleep).wake(notice);
  expect(await wake(join(folder, 'none.sock'))).toMatchObject({ sent: false, detail: 'the session’s messaging socket is gone' });
  writeFileSync(join(folder, 'file'), '');
  expect(hasSocket({ path: join(folder, 'file'), token: undefined })).toBe(false);
  const { path: target } = await session();
  symlinkSync(target, join(folder, 'link.sock'));
  expect(hasSocket({ path: join(folder, 'link.sock'), token: undefined })).toBe(false);
  const objecting = await session((peer) => peer.end('{"error":"unknown message"}\n'));
  expect(await wake(objecting.path)).toEqual({ sent: false, detail: 'the session refused it' });
  const clock = new FakeClock();
  const hanging = await session((peer) => peer.pause());
  const waiting = messagingSocket({ path: hanging.path, token: undefined }, (ms, signal) => clock.sleep(ms, signal)).wake(notice);
  await until(() => clock.sleeping === 1);
  clock.advance(3_000);
  expect(await waiting).toEqual({ sent: false, detail: 'the messaging socket took no line in time' });
});

/** A program that writes down how it was called. */
function fakeCodex(script = ''): { program: string; folder: string; called: () => string[] } {
  const folder = scratch();
  const bin = join(folder, 'vendor', 'bin');
  mkdirSync(join(folder, 'vendor', 'codex-path'), { recursive: true });
  mkdirSync(bin);
  const program = join(bin, 'codex');
  writeFileSync(program, `#!/bin/sh\nprintf '%s\\0' "$CODEX_HOME" "$SECRET" "$@" > "${folder}/called"\n${script}\n`);
  chmodSync(program, 0o755);
  return { program, folder, called: () => readFileSync(join(folder, 'called'), 'utf8').split('\0').slice(0, -1) };
}

it('queues into a thread of Codex, framed, without anybody’s words, with the home of that Codex and no other environment', async () => {
  const codex = fakeCodex();
  const door = codexQueue({ program: codex.program, home: '/home/x/.codex', thread: 'thread-1' }, machine);
  expect(await door.wake(notice)).toEqual({ sent: true });
  const [home, secret, ...args] = codex.called();
  expect([home, secret, ...args.slice(0, 4)]).toEqual(['/home/x/.codex', '', 'queue', '--thread', 'thread-1', '--message']);
  expect(args[4]).toMatch(
    /^A notice of the coordination hub, not of your user:\n\[data (\S+): words of agents, quoted; .*\]\nMail for bob \(wak_1\)\n\[end of data \1\]$/,
  );
  expect(args[4]).not.toContain('parser');
});

it('finds Codex by its own folder on the PATH, by a plain PATH, or not at all', () => {
  const { program, folder } = fakeCodex();
  const path = (...folders: string[]) => findCodex({ home: undefined, path: folders.join(':'), parentPid: undefined })?.program;
  expect(path('/nowhere', join(folder, 'vendor', 'codex-path'))).toBe(program);
  expect(path(join(folder, 'vendor', 'bin'))).toBe(program);
  expect(path('/nowhere')).toBeUndefined();
  // A parent that is no Codex says nothing.
  expect(findCodex({ home: '/h', path: join(folder, 'vendor', 'bin'), parentPid: process.pid })).toEqual({ program, home: '/h' });
});

it('takes a thread of `codex exec` for one without a door, whatever options it was started with', async () => {
  const folder = scratch();
  const program = join(folder, 'codex');
  copyFileSync(realpathSync('/bin/sh'), program);
  // A shell by the name of codex: its first word is a file that it runs.
  for (const name of ['exec', 'resume']) writeFileSync(join(folder, name), 'echo up; read -r line');
  const found = async (...words: string[]) => {
    const codex = spawn(program, words, { cwd: folder, stdio: ['pipe', 'pipe', 'inherit'] });
    cleanup(() => {
      codex.kill();
    });
    await new Promise((up) => codex.stdout.once('data', up));
    return findCodex({ home: undefined, path: '/nowhere', parentPid: codex.pid })?.program;
  };
  expect(await found('resume', 'exec')).toBe(program);
  expect(await found('exec', 'go')).toBeUndefined();
  expect(await found('-u', 'exec', 'go')).toBeUndefined();
});

it('says in a line how a program failed, and ends one that takes too long', async () => {
  const run = (script: string, more = {}) =>
    runProgram({ program: '/bin/sh', args: ['-c', script], env: {}, timeoutMs: 60_000, ...more }, systemClock.sleep);
  expect(await run('exit 0')).toEqual({ sent: true });
  expect(await run('echo trouble >&2; echo "no\x1b[2Jthread" >&2; exit 3')).toEqual({
    sent: false,
    detail: '/bin/sh ended with 3: no [2Jthread',
  });
  expect(await run('test "$(cat)" = words', { input: 'words' })).toEqual({ sent: true });
  expect(await run('', { program: '/nowhere/x' })).toMatchObject({ sent: false, detail: expect.stringContaining('ENOENT') });
  expect(await run('trap "" TERM; sleep 60 & wait', { timeoutMs: 50 })).toMatchObject({
    detail: expect.stringContaining('was ended after'),
  });
  const ending = new AbortController();
  const running = runProgram({ program: '/bin/sleep', args: ['60'], env: {}, timeoutMs: 60_000 }, systemClock.sleep, ending.signal);
  ending.abort();
  expect(await running).toEqual({ sent: false, detail: '/bin/sleep was ended because its process ends' });
});

it('ends nothing when the hub ends in the moment in which a program could not be started', async () => {
  const module = join(built(), '..', '..', 'build', 'wake', 'program.js');
  const script = `import { runProgram } from ${JSON.stringify(module)};
    const ending = new AbortController();
    const sleep = (ms, signal) => new Promise((done) => signal.addEventListener('abort', done));
    const running = runProgram({ program: '/nowhere/x', args: [], env: {}, timeoutMs: 60_000 }, sleep, ending.signal);
    ending.abort();
    console.log((await running).detail);`;
  // In a group of its own, which is what a signal to nobody would end.
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
  const said = text(child.stdout);
  const [code, signal] = await once(child, 'close');
  expect([code, signal, await said]).toEqual([0, null, '/nowhere/x: spawn /nowhere/x ENOENT\n']);
});

it('starts nothing for a hub that is already ending', async () => {
  const marker = join(scratch(), 'started');
  const run = { program: '/bin/sh', args: ['-c', `touch ${marker}; sleep 60`], env: { PATH: '/bin:/usr/bin' }, timeoutMs: 60_000 };
  expect(await runProgram(run, systemClock.sleep, AbortSignal.abort())).toEqual({
    sent: false,
    detail: '/bin/sh was not started: its process ends',
  });
  expect(existsSync(marker)).toBe(false);
});

it('opens to each client what it has, and nothing that the configuration leaves out', async () => {
  const { path } = await session();
  const { folder } = fakeCodex();
  const settings = {
    wakeDoors: WAKE_DOORS.slice(),
    claudeSocket: { path, token: 't' },
    codexHome: undefined,
    childEnv: { PATH: join(folder, 'vendor', 'bin') },
  };
  const sent: unknown[] = [];
  const client = {
    name: 'claude-code',
    threadId: undefined,
    parentPid: process.pid,
    notify: async (...call: unknown[]) => void sent.push(call),
  };
  const kinds = (...given: Parameters<typeof clientDoors>) => clientDoors(...given).map(({ kind }) => kind);
  expect(kinds(client, settings, machine)).toEqual(['messaging_socket', 'channel']);
  expect(kinds(client, { ...settings, claudeSocket: undefined }, machine)).toEqual(['channel']);
  expect(kinds(client, { ...settings, wakeDoors: ['channel'] }, machine)).toEqual(['channel']);
  expect(kinds(client, { ...settings, wakeDoors: [] }, machine)).toEqual([]);
  expect(kinds({ ...client, name: 'codex-mcp-client', threadId: 't' }, settings, machine)).toEqual(['codex_queue']);
  expect(kinds({ ...client, name: 'gemini-cli' }, settings, machine)).toEqual([]);
  expect(await clientDoors(client, settings, machine)[1]?.wake(notice)).toEqual({ sent: true });
  expect(sent).toEqual([['notifications/claude/channel', { content: notice.line, meta: { kind: 'mail', attempt: 'wak_1' } }]]);
});
