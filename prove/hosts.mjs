// Two hubs on two hosts over TLS on one PostgreSQL: two network namespaces joined by a bridge, an authority of our own, a server that wants a
// password over TLS, and clients that reach each hub by its address. Needs root for `ip netns`; answers a sentence why not where it cannot run.

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { startPostgres } from '../test/support/postgres-server.mjs';
import { LIMITS, PROJECT, pause, program, scratch, whenEnded } from './hub.mjs';

const CLIENT = fileURLToPath(new URL('hosts-client.mjs', import.meta.url));
const NET = `10.${100 + (process.pid % 100)}.${process.pid % 250}`;
const TAG = `rk${process.pid % 10_000}`;
const HUBS = [
  { name: 'a', address: `${NET}.2` },
  { name: 'b', address: `${NET}.3` },
];
const SERVER = `${NET}.1`;

export async function proveHosts() {
  if (process.getuid?.() !== 0) return { skipped: 'network namespaces need root' };
  if (
    [
      ['ip', '-V'],
      ['openssl', 'version'],
    ].some(([tool, flag]) => spawnSync(tool, [flag]).status !== 0)
  )
    return { skipped: 'ip or openssl is not installed' };
  const { folder, done } = scratch();
  let server;
  const hubs = [];
  try {
    if (!makeNetwork()) return { skipped: 'this machine makes no network namespaces' };
    const pki = makeCertificates(folder);
    server = await startPostgres({ tls: { ...pki.server, network: `${NET}.0/24` } });
    if (server === undefined) return { skipped: 'PostgreSQL is not installed' };
    server.sql(`ALTER USER rookery PASSWORD 'open sesame'`);
    const url = (ca) => `postgres://rookery:open%20sesame@${SERVER}:${server.port}/postgres?sslmode=verify-full&sslrootcert=${ca}`;
    for (const hub of HUBS) hubs.push(await startHub(hub, folder, pki, url(pki.ca)));
    const tokens = makeTokens(hubs[0], ['alice', 'bob', 'boss', 'operator']);
    const refusals = tryRefused(hubs[0], url, pki);
    const client = startClient({ folder, ca: pki.ca, tokens, urls: HUBS.map(({ address }) => `https://${address}:7443`) });
    // It asks for what it cannot do itself.
    const lines = await client.run({
      'kill a': async () => void hubs[0].child.kill('SIGKILL'),
      'start a': async () => {
        hubs[0] = await startHub(HUBS[0], folder, pki, url(pki.ca));
      },
      'halt server': () => server.halt('SIGKILL'),
      'start server': () => server.start(),
    });
    return { lines: [...lines, ...refusals, verify(hubs[1])] };
  } finally {
    for (const { child } of hubs) child.kill('SIGKILL');
    await server?.stop();
    dropNetwork();
    done();
  }
}

const ip = (...args) => spawnSync('ip', args, { encoding: 'utf8' }).status === 0;
const space = (name) => `${TAG}${name}`;

function makeNetwork() {
  const bridge = `${TAG}br`;
  const made = [
    ip('link', 'add', bridge, 'type', 'bridge'),
    ip('addr', 'add', `${SERVER}/24`, 'dev', bridge),
    ip('link', 'set', bridge, 'up'),
  ];
  for (const { name, address } of HUBS) {
    const [near, far] = [`${TAG}${name}0`, `${TAG}${name}1`];
    made.push(ip('netns', 'add', space(name)));
    made.push(ip('link', 'add', near, 'type', 'veth', 'peer', 'name', far));
    made.push(ip('link', 'set', near, 'master', bridge), ip('link', 'set', near, 'up'), ip('link', 'set', far, 'netns', space(name)));
    made.push(ip('-n', space(name), 'addr', 'add', `${address}/24`, 'dev', far));
    made.push(ip('-n', space(name), 'link', 'set', far, 'up'), ip('-n', space(name), 'link', 'set', 'lo', 'up'));
  }
  return made.every(Boolean);
}

function dropNetwork() {
  for (const { name } of HUBS) ip('netns', 'del', space(name));
  ip('link', 'del', `${TAG}br`);
}

/** An authority, a certificate for each address, and an authority that nobody should trust. */
function makeCertificates(folder) {
  const openssl = (...args) => execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });
  const authority = (name) => {
    openssl(
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '2',
      '-subj',
      `/CN=${name}`,
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.pem`,
    );
    return join(folder, `${name}.pem`);
  };
  const certificate = (name, address) => {
    openssl('req', '-newkey', 'rsa:2048', '-nodes', '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.csr`);
    writeFileSync(join(folder, `${name}.ext`), `subjectAltName=IP:${address}`);
    openssl(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      '-CA',
      'ca.pem',
      '-CAkey',
      'ca.key',
      '-days',
      '2',
      '-extfile',
      `${name}.ext`,
      '-out',
      `${name}.pem`,
    );
    return { cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
  };
  const [ca, other] = [authority('ca'), authority('other')];
  const server = certificate('server', SERVER);
  return { ca, other, server, ...Object.fromEntries(HUBS.map(({ name, address }) => [name, certificate(name, address)])) };
}

async function startHub({ name, address }, folder, pki, databaseUrl) {
  const home = join(folder, name);
  mkdirSync(home, { recursive: true, mode: 0o700 });
  writeFileSync(join(home, 'config.json'), JSON.stringify({ limits: LIMITS }), { mode: 0o600 });
  const env = { ...process.env, ROOKERY_HOME: home, ROOKERY_DATABASE_URL: databaseUrl, ROOKERY_LOG_LEVEL: 'silent' };
  const flags = [
    '--host',
    address,
    '--port',
    '7443',
    '--tls-cert',
    pki[name].cert,
    '--tls-key',
    pki[name].key,
    '--project',
    PROJECT.name,
    '--as-root', // only root may enter a namespace
    '--json',
  ];
  const child = spawn('ip', ['netns', 'exec', space(name), process.execPath, program(), 'serve', ...flags], {
    cwd: home,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`hub ${name} ended with ${code}`)));
    createInterface({ input: child.stdout }).once('line', resolve);
  });
  return { child, env, home, space: space(name) };
}

function command({ env, home, space: where }, args) {
  return execFileSync('ip', ['netns', 'exec', where, process.execPath, program(), ...args], {
    cwd: home,
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

function verify(hub) {
  const title = 'the histories verify';
  try {
    const { ok, projects } = JSON.parse(command(hub, ['verify', '--json']));
    return { title, checked: projects.reduce((sum, { events }) => sum + events, 0), bad: ok ? [] : ['they do not'] };
  } catch (error) {
    return { title, bad: [String(error.stderr)] };
  }
}

function makeTokens(hub, names) {
  const make = (agent) =>
    JSON.parse(
      command(hub, [
        'token',
        'create',
        '--project',
        PROJECT.name,
        '--agent',
        agent,
        ...(agent === 'boss' ? ['--role', 'manager'] : []),
        '--json',
      ]),
    ).token;
  return Object.fromEntries(names.map((agent) => [agent, make(agent)]));
}

/** Neither an authority that did not sign, nor clear text, nor another name of the server is taken. */
function tryRefused(hub, url, pki) {
  const refused = (title, databaseUrl, word) => {
    try {
      command({ ...hub, env: { ...hub.env, ROOKERY_DATABASE_URL: databaseUrl } }, ['status', '--project', PROJECT.name]);
      return { title, bad: ['it was let in'] };
    } catch (error) {
      const said = String(error.stderr);
      return { title, bad: word.test(said) && !said.includes('sesame') ? [] : [said] };
    }
  };
  return [
    refused('a server with a certificate of another authority is refused', url(pki.other), /not trusted/),
    refused('clear text is refused by the server', url(pki.ca).replace('verify-full', 'disable'), /refuses this user/),
    refused('a server under another name is refused', url(pki.ca).replace(SERVER, `${NET}.1.nip.test`), /reached|trusted/),
  ];
}

function startClient(plan) {
  const child = spawn(process.execPath, [CLIENT, JSON.stringify(plan)], {
    env: { ...process.env, NODE_EXTRA_CA_CERTS: plan.ca },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  return {
    run: (wishes) =>
      new Promise((resolve, reject) => {
        child.on('message', async (message) => {
          if (message.lines !== undefined) return resolve(message.lines);
          await wishes[message.wish]();
          child.send('done');
        });
        whenEnded(child).then(({ code }) => reject(new Error(`the clients ended with ${code}`)));
        void pause(0);
      }),
  };
}
