// Which requests may come in at all: a browser must not be a bridge from a web page to the hub (T-33). The Host must be a name this hub
// goes by, so a rebound DNS name leads nowhere; an Origin must be the hub's own or a configured one; a cross-site request is refused.
// Invariant: this is decided from headers alone, before any route, credential or body is looked at.

import type { IncomingMessage } from 'node:http';
import { HubError } from '../hub/errors.ts';

export type SourceRules = {
  /** Host names, lower case, without port; entries of the configuration may carry one. */
  hosts: ReadonlySet<string>;
  origins: ReadonlySet<string>;
  /** The schemes under which this hub is its own origin. A proxy may speak TLS for it. */
  schemes: readonly ('http' | 'https')[];
};

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];
/** Binding to every address is no name to call the hub by; a browser that is sent to 0.0.0.0 reaches loopback. */
const WILDCARDS = ['0.0.0.0', '::', '[::]', ''];
const HOST = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?$/;

export function sourceRules(config: {
  host: string;
  allowedHosts: readonly string[];
  allowedOrigins: readonly string[];
  behindProxy: boolean;
  tls: boolean;
}): SourceRules {
  const bound = config.host.includes(':') ? `[${config.host.replace(/^\[|\]$/g, '')}]` : config.host;
  const names = [...LOOPBACK, ...(WILDCARDS.includes(bound) ? [] : [bound]), ...config.allowedHosts];
  return {
    hosts: new Set(names.map((name) => name.toLowerCase())),
    origins: new Set(config.allowedOrigins.map((origin) => origin.toLowerCase().replace(/\/$/, ''))),
    schemes: config.behindProxy ? ['http', 'https'] : [config.tls ? 'https' : 'http'],
  };
}

/** Why this request may not come in, or undefined. */
export function refusedSource(request: IncomingMessage, rules: SourceRules): HubError | undefined {
  const given = request.headersDistinct.host ?? [];
  const host = given[0]?.toLowerCase() ?? '';
  const name = HOST.exec(host)?.[1];
  if (given.length !== 1 || name === undefined || !(rules.hosts.has(name) || rules.hosts.has(host))) {
    return refusal(
      'The Host header is not a name of this hub.',
      'Use localhost or 127.0.0.1, or add the name to allowedHosts in config.json.',
    );
  }
  const origins = request.headersDistinct.origin ?? [];
  if (origins.length > 1 || (origins[0] !== undefined && !isAllowedOrigin(origins[0], host, rules))) {
    return refusal('This Origin may not use the hub.', 'Add it to allowedOrigins in config.json if you trust that page.');
  }
  // A page of another site, unless the operator named its origin.
  if (request.headers['sec-fetch-site'] === 'cross-site' && !rules.origins.has(origins[0]?.toLowerCase() ?? '')) {
    return refusal('A page of another site may not use the hub.', 'Open the hub’s address directly.');
  }
  return undefined;
}

/** `host` is allowed already, so an origin of the same host is the hub's own page. */
function isAllowedOrigin(origin: string, host: string, rules: SourceRules): boolean {
  const wanted = origin.toLowerCase();
  return rules.origins.has(wanted) || rules.schemes.some((scheme) => originOf(`${scheme}://${host}`) === wanted);
}

function originOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).origin : undefined;
}

function refusal(message: string, hint: string): HubError {
  return new HubError('forbidden', message, { hint });
}

/** Whether only this machine can reach what is bound to this address. */
export function isLoopback(host: string): boolean {
  const bare = host.toLowerCase().replace(/^\[|\]$/g, '');
  return bare === 'localhost' || bare === '::1' || /^127(?:\.\d{1,3}){3}$/.test(bare);
}

/** The address to reach a listener at from its own machine. */
export function addressOf({ host, port, tls }: { host: string; port: number; tls: boolean }): string {
  const name = WILDCARDS.includes(host) ? 'localhost' : host.includes(':') ? `[${host.replace(/^\[|\]$/g, '')}]` : host;
  return `${tls ? 'https' : 'http'}://${name}:${port}`;
}
