// The gate: every request passes it before anything else is looked at. Source, encoding, path, credential, from cheap to dear; nothing about
// the hub is told before the source is known to be allowed. Invariant: whatever is not expressly public needs a token, also on loopback
// (T-33), and a request that is refused has read no body.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { HubError } from '../hub/errors.ts';
import type { Bearer } from '../hub/tokens.ts';
import type { Log } from '../system/log.ts';
import type { Doorman } from './auth.ts';
import { refusedSource, type SourceRules } from './origins.ts';
import { sendError } from './replies.ts';

/** Everything else needs a token, or a signed-in browser; but for the dashboard's own files, which tell nothing, and what is signed. */
const PUBLIC = ['/', '/livez', '/readyz', '/version', '/openapi.json', '/sign-in', '/enrol', '/hooks/task'];
/** Clients look here for an authorisation server before they have a token; there is none, and 404 says so. */
const DISCOVERY = '/.well-known/';

export type Admitted = { path: string; bearer: Bearer | undefined };

/** Lets a request in, or answers it (undefined), or throws what to answer. `closing`: the hub is shutting down. */
export async function admit(
  request: IncomingMessage,
  response: ServerResponse,
  {
    rules,
    doorman,
    page,
    log,
    closing,
  }: { rules: SourceRules; doorman: Doorman; page: ReadonlyMap<string, unknown>; log: Log; closing: boolean },
): Promise<Admitted | undefined> {
  const refused = refusedSource(request, rules);
  if (refused !== undefined) {
    log.info({ event: 'source_refused', reason: refused.message }, 'a request was refused');
    throw refused;
  }
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    const error = new HubError('invalid_input', 'Compressed bodies are not taken.', { hint: 'Send the body without Content-Encoding.' });
    sendError(response, error.toAnswer(), 415);
    return undefined;
  }
  const path = /^\/[^?#]*/.exec(request.url ?? '')?.[0];
  if (path === undefined || path.startsWith(DISCOVERY))
    throw new HubError('not_found', 'There is nothing at this address.', { hint: 'Clients use a bearer token with /mcp.' });
  if (closing) throw new HubError('unavailable', 'The hub is shutting down.', { hint: 'Retry.', retryAfterMs: 1_000 });
  return { path, bearer: PUBLIC.includes(path) || page.has(path) ? undefined : await doorman.admit(request, path) };
}
