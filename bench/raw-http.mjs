// The floor of any call over HTTP: Node's server, the body read as JSON, a small JSON answered. On a free port told on standard output.

import { createServer } from 'node:http';

const http = createServer((request, response) => {
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', () => {
    const { id } = JSON.parse(Buffer.concat(parts).toString() || '{}');
    const text = JSON.stringify({ result: { content: [{ type: 'text', text: '{}' }], structuredContent: {} }, jsonrpc: '2.0', id });
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text), 'mcp-session-id': 'none' });
    response.end(text);
  });
});
http.listen(0, '127.0.0.1', () => process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${http.address().port}` })}\n`));
