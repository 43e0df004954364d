// The floor of MCP: a server on the same SDK whose one tool does nothing.

import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js';

const server = new Server({ name: 'noop', version: '1' }, { capabilities: { tools: {} } });
const tool = { name: 'noop', description: 'does nothing', inputSchema: { type: 'object' } };
server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: [tool] }));
server.setRequestHandler(CallToolRequestSchema, () => ({ content: [{ type: 'text', text: '{}' }], structuredContent: {} }));
await server.connect(new StdioServerTransport());
