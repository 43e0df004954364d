// The HTTP side of a scripted model: a server on loopback that decodes a request, asks a function for the answer and writes it as JSON or as
// a stream of events. It keeps every request with the moment it came in, and lets a scenario wait for one.

import { createServer } from 'node:http';
import zlib from 'node:zlib';
import { check } from './report.mjs';

/** How soon a model tries a tool again that its client does not have yet. */
export const AGAIN_MS = 250;

let counter = 0;

/** An id that no other call of this process has made. */
export const fresh = (prefix) => `${prefix}${Date.now().toString(36)}${(counter++).toString(36)}`;

export const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/**
 * @param {(request: {url: string, method: string, body: any}) => Promise<{
 *   status?: number, events?: [string, object][], json?: object, entry?: object, after?: () => void}>} answer
 *   `entry` is what is kept of the request; without it nothing is.
 */
export async function modelServer(answer) {
  const seen = [];
  const waiting = new Set();
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const at = Date.now();
    const reply = await answered(answer, {
      url: request.url ?? '',
      method: request.method ?? '',
      body: parse(Buffer.concat(chunks), request.headers['content-encoding']),
      keep: (entry) => {
        seen.push({ at, ...entry });
        for (const look of waiting) look();
      },
    });
    if (reply.delay !== undefined) await sleep(reply.delay);
    if (reply.events === undefined) {
      response.writeHead(reply.status ?? 200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(reply.json ?? {}));
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream', 'request-id': fresh('req_') });
    for (const [type, data] of reply.events) response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`);
    response.end();
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());

  /** The first request after `since` that `wanted` accepts, waited for; undefined when none came in time. */
  function request(wanted = () => true, { since = 0, seconds = 30 } = {}) {
    const find = () => seen.find((one) => one.at >= since && wanted(one));
    return new Promise((resolve) => {
      const look = () => {
        const found = find();
        if (found !== undefined) end(found);
      };
      const end = (found) => {
        clearTimeout(timer);
        waiting.delete(look);
        resolve(found);
      };
      const timer = setTimeout(() => end(undefined), seconds * 1000);
      waiting.add(look);
      look();
    });
  }

  return { port, seen, request, close: () => server.closeAllConnections() ?? server.close() };
}

/** A script that fails is a failed check; a client does not try again what is refused. */
async function answered(answer, request) {
  try {
    return await answer(request);
  } catch (error) {
    check('the scripted model had an answer', false, error.stack);
    return { status: 400, json: { error: { message: 'the script failed' } } };
  }
}

function parse(raw, encoding) {
  try {
    const plain =
      encoding === 'gzip'
        ? zlib.gunzipSync(raw)
        : encoding === 'zstd' && zlib.zstdDecompressSync !== undefined
          ? zlib.zstdDecompressSync(raw)
          : raw;
    return JSON.parse(plain.toString());
  } catch {
    return undefined;
  }
}
