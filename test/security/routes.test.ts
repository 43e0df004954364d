// Every route of the server, by everybody who could ask for it: with no credential, a wrong one, one that is over, one that is for something else,
// and the right ones. The table is a file to be read and agreed to. The routes are the server's own list, so a new one needs its entry.

import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { ask, revoke, type Served, serveHub } from '../server/http-hub.ts';
import { ASKS, ROUTES } from '../server/routes.ts';
import { operatorOf } from '../support/acts.ts';

type Headers = Record<string, string>;

const bearer = (token: string): Headers => ({ authorization: `Bearer ${token}` });

/** Everybody who could ask, each with a credential made afresh, because some are used up. */
const WHO: Record<string, (served: Served) => Promise<Headers>> = {
  nobody: async () => ({}),
  guessed: async () => bearer('rookery_GuessedGuessedGuessedGuessedGuessedGues'),
  expired: async (served) => {
    const secret = await served.token('late', { lifeMs: 1 });
    await expect.poll(() => served.hub.tokens.authenticate(secret).catch((error: Error) => error.message)).toContain('expired');
    return bearer(secret);
  },
  revoked: async (served) => {
    const secret = await served.token('gone');
    await revoke(served.hub, secret);
    return bearer(secret);
  },
  enrolment: async (served) => bearer(await enrolment(served)),
  'sign-in code': async ({ hub }) => bearer((await hub.signIns.offer(await operatorOf(hub))).code),
  'cookie alone': async (served) => {
    const { cookie } = await signedIn(served);
    return { cookie };
  },
  'proof as token': async (served) => bearer((await signedIn(served))['rookery-proof']),
  agent: async (served) => bearer(await served.token('alice')),
  manager: async (served) => bearer(await served.token('mona', { role: 'manager' })),
  metrics: async (served) => bearer(await served.token('prometheus', { role: 'metrics' })),
  operator: async (served) => bearer(await served.token('operator')),
  browser: signedIn,
};
const STRANGERS = ['nobody', 'guessed', 'expired', 'revoked', 'enrolment', 'sign-in code', 'cookie alone', 'proof as token'];

async function enrolment({ hub }: Served): Promise<string> {
  const { token } = await hub.enrolments.create(await operatorOf(hub), { name: 'newcomer' }, { tool: 'test' });
  if (token === undefined) throw new Error('no enrolment was made');
  return token;
}

async function signedIn({ hub }: Served) {
  const { cookie, proof } = await hub.signIns.redeem((await hub.signIns.offer(await operatorOf(hub))).code);
  return { cookie: `rookery_${hub.instanceId}=${cookie}`, 'rookery-proof': proof };
}

it('has an entry for every route of the server', async () => {
  const { door } = await serveHub();
  const files = door.routes.filter((route) => /^GET \/(assets\/|favicon|[\w-]+\.svg)/.test(route));
  expect(files.length).toBeGreaterThan(2);
  const others = door.routes.filter((route) => !files.includes(route));
  expect([...others, '*'].sort()).toEqual(Object.keys(ROUTES).sort());
});

it('lets in who was agreed, route by route', { timeout: 120_000 }, async () => {
  const served = await serveHub({ limits: { authFailures: 100_000, openEnrolments: 1_000 } });
  const rows: string[][] = [['', ...Object.keys(WHO)]];
  for (const { method, path, to } of ASKS) {
    const row = [`${method} ${path}`];
    for (const [who, credential] of Object.entries(WHO)) {
      const headers = await credential(served);
      const { status, text } = await ask(served.url, path, { method, headers, ...(method === 'POST' ? { body: '{}' } : {}) });
      const cell = [method, path, who, status];
      if (to === 'shut' && STRANGERS.includes(who)) expect(cell).toEqual([method, path, who, 401]);
      expect(cell).not.toEqual([method, path, who, 500]);
      for (const secret of Object.values(headers)) expect(text).not.toContain(secret.slice(-24));
      row.push(String(status));
    }
    rows.push(row);
  }
  const lines = rows.map((cells) =>
    cells
      .map((cell, column) => cell.padEnd(column === 0 ? 26 : 16))
      .join('')
      .trimEnd(),
  );
  await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot('./routes.txt');
});

/** Ways by which a shut path could be taken for an open one. */
const spellings = (open: string, path: string) => [
  `${open}/..${path}`,
  `${open}/%2e%2e${path}`,
  `${open}/%2E%2e/${path}`,
  `${open}/.%2e${path}`,
  `${open}%2f..${path}`,
  `${open}\\..${path.replaceAll('/', '\\')}`,
  `${open};${path}`,
  `/${path}`,
  `//127.0.0.1${path}`,
  `/.${path}`,
  path.replace('/', '/%2f'),
  path.toUpperCase(),
  `${path}/`,
  `${path}%00`,
  `${open}?/..${path}`,
  `${open}#/..${path}`,
  `http://127.0.0.1${path}`,
  `*${path}`,
];

it('is reached by no other spelling of a path', { timeout: 60_000 }, async () => {
  const { url } = await serveHub({ limits: { authFailures: 100_000 } });
  const wrong: unknown[] = [];
  for (const path of ['/api/whoami', '/api/views/overview', '/events', '/metrics', '/mcp', '/sign-out'])
    for (const open of ['/livez', '/version', '/assets', '/.well-known', '/openapi.json'])
      for (const method of ['GET', 'POST']) {
        const itself = await raw(url, `${method} ${open} HTTP/1.1`);
        const answers = spellings(open, path).map(async (spelled) => ({ spelled, ...(await raw(url, `${method} ${spelled} HTTP/1.1`)) }));
        for (const { spelled, status, body } of await Promise.all(answers)) {
          const isOpen = spelled.startsWith(`${open}?`) || spelled.startsWith(`${open}#`);
          if (isOpen ? body !== itself.body : ![400, 401, 404].includes(status)) wrong.push([method, spelled, status, body.slice(0, 80)]);
        }
      }
  expect(wrong).toEqual([]);
});

/** A request line as it is: clients would tidy it. */
function raw(url: string, line: string): Promise<{ status: number; body: string }> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(Number(port), hostname, () =>
      socket.write(`${line}\r\nHost: ${hostname}:${port}\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}`),
    );
    socket.on('data', (part) => {
      text += part;
    });
    socket.on('error', reject);
    socket.on('close', () => resolve({ status: Number(/^HTTP\/1.1 (\d+)/.exec(text)?.[1] ?? 0), body: text.split('\r\n\r\n')[1] ?? '' }));
  });
}
