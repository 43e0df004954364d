// The rules that the faults of the laboratory are about, broken on purpose. (What power cuts are about is broken by their control, in every run.)

import { proveMigrations } from './faults/care.mjs';
import { proveNoOrphans } from './faults/orphans.mjs';
import { proveFlood, proveSlowReaders } from './faults/pressure.mjs';
import { withPatched } from './patched.mjs';

/** name, the invariant, the proof that must turn red, file below build/, and pairs of what stands there and what is put in its place. */
const PATCHES = [
  [
    'migrations are committed one by one',
    'I13',
    (root) => proveMigrations({ every: 3, others: 1_000, writes: 1_000, root }),
    'store/sqlite-open.js',
    [
      'db.exec(migration.sql);',
      "{ db.exec(migration.sql); db.exec('PRAGMA user_version = ' + migration.version); db.exec('COMMIT'); db.exec('BEGIN IMMEDIATE'); }",
    ],
  ],
  [
    'a server whose client is gone stays',
    'C19',
    (root) => proveNoOrphans({ cycles: 2, limitMs: 6_000, root }),
    'server/stdio.js',
    ["process.stdin.on('end', () => resolve('input ended'));", ''],
    ["process.stdin.on('close', () => resolve('input ended'));", 'setInterval(() => {}, 1_000);'],
    ['while (process.ppid === parent)', 'while (true)'],
  ],
  [
    'a reader that never reads is written to for ever',
    'C18',
    (root) => proveSlowReaders({ readers: 4, events: 800, root }),
    'server/event-stream.js',
    ['response.writableLength <= hub.limits.sseBufferBytes ||', 'true ||'],
  ],
  [
    'who sends too fast is not refused',
    'C18',
    (root) => proveFlood({ calls: 60, root }),
    'hub/rates.js',
    ["throw new HubError('rate_limited'", "void new HubError('rate_limited'"],
  ],
];

/** Yields the name of each mutant, the invariant, and what turned red. */
export async function* faultMutants() {
  for (const [name, of, prove, file, ...edits] of PATCHES) {
    // What throws is no answer: a copy that does not even start would be killed by anything.
    const { bad } = await withPatched(file, edits, prove);
    const red = bad.slice(0, 1);
    yield [name, of, red];
  }
}
