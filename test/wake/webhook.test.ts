// Webhooks: signed, sent to the address that was checked and to no other, tried thrice, and never a way into a private network (T20, T21).

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { expect, it } from 'vitest';
import { HubError } from '../../src/hub/errors.ts';
import { isPublicAddress } from '../../src/wake/public-address.ts';
import { postWebhook, type Resolve, toWebhookUrl } from '../../src/wake/webhook.ts';
import { until } from '../support/acts.ts';
import { cleanup } from '../support/engines.ts';
import { FakeClock } from '../support/fake-clock.ts';

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const event = { id: 'wak_1', body: { type: 'mail.waiting', data: { agent: 'bob', unread: 2 } } };
const loopback: Resolve = async () => [{ address: '127.0.0.1', family: 4 }];

type Call = { headers: IncomingMessage['headers']; body: string; url: string | undefined };

async function receiver(answer: (response: ServerResponse, call: number) => void) {
  const calls: Call[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += String(part);
    calls.push({ headers: request.headers, body, url: request.url });
    answer(response, calls.length);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  cleanup(() => {
    server.closeAllConnections();
    server.close();
  });
  return { calls, port: (server.address() as AddressInfo).port };
}

function post(url: string, more: { allowPrivate?: boolean; resolve?: Resolve; clock?: FakeClock } = {}) {
  const { allowPrivate = true, resolve = loopback, clock = new FakeClock(Date.now()) } = more;
  return postWebhook({ kind: 'webhook', url, secret, allowPrivate }, event, { clock, resolve, signal: new AbortController().signal });
}

it('posts what a receiver can verify, to the checked address under the name it was given', async () => {
  const { calls, port } = await receiver((response) => response.writeHead(204).end());
  expect(await post(`http://hub.test:${port}/wake?x=1`)).toEqual({ sent: true });
  const [call] = calls;
  expect(call).toMatchObject({
    url: '/wake?x=1',
    headers: { host: `hub.test:${port}`, 'webhook-id': 'wak_1', 'content-type': 'application/json' },
  });
  expect(new Webhook(secret).verify(call?.body ?? '', call?.headers as Record<string, string>)).toEqual(event.body);
  expect(() => new Webhook(secret).verify(`${call?.body} `, call?.headers as Record<string, string>)).toThrow();
});

it('follows no redirect, and does not try again what was refused', async () => {
  const { calls, port } = await receiver((response, n) =>
    response.writeHead(n === 1 ? 302 : 410, { location: 'http://127.0.0.1:1/' }).end(),
  );
  expect(await post(`http://hub.test:${port}/`)).toEqual({ sent: false, detail: 'the webhook answered 302; redirects are not followed' });
  expect(await post(`http://hub.test:${port}/`)).toEqual({ sent: false, detail: 'the webhook answered 410' });
  expect(calls).toHaveLength(2);
});

it('tries thrice what fails, with pauses, under the same id; reads no long answer', async () => {
  const clock = new FakeClock(Date.now());
  let answered = 0;
  const { calls, port } = await receiver((response, n) => {
    response.on('close', () => {
      answered += 1;
    });
    response.writeHead(n < 3 ? 503 : 200).end('x'.repeat(1_000_000));
  });
  const posting = post(`http://hub.test:${port}/`, { clock });
  for (const [n, pause] of [1_000, 4_000].entries()) {
    await until(() => answered === n + 1);
    const since = clock.now();
    await until(() => {
      clock.advance(20);
      return calls.length === n + 2;
    });
    expect(clock.now() - since).toBeGreaterThanOrEqual(pause);
  }
  expect(await posting).toEqual({ sent: true });
  expect(calls.map(({ headers }) => headers['webhook-id'])).toEqual(['wak_1', 'wak_1', 'wak_1']);
});

it('gives up on who does not answer', async () => {
  const clock = new FakeClock(Date.now());
  const { calls, port } = await receiver(() => {});
  const posting = post(`http://hub.test:${port}/`, { clock });
  for (let n = 1; n <= 3; n++) {
    await until(() => calls.length === n);
    clock.advance(10_000);
    if (n < 3) await until(() => clock.sleeping === 1);
    clock.advance(4_000);
  }
  expect(await posting).toEqual({ sent: false, detail: 'the webhook: no answer within 10 s' });
});

it('refuses private addresses in every form, by name and by number, unless they are allowed', async () => {
  const forms = [
    'https://127.0.0.1/',
    'https://127.1/',
    'https://2130706433/',
    'https://0x7f000001/',
    'https://0177.0.0.1/',
    'https://0/',
    'https://10.1.2.3/',
    'https://172.16.0.1/',
    'https://192.168.1.1/',
    'https://169.254.169.254/',
    'https://100.64.0.1/',
    'https://198.18.0.1/',
    'https://224.0.0.1/',
    'https://255.255.255.255/',
    'https://[::1]/',
    'https://[::]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[::ffff:7f00:1]/',
    'https://[fe80::1]/',
    'https://[fc00::1]/',
    'https://[64:ff9b::7f00:1]/',
    'https://[2002:7f00:1::]/',
    'https://[2001:0:7f00:1::]/',
    'https://[ff02::1]/',
    'https://[100::1]/',
  ];
  for (const form of forms) {
    expect([form, refusal(() => toWebhookUrl(form, false))]).toEqual([form, 'forbidden']);
    expect([form, toWebhookUrl(form, true).protocol]).toEqual([form, 'https:']);
  }
  for (const address of ['127.0.0.1', '10.0.0.1', '::1', '::ffff:10.0.0.1', 'fd00::1'])
    expect(
      await post('https://hub.test/', { allowPrivate: false, resolve: async () => [{ address, family: address.includes(':') ? 6 : 4 }] }),
    ).toEqual({
      sent: false,
      detail: 'the webhook: This webhook leads to a private address.',
    });
  const mixed: Resolve = async () => [
    { address: '93.184.216.34', family: 4 },
    { address: '127.0.0.1', family: 4 },
  ];
  expect(await post('https://hub.test/', { allowPrivate: false, resolve: mixed })).toMatchObject({
    detail: expect.stringContaining('private'),
  });
});

it('knows public addresses', () => {
  for (const address of ['1.1.1.1', '93.184.216.34', '100.128.0.1', '172.32.0.1', '2606:4700:4700::1111', '2a00:1450:4001:80b::200e'])
    expect([address, isPublicAddress(address)]).toEqual([address, true]);
  for (const address of ['', 'example.com', '1.2.3', '3fff::1', '4000::1', '::ffff:1.1.1.1'])
    expect([address, isPublicAddress(address)]).toEqual([address, false]);
});

it('registers https without credentials, and http for private addresses only', async () => {
  for (const bad of ['ftp://x.test/', 'x', 'https://user:pw@x.test/', 'http://x.test/'])
    expect([bad, refusal(() => toWebhookUrl(bad, false))]).toEqual([bad, 'invalid_input']);
  expect(toWebhookUrl('http://localhost:8080/', true).port).toBe('8080');
  const publicName: Resolve = async () => [{ address: '93.184.216.34', family: 4 }];
  expect(await post('http://hub.test/', { resolve: publicName })).toEqual({
    sent: false,
    detail: 'the webhook: a public address must be https',
  });
});

function refusal(act: () => unknown): string {
  try {
    act();
    return 'accepted';
  } catch (error) {
    if (error instanceof HubError) return error.code;
    throw error;
  }
}
