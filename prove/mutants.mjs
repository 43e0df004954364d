// Rules broken on purpose, to see the proofs turn red: a check that no mutant fails proves nothing. Two sorts: the built program patched in a
// copy (the rule is not kept), and the finished database tampered with (what was kept is lost).

import { closeSync, cpSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, symlinkSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { approvalRace } from './approval-race.mjs';
import { proveApprovals } from './approvals.mjs';
import { APPROVAL_CHECKS, check } from './check.mjs';
import { proveContract } from './contract.mjs';
import { crashRound } from './crash.mjs';
import { gather } from './evidence.mjs';
import { PACKAGE } from './hub.mjs';
import { proveObligations } from './obligations.mjs';
import { proveTasks } from './tasks.mjs';

/** name, file below build/, and pairs of what stands there and what is put in its place. */
const PATCHES = [
  [
    'a receive acknowledges what it shows',
    'store/deliveries.js',
    ["SET state = 'leased', attempt", "SET state = 'acked', acked_at = 1, acked_by = 'receipt', attempt"],
  ],
  ['the key is not looked up', 'store/idempotency.js', ['return row &&', 'return undefined &&'], ['INSERT INTO', 'INSERT OR REPLACE INTO']],
  [
    'an older session is not fenced',
    'hub/command.js',
    ["holder.epoch === session.epoch && session.endReason !== 'left'", 'true'],
    ['return session.endedAt === null;', 'return true;'],
  ],
  [
    'any receipt acknowledges everything',
    'store/deliveries.js',
    ['WHERE receipt = ? AND recipient_id', 'WHERE (receipt = ? OR 1) AND recipient_id'],
  ],
  [
    'an acknowledgement is answered and not written',
    'store/deliveries.js',
    ["state IN ('ready', 'leased')`, now, by, by", "state = 'none'`, now, by, by"],
    ['return changes === 1;', 'return true;'],
  ],
  ['sender_seq leaves gaps', 'store/deliveries.js', ['last_seq + 1', 'last_seq + 2']],
  ['the newest message is shown first', 'store/inbox.js', ['d.urgent DESC, d.seq LIMIT', 'd.seq DESC LIMIT']],
  [
    'one commit in fifty is lost after its success',
    'store/sqlite.js',
    ['watch.commit();', 'Math.random() < 0.02 ? watch.end() : watch.commit();'],
  ],
  [
    'what was shown is not shown again',
    'store/inbox.js',
    ["const leased = await inboxRowsIn(read, 'leased', recipientId, now, limit, filter);", 'const leased = [];'],
  ],
  [
    'the chain forgets events of the same transaction',
    'hub/command.js',
    ['eventHash(head.hash, draft)', 'eventHash(project.eventHash, draft)'],
  ],
  ['a returned message stays under its receipt', 'store/deliveries.js', ['receipt = NULL, closed_at', 'closed_at']],
  ['a message for one is shown to all', 'hub/pool.js', ["other.state !== 'ready'", 'true']],
  [
    'an instant fires as often as it is looked at',
    'store/reminders.js',
    ['return changes === 1;', 'return true;'],
    ['SET due_at = ?, attempt_at = ?, runs', 'SET attempt_at = MIN(?, ?), runs'],
    ["SET state = 'done', runs = ?,", 'SET attempt_at = attempt_at + 1, runs = ?,'],
    ['closed_at = ? WHERE id', 'created_at = ? WHERE id'],
  ],
  [
    'a reminder fires before its time',
    'store/reminders.js',
    ['attempt_at <= ? ', 'attempt_at - 600000 <= ? '],
    ["toInt(row, 'attempt_at'),", "toInt(row, 'attempt_at') - 600000,"],
  ],
  ['a second answer counts, too', 'hub/asks.js', ["ask.state !== 'open' || ask.deadlineAt <= act.now", 'false']],
  [
    'an ask expires and nobody is told',
    'hub/ask-ends.js',
    ["await this.#tellAsker(act, ask, 'expired'", "void (async () => {})(act, ask, 'expired'"],
  ],
  ['the same words are sent twice', 'hub/posting.js', ['if (repeat !== undefined)', 'if (false)']],
  ['a word under an old token counts', 'hub/holding.js', ['if (token < task.fencingToken)', 'if (false)']],
  [
    'a lease that is lost leaves its token as it was',
    'hub/leases.js',
    ['fencingToken: task.fencingToken + 1, attempt', 'fencingToken: task.fencingToken, attempt'],
  ],
  ['a parent is done before its children', 'hub/task-ends.js', ['if (task.openChildren > 0)', 'if (false)']],
  ['what blocks an urgent task waits behind others', 'hub/task-order.js', ['if (blocker.rank <= waiter.rank)', 'if (true)']],
  ['a claim gives the last of a queue', 'store/task-queue.js', ['ORDER BY rank, seq LIMIT', 'ORDER BY rank DESC, seq LIMIT']],
  ['a dependency that is settled frees nobody', 'store/task-graph.js', ['SET waiting_on = waiting_on - 1', 'SET waiting_on = waiting_on']],
  [
    'a change of a task leaves no row in its history',
    'hub/task-changes.js',
    ['await insertHistory(', "if (change.act !== 'progressed') await insertHistory("],
  ],
];

/** The same for approvals, which have proofs of their own. */
const APPROVAL_PATCHES = [
  [
    'a second decision counts, too',
    'hub/approvals.js',
    ["if (approval.state !== 'pending')", 'if (false)'],
    [
      'if (!(await decideApproval(act.tx, id, { state, by: by.id, as, note, expiresAt }, act.now)))',
      'if (!(await decideApproval(act.tx, id, { state, by: by.id, as, note, expiresAt }, act.now)) && false)',
    ],
  ],
  [
    'an approval is used as often as it is asked for',
    'hub/approval-views.js',
    ["if (approval.state === 'consumed')", 'if (false)'],
    ["if (approval.state === 'pending')", 'if (false)'],
  ],
  ['an approval holds for any action', 'hub/approval-views.js', ['if (approval.digest !== digest)', 'if (false)']],
  ['time ends no approval', 'hub/approval-views.js', ["approval.state === 'expired' || approval.expiresAt <= now", 'false']],
  ['whoever asks decides', 'hub/approval-rights.js', ['return handOf(caller) === approval.handId ||', 'return false &&']],
  ['a manager decides what is the operator’s', 'hub/approval-rights.js', ["deciderOf(approval.risk, policy) !== 'operator'", 'true']],
  ['a decision is not told', 'hub/approvals.js', ['await this.#ends.tellDecision(', 'void ((..._) => {})(']],
  [
    'what nobody decided in time stays open',
    'store/approvals.js',
    ['AND expires_at <= ? ORDER BY', 'AND expires_at <= ? - 86400000 ORDER BY'],
  ],
  [
    'the gate takes an approval and does not use it up',
    'hub/guard.js',
    ['await this.#approvals.use(act, caller, approved, use.useId);', ''],
  ],
  ['the gate goes by the action and not by the risk', 'hub/approvals.js', ['riskOf(one) >= riskOf({ risk })', 'true']],
];

/** What is done to the database after a race for approvals. */
const APPROVAL_TAMPERINGS = [
  [
    'a decision vanishes',
    (db) =>
      db.exec(
        "UPDATE approvals SET state = 'pending', decided_at = NULL, decided_by = NULL, decided_as = NULL WHERE id = (SELECT id FROM approvals WHERE state = 'denied' LIMIT 1)",
      ),
  ],
  [
    'a use vanishes',
    (db) =>
      db.exec(
        "UPDATE approvals SET state = 'approved', consumed_at = NULL, consumed_by = NULL WHERE id = (SELECT id FROM approvals WHERE state = 'consumed' LIMIT 1)",
      ),
  ],
  [
    'another decided',
    (db) =>
      db.exec(
        "UPDATE approvals SET decided_by = (SELECT id FROM agents WHERE id NOT IN (approvals.decided_by, approvals.requester_id) AND role = 'manager' LIMIT 1) WHERE id = (SELECT id FROM approvals WHERE state = 'consumed' LIMIT 1)",
      ),
  ],
  ['a request vanishes', (db) => db.exec('DELETE FROM approvals WHERE id = (SELECT id FROM approvals LIMIT 1)')],
];

/** name, and what is done to the database. */
const TAMPERINGS = [
  [
    'an accepted message vanishes',
    (db) => {
      const { id } = db
        .prepare(
          'SELECT id FROM messages WHERE id NOT IN (SELECT in_reply_to FROM messages WHERE in_reply_to IS NOT NULL) LIMIT 1 OFFSET 20',
        )
        .get();
      db.prepare('DELETE FROM deliveries WHERE message_id = ?').run(id);
      db.prepare('DELETE FROM messages WHERE id = ?').run(id);
    },
  ],
  [
    'a refused message is stored',
    (db, refused) => db.prepare('UPDATE messages SET body = ? WHERE rowid = (SELECT MAX(rowid) FROM messages)').run(refused),
  ],
  [
    'a delivery vanishes',
    (db) =>
      db.exec(
        'DELETE FROM deliveries WHERE (message_id, recipient_id) = (SELECT message_id, recipient_id FROM deliveries LIMIT 1 OFFSET 30)',
      ),
  ],
  [
    'a message is stored twice',
    (db) =>
      db.exec(
        'UPDATE messages SET body = (SELECT body FROM messages ORDER BY seq LIMIT 1) WHERE rowid = (SELECT MAX(rowid) FROM messages)',
      ),
  ],
  [
    'an acknowledgement appears from nowhere',
    (db) =>
      db.exec(
        "UPDATE deliveries SET attempt = attempt + 1 WHERE (message_id, recipient_id) = (SELECT message_id, recipient_id FROM deliveries WHERE state = 'acked' LIMIT 1 OFFSET 10)",
      ),
  ],
  [
    'an event is edited',
    (db) =>
      db.exec(
        `UPDATE events SET data = replace(data, '"urgent":false', '"urgent":true') WHERE seq = (SELECT MAX(seq) FROM events WHERE type = 'message.sent' AND data LIKE '%"urgent":false%')`,
      ),
  ],
  [
    'an index page is overwritten',
    (db, _refused, path) => {
      const { rootpage } = db.prepare("SELECT rootpage FROM sqlite_master WHERE name = 'messages_by_sender'").get();
      const size = db.pragma('page_size', { simple: true });
      db.pragma('wal_checkpoint(TRUNCATE)');
      const file = openSync(path, 'r+');
      writeSync(file, Buffer.alloc(size, 0x55), 0, size, (rootpage - 1) * size);
      closeSync(file);
    },
  ],
];

/** Runs every mutant; answers one line each: its name and the checks that turned red. */
export async function runMutants({ seed, print }) {
  const lines = [];
  const tell = (name, red) => {
    lines.push({ name, red });
    print(`${red.length > 0 ? 'killed  ' : 'SURVIVED'}  ${name}: ${red.join(', ') || 'nothing turned red'}`);
  };
  for (const [name, file, ...edits] of PATCHES) tell(name, await tryPatched({ file, edits, seed }));
  for (const [name, file, ...edits] of APPROVAL_PATCHES) tell(name, await tryPatchedApprovals({ file, edits, seed }));
  for (const [name, red] of await tryTampered(seed)) tell(name, red);
  for (const [name, red] of await tryTamperedApprovals(seed)) tell(name, red);
  return lines;
}

async function tryPatchedApprovals({ file, edits, seed }) {
  const root = patchedCopy(file, edits);
  try {
    const red = [];
    await proveApprovals({ runs: 60, seed, root, endOnFailure: true }).catch(() => red.push('approvals'));
    const { results, figures } = await approvalRace({
      processes: 4,
      count: 12,
      killEveryMs: 900,
      killForMs: 4_000,
      limitMs: 30_000,
      seed,
      root,
    });
    red.push(...results.filter(({ bad }) => bad.length > 0).map(({ id }) => id));
    if (figures.exits.length > 0) red.push('did not end');
    return red;
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** One sound race; each tampering is done to a copy of its home. */
async function tryTamperedApprovals(seed) {
  const lines = [];
  await approvalRace({
    processes: 4,
    count: 20,
    killEveryMs: 0,
    seed,
    async tamper({ home, folder }) {
      for (const [name, tampering] of APPROVAL_TAMPERINGS) lines.push([name, await redAfter(home, folder, tampering, APPROVAL_CHECKS)]);
    },
  });
  return lines;
}

/** The checks that turn red when this is done to a copy of a finished home. */
async function redAfter(home, folder, tampering, checks) {
  const copy = mkdtempSync(join(tmpdir(), 'rookery-mutant-'));
  cpSync(home, copy, { recursive: true });
  mkdirSync(join(copy, 'run'), { recursive: true, mode: 0o700 });
  const path = join(copy, 'hub.db');
  const db = new Database(path);
  tampering(db, path);
  db.close();
  const red = await gather(copy, folder).then(
    (evidence) =>
      check(evidence, checks)
        .filter(({ bad }) => bad.length > 0)
        .map(({ id }) => id),
    (error) => [`unreadable (${error.message})`],
  );
  rmSync(copy, { recursive: true, force: true });
  return red;
}

async function tryPatched({ file, edits, seed }) {
  const root = patchedCopy(file, edits);
  try {
    const red = [];
    await proveContract({ runs: 60, seed, root, endOnFailure: true }).catch(() => red.push('model'));
    await proveObligations({ runs: 60, seed, root, endOnFailure: true }).catch(() => red.push('obligations'));
    await proveTasks({ runs: 60, seed, root, endOnFailure: true }).catch(() => red.push('tasks'));
    const { results, figures } = await crashRound({
      seed,
      clients: 4,
      stdio: 0,
      count: 50,
      killEveryMs: 1_200,
      limitMs: 25_000,
      root,
    }).catch((error) => ({ results: [], figures: { exits: [error.message] } }));
    red.push(...results.filter(({ bad }) => bad.length > 0).map(({ id }) => id));
    if (figures.exits.length > 0) red.push('did not end');
    return red;
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

function patchedCopy(file, edits) {
  const root = mkdtempSync(join(tmpdir(), 'rookery-mutant-'));
  for (const part of ['build', 'package.json', 'src/store/migrations']) cpSync(join(PACKAGE, part), join(root, part), { recursive: true });
  symlinkSync(join(PACKAGE, 'node_modules'), join(root, 'node_modules'));
  // A batch is printed from what is leased under its receipt; the first mutant needs that to hold for what it acknowledged too.
  const inbox = join(root, 'build/store/inbox.js');
  if (edits[0][1].includes("'acked', acked_at = 1"))
    replaceIn(inbox, "d.state = 'leased' ORDER BY d.shown_rank", '1 ORDER BY d.shown_rank');
  for (const [from, to] of edits) replaceIn(join(root, 'build', file), from, to);
  return root;
}

function replaceIn(path, from, to) {
  const text = readFileSync(path, 'utf8');
  if (!text.includes(from)) throw new Error(`${path} has no "${from}": the mutant needs a new place to bite`);
  writeFileSync(path, text.replaceAll(from, to));
}

/** One sound round; each tampering is done to a copy of its home. */
async function tryTampered(seed) {
  const lines = [];
  await crashRound({
    seed,
    clients: 4,
    stdio: 0,
    count: 80,
    killEveryMs: 0,
    async tamper({ home, folder }) {
      const refused = refusedBody(folder);
      for (const [name, tampering] of TAMPERINGS)
        lines.push([name, await redAfter(home, folder, (db, path) => tampering(db, refused, path))]);
    },
  });
  return lines;
}

/** The words of a send that was refused. */
function refusedBody(folder) {
  const line = readFileSync(join(folder, 'c0.jsonl'), 'utf8')
    .split('\n')
    .find((text) => text.includes('"op":"refused"'));
  return line === undefined ? 'words that nobody sent' : JSON.parse(line).body;
}
