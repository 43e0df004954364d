// rookery agents create, and what comes of it with real clients over real pipes: a manager makes two children, each enrols once by its
// environment alone, they report to it; the configuration that is printed is that of this project and no other.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { parse } from 'smol-toml';
import { describe, expect, it } from 'vitest';
import { built } from '../server/http-process.ts';
import { cleanup, scratch } from '../support/engines.ts';
import { start } from './command-line.ts';

type Json = Record<string, unknown>;

/** A home with projects in it, the command line in one of them, and clients that start a server there as theirs do. */
function machine() {
  const home = scratch();
  const hub = join(home, 'hub');
  const project = (name: string) => {
    const folder = join(home, name);
    mkdirSync(join(folder, '.git'), { recursive: true });
    return folder;
  };
  const env = { PATH: process.env.PATH ?? '', HOME: home, ROOKERY_HOME: hub };
  return {
    home,
    hub,
    project,
    async create(folder: string, ...words: string[]): Promise<Json & { token: string; lines: string[] }> {
      const done = await start(['agents', 'create', ...words, '--json', '--project', folder], { home: hub, input: '', env: { HOME: home } })
        .ended;
      if (done.code !== 0) throw new Error(done.stderr);
      return JSON.parse(done.stdout);
    },
    run: (folder: string, ...words: string[]) =>
      start([...words, '--project', folder], { home: hub, input: '', env: { HOME: home } }).ended,
    /** A client; `args` and `more` are what its configuration says of the server. */
    async client(folder: string, more: Record<string, string> = {}, args: string[] = []) {
      const transport = new StdioClientTransport({
        command: process.execPath,
        args: [built(), 'stdio', ...args],
        env: { ...env, ...more },
        cwd: folder,
        stderr: 'ignore',
      });
      const client = new Client({ name: 'scripted', version: '1' });
      await client.connect(transport);
      const close = () => client.close();
      cleanup(close);
      const call = async (name: string, input: Json = {}): Promise<Json> => {
        const reply = await client.callTool({ name, arguments: input });
        return (reply.structuredContent ?? JSON.parse((reply.content as { text: string }[])[0]?.text ?? '{}')) as Json;
      };
      return { call, close };
    },
  };
}

const enrolBy = (environment: unknown): Record<string, string> => {
  const [name = '', value = ''] = String(environment).split('=');
  return { [name]: value };
};

describe('a manager and two children', () => {
  it('work together; a token enrols one, and a second client is told who was first', async () => {
    const { project, client } = machine();
    const folder = project('app');
    const boss = await client(folder, { ROOKERY_AGENT: 'boss', ROOKERY_ROLE: 'manager', ROOKERY_TOOLSETS: 'all' });
    const made = [
      await boss.call('create_agent', { name: 'tester', role: 'worker', model: 'opus' }),
      await boss.call('create_agent', { name: 'writer', role: 'worker' }),
    ];
    expect(made).toMatchObject([{ role: 'worker', model: 'opus' }, { name: 'writer' }]);
    const children = [];
    for (const { environment } of made)
      children.push(await client(folder, { ...enrolBy(environment), CLAUDE_CODE_SESSION_ID: `s-${children.length}` }));
    await Promise.all(children.map(async (child) => await child.call('whoami')));
    for (const name of ['tester', 'writer']) await boss.call('send', { to: name, body: `task for ${name}`, kind: 'request' });
    for (const child of children) {
      const { messages } = (await child.call('recv_batch', { wait_seconds: 20 })) as { messages: { id: string; authority: string }[] };
      expect(messages).toMatchObject([{ authority: 'parent' }]);
      await child.call('send', { to: 'boss', body: 'done', in_reply_to: messages[0]?.id });
    }
    const { messages } = (await boss.call('recv_batch', { wait_seconds: 20 })) as { messages: Json[] };
    expect(messages).toMatchObject([{ from: 'tester', authority: 'child' }, { from: 'writer' }]);
    const { agents } = (await boss.call('list_agents', { role: 'worker' })) as { agents: Json[] };
    expect(agents.map(({ name, spawned_by }) => [name, spawned_by])).toEqual([
      ['tester', 'boss'],
      ['writer', 'boss'],
    ]);
    const late = await client(folder, { ...enrolBy(made[0]?.environment), CLAUDE_CODE_SESSION_ID: 's-9' });
    for (const tool of ['whoami', 'recv_batch', 'list_agents'])
      expect(await late.call(tool)).toMatchObject({ code: 'conflict', message: expect.stringContaining('by scripted as tester') });
    // The way out, as for every name that is refused.
    expect(await late.call('join', { name: 'spare' })).toMatchObject({ name: 'spare', role: 'agent' });
    await children[0]?.close();
    const back = await client(folder, { ...enrolBy(made[0]?.environment), CLAUDE_CODE_SESSION_ID: 's-0' });
    expect(await back.call('whoami')).toMatchObject({ name: 'tester', spawned_by: 'boss', epoch: 2 });
  });
});

describe('rookery agents create', () => {
  it('prints for each client an entry that enrols it, works again after a restart in its place, and nowhere else', async () => {
    const { project, client, create } = machine();
    const folder = project('app');
    const { lines } = await create(folder, 'reviewer', '--role', 'reviewer', '--print', 'codex');
    const { hub } = (parse(lines.join('\n')) as unknown as { mcp_servers: { hub: { args: string[]; env: Record<string, string> } } })
      .mcp_servers;
    const args = hub.args.slice(hub.args.indexOf('stdio') + 1);
    for (const epoch of [1, 2]) {
      const one = await client(folder, hub.env, args);
      expect(await one.call('whoami')).toMatchObject({ name: 'reviewer', role: 'reviewer', epoch, spawned_by: 'operator' });
      await one.close();
    }
    const elsewhere = join(folder, 'worktree');
    mkdirSync(join(elsewhere, '.git'), { recursive: true });
    const stranger = await client(elsewhere, hub.env, args);
    expect(await stranger.call('recv_batch')).toMatchObject({ code: expect.stringMatching(/conflict|forbidden/) });
  });

  it('is not spent by a client that starts the server and only lists its tools', async () => {
    const { project, client, create } = machine();
    const folder = project('app');
    const { token } = await create(folder, 'reviewer');
    const probe = await client(folder, { ROOKERY_ENROL: token, ROOKERY_AGENT: 'reviewer' });
    await probe.close();
    const real = await client(folder, { ROOKERY_ENROL: token });
    expect(await real.call('whoami')).toMatchObject({ name: 'reviewer', epoch: 1 });
  });

  it('speaks of this project only, and says which client is to be started how', async () => {
    const { project, create, hub } = machine();
    const [one, two] = [project('one'), project('two')];
    writeFileSync(join(one, '.git', 'x'), '');
    for (const print of ['env', 'claude', 'codex', 'gemini', 'vscode', 'cursor']) {
      const made = await create(two, `agent-${print}`, '--model', 'opus', '--print', print);
      const text = made.lines.join('\n');
      expect(made).toMatchObject({ name: `agent-${print}`, model: 'opus', print });
      expect([print, text.includes(made.token), text.includes(hub), text.includes(one)]).toEqual([print, true, true, false]);
    }
  });

  it('refuses what it does not know, and what only a person may do', async () => {
    const { project, run, home, hub } = machine();
    const folder = project('app');
    expect((await run(folder, 'agents', 'create', 'x', '--print', 'emacs')).code).toBe(2);
    expect((await run(folder, 'agents', 'create', 'x', '--days', '0')).code).toBe(2);
    expect((await run(folder, 'agents', 'create', 'a b')).code).toBe(2);
    expect((await run(folder, 'agents', 'create', 'x', '--role', 'operator')).code).toBe(1);
    const inside = start(['agents', 'create', 'x', '--project', folder], { home: hub, input: '', env: { HOME: home, CLAUDECODE: '1' } });
    expect(await inside.ended).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('only a person') });
    expect((await run(folder, 'agents')).code).toBe(0);
  });
});
