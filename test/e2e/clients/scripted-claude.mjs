// A scripted Claude: the Anthropic Messages protocol, just enough of it to drive the real Claude Code. Side requests (titles, summaries)
// get a text; the others go to the script. The script may be changed while the client runs.

import { AGAIN_MS, fresh, modelServer, sleep } from './model-server.mjs';
import { viewOf } from './view.mjs';

/** Claude Code's own marks of a request that is not a turn. */
const COMPACTION = 'CRITICAL: Respond with TEXT ONLY';

/** @param {(view: any) => any} script @param {{server?: string}} options `server`: prefix of the hub's tool names */
export async function scriptedClaude(script, { server = 'mcp__hub__' } = {}) {
  const model = { script, server };
  const http = await modelServer(async ({ url, method, body, keep }) => {
    if (url.startsWith('/v1/messages/count_tokens')) return { json: { input_tokens: 100 } };
    if (method !== 'POST' || !url.startsWith('/v1/messages'))
      return { status: method === 'HEAD' ? 200 : 404, json: { type: 'error', error: { type: 'not_found_error', message: 'not found' } } };
    const view = viewOf(conversation(body), { kind: kindOf(body), body });
    keep(view);
    if (view.kind !== 'turn') return reply(body, { text: 'ok' }, model.server);
    if (view.early) await sleep(AGAIN_MS);
    return reply(body, await model.script(view), model.server);
  });
  return Object.assign(model, http, { turns: () => http.seen.filter((one) => one.kind === 'turn') });
}

function kindOf(body) {
  if ((body.tools ?? []).length === 0) return 'side';
  return JSON.stringify(body.messages?.slice(-3) ?? '').includes(COMPACTION) ? 'compaction' : 'turn';
}

function conversation(body) {
  return (body.messages ?? []).flatMap((message) => {
    const blocks = typeof message.content === 'string' ? [{ type: 'text', text: message.content }] : (message.content ?? []);
    if (message.role === 'assistant') {
      const calls = blocks.some((block) => block.type === 'tool_use');
      return blocks.map((block) => ({ kind: calls ? 'call' : 'said', text: block.text ?? block.name }));
    }
    return blocks.map((block) =>
      block.type === 'tool_result' ? { kind: 'result', text: plainText(block.content) } : { kind: 'news', text: block.text },
    );
  });
}

function plainText(content) {
  return typeof content === 'string' ? content : (content ?? []).map((part) => part.text ?? '').join('');
}

function reply(body, step, server) {
  const content = [];
  if (step.text !== undefined) content.push({ type: 'text', text: step.text });
  for (const one of step.calls ?? (step.tool === undefined ? [] : [step]))
    content.push({ type: 'tool_use', id: fresh('toolu_'), name: one.own ? one.tool : `${server}${one.tool}`, input: one.input ?? {} });
  const stop_reason = content.some((block) => block.type === 'tool_use') ? 'tool_use' : 'end_turn';
  const usage = { input_tokens: step.tokens ?? 1000, cache_read_input_tokens: 0, cache_creation_input_tokens: 0, output_tokens: 20 };
  const id = fresh('msg_');
  const message = { id, type: 'message', role: 'assistant', model: body.model, content: [], stop_reason: null, stop_sequence: null, usage };
  if (!body.stream) return { json: { ...message, content, stop_reason }, delay: step.delay };
  const blocks = content.flatMap((block, index) => [
    ['content_block_start', { index, content_block: block.type === 'text' ? { type: 'text', text: '' } : { ...block, input: {} } }],
    [
      'content_block_delta',
      {
        index,
        delta:
          block.type === 'text'
            ? { type: 'text_delta', text: block.text }
            : { type: 'input_json_delta', partial_json: JSON.stringify(block.input) },
      },
    ],
    ['content_block_stop', { index }],
  ]);
  const end = [
    ['message_delta', { delta: { stop_reason, stop_sequence: null }, usage }],
    ['message_stop', {}],
  ];
  return { events: [['message_start', { message }], ...blocks, ...end], delay: step.delay };
}
