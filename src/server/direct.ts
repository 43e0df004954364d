// What clients usually say over stdio, answered without the SDK: loading that takes longer than all the rest of a start, and its checks of each
// message longer than a call. Taken is only what has exactly the form that the SDK would take; everything else is handed over to it.
// Invariant: an answer given here is the one that the SDK gives (a test holds both to it).

import { makeCatalogue } from '../tools/catalogue.ts';
import type { Extra, McpSession } from './mcp.ts';
import { type Fields, type Id, isFields, isId, plainCall, plainNotification, plainRequest, rpcError } from './plain-message.ts';

/** JSON that is an answer as it is, or something to be written as JSON. */
type Answer = { json: string } | { value: unknown };
/** Undefined: not for this one. */
type Method = (params: Fields, id: Id) => Answer | Promise<Answer> | undefined;
type HandOver = (message: unknown) => void;

const EMPTY = { json: '{}' };

export class Direct {
  readonly #session: McpSession;
  readonly #write: (line: string) => void;
  readonly #heard: (method: string) => void;
  readonly #running = new Map<Id, AbortController>();
  readonly #methods: ReadonlyMap<string, Method>;
  #sdk: Promise<HandOver> | undefined;

  /** `heard` is told of what was answered or taken here. */
  constructor(session: McpSession, write: (line: string) => void, heard: (method: string) => void) {
    this.#session = session;
    this.#write = write;
    this.#heard = heard;
    const listOf = (name: string, json: () => string): Method => {
      return ({ cursor }) => (cursor === undefined ? { json: `{"${name}":${json()}}` } : undefined);
    };
    session.tools.whenChanged(() => this.notify('notifications/tools/list_changed', {}));
    const catalogue = makeCatalogue();
    this.#methods = new Map<string, Method>([
      ['initialize', (params) => (isGreeting(params) ? { value: session.greet(params) } : undefined)],
      ['ping', () => EMPTY],
      ['tools/list', listOf('tools', () => session.tools.list())],
      ['prompts/list', listOf('prompts', () => catalogue.prompts)],
      ['resources/list', listOf('resources', () => catalogue.resources)],
      ['resources/templates/list', listOf('resourceTemplates', () => catalogue.resourceTemplates)],
      ['tools/call', (params, id) => this.#call(params, id)],
    ]);
  }

  /** Takes one message of the client. */
  receive(message: unknown): void {
    const method = this.#request(message) ?? this.#notification(message);
    if (method !== undefined) {
      this.#heard(method);
      return;
    }
    // Loaded where it is needed; until then what follows waits in its order.
    this.#sdk ??= import('./mcp-sdk.ts').then(({ serveMessages }) => serveMessages(this.#session, (answer) => this.#send(answer)));
    void this.#sdk.then((handOver) => handOver(message));
  }

  /** Tells the client something. */
  notify(method: string, params: Fields): void {
    this.#send({ method, params, jsonrpc: '2.0' });
  }

  /** Answers the method of a request that is answered here. */
  #request(message: unknown): string | undefined {
    const request = plainRequest(message);
    if (request === undefined) return undefined;
    const { id, method, params } = request;
    const answer = this.#methods.get(method)?.(params, id);
    if (answer === undefined) return undefined;
    if (answer instanceof Promise) void this.#settle(id, answer);
    else this.#answer(id, answer);
    return method;
  }

  /** The same of a notification. */
  #notification(message: unknown): string | undefined {
    const { method, params } = plainNotification(message) ?? {};
    if (method === 'notifications/initialized') {
      this.#session.begin();
      return method;
    }
    const requestId = params?.requestId;
    if (method !== 'notifications/cancelled' || !isId(requestId)) return undefined;
    const running = this.#running.get(requestId);
    running?.abort();
    // What is answered already is nobody's any more.
    return running !== undefined || this.#sdk === undefined ? method : undefined;
  }

  #call(params: Fields, id: Id): Promise<Answer> | undefined {
    const call = plainCall(params);
    if (call === undefined) return undefined;
    const controller = new AbortController();
    this.#running.set(id, controller);
    const extra: Extra = {
      signal: controller.signal,
      requestId: id,
      _meta: call.meta,
      sendNotification: async (notification) => {
        if (!controller.signal.aborted) this.#send({ ...notification, jsonrpc: '2.0' });
      },
    };
    return this.#session.call(call.name, call.given, extra).then((value) => ({ value }));
  }

  async #settle(id: Id, answer: Promise<Answer>): Promise<void> {
    const running = this.#running.get(id);
    try {
      const given = await answer;
      if (running?.signal.aborted !== true) this.#answer(id, given);
    } catch (error) {
      if (running?.signal.aborted !== true) this.#send(rpcError(id, error));
    } finally {
      if (this.#running.get(id) === running) this.#running.delete(id);
    }
  }

  #answer(id: Id, answer: Answer): void {
    const result = 'json' in answer ? answer.json : JSON.stringify(answer.value);
    this.#write(`{"result":${result},"jsonrpc":"2.0","id":${JSON.stringify(id)}}\n`);
  }

  #send(message: object): void {
    this.#write(`${JSON.stringify(message)}\n`);
  }
}

/** What the SDK requires of `initialize`; of capabilities, which nobody here asks for, that they may be some. */
function isGreeting(params: Fields): params is { protocolVersion: string; clientInfo: { name: string; version: string } } {
  const { protocolVersion, capabilities, clientInfo } = params;
  if (typeof protocolVersion !== 'string' || !isFields(capabilities) || !isFields(clientInfo)) return false;
  const { name, version, title, icons, websiteUrl, description } = clientInfo;
  return (
    typeof name === 'string' &&
    typeof version === 'string' &&
    [title, websiteUrl, description].every((text) => text === undefined || typeof text === 'string') &&
    icons === undefined &&
    Object.entries(capabilities).every(([capability, value]) => isPlainCapability(capability, value))
  );
}

function isPlainCapability(capability: string, value: unknown): boolean {
  if (!isFields(value)) return false;
  const parts = Object.entries(value);
  if (capability !== 'roots') return parts.every(([, part]) => isFields(part));
  return parts.every(([, part]) => typeof part === 'boolean');
}
