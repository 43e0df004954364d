// A hub over HTTP for the fault proofs: `rookery serve` as a process, a token for each agent, plain requests without a client library.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { LIMITS, openHub, PACKAGE, PROJECT, program, scratch } from '../hub.mjs';

/** Starts the hub with tokens for `names`; `under` is a command it runs under, `limits` are those of its configuration (by default too high to matter). `done` ends it and removes its home. */
export async function startHttp(names, { under = [], nodeFlags = [], limits = LIMITS, root = PACKAGE } = {}) {
  const { folder: home, done } = scratch();
  writeFileSync(join(home, 'config.json'), JSON.stringify({ limits }), { mode: 0o600 });
  const tokens = await makeTokens(home, names);
  const { child, ended, url, said } = await serve(home, { under, nodeFlags, root });
  const agent = new Agent({ keepAlive: true, maxSockets: 128 });
  const ask = (path, options, body) => exchange(`${url}${path}`, { agent, ...options }, body);
  return {
    home,
    url,
    tokens,
    child,
    ended,
    ask,
    said,
    /** A tool over the HTTP API. */
    call: (token, tool, args) => ask(`/api/${tool}`, { method: 'POST', headers: headersFor(token) }, JSON.stringify(args)),
    session: (token) => openSession(ask, token),
    async done() {
      agent.destroy();
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      await ended;
      done();
    },
  };
}

/** Ends the hub in this way and starts it again on the same home and port. */
export async function serveAgain(hub, signal) {
  hub.child.kill(signal);
  await hub.ended;
  const { child, ended } = await serve(hub.home, { port: new URL(hub.url).port });
  return {
    ...hub,
    child,
    ended,
    async done() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      await ended;
      await hub.done();
    },
  };
}

async function serve(home, { under = [], nodeFlags = [], port = '0', root = PACKAGE }) {
  const [command, ...args] = [
    ...under,
    process.execPath,
    ...nodeFlags,
    program(root),
    'serve',
    '--port',
    port,
    '--json',
    '--project',
    PROJECT.name,
  ];
  const child = spawn(command, args, { cwd: home, env: { ...process.env, ROOKERY_HOME: home }, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk) => {
    said = `${said}${chunk}`.slice(-4_000);
  });
  const ended = once(child, 'exit');
  const url = await new Promise((resolve, reject) => {
    child.on('exit', (code) => reject(new Error(`the hub ended with ${code}: ${said}`)));
    createInterface({ input: child.stdout }).once('line', (line) => resolve(JSON.parse(line).url));
  });
  return { child, ended, url, said: () => said };
}

/** An MCP session whose caller chooses the ids of its requests. */
async function openSession(ask, token) {
  const headers = { ...headersFor(token), Accept: 'application/json, text/event-stream' };
  const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'proof', version: '1' } };
  const first = await ask('/mcp', { method: 'POST', headers }, JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize', params }));
  const named = { ...headers, 'Mcp-Session-Id': first.headers['mcp-session-id'], 'Mcp-Protocol-Version': '2025-06-18' };
  await ask('/mcp', { method: 'POST', headers: named }, JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' }));
  return {
    headers: named,
    async call(id, name, args) {
      const body = JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: args } });
      return (await ask('/mcp', { method: 'POST', headers: named }, body)).body;
    },
  };
}

async function makeTokens(home, names) {
  const hub = await openHub(home);
  const operator = await hub.projects.operator(PROJECT, 'cli');
  const tokens = {};
  for (const agent of names) tokens[agent] = (await hub.tokens.create(operator, { agent })).token;
  await hub.close();
  return tokens;
}

function headersFor(token) {
  return { 'Content-Type': 'application/json', ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }) };
}

/** One exchange; the body parsed where it is JSON or an event with JSON in it. */
function exchange(url, options, body) {
  return new Promise((resolve, reject) => {
    const asked = request(url, options, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body: parsed(text) }));
      response.on('error', reject);
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

function parsed(text) {
  const json = /^data: (.+)$/m.exec(text)?.[1] ?? text;
  try {
    return JSON.parse(json);
  } catch {
    return text;
  }
}
