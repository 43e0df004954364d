// What the operator switches off for an agent or a project is not offered to it, at either door, and refused all the same (C-46).

import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { expect, it } from 'vitest';
import { freshHub, programFile } from '../cli/command-line.ts';
import { operatorOf } from '../support/acts.ts';
import { cleanup } from '../support/engines.ts';
import { call, connect, serveHub } from './http-hub.ts';

const namesOf = async (client: Client) => (await client.listTools()).tools.map(({ name }) => name);

/** How often the client was told that its list is another. */
function told(client: Client): () => number {
  let times = 0;
  client.setNotificationHandler(ToolListChangedNotificationSchema, () => {
    times += 1;
  });
  return () => times;
}

it('over HTTP: it is not in the list, and a client is told when that changes', async () => {
  const served = await serveHub({ settings: { toolsets: ['core', 'work'] } });
  const operator = await operatorOf(served.hub);
  const tokens = { bob: await served.token('bob'), eve: await served.token('eve') };
  await served.hub.policies.set(operator, { level: 'agent', agent: 'bob' }, 'tools.deny', ['create_*', 'whoami']);
  const bob = (await connect(served.url, tokens.bob)).client;
  const eve = (await connect(served.url, tokens.eve)).client;
  const names = await namesOf(bob);
  expect(names).not.toContain('create_task');
  expect(names).toEqual(expect.arrayContaining(['whoami', 'join', 'claim_task']));
  expect(await namesOf(eve)).toContain('create_task');
  expect(await call(bob, 'create_task', { title: 'x' })).toMatchObject({ code: 'forbidden' });
  const times = told(bob);
  await served.hub.policies.unset(operator, { level: 'agent', agent: 'bob' }, 'tools.deny');
  expect((await call(bob, 'create_task', { title: 'x' })).task_id).toMatch(/^tsk_/);
  await expect.poll(times).toBe(1);
  expect(await namesOf(bob)).toEqual(await namesOf(eve));
  await served.hub.policies.set(operator, { level: 'project' }, 'tools.deny', ['ask']);
  await call(bob, 'whoami');
  await call(bob, 'whoami');
  await expect.poll(times).toBe(2);
  expect(await namesOf(bob)).not.toContain('ask');
});

it('over stdio: the list is given before it is known who asks, and given again when it is', async () => {
  const { home, json } = await freshHub();
  await json('config', 'set', 'tools.deny', 'create_task', '--agent', 'reviewer');
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [programFile(), 'stdio', '--agent', 'reviewer'],
    env: { PATH: process.env.PATH ?? '', HOME: home, ROOKERY_HOME: home },
  });
  const client = new Client({ name: 'test', version: '1' });
  const times = told(client);
  await client.connect(transport);
  cleanup(() => client.close());
  await expect.poll(async () => (await namesOf(client)).includes('create_task'), { timeout: 30_000, interval: 50 }).toBe(false);
  expect(await call(client, 'create_task', { title: 'x' })).toMatchObject({ code: 'forbidden' });
  expect(times()).toBeLessThanOrEqual(1);
});
