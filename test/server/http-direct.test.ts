// A call that is answered directly is answered, refused and cancelled as the SDK's transport does it. Which of the two answered shows in the type
// of the answer: the transport's are streams.

import { expect, it } from 'vitest';
import { type Answer, api, ask, connect, revoke, serveHub } from './http-hub.ts';

const DIRECT = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
/** The same, in a form that the transport takes and the direct way does not. */
const BY_TRANSPORT = { ...DIRECT, 'content-type': 'application/json; charset=utf-8' };

async function opened(name = 'ada') {
  const served = await serveHub();
  const token = await served.token(name);
  const post = (message: unknown, headers: Record<string, string> = DIRECT) =>
    ask(served.url, '/mcp', { method: 'POST', headers, body: JSON.stringify(message), token });
  const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'raw', version: '1' } };
  const { headers } = await post({ jsonrpc: '2.0', id: 1, method: 'initialize', params });
  const session = { 'mcp-session-id': String(headers['mcp-session-id']), 'mcp-protocol-version': '2025-06-18' };
  await post({ jsonrpc: '2.0', method: 'notifications/initialized' }, { ...DIRECT, ...session });
  return { ...served, secret: token, post, session };
}

function toolCall(name: string, given?: unknown, more: object = {}) {
  return {
    jsonrpc: '2.0',
    id: 'c1',
    method: 'tools/call',
    params: { name, ...(given === undefined ? {} : { arguments: given }), ...more },
  };
}

const isStream = ({ headers }: Answer) => headers['content-type'] === 'text/event-stream';

/** The message in an answer of either kind, without what differs from call to call. */
function messageIn(answer: Answer): unknown {
  const text = isStream(answer)
    ? (answer.text.split('\n').find((line) => line.startsWith('data: ')) ?? 'data: null').slice(6)
    : answer.text;
  return JSON.parse(text.replace(/[a-z]+_[0-9a-zA-Z]{12,}/g, 'ID').replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME'));
}

it('answers as the transport does', async () => {
  const { post, session } = await opened();
  for (const call of [
    toolCall('whoami'),
    toolCall('whoami', {}),
    toolCall('list_agents', {}, { _meta: { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' } }),
    toolCall('send', { to: 'nobody', body: 'x' }),
    toolCall('send', { to: 'ada', body: 'x', from: 'operator' }),
    toolCall('create_agent', {}),
    toolCall('hook', {}),
    toolCall('no_such_tool'),
  ]) {
    const direct = await post(call, { ...DIRECT, ...session });
    const other = await post(call, { ...BY_TRANSPORT, ...session });
    expect([call, isStream(direct), isStream(other)]).toEqual([call, false, true]);
    expect([direct.status, messageIn(direct)]).toEqual([other.status, messageIn(other)]);
    for (const name of ['mcp-session-id', 'cache-control', 'x-content-type-options', 'content-security-policy', 'referrer-policy'])
      expect([name, String(direct.headers[name]).replace(', no-transform', '')]).toEqual([
        name,
        String(other.headers[name]).replace(/no-cache, no-transform/, 'no-store'),
      ]);
  }
});

it('leaves to the transport whatever waits, asks for progress or is not exactly a call', async () => {
  const { post, session } = await opened();
  for (const message of [
    toolCall('recv_batch', { wait_seconds: 0 }),
    toolCall('whoami', {}, { _meta: { progressToken: 1 } }),
    { jsonrpc: '2.0', id: 5, method: 'tools/list' },
    [toolCall('whoami')],
  ])
    expect([message, isStream(await post(message, { ...DIRECT, ...session }))]).toEqual([message, true]);
});

it('refuses nothing less than the transport does', async () => {
  const { post, session, url, token } = await opened();
  const call = toolCall('whoami');
  const refused = async (headers: Record<string, string>, message: unknown = call) => (await post(message, headers)).status;
  expect(await refused({ ...DIRECT, ...session, accept: 'application/json' })).toBe(406);
  expect(await refused({ ...DIRECT, ...session, accept: '*/*' })).toBe(406);
  expect(await refused({ ...DIRECT, ...session, 'content-type': 'text/plain' })).toBe(415);
  expect(await refused({ ...DIRECT, ...session, 'mcp-protocol-version': '1999-01-01' })).toBe(400);
  expect(await refused({ ...DIRECT, ...session, 'mcp-session-id': `${session['mcp-session-id']}x` })).toBe(404);
  expect(await refused(DIRECT)).toBe(400);
  expect(await refused({ ...DIRECT, ...session, origin: 'http://evil.example' })).toBe(403);
  expect(await refused({ ...DIRECT, ...session, host: 'evil.example' })).toBe(403);
  expect(await refused({ ...DIRECT, ...session }, { ...call, extra: 1 })).toBe(400);
  expect(await refused({ ...DIRECT, ...session }, { ...call, id: 1.5 })).toBe(400);
  expect(await refused({ ...DIRECT, ...session }, toolCall('whoami', { pad: 'x'.repeat(3_000_000) }))).toBe(413);
  // Somebody else's token does not open the session.
  const other = await ask(url, '/mcp', {
    method: 'POST',
    headers: { ...DIRECT, ...session },
    body: JSON.stringify(call),
    token: await token('bob'),
  });
  expect(other.status).toBe(404);
});

it('ends with its session and with its token', async () => {
  const { hub, post, session, secret } = await opened();
  const headers = { ...DIRECT, ...session };
  expect((await post(toolCall('whoami'), headers)).status).toBe(200);
  await revoke(hub, secret);
  expect((await post(toolCall('whoami'), headers)).status).toBe(401);
});

it('shares the session of its client, whichever way its calls come', async () => {
  const { post, session, url, token } = await opened();
  const bob = await token('bob');
  await api(url, bob, 'send', { to: 'ada', body: 'both ways' });
  const shown = messageIn(await post(toolCall('recv_batch', {}), { ...DIRECT, ...session })) as {
    result: { structuredContent: { receipt: string } };
  };
  const again = messageIn(await post(toolCall('whoami'), { ...BY_TRANSPORT, ...session })) as {
    result: { structuredContent: { counts: object } };
  };
  expect(shown.result.structuredContent.receipt).toBeDefined();
  expect(again.result.structuredContent.counts).toMatchObject({ leased: 1 });
  const { client } = await connect(url, bob);
  expect((await client.listTools()).tools.length).toBeGreaterThan(10);
});
