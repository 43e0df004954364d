// Authentication at the HTTP door: a bearer token on every data route, also on loopback, looked up anew for every request, so that a
// revoked or expired one fails with the next. Invariant: a valid token always gets in; only failures are counted and slowed, per remote
// address, because on loopback every client has the same one. No part of a token reaches the log.

import type { IncomingMessage } from 'node:http';
import { METRICS } from '../hub/caller.ts';
import { HubError, isHubError } from '../hub/errors.ts';
import type { Hub } from '../hub/hub.ts';
import { ENROLMENT } from '../hub/redeeming.ts';
import type { Bearer } from '../hub/tokens.ts';
import type { Log } from '../system/log.ts';
import { browserSecret, cookieName, namedProject } from './browser-session.ts';

const WINDOW_MS = 5 * 60_000;
/** Where a signed-in browser may go. */
const BROWSER_PATHS = /^\/(api\/|events$|sign-out$)/;
/** Addresses remembered at once; the oldest are forgotten first. */
const ADDRESSES = 10_000;

/** The credential of a request, if it has one in the form that is taken. */
export function bearerSecret(request: IncomingMessage): string | undefined {
  return /^Bearer +([\w.~+/=-]{1,256})$/i.exec(request.headers.authorization ?? '')?.[1];
}

export class Doorman {
  readonly #hub: Hub;
  readonly #log: Log;
  readonly #behindProxy: boolean;
  readonly #failures = new Map<string, { since: number; count: number }>();

  constructor(hub: Hub, log: Log, behindProxy: boolean) {
    this.#hub = hub;
    this.#log = log;
    this.#behindProxy = behindProxy;
  }

  /** Who sends this request. Throws `unauthorized`, or `rate_limited` once the address has failed too often. */
  admit(request: IncomingMessage, path: string): Promise<Bearer> {
    return this.counting(request, () => this.recognise(request, path));
  }

  /** Does something that may fail to authenticate, and counts it when it does. */
  async counting<T>(request: IncomingMessage, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!isHubError(error) || error.code !== 'unauthorized') throw error;
      throw this.#refuse(this.#addressOf(request), error);
    }
  }

  /** The same without counting a failure: for whoever was already let in, and for routes that only say more to a known bearer. */
  async recognise(request: IncomingMessage, path?: string): Promise<Bearer> {
    if (request.headers.authorization === undefined && path !== undefined && BROWSER_PATHS.test(path)) {
      const browser = browserSecret(request, cookieName(this.#hub.instanceId));
      if (browser !== undefined) return await this.#hub.signIns.authenticate(browser, namedProject(request));
    }
    const secret = bearerSecret(request);
    if (secret === undefined) {
      throw new HubError('unauthorized', 'This route needs a token: Authorization: Bearer <token>.', {
        hint: 'Ask the operator for one: rookery token create --agent NAME',
      });
    }
    if (secret.startsWith(ENROLMENT)) {
      throw new HubError('unauthorized', 'This is an enrolment, not yet a token.', {
        hint: 'Exchange it, once: POST /enrol with the same Authorization header answers the token.',
      });
    }
    const bearer = await this.#hub.tokens.authenticate(secret);
    if (bearer.role === METRICS && path !== '/metrics') {
      throw new HubError('forbidden', 'This token reads /metrics and can do nothing else.', {
        hint: 'Ask the operator for one of an agent: rookery token create --agent NAME',
      });
    }
    if ((namedProject(request) ?? bearer.projectId) !== bearer.projectId)
      throw new HubError('not_found', 'This token reaches no project of that id.', { hint: 'Leave Rookery-Project out.' });
    return bearer;
  }

  #refuse(address: string, error: HubError): HubError {
    const { limits, clock } = this.#hub.context;
    const now = clock.monotonic();
    const known = this.#failures.get(address);
    const window = known !== undefined && now - known.since < WINDOW_MS ? known : { since: now, count: 0 };
    window.count += 1;
    this.#hub.context.telemetry.count('hub.auth_failures', 1, { reason: window.count > limits.authFailures ? 'limited' : error.code });
    this.#failures.delete(address);
    this.#failures.set(address, window);
    for (const oldest of this.#failures.keys()) {
      if (this.#failures.size <= ADDRESSES) break;
      this.#failures.delete(oldest);
    }
    if (window.count <= limits.authFailures) {
      this.#log.warn({ event: 'auth_failed', address, failures: window.count, reason: error.message }, 'a request was not authenticated');
      return error;
    }
    if (window.count === limits.authFailures + 1)
      this.#log.warn({ event: 'auth_limited', address, failures: window.count }, 'too many failed authentications');
    return new HubError('rate_limited', `More than ${limits.authFailures} failed authentications from this address within 5 minutes.`, {
      hint: 'Use a valid token; valid ones are answered as ever. rookery token create --agent NAME',
      retryAfterMs: Math.max(1, Math.ceil(window.since + WINDOW_MS - now)),
    });
  }

  /** Behind a proxy, the address that the proxy itself saw: the last entry of X-Forwarded-For; earlier ones are the client's own claims. */
  #addressOf(request: IncomingMessage): string {
    const forwarded = this.#behindProxy ? request.headersDistinct['x-forwarded-for']?.at(-1)?.split(',').at(-1)?.trim() : undefined;
    return (forwarded || request.socket.remoteAddress || 'unknown').slice(0, 64);
  }
}
