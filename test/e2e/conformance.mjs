// Conformance with MCP, judged by others' tools: the Inspector's strict schema gate over stdio and HTTP, and the general scenarios of the
// conformance suite. Run by hand or in CI after a build: node test/e2e/conformance.mjs
// The tools are installed once, from the npm registry, into a folder outside the repository; the suite needs a newer Node than the hub.

import { execFile, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MAIN = join(import.meta.dirname, '..', '..', 'dist', 'main.js');
const TOOLS = { '@modelcontextprotocol/inspector': '2.12.0', '@modelcontextprotocol/conformance': '0.1.16', node: '22' };
const CACHE = join(process.env.CONFORMANCE_CACHE ?? tmpdir(), `rookery-conformance-${Object.values(TOOLS).join('-')}`);
const INSPECTOR = join(CACHE, 'node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js');
const SUITE = join(CACHE, 'node_modules/@modelcontextprotocol/conformance/dist/index.js');
const NODE_22 = join(CACHE, 'node_modules/node/bin/node');

/** Scenarios that say something about any server; the others want tools, resources and prompts made for them. */
const SCENARIOS = ['server-initialize', 'ping', 'tools-list', 'dns-rebinding-protection', 'server-sse-multiple-streams'];
/** Those that call a tool of the suite's own. The hub has no such tool and must say so, as the protocol's error for unknown tools. */
const UNKNOWN_TOOL = { 'tools-call-simple-text': 'test_simple_text', 'tools-call-error': 'test_error_handling' };
/** Those that need a capability, asked for only when the server declares it. */
const BY_CAPABILITY = { resources: 'resources-list', prompts: 'prompts-list', logging: 'logging-set-level' };

let failures = 0;

function report(name, ok, detail = '') {
  if (!ok) failures += 1;
  process.stdout.write(
    `${ok ? 'ok  ' : 'FAIL'} ${name}${ok || detail === '' ? '' : `\n${detail.trim().split('\n').slice(-20).join('\n')}`}\n`,
  );
}

/** Runs a program to its end and answers its output, whatever its exit code. */
function run(program, args, options = {}) {
  return new Promise((resolve) => {
    execFile(program, args, { timeout: 120_000, maxBuffer: 16 * 1024 * 1024, ...options }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : (error.code ?? 1), stdout, stderr }),
    );
  });
}

function install() {
  if ([INSPECTOR, SUITE, NODE_22].every((path) => existsSync(path))) return;
  process.stdout.write(`installing the tools into ${CACHE}\n`);
  mkdirSync(CACHE, { recursive: true });
  writeFileSync(join(CACHE, 'package.json'), JSON.stringify({ private: true, dependencies: TOOLS, allowScripts: { node: true } }));
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--loglevel', 'error'], {
    cwd: CACHE,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
}

/** Starts `rookery serve` on a free port and waits for its address. */
async function serve(home) {
  const child = spawn(process.execPath, [MAIN, 'serve', '--json', '--port', '0', '--home', home, '--project', 'conformance'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const line = await new Promise((resolve, reject) => {
    child.stdout.once('data', (part) => resolve(String(part)));
    child.once('exit', (code) => reject(new Error(`serve ended with ${code}`)));
  });
  return { child, url: JSON.parse(line).url };
}

async function token(home, agent) {
  const args = [MAIN, 'token', 'create', '--agent', agent, '--home', home, '--project', 'conformance'];
  const { stdout, stderr, code } = await run(process.execPath, args);
  if (code !== 0) throw new Error(stderr);
  return stdout.trim();
}

/** The suite has no option for a token. This adds it and passes everything else on as it came, the Host header too. */
async function withToken(url, secret) {
  const { hostname, port } = new URL(url);
  const proxy = createServer((incoming, outgoing) => {
    const headers = { ...incoming.headers, authorization: `Bearer ${secret}` };
    const asked = request({ hostname, port, path: incoming.url, method: incoming.method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode, answer.headers);
      answer.pipe(outgoing);
    });
    asked.on('error', () => outgoing.destroy());
    outgoing.on('close', () => asked.destroy());
    incoming.pipe(asked);
  });
  await new Promise((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  return { proxy, url: `http://127.0.0.1:${proxy.address().port}/mcp` };
}

async function capabilities(url, secret) {
  const response = await fetch(`${url}/mcp`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'conformance', version: '1' } },
    }),
  });
  const answer = JSON.parse(/^data: (.*)$/m.exec(await response.text())?.[1] ?? '{}');
  const id = response.headers.get('mcp-session-id');
  await fetch(`${url}/mcp`, { method: 'DELETE', headers: { authorization: `Bearer ${secret}`, 'mcp-session-id': id } });
  return answer.result?.capabilities ?? {};
}

async function inspect(home, url, secret) {
  const stdio = [process.execPath, MAIN, 'stdio', '--home', home, '--project', 'conformance', '--agent', 'inspector-stdio'];
  const http = [`${url}/mcp`, '--transport', 'http', '--header', `Authorization: Bearer ${secret}`];
  for (const [door, target] of [
    ['stdio', stdio],
    ['http', http],
  ]) {
    const inspector = (...args) => run(process.execPath, [INSPECTOR, '--cli', ...target, ...args]);
    const list = await inspector('--method', 'tools/list', '--strict');
    report(`inspector ${door} tools/list --strict`, list.code === 0 && list.stdout.includes('recv_batch'), list.stdout + list.stderr);
    const call = await inspector('--method', 'tools/call', '--tool-name', 'whoami');
    const answered = call.code === 0 && call.stdout.includes(`inspector-${door}`);
    report(`inspector ${door} tools/call whoami`, answered, call.stdout + call.stderr);
  }
}

async function conform(url, secret) {
  const declared = await capabilities(url, secret);
  const more = Object.entries(BY_CAPABILITY).flatMap(([capability, scenario]) => (capability in declared ? [scenario] : []));
  const { proxy, url: target } = await withToken(url, secret);
  try {
    const check = (scenario) => run(NODE_22, [SUITE, 'server', '--url', target, '--scenario', scenario], { cwd: CACHE });
    for (const scenario of [...SCENARIOS, ...more]) {
      const { code, stdout, stderr } = await check(scenario);
      report(`conformance ${scenario}`, code === 0, stdout + stderr);
    }
    for (const [scenario, tool] of Object.entries(UNKNOWN_TOOL)) {
      const { code, stdout, stderr } = await check(scenario);
      const refused = /-32602: Unknown tool (\w+)/.exec(stdout + stderr)?.[1] === tool;
      report(`conformance ${scenario}${refused ? ' (refused: no such tool here)' : ''}`, code === 0 || refused, stdout + stderr);
    }
  } finally {
    proxy.close();
    proxy.closeAllConnections();
  }
}

install();
const home = mkdtempSync(join(tmpdir(), 'rookery-conformance-home-'));
const { child, url } = await serve(home);
try {
  await inspect(home, url, await token(home, 'inspector-http'));
  await conform(url, await token(home, 'conformance'));
} finally {
  child.kill('SIGTERM');
  await new Promise((resolve) => child.once('exit', resolve));
  rmSync(home, { recursive: true, force: true });
}
process.stdout.write(failures === 0 ? 'all checks passed\n' : `${failures} checks failed\n`);
process.exitCode = failures === 0 ? 0 : 1;
