// Ids of MCP sessions, made so that any hub on the same database, or this one started anew, can go on with a session that it never saw: they say
// how the client called itself, which is all that a hub keeps of `initialize`. An id is no credential; who asks is known by its token. The digest
// binds an id to the principal that it was made for, so that to anybody else the session does not exist.

import { createHash, randomBytes } from 'node:crypto';

export type ClientName = { name: string; version: string };

const NAME_CHARS = 100;
const VERSION_CHARS = 40;

export function makeSessionId(principal: string, { name, version }: ClientName): string {
  const nonce = randomBytes(16).toString('hex');
  const told = Buffer.from(JSON.stringify([name.slice(0, NAME_CHARS), version.slice(0, VERSION_CHARS)])).toString('base64url');
  return `${nonce}.${digestOf(principal, nonce, told)}.${told}`;
}

/** Who the client of a session is; undefined for an id that no hub made for this principal. */
export function readSessionId(id: string, principal: string): ClientName | undefined {
  const [, nonce = '', digest, told = ''] = /^([0-9a-f]{32})\.([0-9a-f]{16})\.([\w-]{1,800})$/.exec(id) ?? [];
  if (digest !== digestOf(principal, nonce, told)) return undefined;
  const client = parsed(Buffer.from(told, 'base64url').toString());
  const [name, version] = Array.isArray(client) ? client : [];
  return typeof name === 'string' && typeof version === 'string' ? { name, version } : undefined;
}

/** The session as the client's own key: whoever comes with it again is the same client. */
export function keyOf(id: string): string {
  return `mcp:${id.slice(0, 32)}`;
}

/** The digest is no secret: a principal can make it for anything, also for what is no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function digestOf(principal: string, nonce: string, told: string): string {
  return createHash('sha256').update(`${principal}\n${nonce}\n${told}`).digest('hex').slice(0, 16);
}
