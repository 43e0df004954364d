// The MCP server over the tools: the same for stdio and HTTP. The SDK is used here, in the transports beside it, and nowhere else.
// Tools are listed from one frozen list; calls go through callTool; waiting calls report progress and end when the client cancels.

import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js';
import {
  CallToolRequestSchema,
  type CallToolResult,
  ErrorCode,
  ListToolsRequestSchema,
  McpError,
  type ServerNotification,
  type ServerRequest,
} from '@modelcontextprotocol/sdk/types.js';
import type { Caller } from '../hub/caller.ts';
import { type Hub, VERSION } from '../hub/hub.ts';
import type { Log } from '../system/log.ts';
import { callTool } from '../tools/call.ts';
import type { Callable } from '../tools/callable.ts';
import type { Connection } from '../tools/connection.ts';
import { findTool, toolsOf } from '../tools/index.ts';
import { listed } from '../tools/schema.ts';
import type { Tool, Toolset } from '../tools/tool.ts';
import { INSTRUCTIONS } from './instructions.ts';
import { RESOURCE_CAPABILITIES, serveResources } from './mcp-resources.ts';

type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>;

export type McpParts = {
  /** Awaited by calls, so that `initialize` and `tools/list` are answered while the database is still being opened (T-32). */
  hub: Promise<Hub>;
  /** Who this client is; made when it has told its name. */
  connect: (hub: Hub, client: { name: string; version: string }) => Connection;
  toolsets: readonly Toolset[];
  /** Tools in no list, which the client's own hooks may call. */
  unlisted?: readonly Callable[];
  /** Called when the client has settled who it is, to look after it from then on. */
  follow?: (connection: Connection) => void;
  log: Log;
  /** Declared beside the capabilities of the protocol. */
  experimental?: Record<string, object>;
};

/** How often a waiting call says that it is still there, when the client asked to be told. */
const PROGRESS_MS = 5_000;

export class McpSession {
  readonly server: Server;
  readonly #parts: McpParts;
  #connection: Promise<Connection> | undefined;
  #made: Connection | undefined;
  #threadId: string | undefined;
  readonly #unsubscribe: () => void;

  constructor(parts: McpParts) {
    this.#parts = parts;
    this.server = new Server(
      { name: 'rookery', title: 'Rookery', version: VERSION },
      {
        capabilities: {
          tools: { listChanged: false },
          ...RESOURCE_CAPABILITIES,
          ...(parts.experimental === undefined ? {} : { experimental: parts.experimental }),
        },
        instructions: INSTRUCTIONS,
      },
    );
    const offered = toolsOf(parts.toolsets);
    const list = Object.freeze(offered.map(listed));
    this.server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: [...list] }));
    this.server.setRequestHandler(CallToolRequestSchema, async (request, extra): Promise<CallToolResult> => {
      const { name } = request.params;
      const unlisted = parts.unlisted?.find((tool) => tool.name === name);
      if (unlisted !== undefined) return await this.#callUnlisted(unlisted, request.params.arguments, extra);
      const tool = findTool(name);
      if (tool === undefined || !offered.includes(tool)) {
        throw new McpError(
          ErrorCode.InvalidParams,
          `Unknown tool ${name.slice(0, 60)}. Tools: ${offered.map((one) => one.name).join(', ')}.`,
        );
      }
      return await this.#call(tool, request.params.arguments, extra);
    });
    this.#unsubscribe = serveResources(this.server, parts.hub, () => this.connection());
    this.server.oninitialized = () => void this.#present();
    this.server.onerror = (error) => parts.log.warn({ event: 'protocol_error', kind: error.name }, 'protocol error'); // its message quotes the client
  }

  /** This session's connection, once there is one. */
  async connection(): Promise<Connection> {
    this.#connection ??= this.#parts.hub.then((hub) => {
      const client = this.server.getClientVersion();
      this.#made = this.#parts.connect(hub, { name: client?.name ?? 'unknown', version: client?.version ?? '' });
      return this.#made;
    });
    return await this.#connection;
  }

  /** Who this client is by now; undefined while it is nobody. */
  get caller(): Caller | undefined {
    return this.#made?.current;
  }

  /** What the client calls itself; undefined before it has. */
  get clientName(): string | undefined {
    return this.server.getClientVersion()?.name;
  }

  /** The thread of Codex that calls; undefined while it has not called, and for other clients. */
  get threadId(): string | undefined {
    return this.#threadId;
  }

  /** Ends what this client was, if it ever was anybody; not when it was heard of after `unlessHeardAt`, by another hub. */
  async end(reason: 'closed' | 'shutdown', unlessHeardAt?: number): Promise<void> {
    this.#unsubscribe();
    const connection = await this.#connection?.catch(() => undefined);
    await connection?.end(reason, unlessHeardAt);
  }

  /** A client that is somebody already is present from now on; a new one from its first call, because many only probe the server. */
  async #present(): Promise<void> {
    try {
      const connection = await this.connection();
      const hub = await this.#parts.hub;
      this.#parts.follow?.(connection);
      if (connection.attachment !== undefined && (await hub.sessions.knows(connection.attachment))) await connection.present();
    } catch (error) {
      this.#parts.log.info({ event: 'attach_refused', reason: error instanceof Error ? error.message : 'unknown' }, 'not attached yet');
    }
  }

  async #call(tool: Tool, given: unknown, extra: Extra): Promise<CallToolResult> {
    const { log } = this.#parts;
    const { hub, connection } = await this.#learn(extra);
    const stop = this.#reportProgress(hub, tool.name, extra);
    try {
      const since = hub.context.clock.monotonic();
      const traceparent = extra._meta?.traceparent;
      const reply = await callTool(hub, connection, tool, given, {
        signal: extra.signal,
        onDefect: this.#onDefect(tool),
        traceparent: typeof traceparent === 'string' ? traceparent : undefined,
        requestId: extra.requestId,
        mcpSessionId: extra.sessionId,
      });
      log.info(
        {
          event: 'tool_call',
          tool: tool.name,
          agent: connection.current?.name,
          code: reply.ok ? 'ok' : reply.error.code,
          ms: Math.round(hub.context.clock.monotonic() - since),
        },
        'tool call',
      );
      return reply.ok
        ? { content: [{ type: 'text', text: reply.text }], structuredContent: reply.result }
        : { content: [{ type: 'text', text: reply.text }], isError: true };
    } finally {
      stop();
    }
  }

  /** A hook's answer is its text. Whatever goes wrong, its client must not be disturbed by it, so there is no error. */
  async #callUnlisted(tool: Callable, given: unknown, extra: Extra): Promise<CallToolResult> {
    const { hub, connection } = await this.#learn(extra);
    const reply = await callTool(hub, connection, tool, given, { signal: extra.signal, onDefect: this.#onDefect(tool) });
    if (!reply.ok) this.#parts.log.warn({ event: 'hook_failed', code: reply.error.code }, 'a hook was not answered');
    return { content: [{ type: 'text', text: reply.ok ? reply.text : '{}' }] };
  }

  async #learn(extra: Extra): Promise<{ hub: Hub; connection: Connection }> {
    const hub = await this.#parts.hub;
    const connection = await this.connection();
    // Codex tells its thread with each call; resuming the thread keeps the agent's name.
    const threadId = extra._meta?.threadId;
    // Over HTTP the token says who this is; a thread id there would only name somebody else's.
    const told = typeof threadId === 'string' && threadId.length <= 128 && connection.attachment?.door === 'stdio';
    if (told) {
      this.#threadId = threadId;
      await connection.learnClientKey(`codex:${threadId}`).catch((error: unknown) => {
        const reason = error instanceof Error ? error.message : 'unknown';
        this.#parts.log.info({ event: 'follow_refused', reason }, 'the client is in a session that is somebody else’s now');
      });
    }
    return { hub, connection };
  }

  #onDefect(tool: Callable): (reference: string, error: unknown) => void {
    return (reference, error) => this.#parts.log.error({ event: 'defect', reference, tool: tool.name, err: error }, 'internal error');
  }

  #reportProgress(hub: Hub, tool: string, extra: Extra): () => void {
    const progressToken = extra._meta?.progressToken;
    if (progressToken === undefined) return () => {};
    const stop = new AbortController();
    void (async () => {
      for (let progress = 1; ; progress++) {
        await hub.context.clock.sleep(PROGRESS_MS, stop.signal);
        if (stop.signal.aborted || extra.signal.aborted) return;
        await extra
          .sendNotification({
            method: 'notifications/progress',
            params: { progressToken, progress, message: `${tool} is still waiting` },
          })
          .catch(() => stop.abort());
      }
    })();
    return () => stop.abort();
  }
}
