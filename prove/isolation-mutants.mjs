// The separation of projects (I11), broken on purpose: in the program, and in the database.

import { join } from 'node:path';
import Database from 'better-sqlite3';
import { proveIsolation } from './isolation.mjs';
import { withPatched } from './patched.mjs';

const ROUNDS = 12;
const BY_ID = ['WHERE id = ? AND project_id = ?', 'WHERE id = ? AND ? IS NOT NULL'];

/** name, file below build/, and pairs of what stands there and what is put in its place. */
const PATCHES = [
  ['a message is found from any project', 'store/messages.js', BY_ID],
  ['a task is found from any project', 'store/tasks.js', BY_ID],
  ['an ask is found from any project', 'store/asks.js', BY_ID],
  ['an approval is found from any project', 'store/approvals.js', BY_ID],
  ['a reservation is found from any project', 'store/reservations.js', BY_ID],
  ['a name means an agent of any project', 'store/agents.js', ['WHERE project_id = ? AND name = ?', 'WHERE ? IS NOT NULL AND name = ?']],
  [
    'documents are listed across projects',
    'store/documents.js',
    ['WHERE project_id = ? AND newest = 1 AND bytes > 0', 'WHERE ? IS NOT NULL AND newest = 1 AND bytes > 0'],
  ],
];

const OTHER = '(SELECT id FROM projects WHERE id <> project_id LIMIT 1)';
const TAMPERINGS = [
  [
    'a delivery is moved to another project',
    `UPDATE deliveries SET project_id = ${OTHER} WHERE (message_id, recipient_id) = (SELECT message_id, recipient_id FROM deliveries LIMIT 1)`,
  ],
  [
    'a reply refers to a message of another project',
    'UPDATE messages SET in_reply_to = (SELECT m.id FROM messages m WHERE m.project_id <> messages.project_id LIMIT 1) WHERE rowid = (SELECT MIN(rowid) FROM messages)',
  ],
  [
    'a thread goes through two projects',
    'UPDATE messages SET thread_id = (SELECT m.thread_id FROM messages m WHERE m.project_id <> messages.project_id LIMIT 1) WHERE rowid = (SELECT MIN(rowid) FROM messages)',
  ],
];

/** Yields the name of each mutant and what turned red. */
export async function* isolationMutants(seed) {
  const redOf = async (proof) =>
    await proof.then(
      ({ bad }) => bad.slice(0, 1).map((sentence) => `isolation: ${sentence.slice(0, 120)}`),
      (error) => [`isolation: ${error.message.split('\n')[0]}`],
    );
  for (const [name, file, ...edits] of PATCHES)
    yield [name, 'I11', await withPatched(file, edits, (root) => redOf(proveIsolation({ rounds: ROUNDS, seed, root })))];
  for (const [name, sql] of TAMPERINGS) {
    const tamper = ({ home }) => {
      const db = new Database(join(home, 'hub.db'));
      db.pragma('foreign_keys = OFF');
      const { changes } = db.prepare(sql).run();
      db.close();
      if (changes !== 1) throw new Error(`${name}: nothing was there to tamper with`);
    };
    const { bad } = await proveIsolation({ rounds: 3, seed, tamper });
    yield [name, 'I11', bad.slice(0, 1).map((sentence) => `isolation: ${sentence}`)];
  }
}
