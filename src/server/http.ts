// The HTTP listener of `rookery serve`: one gate for every request, then MCP or the other routes. It also keeps the heartbeat of the sessions
// it serves and ends silent ones. Invariant: closing lets parked calls answer first, and is over within two seconds (C19).

import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { getRequestListener, type Http2Bindings, type HttpBindings } from '@hono/node-server';
import type { Config } from '../config.ts';
import { HubError } from '../hub/errors.ts';
import type { Hub } from '../hub/hub.ts';
import type { Bearer } from '../hub/tokens.ts';
import type { Scheduler } from '../scheduler/scheduler.ts';
import type { Log } from '../system/log.ts';
import { toAnswer } from '../tools/call.ts';
import type { HealthFinding } from '../views/view.ts';
import { apiRoutes } from './api.ts';
import { Doorman } from './auth.ts';
import { StreamCounts } from './event-stream.ts';
import { admit } from './gate.ts';
import { McpDoor } from './mcp-door.ts';
import { addressOf, type SourceRules, sourceRules } from './origins.ts';
import { type PageFile, pageFiles } from './page.ts';
import { Principals } from './principals.ts';
import { Readiness } from './readiness.ts';
import { secure, sendError, whenClosed } from './replies.ts';
import { Visitors } from './visitors.ts';

export type HttpSettings = Pick<
  Config,
  'host' | 'port' | 'behindProxy' | 'tlsCert' | 'tlsKey' | 'allowedHosts' | 'allowedOrigins' | 'toolsets'
>;
export type HttpParts = {
  hub: Hub;
  scheduler: Pick<Scheduler, 'failing' | 'keepAlive'>;
  settings: HttpSettings;
  log: Log;
  /** What /metrics answers. */
  metrics?: (() => Promise<string>) | undefined;
  /** What the doctor says of this hub, for the dashboard. */
  examine?: (() => Promise<readonly HealthFinding[]>) | undefined;
};

/** A client that has not sent its headers, or its whole request, by then is not going to. */
const HEADERS_MS = 10_000;
const REQUEST_MS = 60_000;
/** Longer than the idle time after which clients and proxies drop a connection, so that they never write to a closed one. */
const KEEP_ALIVE_MS = 75_000;
const CONNECTIONS = 4_096;
const SWEEP_MS = 1_000;
/** How long parked calls have to answer when the hub closes. */
const SETTLE_MS = 1_000;

export class HttpDoor {
  /** Every route that is answered here, the files of the page among them, for whoever holds them all to a rule. */
  readonly routes: readonly string[];
  readonly #parts: HttpParts;
  readonly #server: Server;
  readonly #rules: SourceRules;
  readonly #doorman: Doorman;
  readonly #page: ReadonlyMap<string, PageFile> = pageFiles();
  readonly #visitors: Visitors;
  readonly #mcp: McpDoor;
  readonly #routes: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
  readonly #bearers = new WeakMap<IncomingMessage, Bearer>();
  /** Answers that are awaited; listening streams are not among them. */
  readonly #pending = new Set<ServerResponse>();
  readonly #stop = new AbortController();
  #settled: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  constructor(parts: HttpParts) {
    const { hub, scheduler, settings, log } = parts;
    const tls = settings.tlsCert !== undefined;
    this.#parts = parts;
    this.#rules = sourceRules({ ...settings, tls });
    this.#doorman = new Doorman(hub, log, settings.behindProxy);
    const principals = new Principals(hub, settings.toolsets);
    this.#visitors = new Visitors(hub, principals);
    this.#mcp = new McpDoor({ hub, principals, visitors: this.#visitors, doorman: this.#doorman, log });
    const readiness = new Readiness(hub, () => scheduler.failing());
    const doorman = this.#doorman;
    const page = this.#page;
    const secure = tls || settings.behindProxy;
    const { examine, metrics } = parts;
    const streams = new StreamCounts(hub.context.telemetry);
    const sessions = () => [...new Set([...this.#mcp.sessionIds(), ...this.#visitors.sessionIds()])];
    const serving = () => ({ streams, sessions: sessions().length, failing: scheduler.failing() });
    const visitors = this.#visitors;
    const api = apiRoutes({ hub, principals, visitors, doorman, readiness, log, streams, page, secure, examine, serving, metrics });
    this.routes = [...new Set(api.routes.map(({ method, path }) => `${method} ${path}`)), 'ALL /mcp'];
    this.#routes = getRequestListener(
      (request, env) => {
        const { incoming, outgoing } = toHttp1(env);
        return api.fetch(request, { incoming, outgoing, bearer: this.#bearers.get(incoming) });
      },
      { overrideGlobalObjects: false },
    );
    scheduler.keepAlive(sessions);
    this.#server = this.#makeServer();
  }

  /** The address to reach it at from this machine. */
  get url(): string {
    const { host, tlsCert } = this.#parts.settings;
    return addressOf({ host, port: this.port, tls: tlsCert !== undefined });
  }

  get port(): number {
    const address = this.#server.address();
    return address !== null && typeof address === 'object' ? address.port : this.#parts.settings.port;
  }

  /** Starts to accept. Rejects with the system's error (EADDRINUSE, EACCES, ...). */
  async listen(): Promise<void> {
    const { host, port } = this.#parts.settings;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, () => {
        this.#server.off('error', reject);
        this.#server.on('error', (error) => this.#parts.log.error({ event: 'listener_error', err: error }, 'listener error'));
        resolve();
      });
    });
    void this.#sweep();
  }

  /** Stops accepting, lets what waits answer `shutting_down`, ends the sessions. Idempotent. The hub itself is left open. */
  close(): Promise<void> {
    this.#closing ??= (async () => {
      const { hub } = this.#parts;
      this.#stop.abort();
      const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
      hub.context.waiting.shutdown();
      const settled = new Promise<void>((resolve) => {
        if (this.#pending.size === 0) resolve();
        this.#settled = resolve;
      });
      const enough = new AbortController();
      await Promise.race([settled, hub.context.clock.sleep(SETTLE_MS, enough.signal)]);
      enough.abort();
      await Promise.allSettled([this.#mcp.close(), this.#visitors.close()]);
      this.#server.closeAllConnections();
      await closed;
    })();
    return this.#closing;
  }

  #makeServer(): Server {
    const { tlsCert, tlsKey } = this.#parts.settings;
    const timeouts = { headersTimeout: HEADERS_MS, requestTimeout: REQUEST_MS, keepAliveTimeout: KEEP_ALIVE_MS };
    const server =
      tlsCert === undefined || tlsKey === undefined
        ? createServer(timeouts)
        : createTlsServer({ ...timeouts, cert: readPem(tlsCert), key: readPem(tlsKey), minVersion: 'TLSv1.2' });
    server.maxConnections = CONNECTIONS;
    const answer = (request: IncomingMessage, response: ServerResponse) => void this.#answer(request, response);
    server.on('request', answer);
    server.on('checkContinue', answer); // the body is asked for once the request is let in
    return server;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    secure(response);
    response.on('error', () => {}); // a client that goes away is no error of ours
    try {
      await this.#serve(request, response);
    } catch (error) {
      const { log } = this.#parts;
      const onDefect = (reference: string, defect: unknown) => log.error({ event: 'defect', reference, err: defect }, 'internal error');
      sendError(response, toAnswer(error, { onDefect }));
    }
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { log } = this.#parts;
    const gate = { rules: this.#rules, doorman: this.#doorman, page: this.#page, log, closing: this.#stop.signal.aborted };
    const admitted = await admit(request, response, gate);
    if (admitted === undefined) return;
    const { path, bearer } = admitted;
    if (request.method !== 'GET') this.#await(response);
    if (bearer !== undefined) this.#bearers.set(request, bearer);
    if (path === '/mcp' && bearer !== undefined) await this.#mcp.handle(request, response, bearer);
    else await this.#routes(request, response);
  }

  #await(response: ServerResponse): void {
    this.#pending.add(response);
    whenClosed(response, () => {
      this.#pending.delete(response);
      if (this.#pending.size === 0) this.#settled?.();
    });
  }

  async #sweep(): Promise<void> {
    const { hub, log } = this.#parts;
    while (!this.#stop.signal.aborted) {
      await hub.context.clock.sleep(SWEEP_MS, this.#stop.signal);
      const outcomes = await Promise.allSettled([this.#mcp.sweep(), this.#visitors.sweep()]);
      for (const outcome of outcomes)
        if (outcome.status === 'rejected') log.warn({ event: 'sweep_failed', err: outcome.reason }, 'idle sessions were not ended');
    }
  }
}

function readPem(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new HubError('invalid_input', `The TLS file ${path} cannot be read.`, {
      hint: 'Give --tls-cert and --tls-key as PEM files.',
      cause: error,
    });
  }
}

/** The listener speaks HTTP/1 only. */
function toHttp1(env: HttpBindings | Http2Bindings): HttpBindings {
  return env as HttpBindings;
}
