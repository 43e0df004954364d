// HTTP clients that cost as little as they can: one kept-alive socket each, requests written as bytes, answers cut by their length or their last
// chunk. What is measured with them is the server.

import { connect } from 'node:net';

/** A client of one address; `post` resolves with the answer's headers and body. One request at a time. */
export async function keepAliveClient(url) {
  const { hostname, port, host } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.setNoDelay(true);
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  let received = '';
  let waiting;
  socket.setEncoding('latin1');
  socket.on('data', (part) => {
    received += part;
    const answer = wholeAnswer(received);
    if (answer === undefined) return;
    received = '';
    waiting.resolve(answer);
  });
  socket.on('error', (error) => waiting?.reject(error));
  socket.on('close', () => waiting?.reject(new Error('the server closed the connection')));
  return {
    post(path, headers, body) {
      const lines = Object.entries({ host, ...headers, 'content-length': Buffer.byteLength(body) }).map(
        ([name, value]) => `${name}: ${value}`,
      );
      return new Promise((resolve, reject) => {
        waiting = { resolve, reject };
        socket.write(`POST ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body}`);
      });
    },
    close: () => socket.destroy(),
  };
}

function wholeAnswer(text) {
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) return undefined;
  const head = text.slice(0, end);
  const body = text.slice(end + 4);
  const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
  const isChunked = length === undefined && /\r\ntransfer-encoding: chunked/i.test(head);
  if (length !== undefined ? body.length < Number(length) : isChunked && !body.endsWith('0\r\n\r\n')) return undefined;
  return { status: Number(head.slice(9, 12)), session: /\r\nmcp-session-id: (\S+)/i.exec(head)?.[1], body };
}

let clients = 0;

/** A client of MCP. `joined`: the id of a session that is open already, for servers that have one only. */
export async function mcpClient(url, token, joined) {
  const client = await keepAliveClient(url);
  let session = joined;
  let id = 0;
  clients += 1;
  const name = clients; // clients of one session must not use the same ids
  const post = async (method, params, notification = false) => {
    const headers = {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(session === undefined ? {} : { 'mcp-session-id': session, 'mcp-protocol-version': '2025-06-18' }),
    };
    id += 1;
    const answer = await client.post(
      '/mcp',
      headers,
      JSON.stringify({ jsonrpc: '2.0', ...(notification ? {} : { id: `${name}-${id}` }), method, params }),
    );
    if (answer.status >= 400) throw new Error(`${answer.status} ${answer.body}`);
    session ??= answer.session;
    return answer.body;
  };
  if (joined === undefined) {
    await post('initialize', { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'bench', version: '1' } });
    await post('notifications/initialized', {}, true);
  }
  return {
    /** The answer as it came: reading it costs the client more than a no-op costs the server. */
    raw: (name, args) => post('tools/call', { name, arguments: args }),
    async call(name, args) {
      const body = await post('tools/call', { name, arguments: args });
      const { result, error } = JSON.parse(/\{"(?:result|jsonrpc|error)".*\}/.exec(body)?.[0] ?? '{}');
      if (error !== undefined || result.isError) throw new Error(`${name}: ${error?.message ?? result.content[0].text}`);
      return result.structuredContent;
    },
    close: client.close,
    session,
  };
}
