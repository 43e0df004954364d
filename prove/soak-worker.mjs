// Some agents of the soak, over HTTP: node soak-worker.mjs '{url, tokens, folder, names, end, seed}'. Each does one thing after the other at the
// pace of a busy model. An answer that does not come (the hub was killed) is asked for again under the same key until it does.

import { History } from './history.mjs';
import { chance, pause } from './hub.mjs';

process.once('disconnect', () => process.exit(1)); // whoever started this is gone

const { url, tokens, folder, names, end, seed } = JSON.parse(process.argv[2]);
/** Between two acts of one agent. */
const THINK_MS = 400;
const RETRY_MS = 250;
const GIVE_UP_MS = 60_000;

await Promise.all(Object.entries(tokens).map(([name, token], index) => live(name, token, chance(seed * 1_000 + index))));
process.exit(0);

async function live(name, token, luck) {
  const history = new History(folder, name);
  const others = names.filter((other) => other !== name);
  let n = 0;
  let receipt;
  const act = (op, tool, args, details = {}) => attempt(history, token, op, tool, args, details);
  while (Date.now() < end) {
    const key = `${name}-${n++}`;
    const roll = luck.next();
    if (roll < 0.4) {
      const body = `${name} ${n}: ${'words '.repeat(20)}`;
      await act('send', 'send', { to: luck.pick(others), body, idempotency_key: key, allow_duplicate: true }, { key, body });
    } else if (roll < 0.85) {
      const ack = receipt;
      const answer = await act('recv', 'recv_batch', { max: 20, ...(ack === undefined ? {} : { ack }) }, { ack });
      receipt = answer?.receipt ?? undefined;
      for (const { ref: ask_id, expects_reply: expected } of answer?.messages ?? [])
        if (expected && ask_id?.startsWith('ask_'))
          await act('answer', 'answer', { ask_id, answer: 'yes', idempotency_key: `${name}-${ask_id}` });
    } else if (roll < 0.9) await act('ask', 'ask', { to: luck.pick(others), question: `may I, ${n}?`, idempotency_key: key });
    else if (roll < 0.93) await act('remind', 'remind', { message: `reminder ${n}`, in_seconds: 5, idempotency_key: key });
    else await act('task', 'create_task', { title: `task ${n}`, assignee: luck.pick(others), idempotency_key: key });
    await pause(THINK_MS * (0.5 + luck.next()));
  }
  history.close();
}

/** Calls until there is an answer; a refusal is one. */
async function attempt(history, token, op, tool, args, details) {
  const deadline = Date.now() + GIVE_UP_MS;
  for (;;) {
    const answer = await history.record(op, details, () => call(token, tool, args));
    if (answer !== undefined) return answer.ok ? answer.result : undefined;
    if (Date.now() > deadline) throw new Error(`${tool}: no answer in ${GIVE_UP_MS} ms`);
    await pause(RETRY_MS);
  }
}

async function call(token, tool, args) {
  const response = await fetch(`${url}/api/${tool}`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify(args),
    signal: AbortSignal.timeout(30_000),
  });
  const body = await response.json();
  return response.ok ? { ok: true, result: body } : { ok: false, error: body };
}
