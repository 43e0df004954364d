// A client of the fault proofs, as a process of its own: node sender.mjs '{home, folder, name, to, count}'. It sends one message after the other under
// keys and reads what it was sent, until it is killed or has sent `count`. On a restart it first repeats every send whose outcome it does not know.
// Its history stands outside the disk that is tormented, so what it was told survives what the disk forgets.

import { directDoor } from '../doors.mjs';
import { History, readOwn } from '../history.mjs';
import { pause } from '../hub.mjs';

process.once('disconnect', () => process.exit(1)); // whoever started this is gone

const { home, folder, name, to, count = Number.POSITIVE_INFINITY, padding = 0 } = JSON.parse(process.argv[2]);
/** After a refusal: enough for the disk to change its mind, little enough to meet it again often. */
const AFTER_REFUSAL_MS = 5;

const past = readOwn(folder, name);
const history = new History(folder, name);
const door = await directDoor(home, name);
process.send?.({ pid: process.pid });
let next = nextNumber(past);
let receipt;

for (const { key, body } of unanswered(past)) await send(key, body);
for (let sent = 0; sent < count; sent++) {
  await send(`${name}-${next}`, `${name} ${next} ${'x'.repeat(padding)}`);
  next += 1;
  if (sent % 4 === 3) await receive();
}
await door.close();
history.close();
process.exit(0);

async function send(key, body) {
  const answer = await history.record('send', { key, body }, () =>
    door.call('send', { to, body, idempotency_key: key, allow_duplicate: true }),
  );
  if (answer === undefined) process.exit(9);
  if (!answer.ok) await pause(AFTER_REFUSAL_MS);
}

async function receive() {
  const ack = receipt;
  const answer = await history.record('recv', { ack }, () => door.call('recv_batch', { max: 8, ...(ack === undefined ? {} : { ack }) }));
  if (answer === undefined) process.exit(9);
  receipt = answer.ok ? (answer.result.receipt ?? undefined) : undefined;
}

/** Sends that were begun and have no answer, in order: they may have happened. */
function unanswered(lines) {
  const open = new Map();
  for (const { op, phase, key, body } of lines) {
    if (op !== 'send') continue;
    if (phase === 'ok' || phase === 'fail') open.delete(key);
    else open.set(key, { key, body });
  }
  return [...open.values()];
}

function nextNumber(lines) {
  return lines.filter(({ op }) => op === 'send').reduce((most, { key }) => Math.max(most, Number(key.split('-')[1]) + 1), 0);
}
