// The commands of the property test: each is given to the real hub and to the model, and what comes back must be what the model says.

import assert from 'node:assert/strict';
import { CAST } from './model.mjs';

const NAMES = CAST.map(({ name }) => name);

/** What an operation came to: its value, or the code of its refusal. Anything but a refusal is a defect and fails the property. */
async function outcome(operation) {
  try {
    return { value: await operation() };
  } catch (error) {
    if (error?.name === 'HubError') return { code: error.code };
    throw error;
  }
}

/** One class for all: a name to print, and what it does to model and hub. */
class Command {
  constructor(label, act) {
    this.label = label;
    this.act = act;
  }
  check() {
    return true;
  }
  async run(model, real) {
    await this.act(model, real);
    await compare(model, real);
  }
  toString() {
    return this.label;
  }
}

/** All deliveries and messages, held against the model's: I1, I2, I3, I5 and the state of each. */
async function compare(model, real) {
  const { rows, sent } = await real.hub.context.db.read(async (read) => ({
    rows: await read.all('SELECT message_id, recipient_id, seq, sender_seq, state, attempt FROM deliveries ORDER BY seq, recipient_id'),
    sent: await read.all('SELECT id, seq FROM messages ORDER BY seq'),
  }));
  const names = new Map([...real.callers.values()].map(({ agentId, name }) => [agentId, name]));
  const line = (...parts) => parts.join(' ');
  const found = rows.map((row) => line(row.seq, row.message_id, names.get(row.recipient_id), row.sender_seq, row.state, row.attempt));
  const wanted = [...model.inboxes].flatMap(([name, inbox]) =>
    inbox.map((one) => line(one.seq, one.id, name, one.senderSeq, one.state, one.attempt)),
  );
  assert.deepEqual(found.sort(), wanted.sort());
  assert.deepEqual(
    sent.map((row) => line(row.id, row.seq)),
    [...model.messages.values()].map(({ id, seq }) => line(id, seq)),
  );
}

async function send(model, real, given) {
  const draft = { ...given, reply: visible(model, given) };
  const args = { to: given.to, body: given.body, urgent: given.urgent, reply: given.replyTo, expires: given.expiresInMs };
  const answer = await outcome(() =>
    real.hub.messages.send(
      real.callers.get(given.from),
      {
        to: given.to,
        body: given.body,
        urgent: given.urgent,
        inReplyTo: [...model.messages.keys()][given.replyTo],
        expiresInMs: given.expiresInMs,
        allowDuplicate: given.again,
      },
      { tool: 'send', key: given.key, args },
    ),
  );
  const known = given.key === undefined ? undefined : model.keys.get(`send ${given.from} ${given.key}`);
  if (known !== undefined) return sameAsBefore(model, known, args, answer, ({ message_id, seq }) => `${message_id} ${seq}`);
  if (model.recipients(given.from, given.to).length === 0) return assert.equal(answer.code, 'not_found');
  assert.equal(answer.code, undefined);
  const { message_id: id, seq, replayed } = answer.value;
  const repeat = given.key === undefined && !given.again ? model.repeatOf(draft) : undefined;
  if (repeat !== undefined) model.saw('words repeated');
  if (repeat !== undefined) return assert.deepEqual([id, seq, replayed], [repeat.id, repeat.seq, true]);
  assert.equal(replayed, undefined);
  assert.ok(seq > model.lastSeq, 'I3: seq increases in commit order');
  model.accept(id, seq, draft);
  if (given.key !== undefined) model.keys.set(`send ${given.from} ${given.key}`, { args: JSON.stringify(args), result: `${id} ${seq}` });
}

/** I8: the same key with the same arguments is the same result; with others it is a conflict. */
function sameAsBefore(model, known, args, answer, brief) {
  model.saw(known.args === JSON.stringify(args) ? 'key repeated' : 'key reused');
  if (known.args !== JSON.stringify(args)) return assert.equal(answer.code, 'conflict');
  assert.equal(answer.code, undefined);
  assert.equal(answer.value.replayed, true);
  assert.equal(brief(answer.value), known.result);
}

function visible(model, { from, replyTo }) {
  const message = [...model.messages.values()][replyTo];
  const mine = message && model.delivery(from, message.id);
  return message !== undefined && (message.from === from || (mine !== undefined && mine.state !== 'recalled')) ? message.id : undefined;
}

async function receive(model, real, { name, max, echo, key }) {
  const receipt = chosen(model, name, echo);
  const args = { max, receipt };
  const answer = await outcome(() =>
    real.hub.inbox.receive(
      real.callers.get(name),
      { max, maxBytes: 32_768, waitMs: 0, peek: false, ack: receipt },
      { tool: 'recv_batch', key, args },
    ),
  );
  const known = key === undefined ? undefined : model.keys.get(`recv ${name} ${key}`);
  if (known !== undefined) {
    sameAsBefore(model, known, args, answer, () => known.result);
    if (answer.value !== undefined) assertShown(model, name, answer.value, stillUnder(model, name, known));
    return;
  }
  const acked = receipt === undefined ? [] : model.under(name, receipt);
  if (acked === undefined) model.saw('stale receipt');
  if (acked === undefined) return assert.equal(answer.code, 'stale_receipt');
  assert.equal(answer.code, undefined);
  assert.equal(answer.value.acked, acked.length);
  for (const id of acked) model.settle(name, id);
  const batch = model.expected(name, max);
  if (batch.some(({ attempt }) => attempt > 0)) model.saw('shown again');
  if (batch.some(({ crashes }) => crashes >= 2)) model.saw('shown singly');
  if (batch.length > 0) model.show(name, batch, answer.value.receipt);
  assertShown(model, name, answer.value, batch);
  const result = { args: JSON.stringify(args), result: answer.value.receipt, ids: batch.map(({ id }) => id) };
  if (key !== undefined) model.keys.set(`recv ${name} ${key}`, result);
}

/** C3, C4, I4, I6: exactly these, in this order, each with its attempt. */
function assertShown(_model, _name, answer, batch) {
  assert.deepEqual(
    answer.messages.map(({ id, seq, senderSeq, attempt }) => [id, seq, senderSeq, attempt]),
    batch.map(({ id, seq, senderSeq, attempt }) => [id, seq, senderSeq, attempt]),
  );
  assert.equal(answer.receipt === null, batch.length === 0);
}

function stillUnder(model, name, { ids, result }) {
  return ids.map((id) => model.delivery(name, id)).filter(({ state, receipt }) => state === 'leased' && receipt === result);
}

/** Which receipt a command echoes: none, the newest of this agent, or any that was ever printed, for whomever. */
function chosen(model, name, echo) {
  if (echo === 'none') return undefined;
  if (echo === 'newest') return model.receipts.filter((one) => one.name === name).at(-1)?.receipt;
  return model.receipts[echo % Math.max(1, model.receipts.length)]?.receipt;
}

async function acknowledge(model, real, { name, echo }) {
  const receipt = chosen(model, name, echo);
  if (receipt === undefined) return;
  const answer = await outcome(() => real.hub.inbox.acknowledge(real.callers.get(name), { receipt, delayMs: 0 }, { tool: 'ack' }));
  const wanted = model.under(name, receipt);
  if (wanted === undefined) return assert.equal(answer.code, 'stale_receipt');
  assert.deepEqual(answer.value?.acked.sort(), [...wanted].sort());
  for (const id of wanted) model.settle(name, id);
}

async function byId(model, real, { name, which, delayMs }) {
  const id = [...model.messages.keys()][which];
  if (id === undefined) return;
  const request = delayMs === undefined ? { ids: [id], delayMs: 0 } : { nackIds: [id], delayMs };
  const answer = await outcome(() => real.hub.inbox.acknowledge(real.callers.get(name), request, { tool: 'ack' }));
  if (model.delivery(name, id) === undefined) return assert.equal(answer.code, 'not_found');
  if (delayMs === undefined) assert.deepEqual(answer.value?.acked, model.settle(name, id) ? [id] : []);
  else model.saw('returned');
  if (delayMs !== undefined) assert.deepEqual(answer.value?.returned, model.giveBack(name, id, delayMs) ? [id] : []);
}

async function takeOver(model, real, name) {
  real.older.push(real.callers.get(name));
  real.callers.set(name, await real.attach(real.hub, name));
  model.supersede(name);
}

/** C5: whatever an older session tries is refused, and `compare` sees that nothing changed. */
async function actAsOlder(model, real, which) {
  const older = real.older[which % Math.max(1, real.older.length)];
  if (older === undefined) return;
  const { messages, inbox } = real.hub;
  const tries = [
    () => messages.send(older, { to: 'ana,ben,cal', body: 'from the past', allowDuplicate: true }, { tool: 'send' }),
    () => inbox.receive(older, { max: 5, maxBytes: 32_768, waitMs: 0, peek: false }, { tool: 'recv_batch', key: 'old', args: {} }),
    () => inbox.acknowledge(older, { ids: ['msg_none'], delayMs: 0 }, { tool: 'ack' }),
  ];
  model.saw('older session');
  for (const attempt of tries) assert.equal((await outcome(attempt)).code, 'stale_session');
}

/** Sequences of commands. `fc` is fast-check, given so that this file needs no dependency of its own. */
export function commandsOf(fc, maxCommands) {
  const name = fc.constantFrom(...NAMES);
  const index = fc.nat(12);
  // Absent once in `freq` times.
  const maybe = (arbitrary, freq = 2) => fc.option(arbitrary, { nil: undefined, freq });
  const echo = fc.oneof(fc.constantFrom('none', 'newest', 'newest'), index);
  const key = maybe(fc.constant('k'), 2);
  const draft = fc.record({
    from: name,
    to: fc.constantFrom('ana', 'ben', 'cal', 'ana,cal', '*', 'any:worker', 'role:worker', 'role:planner'),
    body: fc.constantFrom('please look', 'done', 'thanks', 'build is red'),
    urgent: fc.boolean(),
    replyTo: maybe(index),
    expiresInMs: maybe(fc.constantFrom(1_000, 30_000), 2),
    again: fc.boolean(),
    key,
  });
  const print = (label, given) => `${label}(${JSON.stringify(given)})`;
  const command = (label, arbitrary, act) =>
    arbitrary.map((given) => new Command(print(label, given), (model, real) => act(model, real, given)));
  const sends = command('send', draft, send);
  // Few arguments, so that keys and words do meet again.
  const keyed = fc.record({ from: name, to: fc.constantFrom('ben', '*'), body: fc.constant('again'), urgent: fc.constant(false), key });
  const receives = command('receive', fc.record({ name, max: fc.integer({ min: 1, max: 6 }), echo, key }), receive);
  return fc.commands(
    [
      sends,
      sends,
      command('sendAgain', keyed, send),
      receives,
      receives,
      command('ack', fc.record({ name, echo }), acknowledge),
      command('ackId', fc.record({ name, which: index }), byId),
      command('nack', fc.record({ name, which: index, delayMs: fc.constantFrom(0, 5_000, 40_000) }), byId),
      command('takeover', name, takeOver),
      command('older', index, actAsOlder),
      command('restart', fc.constant(null), async (model, real) => {
        await real.restart();
        model.restart();
      }),
      command('advance', fc.constantFrom(1, 900, 10_000, 61_000), (model, real, ms) => {
        real.clock.advance(ms);
        model.now += ms;
      }),
      command('expire', fc.constant(null), async (model, real) => {
        await real.hub.deliveries.expireDue();
        model.expire();
      }),
    ],
    { maxCommands, size: 'max' },
  );
}
