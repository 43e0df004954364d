// Calls over HTTP that are answered without the SDK's transport, which makes a web request and a stream of each and checks every message by its
// schemas: several times the work of the call. Taken is a single call by a client of this session, in exactly the form that the transport takes,
// whose answer comes at once; what waits, asks for progress, or is anything else goes to the transport, and so does all that is wrong.
// Invariant: whoever comes here has passed the gate, and the session is the bearer's (mcp-door.ts).

import type { IncomingMessage, ServerResponse } from 'node:http';
import { type McpSession, PROTOCOL_VERSIONS } from './mcp.ts';
import { type Id, type PlainCall, plainCall, plainRequest, rpcError } from './plain-message.ts';
import { whenClosed } from './replies.ts';

export type DirectCall = PlainCall & { id: Id };

export class HttpDirect {
  readonly #session: McpSession;
  readonly #running = new Map<Id, AbortController>();

  constructor(session: McpSession) {
    this.#session = session;
  }

  /** The call in this request, if it is one to be answered here. `sessionId`: of this session. */
  callIn(request: IncomingMessage, sessionId: string | undefined, body: unknown): DirectCall | undefined {
    const { accept = '', 'content-type': type, 'mcp-session-id': told, 'mcp-protocol-version': version } = request.headers;
    const isTransports =
      request.method !== 'POST' ||
      type !== 'application/json' ||
      !(accept.includes('application/json') && accept.includes('text/event-stream')) ||
      sessionId === undefined ||
      told !== sessionId ||
      (version !== undefined && !PROTOCOL_VERSIONS.includes(String(version)));
    const message = isTransports ? undefined : plainRequest(body);
    if (message?.method !== 'tools/call' || this.#running.has(message.id)) return undefined;
    const call = plainCall(message.params);
    return call === undefined || call.meta?.progressToken !== undefined || mayWait(call) ? undefined : { ...call, id: message.id };
  }

  /** Answers it. A call that is cancelled, or whose client is gone, is not answered. */
  async answer(response: ServerResponse, sessionId: string, { id, name, given, meta }: DirectCall): Promise<void> {
    const controller = new AbortController();
    this.#running.set(id, controller);
    whenClosed(response, (finished) => {
      if (!finished) controller.abort();
    });
    const told = { signal: controller.signal, requestId: id, sessionId, _meta: meta, sendNotification: async () => {} };
    const answer = await this.#session.call(name, given, told).then(
      (result) => ({ result, jsonrpc: '2.0', id }),
      (error: unknown) => rpcError(id, error),
    );
    if (this.#running.get(id) === controller) this.#running.delete(id);
    if (response.destroyed) return;
    // As the transport ends what is cancelled: a stream in which nothing came.
    const text = controller.signal.aborted ? '' : JSON.stringify(answer);
    const type = controller.signal.aborted ? 'text/event-stream' : 'application/json';
    response.writeHead(200, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(text), 'mcp-session-id': sessionId });
    response.end(text);
  }

  cancel(id: Id): void {
    this.#running.get(id)?.abort();
  }

  close(): void {
    for (const controller of this.#running.values()) controller.abort();
  }
}

/** Its answer may be long in coming: the transport keeps the connection alive until then. */
function mayWait({ name, given }: PlainCall): boolean {
  return name.startsWith('wait_') || Object.keys(given ?? {}).some((field) => field.startsWith('wait_'));
}
