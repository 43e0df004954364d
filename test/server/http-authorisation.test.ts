// One authorisation for every front door (invariant 8): the same principal is told the same through stdio, MCP over HTTP, and the API.

import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { beforeAll, expect, it } from 'vitest';
import { cleanup, scratch } from '../support/engines.ts';
import { api, call, connect } from './http-hub.ts';
import { built, serveProcess, tokenFrom } from './http-process.ts';

beforeAll(() => void built());

const CALLS: [tool: string, args: Record<string, unknown>][] = [
  ['whoami', {}],
  ['list_agents', {}],
  ['send', { to: 'nobody-here', body: 'x' }],
  ['send', { to: 'operator', body: 'x', from: 'boss' }],
  ['send', { to: 'operator', body: 'x', as: 'boss' }],
  ['send', { to: 'operator', body: 'x', priority: 'urgent', idempotency_key: '' }],
  ['join', { role: 'manager' }],
  ['join', { role: 'operator' }],
  ['join', { status: 'working' }],
  ['get_message', { message_id: 'msg_unknown' }],
  ['message_status', { message_id: 'msg_unknown' }],
  ['get_thread', { thread_id: 'thr_unknown' }],
  ['ack', { receipt: 'rcp_unknown' }],
  ['requeue_dead', { message_id: 'msg_unknown', to: 'alice' }],
];

type Door = (tool: string, args: Record<string, unknown>) => Promise<Record<string, unknown>>;

it.each([
  ['alice', 'agent'],
  ['boss', 'manager'],
])('%s (%s) is told the same at every door', async (name, role) => {
  const home = scratch();
  const { url } = await serveProcess(home, [], { ROOKERY_TOOLSETS: 'all' });
  const token = await tokenFrom(home, name, ['--role', role]);
  const outcomes: Record<string, unknown[]> = {};
  const doors: [string, () => Promise<Door>][] = [
    ['stdio', () => overStdio(home, name, role)],
    ['mcp', async () => overHttp((await connect(url, token)).client)],
    ['api', async () => async (tool, args) => (await api(url, token, tool, args)).body],
  ];
  for (const [door, open] of doors) {
    const use = await open();
    outcomes[door] = [];
    for (const [tool, args] of CALLS) outcomes[door].push([tool, (await use(tool, args)).code ?? 'ok']);
    await (await closing.get(use))?.();
  }
  expect(outcomes.mcp).toEqual(outcomes.stdio);
  expect(outcomes.api).toEqual(outcomes.stdio);
  const codes = Object.fromEntries((outcomes.stdio as [string, string][]).map(([tool, code]) => [tool, code]));
  expect(codes).toMatchObject({ whoami: 'ok', requeue_dead: role === 'agent' ? 'forbidden' : 'not_found' });
});

/** How a door is closed again, so that the next one finds the name free. */
const closing = new Map<Door, () => Promise<void>>();

function overHttp(client: Client): Door {
  const door: Door = (tool, args) => call(client, tool, args);
  return door;
}

async function overStdio(home: string, name: string, role: string): Promise<Door> {
  const args = [built(), 'stdio', '--home', home, '--project', 'demo', '--agent', name, '--role', role, '--toolsets', 'all'];
  const client = new Client({ name: 'test-client', version: '1' });
  await client.connect(new StdioClientTransport({ command: process.execPath, args, stderr: 'ignore' }));
  cleanup(() => client.close());
  const door: Door = (tool, given) => call(client, tool, given);
  closing.set(door, () => client.close());
  return door;
}
