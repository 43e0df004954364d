// Who may come in: Host, Origin, Sec-Fetch-Site, token, body. Every route, through the real listener.

import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { operatorOf } from '../support/acts.ts';
import { PROJECT } from '../support/engines.ts';
import { api, ask, revoke, serveHub } from './http-hub.ts';
import { ASKS } from './routes.ts';

const forbidden = (text: string) => (JSON.parse(text) as { code: string }).code;

describe('the gate', () => {
  it('lets in only requests to a name of this hub from its own pages', async () => {
    const { url, door, token } = await serveHub();
    const secret = await token('operator');
    const hosts: Record<string, boolean> = {
      [`127.0.0.1:${door.port}`]: true,
      [`localhost:${door.port}`]: true,
      [`[::1]:${door.port}`]: true,
      'evil.example': false,
      [`127.0.0.1.evil.example:${door.port}`]: false,
      [`localhost.:${door.port}`]: false,
      [`0.0.0.0:${door.port}`]: false,
      [`127.0.0.1:${door.port}@evil.example`]: false,
    };
    const origins = (host: string): Record<string, boolean> => ({
      '': true,
      [`http://${host}`]: true,
      [`https://${host}`]: false,
      null: false,
      'http://evil.example': false,
      'http://localhost:1': false,
      [`http://${host}.evil.example`]: false,
      'chrome-extension://abc': false,
    });
    const wrong: unknown[] = [];
    for (const [host, hostIsOurs] of Object.entries(hosts)) {
      for (const [origin, originIsOurs] of Object.entries(origins(host))) {
        for (const { method, path } of ASKS) {
          const headers = { host, ...(origin === '' ? {} : { origin }) };
          const { status, text, headers: answered } = await ask(url, path, { method, headers, token: secret });
          if ((status !== 403) !== (hostIsOurs && originIsOurs)) wrong.push([host, origin, method, path, status]);
          if (status === 403) expect(forbidden(text)).toBe('forbidden');
          expect(Object.keys(answered).filter((name) => name.startsWith('access-control'))).toEqual([]);
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  it('takes further hosts and origins from the configuration', async () => {
    const { url } = await serveHub({ settings: { allowedHosts: ['hub.example'], allowedOrigins: ['https://desk.example'] } });
    const status = async (headers: Record<string, string>) => (await ask(url, '/version', { headers })).status;
    expect(await status({ host: 'hub.example' })).toBe(200);
    expect(await status({ host: 'hub.example:8443' })).toBe(200);
    expect(await status({ host: 'other.example' })).toBe(403);
    expect(await status({ origin: 'https://desk.example' })).toBe(200);
    expect(await status({ origin: 'https://desk.example', 'sec-fetch-site': 'cross-site' })).toBe(200);
    expect(await status({ origin: 'https://desk.example.evil' })).toBe(403);
  });

  it('refuses pages of other sites by what the browser says of them', async () => {
    const { url, token } = await serveHub();
    const secret = await token('alice');
    for (const { method, path } of ASKS) {
      const headers = { 'sec-fetch-site': 'cross-site' };
      expect((await ask(url, path, { method, headers, token: secret })).status).toBe(403);
    }
    expect((await ask(url, '/', { headers: { 'sec-fetch-site': 'none' } })).status).toBe(200);
  });

  it('wants a live token on every data route, also on loopback', async () => {
    const { url, hub, token } = await serveHub({ limits: { authFailures: 1_000 } });
    const revoked = await token('alice');
    await revoke(hub, revoked);
    const expired = await token('bob', { lifeMs: 1 });
    await expect.poll(() => hub.tokens.authenticate(expired).catch((error: Error) => error.message)).toContain('expired');
    for (const { method, path } of ASKS.filter(({ to }) => to === 'shut')) {
      for (const secret of [undefined, 'rookery_guessed', revoked, expired]) {
        const { status, headers, text } = await ask(url, path, { method, token: secret });
        expect([method, path, status, headers['www-authenticate']]).toEqual([method, path, 401, 'Bearer realm="rookery"']);
        expect(forbidden(text)).toBe('unauthorized');
      }
      const basic = await ask(url, path, { method, headers: { authorization: 'Basic YWxpY2U6YWxpY2U=' } });
      expect(basic.status).toBe(401);
    }
    for (const path of ['/', '/livez', '/readyz', '/version']) expect((await ask(url, path)).status).toBe(200);
    expect((await ask(url, '/.well-known/oauth-protected-resource')).status).toBe(404);
    expect((await ask(url, '/.well-known/../api/whoami', { method: 'POST' })).status).not.toBe(200);
  });

  it('sends the protecting headers with every answer', async () => {
    const { url } = await serveHub();
    for (const { method, path } of ASKS) {
      const { headers } = await ask(url, path, { method });
      expect(headers['x-content-type-options']).toBe('nosniff');
      expect(headers['referrer-policy']).toBe('no-referrer');
      expect(headers['content-security-policy']).toContain("default-src 'none'");
      expect(headers['content-security-policy']).not.toContain('unsafe');
    }
  });

  it('slows guessing per address and never a valid token', async () => {
    const { url, token, logFile } = await serveHub({ limits: { authFailures: 5 } });
    const secret = await token('alice');
    const guess = 'rookery_GuessedGuessedGuessed';
    const statuses = [];
    for (let i = 0; i < 8; i++) statuses.push((await ask(url, '/api/whoami', { method: 'POST', token: guess })).status);
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429, 429]);
    const limited = await ask(url, '/api/whoami', { method: 'POST', token: guess });
    expect(Number(limited.headers['retry-after'])).toBeGreaterThan(0);
    expect((await ask(url, '/api/whoami', { method: 'POST', token: secret })).status).toBe(200);
    const log = readFileSync(logFile, 'utf8');
    expect(log.split('\n').filter((line) => line.includes('auth_failed'))).toHaveLength(5);
    expect(log).toContain('auth_limited');
    for (const one of [guess, secret]) expect(log).not.toContain(one.slice(8));
  });
});

describe('signing in', () => {
  const signIn = (url: string, body: unknown) => ask(url, '/sign-in', { method: 'POST', body: JSON.stringify(body) });
  const offer = async ({ hub }: Awaited<ReturnType<typeof serveHub>>) => (await hub.signIns.offer(await operatorOf(hub))).code;

  it('gives half of a secret as a cookie and half as text, each of which is nothing', async () => {
    const served = await serveHub({ limits: { authFailures: 1_000 } });
    const { url, hub } = served;
    const { headers, text } = await signIn(url, { code: await offer(served) });
    const set = String(headers['set-cookie']);
    expect(set).toMatch(new RegExp(`^rookery_${hub.instanceId}=[\\w-]{40,}; Path=/; HttpOnly; SameSite=Strict; Max-Age=604800$`));
    const [cookie = ''] = set.split(';');
    const { proof } = JSON.parse(text) as { proof: string };
    const status = async (path: string, given: Record<string, string>, method = 'GET') =>
      (await ask(url, path, { method, headers: given, ...(method === 'POST' ? { body: '{}' } : {}) })).status;
    const both = { cookie, 'rookery-proof': proof };
    expect(await status('/api/views/overview', both)).toBe(200);
    expect(await status('/api/whoami', both, 'POST')).toBe(200);
    for (const less of [
      { cookie },
      { 'rookery-proof': proof },
      { cookie: `${cookie}; ${cookie}`, 'rookery-proof': proof },
      { cookie: cookie.replace(/=./, '=_'), 'rookery-proof': proof },
      { cookie, 'rookery-proof': cookie.split('=')[1] ?? '' },
      { authorization: `Bearer ${proof}` },
      { authorization: `Bearer ${cookie.split('=')[1]}` },
      { ...both, authorization: 'Bearer rookery_guessed' },
    ])
      for (const [path, method] of [['/api/views/overview'], ['/api/whoami', 'POST'], ['/events'], ['/sign-out', 'POST']] as const)
        expect([less, path, await status(path, less as Record<string, string>, method)]).toEqual([less, path, 401]);
    expect(await status('/mcp', both, 'POST')).toBe(401);
    expect(await status('/api/views/overview', { ...both, 'rookery-project': 'nowhere' })).toBe(404);
    expect(await status('/api/whoami', { ...both, origin: 'http://localhost:3000' }, 'POST')).toBe(403);
    expect(await status('/sign-out', both, 'POST')).toBe(200);
    expect(await status('/api/views/overview', both)).toBe(401);
  });

  it('says Secure where browsers come by TLS, slows guessing, and logs no part of a secret', async () => {
    const served = await serveHub({ settings: { behindProxy: true }, limits: { authFailures: 3 } });
    const { url, logFile } = served;
    const code = await offer(served);
    const { headers, text } = await signIn(url, { code });
    expect(String(headers['set-cookie'])).toMatch(/; Secure$/);
    const guesses = [];
    for (let i = 0; i < 5; i++) guesses.push((await signIn(url, { code: `rookery_guess${i}` })).status);
    expect(guesses).toEqual([401, 401, 401, 429, 429]);
    expect((await signIn(url, {})).status).toBe(400);
    const log = readFileSync(logFile, 'utf8');
    for (const secret of [code, (JSON.parse(text) as { proof: string }).proof, String(headers['set-cookie']).slice(30, 60)])
      expect(log).not.toContain(secret.slice(8));
  });

  it('does not let a token reach another project', async () => {
    const { url, token } = await serveHub();
    const secret = await token('operator');
    const asked = (project: string) => ask(url, '/api/views/projects', { headers: { 'rookery-project': project }, token: secret });
    expect((await asked('demo-1')).status).toBe(200);
    expect((await asked('other-2')).status).toBe(404);
    expect((await ask(url, '/sign-out', { method: 'POST', token: secret })).status).toBe(400);
    expect((await ask(url, '/api/views/overview', { token: await token('alice') })).status).toBe(403);
  });
});

describe('bodies', () => {
  const big = JSON.stringify({ to: 'bob', body: 'x'.repeat(5_000) });

  it('answers too large ones without keeping them', async () => {
    const { url, token } = await serveHub({ limits: { httpBodyBytes: 4_096 } });
    const secret = await token('alice');
    for (const path of ['/api/send', '/mcp']) {
      const declared = await ask(url, path, { method: 'POST', body: big, token: secret });
      expect([declared.status, forbidden(declared.text)]).toEqual([413, 'too_large']);
      expect(declared.text).toContain('4096');
      const chunked = await endless(url, path, secret, 3_000_000);
      expect([chunked.status, forbidden(chunked.text)]).toEqual([413, 'too_large']);
    }
  });

  it('cuts off a sender that never ends', async () => {
    const { url, token } = await serveHub({ limits: { httpBodyBytes: 4_096 } });
    const secret = await token('alice');
    const { status, sent } = await endless(url, '/api/send', secret, Number.POSITIVE_INFINITY);
    expect(status).toBe(413);
    expect(sent).toBeLessThan(64 * 1024 * 1024);
  });

  it('refuses deeply nested ones before they cost anything', async () => {
    const { url, token } = await serveHub();
    const secret = await token('alice');
    await ask(url, '/api/whoami', { method: 'POST', token: secret });
    const deep = `{"to":"bob","body":"[[[[ \\" ]","attachments":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
    for (const path of ['/api/send', '/mcp']) {
      const { status, text } = await ask(url, path, { method: 'POST', body: deep, token: secret });
      expect([status, text]).toEqual([400, expect.stringContaining('nested deeper')]);
    }
    const brackets = JSON.stringify({ to: 'operator', body: `${'['.repeat(100)} \\" ${'{'.repeat(100)}` });
    expect((await ask(url, '/api/send', { method: 'POST', body: brackets, token: secret })).status).toBe(200);
  });

  it('refuses compressed ones and what is not JSON', async () => {
    const { url, token } = await serveHub();
    const secret = await token('alice');
    for (const path of ['/api/send', '/mcp']) {
      const gzip = await ask(url, path, { method: 'POST', headers: { 'content-encoding': 'gzip' }, body: 'x', token: secret });
      expect(gzip.status).toBe(415);
      const broken = await ask(url, path, { method: 'POST', body: '{"to":', token: secret });
      expect([broken.status, forbidden(broken.text)]).toEqual([400, 'invalid_input']);
    }
    expect((await ask(url, '/api/send', { method: 'GET', token: secret })).status).toBe(405);
    expect((await ask(url, '/api/no_such_tool', { method: 'POST', token: secret })).status).toBe(404);
  });
});

/** Sends a body in chunks, without saying how long it is, until it was answered and cut off, or `bytes` were sent. */
function endless(url: string, path: string, token: string, bytes: number): Promise<{ status: number; text: string; sent: number }> {
  return new Promise((resolve) => {
    const chunk = Buffer.alloc(64 * 1024, 'x');
    let sent = 0;
    let status = 0;
    let text = '';
    const asked = request(new URL(path, url), { method: 'POST', agent: false, headers: { authorization: `Bearer ${token}` } });
    asked.on('response', (response) => {
      status = response.statusCode ?? 0;
      response.on('data', (part: Buffer) => {
        text += part.toString();
      });
      response.on('error', () => {});
    });
    asked.on('error', () => {});
    asked.on('close', () => resolve({ status, text, sent }));
    const more = () => {
      if (asked.destroyed) return;
      if (sent >= bytes) return void asked.end();
      sent += chunk.length;
      asked.write(chunk, () => setImmediate(more));
    };
    more();
  });
}

it('exchanges an enrolment for a token, once, and slows whoever guesses', async () => {
  const { hub, url } = await serveHub();
  const operator = await hub.projects.operator(PROJECT, 'cli');
  const { token = '' } = await hub.enrolments.create(operator, { name: 'webby', role: 'worker' }, { tool: 'test' });
  const enrol = (secret: string) => ask(url, '/enrol', { method: 'POST', token: secret });
  const early = await api(url, token, 'whoami');
  expect([early.status, JSON.stringify(early.body)]).toEqual([401, expect.stringContaining('POST /enrol')]);
  const made = await enrol(token);
  expect([made.status, JSON.parse(made.text)]).toMatchObject([200, { name: 'webby', role: 'worker', project: PROJECT.id }]);
  expect((await api(url, JSON.parse(made.text).token, 'whoami')).body).toMatchObject({ name: 'webby', spawned_by: 'operator' });
  expect((await enrol(token)).status).toBe(409);
  for (let guess = 0; guess < 20; guess++) await enrol(`enrol_${guess}`);
  expect((await enrol('enrol_x')).status).toBe(429);
});
