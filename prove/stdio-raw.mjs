// A `rookery stdio` server driven by bare JSON-RPC lines: no client library between the proof and the process.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { PACKAGE, PROJECT, program, whenEnded } from './hub.mjs';

/** A `rookery stdio` server on a home. */
export function startServer(home, name, { root = PACKAGE, flags = [], env = {} } = {}) {
  return startProgram([program(root), 'stdio', '--agent', name, '--project', PROJECT.name, ...flags], home, env);
}

/** Starts a Node program that speaks MCP; `ask` resolves with the answer to a request, or rejects when the process ends first. */
export function startProgram(args, home, env = {}) {
  const child = spawn(process.execPath, args, {
    cwd: home,
    env: { ...process.env, ROOKERY_HOME: home, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let id = 0;
  let said = '';
  const waiting = new Map();
  child.stderr.on('data', (chunk) => {
    said = `${said}${chunk}`.slice(-1_000);
  });
  child.stdin.on('error', () => {}); // it was killed: the exit below tells
  createInterface({ input: child.stdout }).on('line', (line) => {
    const answer = JSON.parse(line);
    waiting.get(answer.id)?.resolve(answer);
    waiting.delete(answer.id);
  });
  const ended = whenEnded(child).then(({ code, signal }) => {
    for (const { reject } of waiting.values()) reject(new Error(`the server ended with ${code ?? signal}: ${said.trim()}`));
    return { code, signal };
  });
  const write = (message) => child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  const ask = (method, params) =>
    new Promise((resolve, reject) => {
      if (child.exitCode !== null || child.signalCode !== null) return reject(new Error(`the server has ended: ${said.trim()}`));
      waiting.set(++id, { resolve, reject });
      write({ id, method, params });
    });
  return {
    pid: child.pid,
    ended,
    ask,
    /** Bytes as they are. */
    raw: (bytes) => child.stdin.write(bytes),
    /** The handshake of MCP. */
    async initialize() {
      await ask('initialize', { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'proof', version: '1' } });
      write({ method: 'notifications/initialized' });
    },
    /** Calls a tool; answers its structured content. Throws when it was refused. */
    async call(tool, args = {}) {
      const { result, error } = await ask('tools/call', { name: tool, arguments: args });
      if (error !== undefined || result.isError) throw new Error(`${tool}: ${error?.message ?? result.content[0].text}`);
      return result.structuredContent;
    },
    /** Reads no more, and asks once more: the answer finds nobody. */
    deafen() {
      child.stdout.destroy();
      write({ id: ++id, method: 'tools/call', params: { name: 'whoami', arguments: {} } });
    },
    kill: () => child.kill('SIGKILL'),
    async close() {
      child.stdin.end();
      return await ended;
    },
  };
}
