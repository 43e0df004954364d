// A client that is answered directly has the answer that the SDK gives, to the letter.

import { LATEST_PROTOCOL_VERSION, SUPPORTED_PROTOCOL_VERSIONS } from '@modelcontextprotocol/sdk/types.js';
import { expect, it, vi } from 'vitest';
import { Direct } from '../../src/server/direct.ts';
import { McpSession, PROTOCOL_VERSIONS } from '../../src/server/mcp.ts';
import * as sdk from '../../src/server/mcp-sdk.ts';
import { Connection } from '../../src/tools/connection.ts';
import { hook } from '../../src/tools/hook.ts';
import { tools } from '../../src/tools/index.ts';
import { listed } from '../../src/tools/schema.ts';
import { start } from '../cli/command-line.ts';
import { send, until } from '../support/acts.ts';
import { attach, PROJECT, scratch, sqlite, testHub } from '../support/engines.ts';

const SILENT = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

async function session() {
  const hub = await testHub(sqlite);
  const made = new McpSession({
    hub: { now: () => Promise.resolve(hub), later: Promise.resolve(hub) },
    toolsets: ['core', 'work'],
    unlisted: { name: 'hook', load: async () => hook },
    log: SILENT,
    experimental: { 'claude/channel': {} },
    connect: (_hub, client) =>
      Connection.attaching(hub, { project: PROJECT, door: 'stdio', client, root: PROJECT.root, name: 'ada' }, ['core', 'work']),
  });
  return { hub, made };
}

type Said = Record<string, unknown> & { id?: unknown };

async function directly() {
  const { hub, made } = await session();
  const said: Said[] = [];
  const heard: string[] = [];
  const direct = new Direct(
    made,
    (line) => void said.push(JSON.parse(line) as Said),
    (method) => heard.push(method),
  );
  return { hub, said, heard, direct };
}

const initialize = (params: object = {}) => ({
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'claude-code', version: '2' }, ...params },
});
const request = (method: string, params?: object, id: unknown = 'r1') => ({
  jsonrpc: '2.0',
  id,
  method,
  ...(params === undefined ? {} : { params }),
});

/** What is answered without the SDK, and what is not. */
const OWN: object[] = [
  initialize(),
  initialize({ protocolVersion: '2024-11-05' }),
  initialize({ protocolVersion: '1999-01-01' }),
  initialize({ capabilities: { roots: { listChanged: true }, elicitation: {}, sampling: { tools: {} }, experimental: { a: {} } } }),
  initialize({ clientInfo: { name: 'codex', version: '1', title: 'Codex' } }),
  request('ping'),
  request('ping', {}, 7),
  request('tools/list'),
  request('tools/list', { _meta: { progressToken: 3 } }),
  request('prompts/list', {}),
  request('resources/list'),
  request('resources/templates/list'),
  request('tools/call', { name: 'list_agents' }),
  request('tools/call', { name: 'list_agents', arguments: {}, _meta: { progressToken: 'p', other: { a: 1 } } }),
  request('tools/call', { name: 'send', arguments: { to: 'ada', nonsense: 1 } }),
  request('tools/call', { name: 'send', arguments: { to: 'nobody', body: 'x' } }),
  request('tools/call', { name: 'no_such_tool', arguments: {} }),
  request('tools/call', { name: 'save_checkpoint', arguments: {} }),
  request('tools/call', { name: 'hook', arguments: { hook_event_name: 'Stop' } }),
];
const HANDED_OVER: object[] = [
  initialize({ protocolVersion: 7 }),
  initialize({ capabilities: 'all' }),
  initialize({ capabilities: { roots: { listChanged: 'yes' } } }),
  initialize({ clientInfo: { name: 'x' } }),
  request('initialize'),
  request('tools/list', { cursor: 'x' }),
  request('tools/list', { cursor: 7 }),
  request('tools/call'),
  request('tools/call', { name: 7 }),
  request('tools/call', { name: 'whoami', arguments: [] }),
  request('tools/call', { name: 'whoami', arguments: 'x' }),
  request('tools/call', { name: 'whoami', task: { ttl: 1 } }),
  request('resources/read', { uri: 'hub://limits' }),
  request('resources/read', { uri: 'hub://nothing' }),
  request('prompts/get', { name: 'worker' }),
  request('prompts/get', { name: 'none' }),
  request('logging/setLevel', { level: 'info' }),
  request('completion/complete', {}),
  request('no/such', {}),
];
/** The SDK says nothing to these, either. */
const UNANSWERED: object[] = [
  { ...request('ping'), jsonrpc: '1.0' },
  { ...request('ping'), extra: 1 },
  request('ping', undefined, null),
  request('ping', undefined, 1.5),
  request('ping', undefined, {}),
  request('ping', { _meta: 7 }),
  request('ping', { _meta: { progressToken: {} } }),
  { ...request('ping'), params: [] },
  { jsonrpc: '2.0', id: 1, result: {} },
  { jsonrpc: '2.0', method: 'notifications/roots/list_changed' },
  { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'unknown' } },
  { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: {} } },
  {},
];

/** Ids of one hub and times differ from another's. */
function alike(said: readonly Said[]): unknown {
  return JSON.parse(
    JSON.stringify(said)
      .replace(/[a-z]+_[0-9a-zA-Z]{12,}/g, 'ID')
      .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME'),
  );
}

for (const [which, messages, isOwn] of [
  ['answers itself', OWN, true],
  ['hands over', HANDED_OVER, false],
] as const) {
  it(`${which} as the SDK would`, async () => {
    for (const message of messages) {
      const one = await directly();
      one.direct.receive(message);
      await vi.waitUntil(() => one.said.length > 0, 20_000);
      const other: Said[] = [];
      const handOver = await sdk.serveMessages((await session()).made, (answer) => void other.push(answer as Said));
      handOver(message);
      await vi.waitUntil(() => other.length > 0, 20_000);
      expect([message, alike(one.said)]).toEqual([message, alike(other)]);
      expect([message, one.heard.length > 0]).toEqual([message, isOwn]);
    }
  });
}

it('is silent where the SDK is, and goes on', async () => {
  const { direct, said } = await directly();
  const other: Said[] = [];
  const handOver = await sdk.serveMessages((await session()).made, (answer) => void other.push(answer as Said));
  for (const message of UNANSWERED) {
    direct.receive(message);
    handOver(message);
  }
  direct.receive(request('prompts/get', { name: 'worker' }, 'last'));
  handOver(request('prompts/get', { name: 'worker' }, 'last'));
  await vi.waitUntil(() => said.length > 0 && other.length > 0);
  expect([said.map(({ id }) => id), other.map(({ id }) => id)]).toEqual([['last'], ['last']]);
});

it('speaks the versions of the protocol that the SDK speaks', () => {
  expect(PROTOCOL_VERSIONS).toEqual(SUPPORTED_PROTOCOL_VERSIONS);
  expect(PROTOCOL_VERSIONS[0]).toBe(LATEST_PROTOCOL_VERSION);
});

it('ends a waiting call that is cancelled without an answer, and tells of its progress until then', async () => {
  const { hub, direct, said } = await directly();
  direct.receive(initialize());
  direct.receive({ jsonrpc: '2.0', method: 'notifications/initialized' });
  direct.receive(request('tools/call', { name: 'recv_batch', arguments: { wait_seconds: 50 }, _meta: { progressToken: 't' } }, 'w'));
  await until(() => hub.calls.running > 0);
  await until(() => {
    hub.fake.advance(5_000);
    return said.some(({ method }) => method === 'notifications/progress');
  });
  expect(said.find(({ method }) => method === 'notifications/progress')).toEqual({
    method: 'notifications/progress',
    params: { progressToken: 't', progress: 1, message: 'recv_batch is still waiting' },
    jsonrpc: '2.0',
  });
  direct.receive({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'w', reason: 'enough' } });
  await until(() => hub.calls.running === 0);
  const bob = await attach(hub, 'bob');
  await send(hub, bob, 'ada', 'still there');
  direct.receive(request('tools/call', { name: 'recv_batch', arguments: {} }, 'again'));
  await vi.waitUntil(() => said.some(({ id }) => id === 'again'));
  expect(JSON.stringify(said.find(({ id }) => id === 'again'))).toContain('still there');
  expect(said.some(({ id }) => id === 'w')).toBe(false);
});

it('lists the tools as they are defined, in the built program', async () => {
  const server = start(['stdio', '--toolsets', 'all'], { home: scratch() });
  const answered = async (id: unknown) => {
    const found = () =>
      server
        .stdout()
        .split('\n')
        .slice(0, -1)
        .find((line) => (JSON.parse(line) as Said).id === id);
    await vi.waitUntil(() => found() !== undefined, 60_000);
    return JSON.parse(found() ?? '') as { result: { tools: unknown } };
  };
  server.write(`${JSON.stringify(initialize())}\n${JSON.stringify(request('tools/list'))}\n`);
  await answered(0);
  const { result } = await answered('r1');
  expect(result.tools).toEqual(JSON.parse(JSON.stringify(tools.map(listed))));
});
