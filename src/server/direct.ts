// What clients usually say over stdio, answered without the SDK: loading that takes longer than all the rest of a start, and its checks of each
// message longer than a call. Taken is only what has exactly the form that the SDK would take; everything else is handed over to it.
// Invariant: an answer given here is the one that the SDK gives (a test holds both to it).

import { makeCatalogue } from '../tools/catalogue.ts';
import type { Extra, McpSession } from './mcp.ts';

type Id = string | number;
type Fields = { readonly [name: string]: unknown };
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
    if (isFields(message) && message.jsonrpc === '2.0' && typeof message.method === 'string' && hasPlainParams(message)) {
      if ('id' in message ? this.#request(message, message.method) : this.#notification(message, message.method)) {
        this.#heard(message.method);
        return;
      }
    }
    // Loaded where it is needed; until then what follows waits in its order.
    this.#sdk ??= import('./mcp-sdk.ts').then(({ serveMessages }) => serveMessages(this.#session, (answer) => this.#send(answer)));
    void this.#sdk.then((handOver) => handOver(message));
  }

  /** Tells the client something. */
  notify(method: string, params: Fields): void {
    this.#send({ method, params, jsonrpc: '2.0' });
  }

  #request(message: Fields, method: string): boolean {
    const { id, params = {} } = message;
    if (!isId(id) || Object.keys(message).length !== ('params' in message ? 4 : 3)) return false;
    const answer = this.#methods.get(method)?.(params as Fields, id);
    if (answer === undefined) return false;
    if (answer instanceof Promise) void this.#settle(id, answer);
    else this.#answer(id, answer);
    return true;
  }

  #notification(message: Fields, method: string): boolean {
    if (Object.keys(message).length !== ('params' in message ? 3 : 2)) return false;
    if (method === 'notifications/initialized') {
      this.#session.begin();
      return true;
    }
    const { requestId } = (message.params ?? {}) as Fields;
    if (method !== 'notifications/cancelled' || !isId(requestId)) return false;
    const running = this.#running.get(requestId);
    running?.abort();
    // What is answered already is nobody's any more.
    return running !== undefined || this.#sdk === undefined;
  }

  #call(params: Fields, id: Id): Promise<Answer> | undefined {
    const { name, arguments: given, task, _meta } = params;
    if (typeof name !== 'string' || task !== undefined || (given !== undefined && !isFields(given))) return undefined;
    const controller = new AbortController();
    this.#running.set(id, controller);
    const extra: Extra = {
      signal: controller.signal,
      requestId: id,
      _meta: _meta as Extra['_meta'],
      sendNotification: async (notification) => {
        if (!controller.signal.aborted) this.#send({ ...notification, jsonrpc: '2.0' });
      },
    };
    return this.#session.call(name, given, extra).then((value) => ({ value }));
  }

  async #settle(id: Id, answer: Promise<Answer>): Promise<void> {
    const running = this.#running.get(id);
    try {
      const given = await answer;
      if (running?.signal.aborted !== true) this.#answer(id, given);
    } catch (error) {
      const code = error instanceof Error && 'code' in error && Number.isSafeInteger(error.code) ? error.code : -32603;
      const message = error instanceof Error ? error.message : 'Internal error';
      if (running?.signal.aborted !== true) this.#send({ jsonrpc: '2.0', id, error: { code, message } });
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

function isFields(value: unknown): value is Fields {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

function isId(value: unknown): value is Id {
  return typeof value === 'string' || Number.isSafeInteger(value);
}

/** Parameters as every method may have them: an object, with the protocol's own words about the request in `_meta`. */
function hasPlainParams(message: Fields): boolean {
  if (!('params' in message)) return true;
  const { params } = message;
  if (!isFields(params)) return false;
  const { _meta } = params;
  if (_meta === undefined) return true;
  if (!isFields(_meta)) return false;
  return (_meta.progressToken === undefined || isId(_meta.progressToken)) && !('io.modelcontextprotocol/related-task' in _meta);
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
