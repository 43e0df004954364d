// Through MCP over HTTP, with a plain keep-alive client (the SDK's own costs more than the servers it would measure). The floor is a no-op
// tool behind the SDK's transport.

import { spawn } from 'node:child_process';
import { Agent, request } from 'node:http';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { openHub, PROJECT, program } from '../prove/hub.mjs';
import { summary, timed } from './figures.mjs';

const NOOP = fileURLToPath(new URL('noop-http.mjs', import.meta.url));
const BODY = 'x'.repeat(300);

export async function benchHttp(home, table, { runs }) {
  const noop = await startHttp([NOOP], home);
  const none = await connect(noop.url, undefined);
  table.add('http no-op', summary(await timed(runs, () => none('noop', {}))));
  noop.child.kill();

  const tokens = await makeTokens(home, ['ada', 'bob']);
  const served = await startHttp([program(), 'serve', '--port', '0', '--json', '--project', PROJECT.name], home);
  const [ada, bob] = await Promise.all(tokens.map((token) => connect(served.url, token)));
  table.add('http empty recv_batch', summary(await timed(runs, () => bob('recv_batch', {}))), { floor: 'http no-op' });
  const send = (n) => ada('send', { to: 'bob', body: `${n} ${BODY}`, allow_duplicate: true });
  table.add('http send', summary(await timed(runs, send)), { floor: 'http no-op' });
  let receipt;
  const receive = async () => {
    const batch = await bob('recv_batch', { max: 1, ...(receipt === undefined ? {} : { ack: receipt }) });
    receipt = batch.receipt ?? undefined;
  };
  table.add('http recv_batch + ack', summary(await timed(runs - 60, receive)), { floor: 'http no-op', note: 'one message each' });
  served.child.kill('SIGTERM');
}

async function makeTokens(home, names) {
  const hub = await openHub(home);
  const operator = await hub.projects.operator(PROJECT, 'cli');
  const tokens = [];
  for (const agent of names) tokens.push((await hub.tokens.create(operator, { agent })).token);
  await hub.close();
  return tokens;
}

/** Starts a server that tells its url in one line of JSON. */
export function startHttp(args, home) {
  const child = spawn(process.execPath, args, {
    cwd: home,
    env: { ...process.env, ROOKERY_HOME: home },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return new Promise((resolve, reject) => {
    child.on('exit', (code) => reject(new Error(`the server ended with ${code}`)));
    createInterface({ input: child.stdout }).once('line', (line) => resolve({ child, url: JSON.parse(line).url }));
  });
}

/** An MCP session; answers a function that calls its tools. */
async function connect(url, token) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  let session;
  let id = 0;
  const post = (method, params, notification) => {
    const body = JSON.stringify({ jsonrpc: '2.0', ...(notification ? {} : { id: ++id }), method, params });
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      accept: 'application/json, text/event-stream',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(session === undefined ? {} : { 'mcp-session-id': session, 'mcp-protocol-version': '2025-06-18' }),
    };
    return new Promise((resolve, reject) => {
      const call = request(`${url}/mcp`, { method: 'POST', agent, headers }, (response) => {
        session ??= response.headers['mcp-session-id'];
        let text = '';
        response.on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () =>
          response.statusCode >= 400 ? reject(new Error(`${response.statusCode} ${text}`)) : resolve(toAnswer(text)),
        );
      });
      call.on('error', reject);
      call.end(body);
    });
  };
  await post('initialize', { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'bench', version: '1' } });
  await post('notifications/initialized', {}, true);
  return async (name, args) => {
    const { result, error } = await post('tools/call', { name, arguments: args });
    if (error !== undefined || result.isError) throw new Error(`${name}: ${error?.message ?? result.content[0].text}`);
    return result.structuredContent;
  };
}

/** A JSON body, or the last data line of an event stream. */
function toAnswer(text) {
  if (text === '') return {};
  return JSON.parse(
    text.startsWith('{')
      ? text
      : text
          .split('\n')
          .findLast((line) => line.startsWith('data: '))
          .slice(6),
  );
}
