// An agent of the demo: an MCP client with a server process of its own, as Claude Code or Codex would start it. What it says is scripted;
// everything else is real, down to the signal that kills it.

import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { systemClock } from '../system/clock.ts';

export type Reply = Record<string, unknown>;

/** How a process of the demo is started. */
export type Place = { command: string; main: string; cwd: string; env: Record<string, string> };

/** A definite refusal of the hub, as an agent gets it. */
export class Refusal extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** Longer than the longest wait of a tool. */
const CALL_MS = 70_000;
const END_LOOK_MS = 20;

export class DemoAgent {
  readonly name: string;
  readonly #client: Client;
  readonly #transport: StdioClientTransport;

  private constructor(name: string, client: Client, transport: StdioClientTransport) {
    this.name = name;
    this.#client = client;
    this.#transport = transport;
  }

  /** Starts the process and shakes hands. `flags` are those of `rookery stdio`. */
  static async start(place: Place, name: string, flags: readonly string[] = []): Promise<DemoAgent> {
    const args = [place.main, 'stdio', '--agent', name, '--toolsets', 'all', ...flags];
    const transport = new StdioClientTransport({ command: place.command, args, cwd: place.cwd, env: place.env, stderr: 'ignore' });
    const client = new Client({ name: 'demo-client', version: '1' });
    await client.connect(transport);
    return new DemoAgent(name, client, transport);
  }

  get pid(): number {
    return this.#transport.pid ?? 0;
  }

  /** One tool call. Throws a Refusal when the hub says no. */
  async call(tool: string, args: Record<string, unknown> = {}): Promise<Reply> {
    const answer = await this.#client.callTool({ name: tool, arguments: args }, undefined, { timeout: CALL_MS });
    const [first] = Array.isArray(answer.content) ? (answer.content as { text?: string }[]) : [];
    const reply = (answer.structuredContent ?? JSON.parse(first?.text ?? '{}')) as Reply;
    if (answer.isError === true) throw new Refusal(String(reply.code ?? 'internal'), String(reply.message ?? first?.text ?? ''));
    return reply;
  }

  /** kill -9: the process has no time for a last word. Resolves when it is gone. */
  async kill(): Promise<void> {
    const { pid } = this;
    this.killNow();
    await this.#client.close().catch(() => {});
    while (isThere(pid)) await systemClock.sleep(END_LOOK_MS);
  }

  killNow(): void {
    if (isThere(this.pid)) process.kill(this.pid, 'SIGKILL');
  }

  /** As a client ends its server: it closes its input. Idempotent. */
  async end(): Promise<void> {
    await this.#client.close().catch(() => {});
  }
}

function isThere(pid: number): boolean {
  try {
    return pid > 0 && process.kill(pid, 0);
  } catch {
    return false;
  }
}
