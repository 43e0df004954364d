// Checks of what callers were told, as far as it stands in their histories alone: a failure that says that nothing was changed has changed nothing,
// and no defect reaches a caller.

/** A key whose every earlier try was definitely in vain cannot have a result yet. */
export function unchanged({ history }) {
  const bad = [];
  let checked = 0;
  const maybe = new Set();
  const vain = new Set();
  for (const { op, phase, client, id, key, code, result } of history) {
    if (op !== 'send') continue;
    const call = `${client} ${id}`;
    if (phase === 'invoke') maybe.add(`${key} ${call}`);
    if (phase === 'fail') maybe.delete(`${key} ${call}`);
    if (phase === 'fail' && code === 'unavailable') vain.add(key);
    if (phase !== 'ok') continue;
    maybe.delete(`${key} ${call}`);
    if (!vain.has(key)) continue;
    checked += 1;
    if (result.replayed === true && ![...maybe].some((open) => open.startsWith(`${key} `)))
      bad.push(`${key} was told to have changed nothing, and had its result already`);
  }
  return { checked, bad, note: `${vain.size} sends failed definitely and were repeated` };
}

export function noInternal({ history }) {
  const answered = history.filter(({ phase }) => phase === 'ok' || phase === 'fail');
  const bad = history.filter(({ code }) => code === 'internal').map(({ client, op, message }) => `${client} ${op}: ${message}`);
  const [away, unknown] = ['fail', 'info'].map(
    (outcome) => history.filter(({ phase, code }) => phase === outcome && code === 'unavailable').length,
  );
  return { checked: answered.length, bad, note: `${away} calls failed definitely, ${unknown} with an unknown outcome` };
}

export function noDefects({ history }) {
  const answered = history.filter(({ phase }) => phase === 'ok' || phase === 'fail');
  const bad = history
    .filter(
      ({ phase, code, message = '', error = '' }) =>
        code === 'internal' || code === 'unavailable' || (phase === 'fail' && /BUSY|locked/.test(`${message} ${error}`)),
    )
    .map(({ client, op, message }) => `${client} ${op}: ${message}`);
  return { checked: answered.length, bad };
}
