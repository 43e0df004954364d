// Ten receivers of one inbox at once (C-03): a delivery has one live receipt at any time. Two ways to see that: in the event log every showing
// is one attempt more than the last, with nothing after the acknowledgement; and whoever acknowledged held the newest attempt.

import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { attachment, openHub, PACKAGE, scratch, whenEnded } from './hub.mjs';

const LOOP = fileURLToPath(new URL('inbox-loop.mjs', import.meta.url));

/** `messages` in the inbox; ten receivers in three processes, all with the session of one agent. */
export async function proveReceivers({ messages, root = PACKAGE }) {
  const { folder: home, done } = scratch({ inMemory: true });
  try {
    const hub = await openHub(home, { root });
    const sender = await hub.sessions.attach(attachment('sender'));
    const reader = await hub.sessions.attach(attachment('reader'));
    const bodies = Array.from({ length: messages }, (_, index) => `number ${index}`);
    await Promise.all(bodies.map((body) => hub.messages.send(sender, { to: 'reader', body }, { tool: 'send' })));
    const answers = await Promise.all([4, 3, 3].map((loops) => runLoop({ home, caller: reader, loops, total: messages }, root)));
    const { events, deliveries } = await hub.context.db.read(async (read) => ({
      events: await read.all("SELECT subject, type, data FROM events WHERE type IN ('message.shown', 'message.acked') ORDER BY seq"),
      deliveries: await read.all('SELECT message_id, attempt, state FROM deliveries'),
    }));
    await hub.close();
    return judge(answers, events, deliveries);
  } finally {
    done();
  }
}

function judge(answers, events, deliveries) {
  const bad = [];
  const attempts = new Map();
  for (const { subject, type, data } of events) {
    const { attempt } = JSON.parse(data);
    const last = attempts.get(subject) ?? 0;
    if (type === 'message.shown' && attempt !== last + 1) bad.push(`${subject} was shown as attempt ${attempt} after ${last}`);
    if (type === 'message.acked' && attempt !== last) bad.push(`${subject} was acknowledged at attempt ${attempt}, shown at ${last}`);
    attempts.set(subject, type === 'message.acked' ? Number.NaN : attempt);
  }
  const claims = answers.flatMap(({ acked }) => acked);
  const claimed = new Map(claims);
  if (claimed.size !== claims.length) bad.push(`${claims.length - claimed.size} deliveries were acknowledged twice`);
  for (const { message_id: id, attempt, state } of deliveries) {
    if (state !== 'acked') bad.push(`${id} is ${state}`);
    else if (claimed.get(id) !== attempt) bad.push(`${id}: acknowledged under attempt ${claimed.get(id)}, the live one was ${attempt}`);
  }
  const stale = answers.reduce((sum, answer) => sum + answer.stale, 0);
  return { checked: claims.length, bad, note: `10 receivers, ${events.length - claims.length} showings, ${stale} stale receipts refused` };
}

function runLoop(plan, root) {
  return new Promise((resolve, reject) => {
    const child = fork(LOOP, [JSON.stringify(plan)], {
      env: { ...process.env, PROVE_PACKAGE: root },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    let answer;
    child.on('message', (message) => {
      answer = message;
    });
    whenEnded(child).then(({ code }) => (answer === undefined ? reject(new Error(`a receiver ended with ${code}`)) : resolve(answer)));
  });
}
