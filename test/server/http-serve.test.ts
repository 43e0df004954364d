// rookery serve as a process: starting, being refused a port, stopping, being killed and coming back.

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeAll, describe, expect, it } from 'vitest';
import { cleanup, scratch } from '../support/engines.ts';
import { api, ask, call, connect } from './http-hub.ts';
import { built, rookery, run, serveProcess, tokenFrom } from './http-process.ts';

beforeAll(() => void built());

describe('rookery serve', () => {
  it('says how to connect, and stops with a signal', async () => {
    const home = scratch();
    const served = rookery(['serve', '--port', '0', '--home', home, '--project', 'demo']);
    await expect.poll(served.stdout, { timeout: 20_000 }).toContain('Ctrl-C');
    const text = served.stdout();
    const url = /served at (\S+)/.exec(text)?.[1] ?? '';
    expect((await ask(url, '/livez')).text).toBe('ok\n');
    for (const words of [
      'claude mcp add hub -- node /',
      'codex mcp add hub -- node /',
      `--home ${home}`,
      'token create --agent NAME',
      `${url}/mcp`,
      `${url}/#sign-in=rookery_`,
    ])
      expect(text).toContain(words);
    served.child.kill('SIGTERM');
    expect(await served.exited).toEqual({ code: 0 });
    expect(served.stderr()).toBe('');
  });

  it('prints a link to its dashboard on demand, and signs every browser out', async () => {
    const home = scratch();
    const where = ['--home', home, '--project', 'demo'];
    const { url } = await serveProcess(home);
    const dashboard = (...args: string[]) => run(['dashboard', ...where, ...args]);
    const printed = await dashboard('--url', url);
    expect(printed).toMatchObject({ code: 0, stderr: expect.stringContaining('It works once') });
    const code = printed.stdout.trim().replace(`${url}/#sign-in=`, '');
    const signIn = await fetch(`${url}/sign-in`, { method: 'POST', body: JSON.stringify({ code }) });
    expect(signIn.status).toBe(200);
    expect(await dashboard('--sign-out')).toMatchObject({ code: 0, stdout: '1 browser is signed out.\n' });
    expect(JSON.parse((await dashboard('--url', url, '--json')).stdout)).toMatchObject({ url: expect.stringContaining('#sign-in=') });
    expect(await dashboard('--url', 'http://127.0.0.1:1')).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('is not being served at'),
    });
    const asAgent = await run(['dashboard', ...where, '--url', url], { CLAUDECODE: '1' });
    expect(asAgent).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('only a person may do this') });
  });

  it('answers what is parked before it stops', async () => {
    const home = scratch();
    const served = await serveProcess(home);
    const bob = await connect(served.url, await tokenFrom(home, 'bob'));
    const waiting = call(bob.client, 'recv_batch', { wait_seconds: 50 });
    const operator = await connect(served.url, await tokenFrom(home, 'operator'));
    const state = async () => JSON.stringify(await call(operator.client, 'list_agents'));
    await expect.poll(state, { timeout: 20_000 }).toContain('"waiting"');
    served.child.kill('SIGINT');
    expect(await waiting).toMatchObject({ messages: [], reason: 'shutting_down' });
    expect(await served.exited).toEqual({ code: 0 });
  });

  it('comes back after a kill: the client goes on and nothing is lost', async () => {
    const home = scratch();
    const first = await serveProcess(home);
    const [aliceToken, bobToken] = [await tokenFrom(home, 'alice'), await tokenFrom(home, 'bob')];
    const alice = await connect(first.url, aliceToken);
    await call(alice.client, 'send', { to: 'bob', body: 'before the kill' });
    const waiting = api(first.url, aliceToken, 'recv_batch', { wait_seconds: 50 }).catch(() => 'broken');
    await expect.poll(async () => JSON.stringify(await call(alice.client, 'list_agents')), { timeout: 20_000 }).toContain('"waiting"');
    first.child.kill('SIGKILL');
    await first.exited;
    expect(await waiting).toBe('broken');
    const second = await serveProcess(home);
    const bob = await connect(second.url, bobToken);
    expect((await call(bob.client, 'recv_batch')).messages).toMatchObject([{ body: 'before the kill' }]);
    const again = await connect(second.url, aliceToken);
    expect(await call(again.client, 'send', { to: 'bob', body: 'after it' })).toHaveProperty('message_id');
  });

  it('says who has the port: this hub, another one, a stranger', async () => {
    const [home, other] = [scratch(), scratch()];
    const { port } = await serveProcess(home);
    const attempt = async (folder: string, at: number) => await run(['serve', '--port', String(at), '--home', folder, '--project', 'demo']);
    const same = await attempt(home, port);
    expect([same.code, same.stderr]).toEqual([3, expect.stringMatching(new RegExp(`This hub is already being served on port ${port}`))]);
    const another = await attempt(other, port);
    expect([another.code, another.stderr]).toEqual([
      3,
      expect.stringMatching(new RegExp(`Port ${port} is taken by another Rookery hub.*--port ${port + 1}`, 's')),
    ]);
    for (const stranger of [
      await listening('{"name":"something else"}'),
      await listening('<h1>hello</h1>'),
      await listening('x'.repeat(100_000)),
    ]) {
      const taken = await attempt(other, stranger);
      expect([taken.code, taken.stderr]).toEqual([
        3,
        expect.stringMatching(new RegExp(`Port ${stranger} is taken by a program that is not a Rookery hub`)),
      ]);
    }
  });

  it('refuses to show tokens to a network', async () => {
    const home = scratch();
    const open = await run(['serve', '--port', '0', '--host', '0.0.0.0', '--home', home, '--project', 'demo']);
    expect([open.code, open.stderr]).toEqual([1, expect.stringContaining('--tls-cert')]);
    const half = await run(['serve', '--port', '0', '--tls-cert', 'cert.pem', '--home', home, '--project', 'demo']);
    expect([half.code, half.stderr]).toEqual([2, expect.stringContaining('--tls-key')]);
    const behind = await serveProcess(home, ['--host', '0.0.0.0', '--behind-proxy']);
    expect((await ask(`http://127.0.0.1:${behind.port}`, '/livez')).status).toBe(200);
  });
});

/** A program that answers everything with this, and its port. */
async function listening(text: string): Promise<number> {
  const server: Server = createServer((_request, response) => response.end(text));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanup(() => void server.close());
  return (server.address() as AddressInfo).port;
}
