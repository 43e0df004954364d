// Rules broken on purpose, to see the proofs turn red: a check that no mutant fails proves nothing. Two sorts: the built program patched in a
// copy (the rule is not kept), and the finished database tampered with (what was kept is lost).

import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { approvalMutants } from './approval-mutants.mjs';
import { check } from './check.mjs';
import { proveContract } from './contract.mjs';
import { crashRound } from './crash.mjs';
import { gather } from './evidence.mjs';
import { faultMutants } from './fault-mutants.mjs';
import { isolationMutants } from './isolation-mutants.mjs';
import { proveObligations } from './obligations.mjs';
import { replaceIn, withPatched, withTampered } from './patched.mjs';
import { taskMutants } from './task-mutants.mjs';

/** name, the promise that it breaks, file below build/, and pairs of what stands there and what is put in its place. */
const PATCHES = [
  [
    'a receive acknowledges what it shows',
    'C4',
    'store/deliveries.js',
    ["SET state = 'leased', attempt", "SET state = 'acked', acked_at = 1, acked_by = 'receipt', attempt"],
  ],
  [
    'the key is not looked up',
    'I8',
    'store/idempotency.js',
    ['return row &&', 'return undefined &&'],
    ['INSERT INTO', 'INSERT OR REPLACE INTO'],
  ],
  [
    'an older session is not fenced',
    'C5',
    'hub/command.js',
    ["session.agentEpoch === session.epoch && session.endReason !== 'left'", 'true'],
    ['return session.endedAt === null;', 'return true;'],
  ],
  [
    'any receipt acknowledges everything',
    'C4',
    'store/deliveries.js',
    ['WHERE receipt = ? AND recipient_id', 'WHERE (receipt = ? OR 1) AND recipient_id'],
  ],
  [
    'an acknowledgement is answered and not written',
    'I6',
    'store/deliveries.js',
    ["state IN ('ready', 'leased')`, now, by, by", "state = 'none'`, now, by, by"],
    ['return changes === 1;', 'return true;'],
  ],
  ['sender_seq leaves gaps', 'I3', 'store/deliveries.js', ['+ excluded.last_seq RETURNING', '+ excluded.last_seq + 1 RETURNING']],
  ['words are tidied for their reader', 'C-02', 'hub/shown.js', ['body: inline.text,', "body: inline.text.normalize('NFC').trim(),"]],
  ['the newest message is shown first', 'I4', 'store/inbox.js', ['d.urgent DESC, d.seq LIMIT', 'd.seq DESC LIMIT']],
  [
    'one commit in fifty is lost after its success',
    'I1',
    'store/sqlite.js',
    ['watch.commit();', 'Math.random() < 0.02 ? watch.end() : watch.commit();'],
  ],
  [
    'what was shown is not shown again',
    'I14',
    'store/inbox.js',
    ["const leased = await inboxRowsIn(read, 'leased', recipientId, now, limit, filter);", 'const leased = [];'],
  ],
  [
    'the chain forgets events of the same transaction',
    'I12',
    'hub/command.js',
    ['eventHash(head.hash, draft)', 'eventHash(standing.eventHash, draft)'],
  ],
  ['a returned message stays under its receipt', 'C4', 'store/deliveries.js', ['receipt = NULL, closed_at', 'closed_at']],
  ['a message for one is shown to all', 'C3', 'hub/pool.js', ["other.state !== 'ready'", 'true']],
  [
    'an instant fires as often as it is looked at',
    'I10',
    'store/reminders.js',
    ['=== firings.length', '>= 0'],
    ['SET due_at = ?, attempt_at = ?, runs', 'SET attempt_at = MIN(?, ?), runs'],
    ["SET state = 'done', runs = runs + 1, attempt_count = 0, last_error = NULL, closed_at = ?", 'SET runs = runs + 1, created_at = ?'],
  ],
  [
    'a reminder fires before its time',
    'I10',
    'store/reminders.js',
    ['attempt_at <= ? ', 'attempt_at - 600000 <= ? '],
    ["toInt(row, 'attempt_at'),", "toInt(row, 'attempt_at') - 600000,"],
  ],
  ['a second answer counts, too', 'C7', 'hub/asks.js', ["ask.state !== 'open' || ask.deadlineAt <= act.now", 'false']],
  [
    'an ask expires and nobody is told',
    'C7',
    'hub/ask-ends.js',
    ["await this.#tellAsker(act, ask, 'expired'", "void (async () => {})(act, ask, 'expired'"],
  ],
  ['the same words are sent twice', 'C2', 'hub/posting.js', ['await findRepeat(', 'await (async () => undefined)(']],
];

/** name, the promise that it breaks, and what is done to the database. */
const TAMPERINGS = [
  [
    'an accepted message vanishes',
    'I1',
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
    'I2',
    (db, refused) => db.prepare('UPDATE messages SET body = ? WHERE rowid = (SELECT MAX(rowid) FROM messages)').run(refused),
  ],
  [
    'a delivery vanishes',
    'I5',
    (db) =>
      db.exec(
        'DELETE FROM deliveries WHERE (message_id, recipient_id) = (SELECT message_id, recipient_id FROM deliveries LIMIT 1 OFFSET 30)',
      ),
  ],
  [
    'a message is stored twice',
    'I8',
    (db) =>
      db.exec(
        'UPDATE messages SET body = (SELECT body FROM messages ORDER BY seq LIMIT 1) WHERE rowid = (SELECT MAX(rowid) FROM messages)',
      ),
  ],
  [
    'an acknowledgement appears from nowhere',
    'C4',
    (db) =>
      db.exec(
        "UPDATE deliveries SET attempt = attempt + 1 WHERE (message_id, recipient_id) = (SELECT message_id, recipient_id FROM deliveries WHERE state = 'acked' LIMIT 1 OFFSET 10)",
      ),
  ],
  [
    'an event is edited',
    'I12',
    (db) =>
      db.exec(
        `UPDATE events SET data = replace(data, '"urgent":false', '"urgent":true') WHERE seq = (SELECT MAX(seq) FROM events WHERE type = 'message.sent' AND data LIKE '%"urgent":false%')`,
      ),
  ],
  [
    'an index page is overwritten',
    'I13',
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

const GROUPS = {
  contract: contractMutants,
  tasks: (seed) => of('I7', taskMutants(seed)),
  approvals: (seed) => of('I9', approvalMutants(seed)),
  isolation: isolationMutants,
  faults: faultMutants,
};

export const MUTANT_GROUPS = Object.keys(GROUPS);

async function* of(promise, mutants) {
  for await (const [name, red] of mutants) yield [name, promise, red];
}

/** Every invariant of the contract has a mutant. */
const INVARIANTS = Array.from({ length: 14 }, (_, n) => `I${n + 1}`);

/** Runs every mutant, or those of some groups; answers one line each: its name, the promise that it breaks and the checks that turned red. */
export async function runMutants({ seed, only, print }) {
  const lines = [];
  for (const [group, mutants] of Object.entries(GROUPS)) {
    if (only?.includes(group) === false) continue;
    for await (const [name, promise, red] of mutants(seed)) {
      lines.push({ group, name, promise, red });
      print(
        `${red.length > 0 ? 'killed  ' : 'SURVIVED'}  ${promise.padEnd(4)} ${group}: ${name}: ${red.join(', ') || 'nothing turned red'}`,
      );
    }
  }
  for (const invariant of only === undefined ? INVARIANTS : [])
    if (!lines.some(({ promise }) => promise === invariant))
      lines.push({ group: 'none', name: `${invariant} has no mutant`, promise: invariant, red: [] });
  return lines;
}

async function* contractMutants(seed) {
  for (const [name, of, file, ...edits] of PATCHES)
    yield [
      name,
      of,
      await withPatched(file, edits, (root) => {
        // The first mutant needs more: a batch is printed from what is leased under its receipt, and must hold what that mutant acknowledged, too.
        if (edits[0][1].includes("'acked', acked_at = 1"))
          replaceIn(join(root, 'build/store/inbox.js'), "d.state = 'leased' ORDER BY d.shown_rank", '1 ORDER BY d.shown_rank');
        return tryPatched(root, seed, of);
      }),
    ];
  yield* await tryTampered(seed);
}

/** The quick proofs first: what they find needs no crowd of processes. */
async function tryPatched(root, seed, of) {
  const red = [];
  await proveContract({ runs: 60, seed, root, endOnFailure: true }).catch(() => red.push('model'));
  await proveObligations({ runs: 60, seed, root, endOnFailure: true }).catch(() => red.push('obligations'));
  if (red.length > 0) return red;
  const { results, figures } = await crashRound({
    seed,
    clients: 4,
    stdio: 0,
    count: 50,
    killEveryMs: 1_200,
    limitMs: 40_000,
    root,
  }).catch((error) => ({ results: [], figures: { exits: [error.message] } }));
  red.push(...results.filter(({ bad }) => bad.length > 0).map(({ id }) => id));
  // On a busy machine a round may not end in time although nothing is wrong: that alone, and what follows from it, kills nobody.
  return figures.exits.length === 0 || of === 'I14' ? red : red.filter((id) => id !== 'I14');
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
      for (const [name, of, tampering] of TAMPERINGS)
        lines.push([
          name,
          of,
          await withTampered(
            home,
            (db, path) => tampering(db, refused, path),
            (copy) => redIn(copy, folder),
          ),
        ]);
    },
  });
  return lines;
}

async function redIn(home, folder) {
  return await gather(home, folder).then(
    (evidence) =>
      check(evidence)
        .filter(({ bad }) => bad.length > 0)
        .map(({ id }) => id),
    (error) => [`unreadable (${error.message})`],
  );
}

/** The words of a send that was refused. */
function refusedBody(folder) {
  const line = readFileSync(join(folder, 'c0.jsonl'), 'utf8')
    .split('\n')
    .find((text) => text.includes('"op":"refused"'));
  return line === undefined ? 'words that nobody sent' : JSON.parse(line).body;
}
