// What can be asked without a token: alive, ready, which version, and a page for people.

import { execFileSync } from 'node:child_process';
import { get } from 'node:https';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { scratch } from '../support/engines.ts';
import { ask, serveHub } from './http-hub.ts';

const openssl = (() => {
  try {
    return execFileSync('openssl', ['version']).length > 0;
  } catch {
    return false;
  }
})();

it('is alive, ready, and says who it is', async () => {
  const { url, hub } = await serveHub();
  expect(await ask(url, '/livez')).toMatchObject({ status: 200, text: 'ok\n' });
  expect(await ask(url, '/readyz')).toMatchObject({ status: 200, text: '{"status":"ready"}' });
  expect(JSON.parse((await ask(url, '/version')).text)).toEqual({
    name: 'rookery',
    version: expect.any(String),
    instance_id: hub.instanceId,
    boot_id: hub.bootId,
    schema: hub.schema,
  });
});

it('is not ready while a timed duty fails, and says which one only to a bearer', async () => {
  const broken = {
    name: 'broken duty',
    everyMs: 50,
    run: async () => {
      throw new Error('out of order');
    },
  };
  const { url, token } = await serveHub({ duties: [broken], errors: ['duty_failed'] });
  const secret = await token('alice');
  await expect.poll(async () => (await ask(url, '/readyz')).status).toBe(503);
  expect((await ask(url, '/readyz')).text).toBe('{"status":"not ready"}');
  const known = await ask(url, '/readyz', { token: secret });
  expect(known.text).toContain('broken duty');
  expect(known.text).not.toContain('out of order');
});

it('is alive and not ready when nothing can be written', async () => {
  const { url, hub } = await serveHub();
  await hub.context.db.close();
  expect((await ask(url, '/livez')).status).toBe(200);
  expect(await ask(url, '/readyz')).toMatchObject({ status: 503, text: '{"status":"not ready"}' });
  expect((await ask(url, '/version')).status).toBe(200);
});

it('has a page of its own scripts and styles, and nothing else', async () => {
  const { url } = await serveHub();
  const { headers, text } = await ask(url, '/');
  expect(headers['content-type']).toMatch(/^text\/html/);
  const policy = String(headers['content-security-policy']);
  for (const words of [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ])
    expect(policy.split('; ')).toContain(words);
  expect(policy).not.toMatch(/unsafe|\*|http/);
  expect(text).not.toMatch(/<script(?![^>]*src="\/assets\/[\w-]+\.js")|<style|style=|\son\w+=|https?:/i);
  const files = [...text.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map((match) => match[1] ?? '');
  expect(files.length).toBeGreaterThanOrEqual(3);
  for (const file of files) {
    const asked = await ask(url, file);
    expect([file, asked.status]).toEqual([file, 200]);
    if (file.startsWith('/assets/')) expect(asked.headers['cache-control']).toContain('immutable');
  }
  for (const path of ['/assets/', '/assets/../../package.json', '/assets/%2e%2e/%2e%2e/package.json', '/index.html', '/assets/nothing.js'])
    expect([path, (await ask(url, path)).status]).toEqual([path, 401]);
});

it.runIf(openssl)('speaks TLS with a certificate of its own', async () => {
  const folder = scratch();
  const [tlsKey, tlsCert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const subject = ['-subj', '/CN=localhost', '-days', '2', '-nodes', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
  execFileSync('openssl', ['req', '-x509', '-keyout', tlsKey, '-out', tlsCert, ...subject], { stdio: 'ignore' });
  const { url } = await serveHub({ settings: { tlsCert, tlsKey } });
  expect(url).toMatch(/^https:/);
  const status = await new Promise((resolve, reject) => {
    get(new URL('/livez', url), { rejectUnauthorized: false, agent: false }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode));
    }).on('error', reject);
  });
  expect(status).toBe(200);
});
