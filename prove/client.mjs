// One client of the crash proof, as a process of its own that may be killed at any instant: node client.mjs '{home, folder, name, ...}'.
// It sends its share of messages under keys, receives, acknowledges, returns some, and on a restart first repeats, under the same key,
// every send whose outcome it does not know. It also tries what must be refused: stale receipts, old sessions, reused keys.

import { directDoor, stdioDoor } from './doors.mjs';
import { History, isUnknown, readOwn } from './history.mjs';
import { chance, pause } from './hub.mjs';

process.once('disconnect', () => process.exit(1)); // whoever started this is gone

const plan = JSON.parse(process.argv[2]);
const { home, folder, name, names, count, door: kind } = plan;
const past = readOwn(folder, name);
const history = new History(folder, name);
const luck = chance(plan.seed + past.length);
const others = names.filter((other) => other !== name);

const door = await openDoor();
process.send?.({ pid: door.pid });
const SIGNS = [
  ...'abc ABC 019 \n\r\t|"\'`\\/<>&{}[]$%;:,äßé€語한🐦👩‍🚀',
  '\n\n',
  '\r\n',
  '--',
  '/*',
  '\u2028',
  '\u202e',
  '\u00a0',
  'e\u0301',
  '\\n',
  '%00',
  '\ufeff',
];
let receipt; // of the batch that was shown last and is not acknowledged yet
let shown = [];
for (const unknown of openSends(past)) await send(unknown);
for (let next = nextNumber(past); next < count; next++) {
  await send(draft(next));
  const roll = luck.next();
  if (roll < 0.3) await receive(true);
  else if (roll < 0.36) await receive(false);
  else if (roll < 0.4) await acknowledge();
  else if (roll < 0.45) await giveBack();
  else if (roll < 0.46) await tryStaleReceipt();
  else if (roll < 0.47) await tryRefusedSend(next);
  else if (roll < 0.48) await tryOtherArguments(next);
  else if (roll < 0.486 && door.fence !== undefined) await tryOldSession();
}
history.write({ op: 'done', phase: 'info' });
process.send?.({ sent: true });
await drain();
await door.close();
history.close();
process.exit(0);

/** A name may be held for a moment by the session of the process that was killed just now; and a server may be away for longer. */
async function openDoor() {
  const end = performance.now() + 60_000;
  for (;;) {
    try {
      const opened = await (kind === 'stdio' ? stdioDoor : directDoor)(home, name);
      const answer = await opened.call('recv_batch', { max: 0 });
      if (answer.ok) return opened;
      await opened.close();
      if (performance.now() > end) throw new Error(answer.error.message);
    } catch (error) {
      if (performance.now() > end) throw error;
    }
    await pause(50);
  }
}

/** An unknown outcome means that a server was killed, its own or the database's: this process goes on by starting over. */
async function call(op, details, tool, args) {
  for (;;) {
    const answer = await history.record(op, details, () => door.call(tool, args));
    if (answer === undefined) process.exit(9);
    const isVague = !answer.ok && isUnknown(answer.error);
    if (isVague && op !== 'send') process.exit(9);
    if (answer.ok || answer.error.code !== 'unavailable') return answer;
    await pause(50 + luck.below(200)); // the database is away; under the same key the call happens once
  }
}

function draft(number) {
  const roll = luck.next();
  const to = roll < 0.85 ? luck.pick(others) : roll < 0.95 ? others.slice(0, 2).join(',') : '*';
  return {
    to,
    body: `${name} ${number}: ${anything()}`,
    urgent: luck.next() < 0.05,
    key: `${name}-${number}`,
  };
}

/** Words that have broken mailboxes: line ends, quotes, pipes, escapes, signs beyond the first plane, marks that turn the line around. */
function anything() {
  return Array.from({ length: luck.below(200) }, () => luck.pick(SIGNS)).join('');
}

async function send({ to, body, urgent, key }) {
  const args = { to, body, idempotency_key: key, allow_duplicate: true, ...(urgent ? { priority: 'urgent' } : {}) };
  await call('send', { key, to, body, urgent }, 'send', args);
}

async function receive(andAck, waitSeconds = 0) {
  const ack = andAck ? receipt : undefined;
  const answer = await call('recv', { ack }, 'recv_batch', { max: 32, wait_seconds: waitSeconds, ...(ack === undefined ? {} : { ack }) });
  if (!answer.ok) receipt = undefined;
  if (!answer.ok) return;
  receipt = answer.result.receipt ?? undefined;
  shown = answer.result.messages.map(({ id }) => id);
}

async function acknowledge() {
  if (receipt === undefined) return;
  await call('ack', { receipt }, 'ack', { receipt });
  receipt = undefined;
}

async function giveBack() {
  if (receipt === undefined || shown.length === 0) return;
  await call('nack', { ids: [shown[0]] }, 'ack', { nack_ids: [shown[0]], delay_seconds: luck.below(2) / 10 });
}

async function tryStaleReceipt() {
  await receive(false);
  const old = receipt;
  await receive(false);
  if (old !== undefined && receipt !== undefined && old !== receipt) await call('stale-receipt', { receipt: old }, 'ack', { receipt: old });
}

async function tryRefusedSend(number) {
  const body = `${name} refused ${number}`;
  const key = `${name}-refused-${number}`;
  await call('refused', { key, body }, 'send', { to: `${others[0]},nobody-here`, body, idempotency_key: key });
}

async function tryOtherArguments(number) {
  const key = `${name}-${number}`;
  const body = `${name} conflicting ${number}`;
  await call('conflict', { key, body }, 'send', { to: others[0], body, idempotency_key: key });
}

async function tryOldSession() {
  // Whether the new session began is not known when the database was away: this process starts over.
  const callOld = await door.fence().catch(() => process.exit(9));
  const answer = await history.record('stale-session', {}, () => callOld('recv_batch', { max: 1 }));
  if (answer === undefined) process.exit(9);
}

/** Everything that was sent to this client is acknowledged before it ends; it waits until the others have sent theirs. */
async function drain() {
  let mayEnd = false;
  process.on('message', () => {
    mayEnd = true;
  });
  for (let idle = 0; idle < 2; ) {
    await receive(true, mayEnd ? 0.1 : 0.5);
    idle = mayEnd && receipt === undefined ? idle + 1 : 0;
  }
}

/** Sends that were begun and never answered, in order. */
function openSends(lines) {
  const open = new Map();
  for (const { op, phase, code, key, to, body, urgent } of lines) {
    if (op !== 'send') continue;
    if (phase === 'ok' || (phase === 'fail' && code !== 'unavailable')) open.delete(key);
    else open.set(key, { to, body, urgent, key });
  }
  return [...open.values()];
}

function nextNumber(lines) {
  const numbers = lines.filter(({ op }) => op === 'send').map(({ key }) => Number(key.slice(key.lastIndexOf('-') + 1)));
  return numbers.reduce((most, number) => Math.max(most, number + 1), 0);
}
