// One client of MCP, whatever carries its messages: who it is, what it is told there is, and how it calls. Two speak for it: direct.ts, which
// answers what clients usually say, and the SDK (mcp-sdk.ts) for everything else; both ask here, so that they cannot differ.
// Calls go through callTool; waiting calls report progress and end when the client cancels.

import type { CallToolResult, InitializeResult, ServerNotification } from '@modelcontextprotocol/sdk/types.js';
import type { Caller } from '../hub/caller.ts';
import type { Hub } from '../hub/hub.ts';
import { VERSION } from '../hub/version.ts';
import type { Log } from '../system/log.ts';
import type { Callable } from '../tools/callable.ts';
import type { Connection } from '../tools/connection.ts';
import type { Tool } from '../tools/tool.ts';
import type { Toolset } from '../tools/toolsets.ts';
import { INSTRUCTIONS } from './instructions.ts';
import { ToolsOffered } from './tools-offered.ts';

/** The versions of the protocol that are spoken, the newest first: those of the SDK (a test holds them to it). */
export const PROTOCOL_VERSIONS: readonly string[] = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05', '2024-10-07'];

/** An answer that is an error of the protocol, in the SDK's form. */
export class RpcError extends Error {
  readonly code: number;
  constructor(code: number, message: string) {
    super(`MCP error ${code}: ${message}`);
    this.code = code;
  }
}
export const INVALID_PARAMS = -32602;

/** What is told of a request beside its words. */
export type Extra = {
  signal: AbortSignal;
  requestId: string | number;
  sessionId?: string | undefined;
  _meta?: { [key: string]: unknown } | undefined;
  sendNotification(notification: ServerNotification): Promise<void>;
};

/** `now`: opens it, if nobody has. `later`: waits until somebody does. */
export type HubAtHand = { now(): Promise<Hub>; later: Promise<Hub> };

export type McpParts = {
  /** Awaited by calls, so that `initialize` and `tools/list` are answered before the database is open (T-32). */
  hub: HubAtHand;
  /** Who this client is; made when it has told its name. */
  connect: (hub: Hub, client: { name: string; version: string }) => Connection;
  toolsets: readonly Toolset[];
  /** Tools in no list, which the client's own hooks may call. */
  unlisted?: { readonly name: string; load(): Promise<Callable> };
  /** Whether the hub is open from the start. */
  isOpen?: boolean;
  /** Called when the client has settled who it is, to look after it from then on. */
  follow?: (connection: Connection) => void;
  log: Log;
  /** Declared beside the capabilities of the protocol. */
  experimental?: Record<string, object>;
};

/** How often a waiting call says that it is still there, when the client asked to be told. */
const PROGRESS_MS = 5_000;

type CallTool = typeof import('../tools/call.ts').callTool;
type Client = { name: string; version: string };

export class McpSession {
  readonly #parts: McpParts;
  #client: Client | undefined;
  #connection: Promise<Connection> | undefined;
  #made: Connection | undefined;
  #threadId: string | undefined;
  #calling: Promise<typeof import('./calling.ts')> | undefined;
  readonly tools: ToolsOffered;
  readonly #stops: (() => void)[] = [];

  constructor(parts: McpParts) {
    this.#parts = parts;
    this.tools = new ToolsOffered(parts.toolsets);
  }

  /** What this server says of itself. */
  get about(): Pick<InitializeResult, 'capabilities' | 'serverInfo'> & { instructions: string } {
    const { experimental } = this.#parts;
    return {
      capabilities: {
        tools: { listChanged: true },
        resources: { subscribe: true, listChanged: false },
        prompts: { listChanged: false },
        ...(experimental === undefined ? {} : { experimental }),
      },
      serverInfo: { name: 'rookery', title: 'Rookery', version: VERSION },
      instructions: INSTRUCTIONS,
    };
  }

  /** The answer to `initialize`. */
  greet({ protocolVersion, clientInfo }: { protocolVersion: string; clientInfo: Client }): InitializeResult {
    this.#client = clientInfo;
    const [newest = ''] = PROTOCOL_VERSIONS;
    return { protocolVersion: PROTOCOL_VERSIONS.includes(protocolVersion) ? protocolVersion : newest, ...this.about };
  }

  /** The client has its answer. */
  begin(): void {
    const presenting = this.#present();
    // A hub that is open already tells at once who this is; nobody waits for one to open.
    if (this.#parts.isOpen === true) this.known = presenting;
  }

  /** When it is known who the client is, as far as it will be before its first call. */
  known: Promise<void> = Promise.resolve();

  get hub(): Promise<Hub> {
    return this.#parts.hub.now();
  }

  get log(): Log {
    return this.#parts.log;
  }

  /** This session's connection, once there is one. */
  async connection(): Promise<Connection> {
    this.#connection ??= this.#parts.hub.now().then((hub) => {
      const client = this.#client;
      this.#made = this.#parts.connect(hub, { name: client?.name ?? 'unknown', version: client?.version ?? '' });
      this.tools.knows(hub, this.#made);
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
    return this.#client?.name;
  }

  /** The thread of Codex that calls; undefined while it has not called, and for other clients. */
  get threadId(): string | undefined {
    return this.#threadId;
  }

  /** Done whenever what this client was ends. */
  alsoEnd(stop: () => void): void {
    this.#stops.push(stop);
  }

  /** Ends what this client was, if it ever was anybody; not when it was heard of after `unlessHeardAt`, by another hub. */
  async end(reason: 'closed' | 'shutdown', unlessHeardAt?: number): Promise<void> {
    for (const stop of this.#stops) stop();
    const connection = await this.#connection?.catch(() => undefined);
    await connection?.end(reason, unlessHeardAt);
  }

  /** A client that is somebody already is present from now on; a new one from its first call, because many only probe the server. */
  async #present(): Promise<void> {
    try {
      const hub = await this.#parts.hub.later;
      const connection = await this.connection();
      this.#parts.follow?.(connection);
      if (connection.attachment !== undefined && (await hub.sessions.knows(connection.attachment))) await connection.present();
      await hub.policies.refresh();
      this.tools.look();
    } catch (error) {
      this.#parts.log.info({ event: 'attach_refused', reason: error instanceof Error ? error.message : 'unknown' }, 'not attached yet');
    }
  }

  /** Calls a tool by its name. Throws RpcError where there is none of that name. */
  async call(name: string, given: unknown, extra: Extra): Promise<CallToolResult> {
    const { unlisted } = this.#parts;
    if (name === unlisted?.name) return await this.#callUnlisted(await unlisted.load(), given, extra);
    if (!this.tools.has(name))
      throw new RpcError(INVALID_PARAMS, `Unknown tool ${name.slice(0, 60)}. Tools: ${this.tools.names.join(', ')}.`);
    this.#calling ??= import('./calling.ts');
    const { callTool, findTool } = await this.#calling;
    const tool = findTool(name);
    if (tool === undefined) throw new Error(`${name} is in the catalogue and nowhere else`);
    return await this.#call(callTool, tool, given, extra);
  }

  async #call(callTool: CallTool, tool: Tool, given: unknown, extra: Extra): Promise<CallToolResult> {
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
      this.tools.look();
    }
  }

  /** A hook's answer is its text. Whatever goes wrong, its client must not be disturbed by it, so there is no error. */
  async #callUnlisted(tool: Callable, given: unknown, extra: Extra): Promise<CallToolResult> {
    const { hub, connection } = await this.#learn(extra);
    const { callTool } = await import('../tools/call.ts');
    const reply = await callTool(hub, connection, tool, given, { signal: extra.signal, onDefect: this.#onDefect(tool) });
    if (!reply.ok) this.#parts.log.warn({ event: 'hook_failed', code: reply.error.code }, 'a hook was not answered');
    return { content: [{ type: 'text', text: reply.ok ? reply.text : '{}' }] };
  }

  async #learn(extra: Extra): Promise<{ hub: Hub; connection: Connection }> {
    const hub = await this.#parts.hub.now();
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
    if (typeof progressToken !== 'string' && typeof progressToken !== 'number') return () => {};
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
