// The credential of a signed-in browser on the wire: half in a cookie that scripts cannot read, half in a header that no other page can send
// (hub/sign-ins.ts says why). Invariant: the cookie alone admits nobody, and on no route but those the dashboard uses.

import type { IncomingMessage } from 'node:http';
import type { BrowserSecret } from '../hub/sign-ins.ts';

export const PROOF_HEADER = 'rookery-proof';
/** Names the project that a request is about; for tokens it can only be their own. */
export const PROJECT_HEADER = 'rookery-project';

const SECRET = /^[\w.~+/=-]{1,256}$/;

/** Cookies are shared by all ports of a host, so each hub has a name of its own. */
export function cookieName(instanceId: string): string {
  return `rookery_${instanceId}`;
}

/** Both halves, or undefined when the request does not come from a signed-in page. */
export function browserSecret(request: IncomingMessage, name: string): BrowserSecret | undefined {
  const proof = single(request, PROOF_HEADER);
  const cookies = (request.headers.cookie ?? '').split(';').map((pair) => pair.trim());
  const found = cookies.filter((pair) => pair.startsWith(`${name}=`)).map((pair) => pair.slice(name.length + 1));
  const [cookie] = found;
  if (proof === undefined || cookie === undefined || found.length !== 1) return undefined;
  return SECRET.test(cookie) && SECRET.test(proof) ? { cookie, proof } : undefined;
}

/** The project that the request names. */
export function namedProject(request: IncomingMessage): string | undefined {
  return single(request, PROJECT_HEADER);
}

export function setCookie(name: string, value: string, options: { maxAgeSeconds: number; secure: boolean }): string {
  return `${name}=${value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${options.maxAgeSeconds}${options.secure ? '; Secure' : ''}`;
}

function single(request: IncomingMessage, header: string): string | undefined {
  const given = request.headersDistinct[header] ?? [];
  return given.length === 1 && given[0] !== '' ? given[0] : undefined;
}
