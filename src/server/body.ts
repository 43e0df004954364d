// Reading request bodies: never more than the limit is kept, whatever the client declares or sends. What is too large is thrown away as it
// arrives, for a while, so that a client that is still sending can read its answer; one that goes on is cut off.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { HubError } from '../hub/errors.ts';

/** How much of a refused body is thrown away before the connection is. */
const DISCARDED_BYTES = 8 * 1024 * 1024;

/** No tool takes more than a list of flat objects. */
const DEPTH = 32;
const [QUOTE, BACKSLASH, OPEN_BRACKET, CLOSE_BRACKET, OPEN_BRACE, CLOSE_BRACE] = Buffer.from('"\\[]{}');

/** The body as JSON; undefined when it is empty. Errors: `too_large`, `invalid_input`. */
export async function readJson(request: IncomingMessage, response: ServerResponse, limitBytes: number): Promise<unknown> {
  return parseJson(await readBody(request, response, limitBytes));
}

/** A body as JSON; undefined when it is empty. Errors: `invalid_input`. */
export function parseJson(body: Buffer): unknown {
  if (body.length === 0) return undefined;
  if (isDeep(body)) throw new HubError('invalid_input', `The JSON is nested deeper than ${DEPTH} levels.`, { hint: 'Send it flat.' });
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw new HubError('invalid_input', 'The body is not JSON.', { hint: 'Send one JSON object, in UTF-8.' });
  }
}

/** The body as it came. Errors: `too_large`. */
export function readBody(request: IncomingMessage, response: ServerResponse, limitBytes: number): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > limitBytes) {
    discard(request);
    return Promise.reject(tooLarge(limitBytes));
  }
  if (request.headers.expect !== undefined) response.writeContinue();
  return new Promise<Buffer>((resolve, reject) => {
    const parts: Buffer[] = [];
    let length = 0;
    const take = (part: Buffer) => {
      length += part.length;
      if (length <= limitBytes) return void parts.push(part);
      request.off('data', take);
      discard(request);
      reject(tooLarge(limitBytes));
    };
    request.on('data', take);
    request.once('error', reject);
    const goneAway = () => reject(new HubError('unavailable', 'The client went away while it was sending.', { hint: 'Retry.' }));
    request.once('close', goneAway);
    request.once('end', () => {
      // Every request is closed in the end; an error with its stack for each would cost a twentieth of a call.
      request.off('close', goneAway);
      resolve(parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts));
    });
  });
}

/** Looked at before it is parsed: parsing a megabyte of brackets, and every walk over the result, would hold up everybody else (T19). */
function isDeep(body: Buffer): boolean {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < body.length; i++) {
    const byte = body[i];
    if (inString) {
      if (byte === BACKSLASH) i += 1;
      else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) inString = true;
    else if (byte === OPEN_BRACKET || byte === OPEN_BRACE) {
      depth += 1;
      if (depth > DEPTH) return true;
    } else if (byte === CLOSE_BRACKET || byte === CLOSE_BRACE) depth -= 1;
  }
  return false;
}

function discard(request: IncomingMessage): void {
  let length = 0;
  request.on('error', () => {});
  request.on('data', (part: Buffer) => {
    length += part.length;
    if (length > DISCARDED_BYTES) request.destroy();
  });
}

function tooLarge(limitBytes: number): HubError {
  return new HubError('too_large', `A request body may have ${limitBytes} bytes; this one has more. Nothing was changed.`, {
    hint: 'Send less at once: refer to files instead of quoting them.',
  });
}
