// What the checker looks at, gathered after everything has ended: the clients' histories and the rows of the database, indexed once,
// so that every check is a walk over lists (O(n)).

import { closeSync, openSync, readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { readHistories } from './history.mjs';
import { openHub } from './hub.mjs';

/** Reads the home of a finished run. `root` is the package whose own verification is asked (never a patched one). */
export async function gather(home, folder, root) {
  const problems = [];
  const hub = await openHub(home, root === undefined ? {} : { root }).catch((error) => {
    problems.push(`the database does not open: ${error.message}`);
  });
  const verified = (await hub?.verify().catch((error) => [{ problems: [error.message] }])) ?? [];
  const rows =
    hub?.context.db.engine === 'postgres'
      ? await hub.context.db.read((read) => rowsBy((sql) => read.all(sql)))
      : readFile(`${home}/hub.db`, problems);
  await hub?.close();
  return { history: readHistories(folder), verified, integrity: problems, ...index(rows) };
}

/** Its own server looks after the structure of a PostgreSQL. */
async function rowsBy(all) {
  const rows = {};
  for (const [name, sql] of Object.entries(ROWS)) rows[name] = await all(sql);
  return { ...rows, events: rows.events.map((row) => ({ ...row, data: JSON.parse(row.data) })) };
}

const ROWS = {
  agents: 'SELECT id, name FROM agents',
  messages: 'SELECT id, seq, body, urgent, sender_id FROM messages ORDER BY seq',
  deliveries: 'SELECT message_id, recipient_id, sender_id, seq, sender_seq, urgent, state, receipt, attempt FROM deliveries ORDER BY seq',
  approvals: 'SELECT id, action, state, decided_by, consumed_by FROM approvals',
  events: 'SELECT seq, type, subject, data FROM events ORDER BY seq',
};

function readFile(path, problems) {
  let db;
  try {
    db = new Database(path, { readonly: true });
  } catch (error) {
    problems.push(`${path} does not open: ${error.message}; ${whatIsThere(path)}`);
    return Object.fromEntries(Object.keys(ROWS).map((name) => [name, []]));
  }
  const all = (sql) => {
    try {
      return db.prepare(sql).all();
    } catch (error) {
      problems.push(error.message);
      return [];
    }
  };
  for (const row of all('PRAGMA integrity_check')) if (row.integrity_check !== 'ok') problems.push(row.integrity_check);
  for (const row of all('PRAGMA foreign_key_check')) problems.push(`a row of ${row.table} refers to nothing`);
  const rows = Object.fromEntries(Object.entries(ROWS).map(([name, sql]) => [name, all(sql)]));
  db.close();
  return { ...rows, events: rows.events.map((row) => ({ ...row, data: JSON.parse(row.data) })) };
}

/** What the file system says of a file that does not open, and what lies beside it. */
function whatIsThere(path) {
  try {
    closeSync(openSync(path));
    return `beside it: ${readdirSync(dirname(path)).join(', ')}`;
  } catch (error) {
    return error.message;
  }
}

function index({ agents, messages, deliveries, approvals, events }) {
  const names = new Map(agents.map(({ id, name }) => [id, name]));
  return {
    names,
    messages,
    deliveries: deliveries.map((one) => ({ ...one, to: names.get(one.recipient_id), from: names.get(one.sender_id) })),
    approvals: approvals.map((one) => ({ ...one, decider: names.get(one.decided_by), consumer: names.get(one.consumed_by) })),
    events,
    byId: new Map(messages.map((message) => [message.id, message])),
    // What the hub says of itself was in nobody's history.
    byBody: groupBy(
      messages.filter(({ sender_id }) => names.get(sender_id) !== 'hub'),
      ({ body }) => body,
    ),
  };
}

/** Lists by key (Node 20 has no Map.groupBy). */
export function groupBy(list, keyOf) {
  const groups = new Map();
  for (const one of list) {
    const key = keyOf(one);
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(one);
  }
  return groups;
}
