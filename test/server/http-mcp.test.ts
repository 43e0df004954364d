// Agents over streamable HTTP: they talk, wait, leave, come back, and are who their token says.

import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { latestSession } from '../../src/store/sessions.ts';
import { PROJECT } from '../support/engines.ts';
import { api, ask, call, connect, revoke, type Served, serveHub } from './http-hub.ts';

/** The newest session of an agent, as the database has it. */
async function sessionOf({ hub }: Served, name: string) {
  const agents = await hub.context.db.read((read) => read.all('SELECT id FROM agents WHERE name = ?', name));
  return await hub.context.db.read((read) => latestSession(read, String(agents[0]?.id)));
}

const parked = (served: Served) => expect.poll(() => served.hub.context.waiting.parked, { interval: 5, timeout: 10_000 });
const INITIALIZE = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'raw', version: '1' } },
});
const MCP_HEADERS = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };

/** Initialises without the SDK's client and answers the session id. */
async function initialize(url: string, token: string): Promise<string> {
  const { headers, status } = await ask(url, '/mcp', { method: 'POST', headers: MCP_HEADERS, body: INITIALIZE, token });
  expect(status).toBe(200);
  return String(headers['mcp-session-id']);
}

function toolCall(name: string, args: unknown = {}): string {
  return JSON.stringify({ jsonrpc: '2.0', id: randomUUID(), method: 'tools/call', params: { name, arguments: args } });
}

describe('agents over HTTP', () => {
  it('talk: send, receive, acknowledge, and the truth about it', async () => {
    const { url, token } = await serveHub();
    const alice = await connect(url, await token('alice'));
    const bob = await connect(url, await token('bob'));
    expect(await call(alice.client, 'whoami')).toMatchObject({ name: 'alice', door: 'http', project_root: PROJECT.root });
    const sent = await call(alice.client, 'send', { to: 'bob', body: 'hello' });
    const batch = await call(bob.client, 'recv_batch');
    expect(batch.messages).toMatchObject([{ from: 'alice', body: 'hello' }]);
    expect(await call(bob.client, 'ack', { receipt: batch.receipt })).toMatchObject({ acked: [sent.message_id] });
    const status = await call(alice.client, 'message_status', { message_id: sent.message_id });
    expect(JSON.stringify(status)).toContain('"acked"');
  });

  it('get by the prompt recover what the hub holds of them, in words for the tools they were given', async () => {
    const served = await serveHub();
    const alice = await connect(served.url, await served.token('alice'));
    const { ask_id } = await call(alice.client, 'ask', { to: 'operator', question: 'May I?' });
    const { messages } = await alice.client.getPrompt({ name: 'recover' });
    const text = messages[0]?.content.type === 'text' ? messages[0].content.text : '';
    expect(text).toContain('You have lost part of your context.');
    expect(text).toContain(`- ${ask_id} you asked operator`);
    expect(text).not.toContain('load_checkpoint');
    const { prompts } = await alice.client.listPrompts();
    expect(prompts.map(({ name }) => name)).toEqual(['worker', 'manager', 'reviewer', 'recover', 'standup']);
  });

  it('wait for mail and get it when it comes', async () => {
    const served = await serveHub();
    const alice = await connect(served.url, await served.token('alice'));
    const bob = await connect(served.url, await served.token('bob'));
    const waiting = call(bob.client, 'recv_batch', { wait_seconds: 50 });
    await parked(served).toBe(1);
    await call(alice.client, 'send', { to: 'bob', body: 'at last' });
    expect((await waiting).messages).toMatchObject([{ body: 'at last' }]);
  });

  it.each(['mcp cancellation', 'mcp disconnect', 'api disconnect'])('take nothing from a wait that was given up: %s', async (how) => {
    const served = await serveHub();
    const secret = await served.token('bob');
    const alice = await connect(served.url, await served.token('alice'));
    const stop = new AbortController();
    const waiting = await waitVia(how, served, secret, stop.signal);
    await parked(served).toBe(1);
    stop.abort();
    await Promise.all(waiting);
    await parked(served).toBe(0);
    const sent = await call(alice.client, 'send', { to: 'bob', body: 'still yours' });
    const before = await call(alice.client, 'message_status', { message_id: sent.message_id });
    expect(JSON.stringify(before)).not.toContain('"leased"');
    const { body } = await api(served.url, secret, 'recv_batch');
    expect(body.messages).toMatchObject([{ body: 'still yours', attempt: 1, redelivered: false }]);
  });

  it('are refused a second live session, until the first one closes', async () => {
    const { url, token } = await serveHub();
    const secret = await token('alice');
    const first = await connect(url, secret);
    await call(first.client, 'whoami');
    const second = await connect(url, secret);
    expect(await call(second.client, 'send', { to: 'operator', body: 'x' })).toMatchObject({ code: 'agent_busy' });
    await first.transport.terminateSession();
    expect(await call(second.client, 'send', { to: 'operator', body: 'x' })).toHaveProperty('message_id');
  });

  it('follow one another at once when the first leaves without a word', async () => {
    const served = await serveHub();
    const secret = await served.token('alice');
    const first = await connect(served.url, secret);
    const own = await call(first.client, 'whoami');
    await first.client.close(); // closes its listening stream and sends no DELETE
    const second = await connect(served.url, secret);
    const next = () => call(second.client, 'whoami');
    await expect.poll(next, { timeout: 2_000 }).toMatchObject({ name: 'alice', epoch: Number(own.epoch) + 1 });
  });

  it('take over a visiting session of the API, and share theirs with it', async () => {
    const served = await serveHub();
    const secret = await served.token('alice');
    const visiting = (await api(served.url, secret, 'whoami')).body;
    const alice = await connect(served.url, secret);
    const own = await call(alice.client, 'whoami');
    expect(own.session_id).not.toBe(visiting.session_id);
    expect((await api(served.url, secret, 'whoami')).body.session_id).toBe(own.session_id);
  });

  it('share one visiting session between calls made at once', async () => {
    const served = await serveHub();
    const secret = await served.token('alice');
    const calls = await Promise.all(Array.from({ length: 8 }, () => api(served.url, secret, 'whoami')));
    expect(new Set(calls.map(({ status, body }) => `${status} ${body.session_id}`)).size).toBe(1);
  });

  it('cannot take another name than their token’s', async () => {
    const { url, token } = await serveHub();
    const alice = await connect(url, await token('alice'));
    await connect(url, await token('boss', { role: 'manager' }));
    expect(await call(alice.client, 'join', { name: 'boss' })).toHaveProperty('code');
    expect(await call(alice.client, 'join', { role: 'manager' })).toMatchObject({ code: 'forbidden' });
  });
});

describe('sessions', () => {
  it('belong to the principal that opened them', async () => {
    const { url, token } = await serveHub();
    const [alice, mallory, operator] = [await token('alice'), await token('mallory'), await token('operator')];
    const id = await initialize(url, alice);
    for (const [method, body] of [['POST', toolCall('whoami')], ['GET'], ['DELETE']] as const) {
      for (const thief of [mallory, operator]) {
        const headers = { ...MCP_HEADERS, 'mcp-session-id': id };
        const { status } = await ask(url, '/mcp', { method, headers, token: thief, ...(body === undefined ? {} : { body }) });
        expect([method, status]).toEqual([method, 404]);
      }
    }
    const headers = { ...MCP_HEADERS, 'mcp-session-id': id };
    expect((await ask(url, '/mcp', { method: 'POST', headers, body: toolCall('whoami'), token: alice })).text).toContain('alice');
    const another = await token('alice');
    expect((await ask(url, '/mcp', { method: 'POST', headers, body: toolCall('whoami'), token: another })).status).toBe(200);
  });

  it('are asked for: unknown ones are 404, none is 400', async () => {
    const { url, token } = await serveHub();
    const secret = await token('alice');
    const body = toolCall('whoami');
    const unknown = { ...MCP_HEADERS, 'mcp-session-id': randomUUID() };
    expect((await ask(url, '/mcp', { method: 'POST', headers: unknown, body, token: secret })).status).toBe(404);
    expect((await ask(url, '/mcp', { method: 'POST', headers: unknown, body: INITIALIZE, token: secret })).status).toBe(404);
    expect((await ask(url, '/mcp', { method: 'POST', headers: MCP_HEADERS, body, token: secret })).status).toBe(400);
    const discover = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'server/discover', params: {} });
    expect((await ask(url, '/mcp', { method: 'POST', headers: MCP_HEADERS, body: discover, token: secret })).status).toBe(400);
  });

  it('fail with the first request after their token was revoked', async () => {
    const { url, hub, token } = await serveHub();
    const secret = await token('alice');
    const alice = await connect(url, secret);
    await call(alice.client, 'whoami');
    await revoke(hub, secret);
    await expect(call(alice.client, 'whoami')).rejects.toThrow(/revoked/);
    expect((await api(url, secret, 'whoami')).status).toBe(401);
  });

  it('lose their listening stream with their token', async () => {
    const { url, hub, token } = await serveHub({ limits: { waitMs: 200 } });
    const secret = await token('alice');
    const id = await initialize(url, secret);
    const headers = { accept: 'text/event-stream', 'mcp-session-id': id, authorization: `Bearer ${secret}` };
    const stream = await fetch(`${url}/mcp`, { headers });
    expect(stream.status).toBe(200);
    await revoke(hub, secret);
    await expect(stream.text()).rejects.toThrow(); // cut off
  });

  it('of silent clients end, and go on with the next call', async () => {
    const served = await serveHub({ limits: { silentAfterMs: 1_500, heartbeatMs: 200 } });
    const secret = await served.token('alice');
    const id = await initialize(served.url, secret);
    const headers = { ...MCP_HEADERS, 'mcp-session-id': id };
    const whoami = () => ask(served.url, '/mcp', { method: 'POST', headers, body: toolCall('whoami'), token: secret });
    await whoami();
    const first = await sessionOf(served, 'alice');
    await expect.poll(() => sessionOf(served, 'alice'), { timeout: 20_000 }).toMatchObject({ endReason: 'closed' });
    expect((await whoami()).text).toContain(first?.id);
    expect(await sessionOf(served, 'alice')).toMatchObject({ id: first?.id, endedAt: null });
  });

  it('stay while a stream is open, end when it closes or when they are deleted', async () => {
    const served = await serveHub({ limits: { silentAfterMs: 1_500, heartbeatMs: 200 } });
    const alice = await connect(served.url, await served.token('alice')); // its client opens a listening stream
    await call(alice.client, 'whoami');
    const beat = (await sessionOf(served, 'alice'))?.heartbeatAt ?? 0;
    await expect.poll(async () => (await sessionOf(served, 'alice'))?.heartbeatAt, { timeout: 20_000 }).toBeGreaterThan(beat + 2_000);
    expect(await sessionOf(served, 'alice')).toMatchObject({ endedAt: null });
    await alice.client.close();
    await expect
      .poll(() => sessionOf(served, 'alice'), { timeout: 20_000 })
      .toMatchObject({ endReason: expect.stringMatching(/^(closed|silent)$/) });
    const bob = await connect(served.url, await served.token('bob'));
    await call(bob.client, 'whoami');
    await bob.transport.terminateSession();
    expect(await sessionOf(served, 'bob')).toMatchObject({ endReason: 'closed' });
  });

  it('make room for each other, and go on all the same', async () => {
    const { url, token } = await serveHub({ limits: { httpSessions: 2 } });
    const secret = await token('operator');
    const ids = [await initialize(url, secret), await initialize(url, secret), await initialize(url, secret)];
    const statuses = [];
    for (const id of ids) {
      const headers = { ...MCP_HEADERS, 'mcp-session-id': id };
      statuses.push((await ask(url, '/mcp', { method: 'POST', headers, body: toolCall('whoami'), token: secret })).status);
    }
    expect(statuses).toEqual([200, 200, 200]);
  });

  it('are over when their client ended them', async () => {
    const { url, token } = await serveHub();
    const secret = await token('alice');
    const headers = { ...MCP_HEADERS, 'mcp-session-id': await initialize(url, secret) };
    expect((await ask(url, '/mcp', { method: 'DELETE', headers, token: secret })).status).toBe(200);
    expect((await ask(url, '/mcp', { method: 'POST', headers, body: toolCall('whoami'), token: secret })).status).toBe(404);
  });

  it('belong to their principal at every hub', async () => {
    const one = await serveHub();
    const [alice, mallory] = [await one.token('alice'), await one.token('mallory')];
    const id = await initialize(one.url, alice);
    const two = await serveHub({ place: one.place });
    const headers = { ...MCP_HEADERS, 'mcp-session-id': id };
    const asked = (secret: string, session = id) =>
      ask(two.url, '/mcp', { method: 'POST', headers: { ...headers, 'mcp-session-id': session }, body: toolCall('whoami'), token: secret });
    expect((await asked(mallory)).status).toBe(404);
    expect((await asked(alice, id.replace(/.$/, 'x'))).status).toBe(404);
    expect((await asked(alice)).text).toContain('alice');
  });

  it('answer what is parked when the hub closes, and clients go on with the next one', async () => {
    const served = await serveHub();
    const secret = await served.token('bob');
    const bob = await connect(served.url, secret);
    const waiting = call(bob.client, 'recv_batch', { wait_seconds: 50 });
    await parked(served).toBe(1);
    const { port } = served.door;
    await served.close();
    expect(await waiting).toMatchObject({ messages: [], reason: 'shutting_down' });
    const again = await serveHub({ place: served.place, settings: { port } });
    const old = () => call(bob.client, 'whoami').catch((error: Error) => error.message); // its connection may be a dead one first
    await expect.poll(old).toMatchObject({ name: 'bob', epoch: 1 });
    expect(await call(bob.client, 'recv_batch')).toMatchObject({ messages: [] });
    expect(again.hub.instanceId).toBe(served.hub.instanceId);
  });

  it('never answer another’s request, whatever its id', async () => {
    const { url, token } = await serveHub();
    const clients = await Promise.all(
      Array.from({ length: 16 }, async (_, i) => ({ i, ...(await connect(url, await token(`agent-${i}`))) })),
    );
    // All clients count their requests from the same number, so equal ids meet on the server.
    for (let round = 0; round < 5; round++) {
      const names = await Promise.all(clients.map(async ({ client }) => (await call(client, 'whoami')).name));
      expect(names).toEqual(clients.map(({ i }) => `agent-${i}`));
    }
  });
});

/** Starts a waiting receive; answers a promise of its end, wrapped so that it is not awaited here. */
async function waitVia(how: string, { url }: Served, secret: string, signal: AbortSignal): Promise<Promise<unknown>[]> {
  if (how === 'api disconnect') return [api(url, secret, 'recv_batch', { wait_seconds: 50 }, signal).catch(() => {})];
  if (how === 'mcp cancellation') {
    const { client } = await connect(url, secret);
    return [call(client, 'recv_batch', { wait_seconds: 50 }, signal).catch(() => {})];
  }
  const id = await initialize(url, secret);
  const headers = { ...MCP_HEADERS, 'mcp-session-id': id, authorization: `Bearer ${secret}` };
  const body = toolCall('recv_batch', { wait_seconds: 50 });
  return [
    fetch(`${url}/mcp`, { method: 'POST', headers, body, signal })
      .then(
        (response) => response.text(),
        () => {},
      )
      .catch(() => {}),
  ];
}
