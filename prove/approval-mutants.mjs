// The rules of approvals (I9), broken on purpose: in the program, and in the database after a race.

import { approvalRace } from './approval-race.mjs';
import { proveApprovals } from './approvals.mjs';
import { APPROVAL_CHECKS, check } from './check.mjs';
import { gather } from './evidence.mjs';
import { withPatched, withTampered } from './patched.mjs';

/** name, file below build/, and pairs of what stands there and what is put in its place. */
const PATCHES = [
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
const TAMPERINGS = [
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

/** Yields the name of each mutant and the checks that turned red. */
export async function* approvalMutants(seed) {
  for (const [name, file, ...edits] of PATCHES) yield [name, await withPatched(file, edits, (root) => tryPatched(root, seed))];
  const lines = [];
  await approvalRace({
    processes: 4,
    count: 20,
    killEveryMs: 0,
    seed,
    async tamper({ home, folder }) {
      for (const [name, tampering] of TAMPERINGS) lines.push([name, await withTampered(home, tampering, (copy) => redIn(copy, folder))]);
    },
  });
  yield* lines;
}

async function redIn(home, folder) {
  return await gather(home, folder).then(
    (evidence) =>
      check(evidence, APPROVAL_CHECKS)
        .filter(({ bad }) => bad.length > 0)
        .map(({ id }) => id),
    (error) => [`unreadable (${error.message})`],
  );
}

async function tryPatched(root, seed) {
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
}
