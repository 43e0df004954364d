// What a model sees, in the words a script needs: `results` are the results of its own tool calls and `news` the other words (prompts, mail
// hints, wake-ups) since it last ended a turn, `latest` those since the last result, `told` all. A script answers with {tool, input},
// {calls: [...]} or {text}.

/** What a client says of a tool whose server it has not started yet; the model then tries again, and its script knows nothing of it. */
const TOO_EARLY = /unsupported call: |No such tool available/;
const TOO_OFTEN = 200;

/** What a tool result says: its JSON when it is some, else {text}. */
export function toResult(text) {
  const start = text.indexOf('{');
  try {
    return JSON.parse(start > 0 ? text.slice(start, text.lastIndexOf('}') + 1) : text);
  } catch {
    return { text };
  }
}

/** @param {{kind: 'call' | 'result' | 'said' | 'news', text?: string}[]} all the conversation, oldest first */
export function viewOf(all, { kind, body }) {
  const isEarly = (item) => item.kind === 'result' && TOO_EARLY.test(item.text ?? '');
  const items = all.filter(isEarly).length > TOO_OFTEN ? all : all.filter((item) => !isEarly(item));
  const lastResult = all.findLast((item) => item.kind === 'result');
  const lastWord = items.findLastIndex((item) => item.kind === 'said');
  const turn = items.slice(lastWord + 1);
  const texts = (some, which) => some.filter((item) => item.kind === which).map((item) => item.text ?? '');
  return {
    kind,
    body,
    early: lastResult !== undefined && isEarly(lastResult),
    results: texts(turn, 'result').map(toResult),
    allResults: texts(items, 'result').map(toResult),
    news: texts(turn, 'news').join('\n'),
    latest: texts(items.slice(items.findLastIndex((item) => item.kind === 'said' || item.kind === 'result') + 1), 'news').join('\n'),
    told: texts(items, 'news'),
  };
}

/** A script that is one list of steps for the whole life of a client: step i answers when i tool results have been seen. */
export const steps = (list) => (view) => {
  const step = list[view.allResults.length];
  return step === undefined ? { text: 'DONE' } : step(view.allResults.at(-1) ?? {}, view.allResults);
};

export const call =
  (tool, input = {}) =>
  () => ({ tool, input });
