// The history checker: holds what the clients were told against what the database says and reports one line per invariant.
// The log is totally ordered and ids are unique, so every check is a comparison of sets and orders in O(n).
// An unknown outcome (an invocation without an answer) may or may not have happened; a definite one binds.

import { noDefects, noInternal, unchanged } from './check-answers.mjs';
import { decidedOnce } from './check-approvals.mjs';
import { groupBy } from './evidence.mjs';
import { fingerprint } from './history.mjs';

/** Every check: its name, what it means, and a function that answers { checked, bad: [sentence] }. */
export const CHECKS = [
  ['I1', 'every accepted send is there, for every recipient', acceptedPresent],
  ['I2', 'nothing is there that was refused or that nobody sent', refusedAbsent],
  ['I3', 'seq strictly increasing, sender_seq contiguous from 1', numbered],
  ['I4', 'first shown in seq order, per recipient and priority', shownInOrder],
  ['C-02', 'what was shown is what was sent, byte for byte', shownAsSent],
  ['I5', 'accepted = ready + leased + acked + dead + expired + recalled', conserved],
  ['I6', 'what is acknowledged is never shown again', ackedIsOver],
  ['I8', 'one key, one result', oneKeyOneResult],
  ['I12', 'the event chain verifies', chained],
  ['I13', 'integrity_check and foreign_key_check are clean', intact],
  ['I14', 'everything reached an end while its reader lived', finished],
  ['C4', 'acknowledged only by an echo of the current receipt', ackedByEcho],
  ['C5', 'an older session can do nothing', fenced],
  ['T-7', 'no defect and no SQLITE_BUSY reached a caller', noDefects],
];

/** On a server that is restarted meanwhile calls may fail, but what they say must be true. */
export const SERVER_CHECKS = [
  ...CHECKS.filter(([id]) => id !== 'T-7' && id !== 'I13'),
  ['S-34', 'what was told to have changed nothing had not happened', unchanged],
  ['S-34', 'no defect reached a caller', noInternal],
];

/** What is checked of the race for approvals. */
export const APPROVAL_CHECKS = [
  ['I9', 'one decision and at most one use per approval, each told to one', decidedOnce],
  ['I12', 'the event chain verifies', chained],
  ['I13', 'integrity_check and foreign_key_check are clean', intact],
  ['T-7', 'no defect and no SQLITE_BUSY reached a caller', noDefects],
];

/** Runs the checks on what evidence.mjs gathered. */
export function check(evidence, checks = CHECKS) {
  return checks.map(([id, title, run]) => ({ id, title, ...run(evidence) }));
}

function acceptedPresent({ history, byId, deliveries }) {
  const delivered = new Set(deliveries.map(({ message_id, to }) => `${message_id} ${to}`));
  const accepted = history.filter(({ op, phase }) => op === 'send' && phase === 'ok');
  const bad = [];
  for (const { key, body, result } of accepted) {
    const message = byId.get(result.message_id);
    if (message === undefined) bad.push(`${key}: accepted as ${result.message_id}, missing`);
    else if (message.body !== body || message.seq !== result.seq) bad.push(`${key}: stored with another body or seq`);
    for (const to of result.to) if (!delivered.has(`${result.message_id} ${to}`)) bad.push(`${key}: no delivery for ${to}`);
  }
  return { checked: accepted.length, bad };
}

function refusedAbsent({ history, byBody }) {
  const bad = [];
  const sends = history.filter(({ op }) => op === 'send' || op === 'refused' || op === 'conflict');
  // What was accepted once may be refused as a repeat; what was cut off once may have happened.
  const accepted = new Set(sends.filter(({ phase }) => phase === 'ok' || phase === 'info').map(({ body }) => body));
  const failed = sends.filter(({ phase, body }) => phase === 'fail' && !accepted.has(body));
  for (const { body, code, message } of failed)
    if (byBody.has(body)) bad.push(`"${body}" is stored although it was refused (${code}: ${message})`);
  const tried = new Set(sends.map(({ body }) => body));
  for (const body of byBody.keys()) if (!tried.has(body)) bad.push(`"${body}" is stored and nobody sent it`);
  return { checked: failed.length, bad };
}

function numbered({ history, messages, deliveries, events }) {
  const bad = [];
  let last = 0;
  for (const { seq } of events) {
    if (seq !== last + 1) bad.push(`event ${seq} follows ${last}`);
    last = seq;
  }
  const sentAs = new Map(events.filter(({ type }) => type === 'message.sent').map(({ subject, seq }) => [subject, seq]));
  for (const { id, seq } of messages) if (sentAs.get(id) !== seq) bad.push(`message ${id} has seq ${seq}, its event ${sentAs.get(id)}`);
  for (const [pair, list] of groupBy(deliveries, ({ from, to }) => `${from} -> ${to}`)) {
    for (const [index, { sender_seq }] of list.entries())
      if (sender_seq !== index + 1) bad.push(`${pair}: ${sender_seq} in place ${index + 1}`);
  }
  const fresh = history.filter(({ op, phase, result }) => op === 'send' && phase === 'ok' && result.replayed !== true);
  for (const [client, list] of groupBy(fresh, (entry) => entry.client)) {
    for (const [index, { result }] of list.entries()) {
      if (index > 0 && result.seq <= list[index - 1].result.seq)
        bad.push(`${client}: seq ${result.seq} after ${list[index - 1].result.seq}`);
    }
  }
  return { checked: events.length + deliveries.length, bad };
}

function shownInOrder({ history, events, byId }) {
  const bad = [];
  let checked = 0;
  const follow = (source) => {
    const latest = new Map();
    return (to, urgent, seq) => {
      const lane = `${to}${urgent ? ' urgent' : ''}`;
      if (seq <= (latest.get(lane) ?? 0)) bad.push(`${source}: ${lane} was shown ${seq} after ${latest.get(lane)}`);
      latest.set(lane, seq);
      checked += 1;
    };
  };
  const inLog = follow('log');
  for (const { type, subject, data } of events) {
    const message = type === 'message.shown' && data.attempt === 1 ? byId.get(subject) : undefined;
    if (message !== undefined) inLog(data.to, message.urgent === 1, message.seq);
  }
  const inHistory = follow('client');
  const seen = new Set();
  for (const { client, message } of received(history)) {
    if (seen.has(`${client} ${message.id}`)) continue;
    seen.add(`${client} ${message.id}`);
    inHistory(client, message.urgent, message.seq);
  }
  return { checked, bad };
}

function shownAsSent({ history, byId }) {
  const bad = [];
  const prints = new Map();
  const all = received(history);
  for (const { client, message } of all) {
    const { body } = byId.get(message.id) ?? {};
    if (body === undefined) continue; // I1 says so
    if (!prints.has(message.id)) prints.set(message.id, fingerprint(body));
    if (prints.get(message.id) !== message.print) bad.push(`${client} was shown ${message.id} in other words than were sent`);
  }
  return { checked: all.length, bad };
}

function conserved({ deliveries, events, verified }) {
  const bad = [];
  const promised = events
    .filter(({ type }) => type === 'message.sent')
    .flatMap(({ subject, data }) => data.to.map((to) => `${subject} ${to}`));
  const kept = new Set(deliveries.map(({ message_id, to }) => `${message_id} ${to}`));
  for (const one of promised) if (!kept.has(one)) bad.push(`${one}: accepted, in no state`);
  if (kept.size !== promised.length) bad.push(`${promised.length} accepted, ${kept.size} deliveries`);
  const counted = verified.flatMap((project) => Object.values(project.deliveries ?? {})).reduce((sum, n) => sum + n, 0);
  if (counted !== promised.length) bad.push(`${promised.length} accepted, ${counted} counted by state`);
  return { checked: promised.length, bad };
}

function ackedIsOver({ history, events }) {
  const bad = [];
  const over = new Set();
  for (const { type, subject, data } of events) {
    if (type === 'message.acked') over.add(`${subject} ${data.by}`);
    if (type === 'message.shown' && over.has(`${subject} ${data.to}`))
      bad.push(`${subject} was shown to ${data.to} after its acknowledgement`);
  }
  const batches = new Map(receipts(history).map(({ receipt, messages }) => [receipt, messages]));
  const acked = new Set();
  for (const { op, phase, client, result, ack } of history) {
    if (phase !== 'ok') continue;
    if (op === 'recv') {
      const ended = ack !== undefined && result.acked === batches.get(ack)?.length ? batches.get(ack) : [];
      for (const { id } of ended) acked.add(`${client} ${id}`);
      for (const { id } of result.messages)
        if (acked.has(`${client} ${id}`)) bad.push(`${client} was shown ${id} after it acknowledged it`);
    }
    if (op === 'ack') for (const id of result.acked) acked.add(`${client} ${id}`);
  }
  return { checked: acked.size, bad };
}

function oneKeyOneResult({ history, byBody }) {
  const bad = [];
  const answers = history.filter(({ op, phase }) => op === 'send' && phase === 'ok');
  const byKey = groupBy(answers, ({ key }) => key);
  for (const [key, list] of byKey) {
    if (new Set(list.map(({ result }) => result.message_id)).size > 1) bad.push(`${key} had several results`);
  }
  for (const [body, list] of byBody) if (list.length > 1) bad.push(`"${body}" is stored ${list.length} times`);
  const conflicts = history.filter((line) => line.op === 'conflict' && isAnswered(line) && byKey.has(line.key));
  for (const { key, code } of conflicts) if (code !== 'conflict') bad.push(`${key} with other arguments answered ${code ?? 'ok'}`);
  const retried = history.filter(({ op, phase, result }) => op === 'send' && phase === 'ok' && result.replayed).length;
  return { checked: byKey.size, bad, note: `${retried} replayed, ${conflicts.length} reused` };
}

function chained({ verified, events }) {
  const bad = verified.flatMap(({ problems }) => problems);
  if (verified.length === 0) bad.push('nothing could be verified');
  return { checked: events.length, bad };
}

function intact({ integrity }) {
  return { checked: 2, bad: integrity };
}

function finished({ deliveries, history }) {
  const clients = new Set(history.map(({ client }) => client));
  const theirs = deliveries.filter(({ to }) => clients.has(to));
  const bad = theirs
    .filter(({ state }) => state !== 'acked')
    .map(({ message_id, to, state }) => `${message_id} for ${to} is still ${state}`);
  return { checked: theirs.length, bad };
}

/**
 * A showing is told by its receipt and its attempt: a database server that crashes forgets the leases of its last instant, which carry no promise,
 * and then gives the same attempt a second time, under another receipt; the older one is current again.
 */
function ackedByEcho({ history, deliveries }) {
  const bad = [];
  const shownAs = new Map(receipts(history).map(({ receipt, messages }) => [receipt, messages]));
  const echoed = new Set();
  /** What was returned is no longer under the receipt that showed it. */
  const returned = new Set();
  const newest = new Map();
  for (const { op, phase, client, receipt, ack, result } of history) {
    if (op === 'recv' && phase === 'ok') for (const { id } of result.messages) newest.set(`${client} ${id}`, result.receipt);
    if (op === 'nack' && phase === 'ok')
      for (const id of result.returned ?? []) returned.add(`${client} ${id} ${newest.get(`${client} ${id}`)}`);
    const echo = op === 'recv' ? ack : op === 'ack' || op === 'stale-receipt' ? receipt : undefined;
    if (phase !== 'invoke' || echo === undefined) continue;
    for (const { id, attempt } of shownAs.get(echo) ?? [])
      if (!returned.has(`${client} ${id} ${echo}`)) echoed.add(`${client} ${id} ${echo} ${attempt}`);
  }
  const acked = deliveries.filter(({ state }) => state === 'acked');
  for (const { message_id, to, receipt, attempt } of acked) {
    if (!echoed.has(`${to} ${message_id} ${receipt} ${attempt}`))
      bad.push(`${message_id} is acknowledged; ${to} never echoed ${receipt}, its attempt ${attempt}`);
  }
  const current = new Set(acked.map(({ message_id, to, receipt }) => `${to} ${message_id} ${receipt}`));
  const stale = history.filter((line) => line.op === 'stale-receipt' && isAnswered(line));
  for (const { code, client, receipt, result } of stale) {
    const forgotten = result?.acked?.length > 0 && result.acked.every((id) => current.has(`${client} ${id} ${receipt}`));
    if (code !== 'stale_receipt' && !forgotten) bad.push(`${client}: an older receipt answered ${code ?? 'ok'}`);
  }
  return { checked: acked.length, bad, note: `${stale.length} older receipts tried` };
}

function fenced({ history }) {
  const tried = history.filter((line) => line.op === 'stale-session' && isAnswered(line));
  const bad = tried
    .filter(({ code }) => code !== 'stale_session')
    .map(({ client, code }) => `${client}: an older session was answered ${code ?? 'ok'}`);
  return { checked: tried.length, bad };
}

/** Whether a call came back with a verdict: one that was cut off has none, and a database that is away gives none. */
function isAnswered({ phase, code }) {
  return (phase === 'ok' || phase === 'fail') && code !== 'unavailable';
}

/** Every message that a client saw, in its order. */
function received(history) {
  return receipts(history).flatMap(({ client, messages }) => messages.map((message) => ({ client, message })));
}

/** Every batch that a client saw. */
function receipts(history) {
  return history
    .filter(({ op, phase, result }) => op === 'recv' && phase === 'ok' && result.messages.length > 0)
    .map(({ client, result }) => ({ client, receipt: result.receipt, messages: result.messages }));
}
