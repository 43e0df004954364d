// Messages of the protocol in exactly the form that the SDK takes: whoever answers without it answers these, and hands it everything else, so that
// what is wrong is refused in one way.

export type Id = string | number;
export type Fields = { readonly [name: string]: unknown };
export type PlainCall = { name: string; given: Fields | undefined; meta: { [key: string]: unknown } | undefined };

export function isFields(value: unknown): value is Fields {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

export function isId(value: unknown): value is Id {
  return typeof value === 'string' || Number.isSafeInteger(value);
}

/** A request with nothing in it but what requests have; undefined for anything else. */
export function plainRequest(message: unknown): { id: Id; method: string; params: Fields } | undefined {
  if (!isFields(message) || message.jsonrpc !== '2.0') return undefined;
  const { id, method } = message;
  if (typeof method !== 'string' || !isId(id) || Object.keys(message).length !== ('params' in message ? 4 : 3)) return undefined;
  const params = plainParams(message);
  return params && { id, method, params };
}

/** The same of a notification. */
export function plainNotification(message: unknown): { method: string; params: Fields } | undefined {
  if (!isFields(message) || message.jsonrpc !== '2.0') return undefined;
  const { method } = message;
  if (typeof method !== 'string' || Object.keys(message).length !== ('params' in message ? 3 : 2)) return undefined;
  const params = plainParams(message);
  return params && { method, params };
}

/** What `tools/call` is given; undefined where it asks for more than a call. */
export function plainCall({ name, arguments: given, task, _meta }: Fields): PlainCall | undefined {
  if (typeof name !== 'string' || task !== undefined || (given !== undefined && !isFields(given))) return undefined;
  return { name, given, meta: _meta as PlainCall['meta'] };
}

/** An error as the SDK answers it. */
export function rpcError(id: Id, error: unknown): object {
  const code = error instanceof Error && 'code' in error && Number.isSafeInteger(error.code) ? error.code : -32603;
  return { jsonrpc: '2.0', id, error: { code, message: error instanceof Error ? error.message : 'Internal error' } };
}

/** Parameters as every method may have them: an object, with the protocol's own words about the request in `_meta`. */
function plainParams(message: Fields): Fields | undefined {
  if (!('params' in message)) return {};
  const { params } = message;
  if (!isFields(params)) return undefined;
  const { _meta } = params;
  if (_meta === undefined) return params;
  if (!isFields(_meta) || 'io.modelcontextprotocol/related-task' in _meta) return undefined;
  return _meta.progressToken === undefined || isId(_meta.progressToken) ? params : undefined;
}
