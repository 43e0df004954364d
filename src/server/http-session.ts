// One MCP session over HTTP: an McpSession on a transport of its own, with what is open of it and since when it is silent. HTTP clients
// rarely say good-bye, so silence ends the hub's session; the transport stays for a while, and its client goes on where it was (C5).
// What is called at once is answered directly (http-direct.ts), all else by the SDK's transport.
// Invariant: a request whose client is gone is cancelled; it leases nothing and its answer is not awaited.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import type { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { LATEST_PROTOCOL_VERSION, type RequestId } from '@modelcontextprotocol/sdk/types.js';
import type { Hub } from '../hub/hub.ts';
import type { Log } from '../system/log.ts';
import { HttpDirect } from './http-direct.ts';
import type { McpSession } from './mcp.ts';
import { sdkServer } from './mcp-sdk.ts';
import { whenClosed } from './replies.ts';
import type { ClientName } from './session-id.ts';

export type HttpSessionParts = {
  hub: Hub;
  mcp: McpSession;
  /** The agent or operator whose token opened it. */
  principal: string;
  /** Called before requests of a client that is not attached yet. */
  arriving: () => Promise<void>;
  /** Rejects when the credential of a request is no longer valid. */
  recheck: (request: IncomingMessage) => Promise<unknown>;
  /** Its id in the protocol, once it is initialised. */
  id: string;
  opened: () => void;
  closed: () => void;
  /** Its client ended it. */
  deleted: () => void;
  log: Log;
};

/** How long a client whose listening stream closed has to open another: the SDK's clients reconnect after a second. */
const STREAM_GRACE_MS = 3_000;

/** How far the clocks of hubs may be apart. */
const CLOCKS_MS = 2_000;

export class HttpSession {
  readonly principal: string;
  readonly #parts: HttpSessionParts;
  readonly #transport: WebStandardStreamableHTTPServerTransport;
  readonly #server: Server;
  readonly #direct: HttpDirect;
  #open = 0;
  #streams = 0;
  #lastAt: number;
  /** It had a listening stream, and that closed as the last thing that was open. */
  #left = false;
  #ended = false;
  #closing: Promise<void> | undefined;

  constructor(parts: HttpSessionParts) {
    this.#parts = parts;
    this.principal = parts.principal;
    this.#lastAt = this.#now();
    this.#server = sdkServer(parts.mcp);
    this.#direct = new HttpDirect(parts.mcp);
    this.#transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: () => parts.id,
      onsessioninitialized: parts.opened,
      onsessionclosed: () => {
        parts.deleted();
        return this.close('closed');
      },
      maxRequestBodySize: parts.hub.limits.httpBodyBytes,
    });
  }

  /** Its id in the protocol; undefined until it is initialised. */
  get id(): string | undefined {
    return this.#transport.sessionId;
  }

  get isOpen(): boolean {
    return this.#open > 0;
  }

  /** Its client had a listening stream, which closed, and has nothing else open: it is probably gone. */
  get hasLeft(): boolean {
    return this.#left && !this.isOpen;
  }

  async start(): Promise<void> {
    await this.#server.connect(toTransport(this.#transport));
  }

  /** The client initialised it at another hub, or before this one was started anew: here it is told again what it said then. */
  async resume(clientInfo: ClientName): Promise<this> {
    const params = { protocolVersion: LATEST_PROTOCOL_VERSION, capabilities: {}, clientInfo };
    await this.#tell({ jsonrpc: '2.0', id: 'resume', method: 'initialize', params });
    await this.#tell({ jsonrpc: '2.0', method: 'notifications/initialized' });
    return this;
  }

  async #tell(parsedBody: object): Promise<void> {
    const headers: Record<string, string> = { accept: 'application/json, text/event-stream', 'content-type': 'application/json' };
    if (this.id !== undefined) headers['mcp-session-id'] = this.id;
    const answer = await this.#transport.handleRequest(new Request('http://hub/mcp', { method: 'POST', headers }), { parsedBody });
    await answer.text();
  }

  /** Answers one request, whose body was read already. */
  async serve(request: IncomingMessage, response: ServerResponse, body: unknown): Promise<void> {
    const isStream = request.method === 'GET';
    const requests = isStream ? [] : requestIds(body);
    this.#open += 1;
    if (isStream) this.#streams += 1;
    this.#touch();
    whenClosed(response, (finished) => {
      this.#open -= 1;
      if (isStream) this.#streams -= 1;
      this.#touch();
      this.#left = isStream && this.#streams === 0;
      if (!finished) for (const id of requests) this.#cancel(id);
    });
    if (isStream) void this.#watchCredential(request, response);
    if (request.method !== 'DELETE') await this.#arrive();
    const direct = this.#closing === undefined ? this.#direct.callIn(request, this.id, body) : undefined;
    if (direct !== undefined) return await this.#direct.answer(response, this.#parts.id, direct);
    const answer = (asked: Request) => this.#transport.handleRequest(asked, { parsedBody: body });
    await getRequestListener(answer, { overrideGlobalObjects: false })(request, response);
    // A cancelled request is never answered; without this its stream would stay open.
    for (const id of cancelledIds(body)) {
      this.#direct.cancel(id);
      this.#transport.closeSSEStream(id);
    }
  }

  /** The hub session to keep alive, if this client is here. */
  beating(): string | undefined {
    const caller = this.#parts.mcp.caller;
    const here = this.isOpen || this.silentFor() <= this.#parts.hub.limits.heartbeatMs;
    return caller !== undefined && caller.epoch !== null && here && !this.#ended ? caller.sessionId : undefined;
  }

  /** For how long nothing has been open, in milliseconds. */
  silentFor(): number {
    return this.isOpen ? 0 : this.#now() - this.#lastAt;
  }

  /** Ends the hub's session of a client that has been silent for too long, or is not expected back. Its next request goes on in it. */
  async rest(patienceMs = this.#patience()): Promise<void> {
    if (this.#ended || this.silentFor() < patienceMs) return;
    this.#ended = true;
    // Behind a load balancer its client may have gone on at another hub, which keeps it alive.
    const { hub, mcp } = this.#parts;
    await mcp.end('closed', hub.context.time.now() - this.silentFor() + hub.limits.heartbeatMs + CLOCKS_MS);
  }

  /** Ends everything. Idempotent. */
  close(reason: 'closed' | 'shutdown'): Promise<void> {
    this.#closing ??= (async () => {
      this.#parts.closed();
      // First what still runs is cancelled, so that it cannot bring the session back.
      this.#direct.close();
      await this.#server.close();
      await this.#parts.mcp.end(reason, Number.MAX_SAFE_INTEGER);
    })();
    return this.#closing;
  }

  async #arrive(): Promise<void> {
    const { hub, mcp, arriving, log } = this.#parts;
    try {
      if (mcp.caller === undefined) return await arriving();
      if (!this.#ended) return;
      this.#ended = false;
      await hub.sessions.revive(mcp.caller);
    } catch (error) {
      // Whatever stands in the way is told by the call itself.
      log.debug({ event: 'revive_refused', reason: error instanceof Error ? error.message : 'unknown' }, 'session not revived');
    }
  }

  /** A listening stream outlives many requests; it ends when its token does. */
  async #watchCredential(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { hub, recheck } = this.#parts;
    const closed = new AbortController();
    whenClosed(response, () => closed.abort());
    for (;;) {
      await hub.context.clock.sleep(hub.limits.waitMs, closed.signal);
      if (closed.signal.aborted) return;
      await recheck(request).catch(() => response.destroy());
    }
  }

  #touch(): void {
    this.#lastAt = this.#now();
    this.#left = false;
  }

  /** How long silence is taken for presence. */
  #patience(): number {
    const { silentAfterMs } = this.#parts.hub.limits;
    return this.#left ? Math.min(STREAM_GRACE_MS, silentAfterMs) : silentAfterMs;
  }

  /** The SDK aborts a running call only when it is told to. */
  #cancel(requestId: RequestId): void {
    this.#transport.onmessage?.({
      jsonrpc: '2.0',
      method: 'notifications/cancelled',
      params: { requestId, reason: 'the client is gone' },
    });
  }

  #now(): number {
    return this.#parts.hub.context.clock.monotonic();
  }
}

/** The SDK's class declares its callbacks as possibly undefined, which its own interface does not. */
function toTransport(transport: WebStandardStreamableHTTPServerTransport): Transport {
  return transport as Transport;
}

/** Ids of the requests in a JSON-RPC body, single or batch. */
function requestIds(body: unknown): RequestId[] {
  return [body].flat().flatMap((message) => {
    if (message === null || typeof message !== 'object' || !('id' in message) || !('method' in message)) return [];
    return typeof message.id === 'string' || typeof message.id === 'number' ? [message.id] : [];
  });
}

function cancelledIds(body: unknown): RequestId[] {
  return [body].flat().flatMap((message) => {
    if (message === null || typeof message !== 'object' || !('method' in message) || message.method !== 'notifications/cancelled')
      return [];
    const params = 'params' in message ? message.params : undefined;
    if (params === null || typeof params !== 'object' || !('requestId' in params)) return [];
    return typeof params.requestId === 'string' || typeof params.requestId === 'number' ? [params.requestId] : [];
  });
}
