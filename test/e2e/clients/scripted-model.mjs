// A model that follows a script: HTTP servers that speak the Anthropic Messages and the OpenAI Responses protocols, just enough of them to
// drive the real Claude Code and the real Codex on loopback. A step is a function of what the model has seen (the results of its earlier
// tool calls) and answers {tool, input} or {text}; so a script can use ids and receipts that the hub made up.

import { createServer } from 'node:http';
import zlib from 'node:zlib';

let counter = 0;
const fresh = (prefix) => `${prefix}${Date.now().toString(36)}${(counter++).toString(36)}`;

/** @param {(request: {url: string, body: any}) => {status?: number, events?: [string, object][], json?: object}} answer */
async function serve(answer) {
  const seen = [];
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = parse(Buffer.concat(chunks), request.headers['content-encoding']);
    if (request.method === 'POST' && seen.length === 0) await new Promise((resolve) => setTimeout(resolve, FIRST_WORD_MS));
    const reply = answer({ url: request.url ?? '', method: request.method ?? '', body });
    if (body !== undefined) seen.push({ url: request.url, body });
    if (reply.json !== undefined || reply.events === undefined) {
      response.writeHead(reply.status ?? 200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(reply.json ?? {}));
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream', 'request-id': fresh('req_') });
    for (const [type, data] of reply.events) response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`);
    response.end();
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return { port, seen, close: () => server.closeAllConnections() ?? server.close() };
}

function parse(raw, encoding) {
  try {
    const plain =
      encoding === 'gzip'
        ? zlib.gunzipSync(raw)
        : encoding === 'zstd' && zlib.zstdDecompressSync !== undefined
          ? zlib.zstdDecompressSync(raw)
          : raw;
    return JSON.parse(plain.toString());
  } catch {
    return undefined;
  }
}

/** A model takes a moment before its first word; clients use it to start their servers. */
const FIRST_WORD_MS = 4_000;

/** What a tool result says, as the model reads it. */
function toResult(text) {
  const start = text.indexOf('{');
  try {
    return JSON.parse(start > 0 ? text.slice(start, text.lastIndexOf('}') + 1) : text);
  } catch {
    return { text };
  }
}

/** The step that answers a request: as many steps were taken as there are results; results are replayed, so retries are safe. */
function nextStep(script, results, transcript) {
  transcript.results = results;
  const step = script[results.length];
  return step === undefined ? { text: 'DONE' } : step(results.at(-1) ?? {}, results);
}

/** A scripted Claude. Tool names are `mcp__hub__<tool>`. */
export async function scriptedClaude(script) {
  const transcript = { results: [] };
  const server = await serve(({ url, method, body }) => {
    if (url.startsWith('/v1/messages/count_tokens')) return { json: { input_tokens: 100 } };
    if (method !== 'POST' || !url.startsWith('/v1/messages'))
      return { status: method === 'HEAD' ? 200 : 404, json: { type: 'error', error: { type: 'not_found_error', message: 'not found' } } };
    const tools = (body.tools ?? []).length > 0;
    const step = tools ? nextStep(script, claudeResults(body), transcript) : { text: 'ok' };
    return claudeReply(body, step);
  });
  return { ...server, transcript };
}

function claudeResults(body) {
  const blocks = (body.messages ?? []).flatMap((message) => (Array.isArray(message.content) ? message.content : []));
  return blocks
    .filter((block) => block.type === 'tool_result')
    .map((block) =>
      toResult(typeof block.content === 'string' ? block.content : (block.content ?? []).map((part) => part.text ?? '').join('')),
    );
}

function claudeReply(body, step) {
  const block =
    step.tool === undefined
      ? { type: 'text', text: step.text }
      : { type: 'tool_use', id: fresh('toolu_'), name: `mcp__hub__${step.tool}`, input: step.input ?? {} };
  const stop_reason = step.tool === undefined ? 'end_turn' : 'tool_use';
  const message = {
    id: fresh('msg_'),
    type: 'message',
    role: 'assistant',
    model: body.model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { input_tokens: 10, output_tokens: 1 },
  };
  if (!body.stream) return { json: { ...message, content: [block], stop_reason } };
  const opening = step.tool === undefined ? { type: 'text', text: '' } : { ...block, input: {} };
  const delta =
    step.tool === undefined
      ? { type: 'text_delta', text: step.text }
      : { type: 'input_json_delta', partial_json: JSON.stringify(block.input) };
  return {
    events: [
      ['message_start', { message }],
      ['content_block_start', { index: 0, content_block: opening }],
      ['content_block_delta', { index: 0, delta }],
      ['content_block_stop', { index: 0 }],
      ['message_delta', { delta: { stop_reason, stop_sequence: null }, usage: { output_tokens: 20 } }],
      ['message_stop', {}],
    ],
  };
}

/** A scripted Codex. Tools live in the namespace `mcp__hub`. */
export async function scriptedCodex(script) {
  const transcript = { results: [] };
  const server = await serve(({ url, method, body }) => {
    if (method === 'GET' && url.includes('/models')) return { json: { object: 'list', data: [], models: [] } };
    if (method !== 'POST' || !url.includes('/responses')) return { status: 404 };
    const results = (body.input ?? [])
      .filter((item) => item.type === 'function_call_output')
      .map((item) => toResult(outputText(item.output)));
    return codexReply(nextStep(script, results, transcript));
  });
  return { ...server, transcript };
}

function outputText(output) {
  if (typeof output === 'string') return output;
  return (Array.isArray(output) ? output : [output]).map((part) => part?.text ?? JSON.stringify(part)).join('');
}

function codexReply(step) {
  const item =
    step.tool === undefined
      ? { type: 'message', id: fresh('msg_'), role: 'assistant', content: [{ type: 'output_text', text: step.text }] }
      : {
          type: 'function_call',
          id: fresh('fc_'),
          call_id: fresh('call_'),
          namespace: 'mcp__hub',
          name: step.tool,
          arguments: JSON.stringify(step.input ?? {}),
        };
  const id = fresh('resp_');
  const usage = {
    input_tokens: 10,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: 5,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: 15,
  };
  return {
    events: [
      ['response.created', { response: { id, object: 'response', status: 'in_progress' } }],
      ['response.output_item.added', { output_index: 0, item }],
      ['response.output_item.done', { output_index: 0, item }],
      ['response.completed', { response: { id, object: 'response', status: 'completed', output: [item], usage } }],
    ],
  };
}
