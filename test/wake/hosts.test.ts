// Processes that host doors, over a real hub: what they open, when they speak, and how they end.

import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Caller } from '../../src/hub/caller.ts';
import { WAKE_DOORS } from '../../src/store/wake-doors.ts';
import { systemHost } from '../../src/system/host.ts';
import { openLog } from '../../src/system/log.ts';
import { serveMonitor } from '../../src/wake/monitor.ts';
import { RegisteredWakes } from '../../src/wake/registered.ts';
import { serveRewake } from '../../src/wake/rewake.ts';
import { type HostedDoor, Waker } from '../../src/wake/waker.ts';
import { operatorOf, recv, send, statusOf, until } from '../support/acts.ts';
import { attach, cleanup, PROJECT, scratch, sqlite, type TestHub, testHub } from '../support/engines.ts';

const log = openLog('silent', undefined);
const KEY = 'claude:s1';
const limits = { wakeQuietMs: 1 };
/** Beside the server of the session, which is the test itself, other processes of the client. */
const process2 = { ...systemHost, startedAt: 0, pid: systemHost.pid + 1, isAlive: () => true };
const process3 = { ...process2, pid: systemHost.pid + 2 };

async function pair(): Promise<{ hub: TestHub; alice: Caller; bob: Caller }> {
  const hub = await testHub(sqlite, { limits, host: { ...systemHost, startedAt: 0, isAlive: () => true } });
  const [alice, bob] = [await attach(hub, 'alice'), await attach(hub, 'bob', { client: { name: 'claude-code', version: '1', key: KEY } })];
  hub.fake.advance(1_000);
  return { hub, alice, bob };
}

/** The hub of another process on the same database. */
function other(hub: TestHub, host = process2): Promise<TestHub> {
  return testHub(sqlite, { place: hub.place, clock: hub.fake, limits, host });
}

/** Time passes until the condition holds, or for as long as a session may be silent. */
async function later(hub: TestHub, condition: () => boolean | Promise<boolean>): Promise<void> {
  const by = hub.fake.now() + 50_000;
  await until(async () => {
    if (hub.fake.now() < by) hub.fake.advance(50);
    return await condition();
  });
}

/** Some seconds pass in which the condition must not come true. */
async function neverIn(hub: TestHub, ms: number, condition: () => boolean): Promise<void> {
  const by = hub.fake.now() + ms;
  await later(hub, () => condition() || hub.fake.now() >= by);
  expect(condition()).toBe(false);
}

/** Carries out the wake-up that is due by a door that this process hosts; answers whether there was one. */
async function wakes(hub: TestHub, { projectId, agentId }: Caller, doorId: string): Promise<boolean> {
  const { claim } = await hub.waking.next(projectId, agentId, [doorId]);
  if (claim !== undefined) await hub.waking.report(projectId, claim.attemptId, { sent: true });
  return claim !== undefined;
}

function running(work: Promise<unknown>, stop: AbortController): AbortController {
  cleanup(async () => {
    stop.abort();
    await work;
  });
  return stop;
}

it('a waker speaks once per piece of news, not while its client waits for an answer, and goes on after trouble with a door', async () => {
  const { hub, alice, bob } = await pair();
  const said: string[] = [];
  let busy = true;
  const broken: HostedDoor = { kind: 'messaging_socket', wake: () => Promise.reject(new Error('no such line')) };
  const good: HostedDoor = {
    kind: 'channel',
    async wake({ line }) {
      said.push(line);
      return { sent: true };
    },
  };
  const stop = new AbortController();
  running(new Waker({ hub, log, sleeper: async () => bob, doors: () => [broken, good], busy: () => busy }).run(stop.signal), stop);
  const { message_id } = await send(hub, alice, 'bob', 'secret words', { subject: 'the </event> parser\nline 2', kind: 'request' });
  await neverIn(hub, 5_000, () => said.length > 0);
  busy = false;
  await later(hub, () => said.length > 0);
  expect(said).toEqual([
    expect.stringMatching(/^Mail for bob from alice: "the ‹\/event› parser line 2" \(request\)\. recv_batch shows it\. \(wak_\w+\)$/),
  ]);
  await send(hub, alice, 'bob', 'more');
  await neverIn(hub, 5_000, () => said.length > 1);
  await recv(hub, bob);
  await send(hub, alice, 'bob', 'one');
  await send(hub, alice, 'bob', 'two', { urgent: true });
  await later(hub, () => said.length > 1);
  expect(said[1]).toMatch(
    /^Mail for bob from alice: urgent, note\. \+1 more queued \(from alice\); consider draining before acting\. recv_batch shows them\./,
  );
  const { wake_attempts } = await statusOf(hub, alice, message_id);
  expect(wake_attempts.map(({ door, outcome }) => [door, outcome.split(' ')[0]])).toEqual([
    ['messaging_socket', 'failed:'],
    ['channel', 'read'],
  ]);
});

it('a rewake waits in silence, says the news and ends with 2', async () => {
  const { hub, alice, bob } = await pair();
  const beside = await other(hub);
  const said: string[] = [];
  const told = { projectId: PROJECT.id, clientPid: undefined, clientKey: KEY };
  let code: number | undefined;
  void serveRewake({ hub: beside, told, over: new AbortController().signal, log, say: async (line) => void said.push(line) }).then(
    (ended) => {
      code = ended;
    },
  );
  await later(hub, async () => (await wakeOf(hub, alice)) === 'async_rewake');
  await send(hub, alice, 'bob', 'hello');
  await later(hub, () => code !== undefined);
  expect(code).toBe(2);
  expect(said).toHaveLength(1);
  await recv(hub, bob);
  expect(await wakeOf(hub, alice)).toBe('none');
});

it('a rewake ends in silence when another takes its place, a better door has worked, or its session is over; nobody’s ends at once', async () => {
  const { hub, alice, bob } = await pair();
  const [second, third] = [await other(hub), await other(hub, process3)];
  const told = { projectId: PROJECT.id, clientPid: undefined, clientKey: KEY };
  const start = (on: TestHub, who = told) => {
    const rewake = { code: undefined as number | undefined };
    const say = async () => {
      throw new Error('it was to be silent');
    };
    void serveRewake({ hub: on, told: who, over: new AbortController().signal, log, say }).then((code) => {
      rewake.code = code;
    });
    return rewake;
  };
  const nobody = start(second, { ...told, clientKey: 'claude:unknown' });
  await later(hub, () => nobody.code === 0);
  const first = start(second);
  await later(hub, async () => (await wakeOf(hub, alice)) === 'async_rewake');
  const next = start(third);
  await later(hub, () => first.code === 0);
  expect(next.code).toBeUndefined();
  // The socket comes first; the rewake stays for the case that nothing comes of it, until something did.
  const socket = await hub.wakeDoors.open(bob, 'messaging_socket');
  await neverIn(hub, 5_000, () => next.code !== undefined);
  await send(hub, alice, 'bob', 'by the socket');
  await later(hub, () => wakes(hub, bob, socket));
  await recv(hub, bob);
  await later(hub, () => next.code === 0);
  const needless = start(second);
  await later(hub, () => needless.code === 0);
  // Another session has to see for itself.
  hub.fake.advance(1);
  await hub.wakeDoors.open(bob, 'messaging_socket');
  const last = start(third);
  const operator = await operatorOf(hub);
  await later(hub, async () => (await hub.wakeDoors.list(operator, 'bob')).some(({ kind, open }) => open && kind === 'async_rewake'));
  await hub.sessions.end(bob, 'closed');
  await later(hub, () => last.code === 0);
});

it('a monitor survives a hub that does not open, prints a line per piece of news, and ends with its client', async () => {
  const { hub, alice, bob } = await pair();
  const lines: string[] = [];
  let tries = 0;
  const over = new AbortController();
  const open = async () => {
    tries += 1;
    if (tries === 1) throw new Error('the disk is away');
    return await other(hub);
  };
  const told = { projectId: PROJECT.id, clientPid: undefined, clientKey: KEY };
  const monitor = serveMonitor({ open, told, over: over.signal, clock: hub.fake, log, print: async (line) => void lines.push(line) });
  await later(hub, async () => (await wakeOf(hub, alice)) === 'monitor');
  await hub.heartbeats.beat([alice.sessionId, bob.sessionId]);
  await send(hub, alice, 'bob', 'hello');
  await later(hub, () => lines.length > 0);
  expect(lines).toEqual([expect.stringMatching(/^Mail for bob from alice: note\. recv_batch shows it\. \(wak_\w+\)$/)]);
  over.abort();
  await monitor;
  expect(tries).toBe(2);
});

it('what the operator registered runs once, whoever runs it, and is told whose mail waits but not what it says', async () => {
  const { hub, alice } = await pair();
  const operator = await operatorOf(hub);
  const folder = scratch();
  const program = join(folder, 'wake');
  writeFileSync(program, `#!/bin/sh\ncat >> "${folder}/told"\necho "$1" >> "${folder}/told"\n`);
  chmodSync(program, 0o755);
  await hub.wakeDoors.register(operator, 'bob', { kind: 'command', program, args: ['--loud'] });
  const settings = { wakeDoors: [...WAKE_DOORS], codexHome: undefined, childEnv: { PATH: process.env.PATH ?? '' } };
  const hubs = [hub, await other(hub), await other(hub, process3)];
  // A command runs in the folder of its project, which is there.
  for (const one of hubs) one.projects.root = async () => folder;
  const hosts = hubs.map((one) => new RegisteredWakes({ hub: one, log, settings }));
  const { message_id } = await send(hub, alice, 'bob', 'secret words', { subject: 'secret subject', urgent: true });
  expect(await hosts[0]?.nextDue()).toBeLessThanOrEqual(hub.fake.now());
  const counts = await Promise.all(hosts.map((host) => host.run()));
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(1);
  await Promise.all(hosts.map((host) => host.settled()));
  const [told = '', argument] = readFileSync(join(folder, 'told'), 'utf8').trim().split('\n');
  expect(JSON.parse(told)).toMatchObject({
    type: 'mail.waiting',
    data: { agent: 'bob', unread: 1, urgent: 1, messages: [{ id: message_id, from: 'alice', urgent: true }] },
  });
  expect([told.includes('secret words'), argument]).toEqual([false, '--loud']);
  expect((await statusOf(hub, alice, message_id)).wake_attempts).toMatchObject([{ door: 'command', outcome: 'sent, not read yet' }]);
  await hub.wakeDoors.register(operator, 'bob', { kind: 'command', program: '/nowhere/wake', args: [] });
  await send(hub, alice, 'bob', 'again', { urgent: true });
  hub.fake.advance(hub.limits.wakeEffectMs);
  expect(await hosts[0]?.run()).toBe(1);
  await hosts[0]?.close();
  expect((await statusOf(hub, alice, message_id)).wake_attempts.at(-1)?.outcome).toContain('failed: /nowhere/wake');
  expect(existsSync('/nowhere')).toBe(false);
});

async function wakeOf(hub: TestHub, caller: Caller): Promise<string | undefined> {
  return (await hub.agents.list(caller, { waitMs: 0 })).agents.find(({ agent }) => agent.name === 'bob')?.wake.door;
}
