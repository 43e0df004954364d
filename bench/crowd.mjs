// A large project: a thousand agents and a hundred thousand messages between them. The first few thousand are made through the hub, as agents
// make them; then that stretch of history is repeated, row by row, with numbers and times of its own and the chain of events made anew, so
// that what is read is what a hub would have written in a working day.

import { join } from 'node:path';
import Database from 'better-sqlite3';
import { attachment, chance, load, openHub, PROJECT } from '../prove/hub.mjs';

const IN_FLIGHT = 128;
const BODY = 'The parser takes the new columns; the failing fixture is mended and the tests agree. '.repeat(3);
const RECEIVE = { max: 32, maxBytes: 32_768, waitMs: 0, peek: false };
const DAY_MS = 86_400_000;

/** Fills the home; answers the names of its agents. Every message is acknowledged. */
export async function makeCrowd(home, { agents, messages, copies }) {
  const hub = await openHub(home);
  const { below } = chance(7);
  const callers = [];
  for (let n = 0; n < agents; n++) callers.push(await hub.sessions.attach(attachment(`agent-${String(n).padStart(4, '0')}`)));
  const operator = await hub.projects.operator(PROJECT, 'cli');
  const first = (await hub.feed.head(operator)) + 1;
  const made = Math.ceil(messages / copies);
  for (let n = 0; n < made; n += IN_FLIGHT) {
    await Promise.all(Array.from({ length: Math.min(IN_FLIGHT, made - n) }, (_, k) => exchange(hub, callers, n + k, below)));
  }
  for (let at = 0; at < agents; at += IN_FLIGHT) await Promise.all(callers.slice(at, at + IN_FLIGHT).map((caller) => readAll(hub, caller)));
  const head = await hub.feed.head(operator);
  for (const caller of callers) await hub.sessions.end(caller, 'closed');
  await hub.close();
  await repeat(join(home, 'hub.db'), { copies, first, span: head - first + 1 });
  return callers.map(({ name }) => name);
}

/** A message, and in two of three cases an answer to it. */
async function exchange(hub, callers, n, below) {
  const [from, to] = [callers[below(callers.length)], callers[below(callers.length)]];
  const send = (sender, recipient, more) =>
    hub.messages.send(
      sender,
      { to: recipient.name, body: `${n} ${BODY}`, allowDuplicate: true, expectsReply: false, ...more },
      { tool: 'send' },
    );
  await send(from, to, { subject: `Matter ${n}` });
}

async function readAll(hub, caller) {
  for (let ack; ; ) {
    const batch = await hub.inbox.receive(caller, { ...RECEIVE, ...(ack === undefined ? {} : { ack }) }, { tool: 'recv_batch' });
    if (batch.receipt === null) return;
    ack = batch.receipt;
  }
}

/** What happened from `first` on, over `span` numbers, happens `copies` times over the last day. */
async function repeat(path, { copies, first, span }) {
  const db = new Database(path);
  db.pragma('synchronous = OFF');
  db.pragma('foreign_keys = OFF');
  const columns = (table) =>
    db
      .prepare(`SELECT name FROM pragma_table_info('${table}')`)
      .all()
      .map(({ name }) => name);
  const times = ['created_at', 'ready_at', 'first_shown_at', 'shown_at', 'acked_at', 'done_at', 'at'];
  const named = ['id', 'message_id', 'thread_id', 'in_reply_to', 'receipt', 'subject'];
  const copy = (table, where) => {
    const all = columns(table).filter((name) => name !== 'hash');
    const value = (name) => {
      if (name === 'seq') return `seq + @by`;
      if (times.includes(name)) return `${name} + @later`;
      if (name === 'sender_seq')
        return 'sender_seq + @copy * (SELECT last_seq FROM first_pairs f WHERE f.sender_id = t.sender_id AND f.recipient_id = t.recipient_id)';
      if (named.includes(name) && !(table === 'messages' && name === 'subject')) return `${name} || @mark`;
      return name;
    };
    const hash = table === 'events' ? [[', hash'], [`, hash`]] : [[''], ['']];
    return db.prepare(
      `INSERT INTO ${table} (${all.join(', ')}${hash[0]}) SELECT ${all.map(value).join(', ')}${hash[1]} FROM ${table} t WHERE ${where}`,
    );
  };
  db.exec('CREATE TEMP TABLE first_pairs AS SELECT * FROM pair_sequences');
  db.exec('CREATE INDEX temp.first_pairs_by ON first_pairs (sender_id, recipient_id)');
  const range = `seq BETWEEN ${first} AND ${first + span - 1}`;
  const [messages, deliveries, events] = ['messages', 'deliveries', 'events'].map((table) => copy(table, range));
  const step = Math.floor(DAY_MS / copies);
  db.transaction(() => {
    // What came after that stretch comes after all of them, and what came before it before them.
    db.exec(`UPDATE events SET seq = seq + ${(copies - 1) * span} WHERE seq > ${first + span - 1}`);
    db.exec(`UPDATE events SET at = at - ${DAY_MS} WHERE seq < ${first}`);
    for (const table of ['messages', 'deliveries', 'events']) {
      const own = columns(table).filter((name) => times.includes(name));
      // The stretch that was made is the oldest of them all.
      db.exec(`UPDATE ${table} SET ${own.map((name) => `${name} = ${name} - ${step * (copies - 1)}`).join(', ')} WHERE ${range}`);
    }
    for (let n = 1; n < copies; n++) {
      const args = { by: n * span, later: n * step, mark: n.toString(36).padStart(2, '0') };
      messages.run(args);
      deliveries.run({ ...args, copy: n });
      events.run(args);
    }
    db.exec(`UPDATE pair_sequences SET last_seq = last_seq * ${copies}`);
  })();
  await chain(db);
  db.close();
}

/** Chains the events anew. */
async function chain(db) {
  const { eventHash, GENESIS } = await load('hub/events.js');
  const write = db.prepare('UPDATE events SET hash = ? WHERE project_id = ? AND seq = ?');
  let hash = GENESIS;
  let seq = 0;
  db.transaction(() => {
    for (const row of db.prepare('SELECT * FROM events ORDER BY seq').all()) {
      const { project_id: projectId, actor_id: actorId, session_id: sessionId, at, type, subject, data } = row;
      seq = row.seq;
      hash = eventHash(hash, { projectId, seq, at, type, actorId, sessionId, subject, data });
      write.run(hash, projectId, seq);
    }
    db.prepare('UPDATE projects SET event_seq = ?, event_hash = ?').run(seq, hash);
  })();
}
