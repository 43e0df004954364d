// An agent as the hub meets it: a client of MCP. Its calls answer what the tool answered, or fail the test; a refusal is asked for by name.

import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { cleanup } from './cleanup.ts';

export type Reply = Record<string, unknown>;
export type Agent = {
  name: string;
  /** What the tool answers; an error fails the test. */
  call(tool: string, input?: Reply): Promise<Reply>;
  /** The error that the tool answers; anything else fails the test. */
  refused(tool: string, input?: Reply): Promise<Reply>;
};
/** What a client says of itself, and what it sends with each call. */
export type About = { info: { name: string; version: string }; meta?: (() => Reply) | undefined };

export function agentOf(client: Client, name: string, meta?: About['meta']): Agent {
  const raw = async (tool: string, input: Reply = {}) => {
    const answer = await client.callTool({ name: tool, arguments: input, ...(meta === undefined ? {} : { _meta: meta() }) });
    const [content] = answer.content as { text: string }[];
    return { failed: answer.isError === true, reply: (answer.structuredContent ?? JSON.parse(content?.text ?? '{}')) as Reply };
  };
  return {
    name,
    async call(tool, input) {
      const { failed, reply } = await raw(tool, input);
      if (failed) throw new Error(`${name} ${tool}: ${JSON.stringify(reply)}`);
      return reply;
    },
    async refused(tool, input) {
      const { failed, reply } = await raw(tool, input);
      if (!failed) throw new Error(`${name} ${tool} was accepted: ${JSON.stringify(reply)}`);
      return reply;
    },
  };
}

/** Starts a server as a client does, and speaks to it. It ends after the test. */
export async function overStdio(
  name: string,
  server: { command: string; args: string[]; env: Record<string, string>; cwd: string },
  { info, meta }: About = { info: { name: 'scenario', version: '1' } },
): Promise<Agent & { pid: number }> {
  const transport = new StdioClientTransport({ ...server, stderr: 'inherit' });
  const client = new Client(info);
  await client.connect(transport);
  cleanup(async () => {
    if (transport.pid !== null) process.kill(transport.pid, 'SIGCONT');
    await client.close();
  });
  return { ...agentOf(client, name, meta), pid: transport.pid ?? 0 };
}

/** Connects to a served hub as the one that the token says. */
export async function overHttp(name: string, url: string, token: string, { info, meta }: About): Promise<Agent> {
  return agentOf((await connect(url, token, info)).client, name, meta);
}

/** An MCP client over HTTP, initialised. */
export async function connect(
  url: string,
  token: string,
  info = { name: 'test-client', version: '1' },
): Promise<{ client: Client; transport: StreamableHTTPClientTransport }> {
  const transport = new StreamableHTTPClientTransport(new URL('/mcp', url), {
    requestInit: { headers: { authorization: `Bearer ${token}` } },
    reconnectionOptions: { initialReconnectionDelay: 100, maxReconnectionDelay: 100, reconnectionDelayGrowFactor: 1, maxRetries: 0 },
  });
  const client = new Client(info);
  await client.connect(toClientTransport(transport));
  cleanup(() => client.close());
  return { client, transport };
}

function toClientTransport(transport: StreamableHTTPClientTransport) {
  return transport as Parameters<Client['connect']>[0];
}
