// Whether the server of a client's settings starts: it is started as the client would, asked to introduce itself and to list its tools, and ended.
// It is not told that it is initialized, so that it attaches as nobody and no session appears.

import { spawn } from 'node:child_process';

export type Answered = { tools: number; ms: number };
export type Start = { words: readonly string[]; env: Record<string, string>; cwd: string; limitMs: number };

export type Clockwork = { monotonic: () => number; sleep: (ms: number, signal?: AbortSignal) => Promise<void> };

const HELLO = {
  protocolVersion: '2025-06-18',
  capabilities: {},
  clientInfo: { name: 'rookery-doctor', version: '1' },
};
const STDERR_CHARS = 300;

/** Starts the server and answers what it said, or in one sentence why it said nothing. */
export async function startServer({ words, env, cwd, limitMs }: Start, clock: Clockwork): Promise<Answered | string> {
  const [command = '', ...args] = words;
  const since = clock.monotonic();
  const child = spawn(command, args, { env, cwd, stdio: ['pipe', 'pipe', 'pipe'] });
  const over = new AbortController();
  let out = '';
  let err = '';
  const answered = new Promise<Answered | string>((resolve) => {
    child.on('error', (error) => resolve(`cannot be started: ${error.message}`));
    child.on('close', (code) => resolve(`ended with ${code ?? 'a signal'}${err === '' ? '' : `: ${err.trim().slice(0, STDERR_CHARS)}`}`));
    child.stderr.setEncoding('utf8').on('data', (part: string) => {
      err += part;
    });
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      out += part;
      const tools = toolsIn(out);
      if (tools !== undefined) resolve({ tools, ms: Math.round(clock.monotonic() - since) });
    });
  });
  child.stdin.on('error', () => {}); // it is gone already, and says so itself
  for (const [id, method, params] of [
    [1, 'initialize', HELLO],
    [2, 'tools/list', {}],
  ] as const)
    child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
  const late = clock.sleep(limitMs, over.signal).then(() => `does not answer within ${limitMs / 1000} s`);
  try {
    return await Promise.race([answered, late]);
  } finally {
    over.abort();
    child.stdin.end();
    if (child.exitCode === null) child.kill('SIGTERM');
  }
}

function toolsIn(out: string): number | undefined {
  for (const line of out.split('\n')) {
    if (!line.includes('"id":2')) continue;
    try {
      const reply = JSON.parse(line) as { id?: unknown; result?: { tools?: unknown[] } };
      if (reply.id === 2 && Array.isArray(reply.result?.tools)) return reply.result.tools.length;
    } catch {
      return undefined; // the rest of the line is still to come
    }
  }
  return undefined;
}
