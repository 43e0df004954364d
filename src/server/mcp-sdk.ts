// A client of MCP behind the SDK's server: everything that direct.ts does not answer by itself, and what checks it. What is answered comes from
// the same session (mcp.ts). The SDK is used here, in the transports beside it, and nowhere else.

import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import {
  CallToolRequestSchema,
  InitializeRequestSchema,
  JSONRPCMessageSchema,
  ListToolsRequestSchema,
  type Tool,
} from '@modelcontextprotocol/sdk/types.js';
import type { McpSession } from './mcp.ts';
import { serveResources } from './mcp-resources.ts';

export function sdkServer(session: McpSession): Server {
  const { serverInfo, ...about } = session.about;
  const server = new Server(serverInfo, about);
  server.setRequestHandler(InitializeRequestSchema, ({ params }) => session.greet(params));
  server.setRequestHandler(ListToolsRequestSchema, async () => {
    await session.known;
    return { tools: JSON.parse(session.tools.list()) as Tool[] };
  });
  session.tools.whenChanged(() => void server.sendToolListChanged().catch(() => {})); // a client that is gone needs no list
  server.setRequestHandler(CallToolRequestSchema, ({ params }, extra) => session.call(params.name, params.arguments, extra));
  serveResources(server, session);
  server.oninitialized = () => session.begin();
  server.onerror = (error) => session.log.warn({ event: 'protocol_error', kind: error.name }, 'protocol error'); // its message quotes the client
  return server;
}

/** The SDK's server for messages that another reads and writes. Answers what to give it each of them with. */
export async function serveMessages(session: McpSession, write: (message: object) => void): Promise<(message: unknown) => void> {
  const server = sdkServer(session);
  const transport: Transport = {
    start: async () => {},
    send: async (message) => write(message),
    close: async () => transport.onclose?.(),
  };
  await server.connect(transport);
  return (message) => {
    const parsed = JSONRPCMessageSchema.safeParse(message);
    if (parsed.success) transport.onmessage?.(parsed.data);
    else server.onerror?.(parsed.error);
  };
}
