// The hub under test, as its user starts it: the built program, told by its environment where its home is.

import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { whenLeaving } from './leaving.mjs';
import { run } from './process.mjs';

export const MAIN = resolve(fileURLToPath(new URL('../../../dist/main.js', import.meta.url)));

/** The command line of the hub, called in `cwd`. Without `hub` its home is that of a user whose home is `home`. `json` answers the output. */
export function rookery({ home, hub, cwd }) {
  const env = { PATH: process.env.PATH, HOME: home ?? process.env.HOME, ...(hub === undefined ? {} : { ROOKERY_HOME: hub }) };
  const call = (...args) => run(process.execPath, [MAIN, ...args], { env, cwd });
  const json = async (...args) => {
    const done = await call(...args, '--json');
    try {
      return JSON.parse(done.out);
    } catch {
      return { failed: done };
    }
  };
  return { env, cwd, call, json };
}

/** The entry of a stdio server in an mcpServers object. */
export const stdio = (hub, agent) => ({
  type: 'stdio',
  command: process.execPath,
  args: [MAIN, 'stdio', '--home', hub, ...(agent === undefined ? [] : ['--agent', agent])],
});

/** An agent that only sends, over one server of its own: as fast as a server answers, without a process per message. */
export async function sender(home, cwd, agent = 'sender') {
  const { command, args } = stdio(home, agent);
  const child = spawn(command, args, { cwd, env: { PATH: process.env.PATH, HOME: home }, stdio: ['pipe', 'pipe', 'inherit'] });
  const waiting = new Map();
  createInterface({ input: child.stdout }).on('line', (line) => {
    const message = JSON.parse(line);
    waiting.get(message.id)?.(message.result);
  });
  const write = (message) => child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  const request = (method, params) =>
    new Promise((resolve) => {
      const id = waiting.size + 1;
      waiting.set(id, resolve);
      write({ id, method, params });
    });
  await request('initialize', { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'sender', version: '1' } });
  write({ method: 'notifications/initialized' });
  return {
    send: async (input) => (await request('tools/call', { name: 'send', arguments: input })).structuredContent,
    close: whenLeaving(() => child.stdin.end()),
  };
}
