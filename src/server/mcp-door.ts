// MCP over streamable HTTP: the sessions of this process and which request belongs to which. One McpSession and one transport per session,
// never shared (shared ones leak answers between clients). Invariant: a session answers only to the principal whose token opened it;
// to anybody else it does not exist.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { isInitializeRequest } from '@modelcontextprotocol/sdk/types.js';
import { HubError } from '../hub/errors.ts';
import type { Hub } from '../hub/hub.ts';
import type { Bearer } from '../hub/tokens.ts';
import type { Log } from '../system/log.ts';
import { Connection } from '../tools/connection.ts';
import type { Doorman } from './auth.ts';
import { readJson } from './body.ts';
import { HttpSession } from './http-session.ts';
import { McpSession } from './mcp.ts';
import type { Principals } from './principals.ts';
import { sendRpcError } from './replies.ts';
import { keyOf, makeSessionId, readSessionId } from './session-id.ts';
import type { Visitors } from './visitors.ts';

export type McpDoorParts = { hub: Hub; principals: Principals; visitors: Visitors; doorman: Doorman; log: Log };

/** Ids of sessions that were ended by their clients: remembered, so that they stay over. */
const DELETED = 1_000;

export class McpDoor {
  readonly #parts: McpDoorParts;
  /** By session id, the one used longest ago first. */
  readonly #sessions = new Map<string, HttpSession>();
  readonly #resuming = new Map<string, Promise<HttpSession>>();
  readonly #deleted = new Set<string>();

  constructor(parts: McpDoorParts) {
    this.#parts = parts;
  }

  /** Answers one request to /mcp of a bearer who was let in. */
  async handle(request: IncomingMessage, response: ServerResponse, bearer: Bearer): Promise<void> {
    if (request.method !== 'POST' && request.method !== 'GET' && request.method !== 'DELETE') {
      response.setHeader('Allow', 'POST, GET, DELETE');
      return sendRpcError(response, 405, -32000, 'Method not allowed.');
    }
    const id = request.headersDistinct['mcp-session-id']?.[0];
    const session = id === undefined ? undefined : (this.#sessions.get(id) ?? (await this.#resume(id, bearer)));
    if (id !== undefined && session?.principal !== bearer.agentId) {
      return sendRpcError(response, 404, -32001, 'Session not found: initialize again.');
    }
    const body = request.method === 'POST' ? await readJson(request, response, this.#parts.hub.limits.httpBodyBytes) : undefined;
    if (session !== undefined) {
      this.#used(session);
      return await session.serve(request, response, body);
    }
    if (!isInitializeRequest(body)) {
      return sendRpcError(response, 400, -32000, 'Bad request: initialize first, then send the Mcp-Session-Id header with every request.');
    }
    const { name, version } = body.params.clientInfo;
    const opened = await this.#make(makeSessionId(bearer.agentId, { name, version }), bearer);
    await opened.serve(request, response, body);
    if (opened.id === undefined) await opened.close('closed'); // the transport refused the request
  }

  /** Hub sessions whose heartbeat is to be kept: with something open, or called within a heartbeat. */
  sessionIds(): string[] {
    return [...this.#sessions.values()].flatMap((session) => session.beating() ?? []);
  }

  /** Ends what has been silent, and forgets what nobody came back to. */
  async sweep(): Promise<void> {
    for (const session of this.#sessions.values()) {
      await session.rest();
      if (session.silentFor() >= this.#parts.hub.limits.httpSessionKeptMs) await session.close('closed');
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#sessions.values()].map((session) => session.close('shutdown')));
  }

  /** A session that another hub opened, or this one before it was started anew or made room: its client goes on in it. */
  async #resume(id: string, bearer: Bearer): Promise<HttpSession | undefined> {
    const client = readSessionId(id, bearer.agentId);
    if (client === undefined || this.#deleted.has(id)) return undefined;
    // Of several requests that arrive at once one resumes it.
    const resuming = this.#resuming.get(id) ?? this.#make(id, bearer).then((session) => session.resume(client));
    this.#resuming.set(id, resuming);
    try {
      return await resuming;
    } finally {
      this.#resuming.delete(id);
    }
  }

  async #make(id: string, bearer: Bearer): Promise<HttpSession> {
    await this.#makeRoom();
    const { hub, principals, doorman, log } = this.#parts;
    const toolsets = principals.toolsetsOf(bearer);
    // Settled before the SDK's handler runs, which makes the connection without waiting for anything.
    const operator = principals.isOperator(bearer) ? await principals.operator(bearer) : undefined;
    const attachment = await principals.attachment(bearer, { name: 'unknown', version: '' });
    const mcp = new McpSession({
      hub: { now: () => Promise.resolve(hub), later: Promise.resolve(hub) },
      isOpen: true,
      toolsets,
      log,
      connect: (_hub, client) =>
        operator === undefined
          ? Connection.attaching(hub, { ...attachment, client: { ...client, key: keyOf(id) } }, toolsets)
          : Connection.fixed(hub, operator, toolsets),
    });
    const session = new HttpSession({
      hub,
      mcp,
      id,
      principal: bearer.agentId,
      arriving: () => this.#giveWay(bearer),
      recheck: (asked) => doorman.recognise(asked),
      opened: () => this.#sessions.set(id, session),
      closed: () => this.#sessions.delete(id),
      deleted: () => this.#forget(id),
      log,
    });
    await session.start();
    return session;
  }

  /** What its client ended is over, here at least. */
  #forget(id: string): void {
    this.#deleted.add(id);
    for (const oldest of this.#deleted) {
      if (this.#deleted.size <= DELETED) break;
      this.#deleted.delete(oldest);
    }
  }

  /** A client with this token arrives: whoever else acted by it and has left, or only visited, is not waited for. */
  async #giveWay(bearer: Bearer): Promise<void> {
    for (const session of this.#sessions.values()) if (session.principal === bearer.agentId && session.hasLeft) await session.rest(0);
    await this.#parts.visitors.giveWay(bearer.agentId);
  }

  #used(session: HttpSession): void {
    if (session.id === undefined) return;
    this.#sessions.delete(session.id);
    this.#sessions.set(session.id, session);
  }

  /** The session that was used longest ago and has nothing open makes room. */
  async #makeRoom(): Promise<void> {
    const { httpSessions } = this.#parts.hub.limits;
    if (this.#sessions.size < httpSessions) return;
    for (const session of this.#sessions.values()) {
      if (session.isOpen) continue;
      return await session.close('closed');
    }
    throw new HubError('limit_reached', `${httpSessions} MCP sessions are open here, and all are in use.`, {
      hint: 'Close one, or raise limits.httpSessions.',
      retryAfterMs: 5_000,
    });
  }
}
