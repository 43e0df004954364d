// A scripted GPT: the OpenAI Responses protocol, just enough of it to drive the real Codex. Side requests (titles, summaries) get a text;
// the others go to the script. The script may be changed while the client runs.

import { AGAIN_MS, fresh, modelServer, sleep } from './model-server.mjs';
import { viewOf } from './view.mjs';

/** @param {(view: any) => any} script @param {{server?: string}} options `server`: namespace of the hub's tools */
export async function scriptedCodex(script, { server = 'mcp__hub' } = {}) {
  const model = { script, server };
  const http = await modelServer(async ({ url, method, body, keep }) => {
    if (method === 'GET' && url.includes('/models')) return { json: { object: 'list', data: [], models: [] } };
    if (method !== 'POST' || !url.includes('/responses')) return { status: 404 };
    const view = viewOf(conversation(body), { kind: kindOf(body), body });
    keep(view);
    if (view.kind !== 'turn') return reply({ text: 'ok' }, model.server);
    if (view.early) await sleep(AGAIN_MS);
    return reply(await model.script(view), model.server);
  });
  return Object.assign(model, http, { turns: () => http.seen.filter((one) => one.kind === 'turn') });
}

/** A turn offers many tools; a request for a title offers one, a compaction none. */
function kindOf(body) {
  const tools = (body?.tools ?? []).length;
  return tools === 0 ? 'compaction' : tools === 1 ? 'side' : 'turn';
}

function conversation(body) {
  return (body?.input ?? []).map((item) => {
    if (item.type === 'function_call_output') return { kind: 'result', text: outputText(item.output) };
    if (item.type !== 'message') return { kind: 'call', text: item.name ?? '' };
    const text = (item.content ?? []).map((part) => part.text ?? '').join('');
    return { kind: item.role === 'assistant' ? 'said' : 'news', text };
  });
}

function outputText(output) {
  if (typeof output === 'string') return output;
  return (Array.isArray(output) ? output : [output]).map((part) => part?.text ?? JSON.stringify(part)).join('');
}

function reply(step, server) {
  const calls = (step.calls ?? (step.tool === undefined ? [] : [step])).map((one) => ({
    type: 'function_call',
    id: fresh('fc_'),
    call_id: fresh('call_'),
    ...(one.own ? {} : { namespace: server }),
    name: one.tool,
    arguments: JSON.stringify(one.input ?? {}),
  }));
  const words = step.text === undefined ? [] : [{ type: 'output_text', text: step.text }];
  const said = words.length === 0 ? [] : [{ type: 'message', id: fresh('msg_'), role: 'assistant', content: words }];
  const items = [...said, ...calls];
  const id = fresh('resp_');
  const input_tokens = step.tokens ?? 1000;
  const usage = {
    input_tokens,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: 5,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: input_tokens + 5,
  };
  return {
    delay: step.delay,
    events: [
      ['response.created', { response: { id, object: 'response', status: 'in_progress' } }],
      ...items.flatMap((item, output_index) => [
        ['response.output_item.added', { output_index, item }],
        ['response.output_item.done', { output_index, item }],
      ]),
      ['response.completed', { response: { id, object: 'response', status: 'completed', output: items, usage } }],
    ],
  };
}
