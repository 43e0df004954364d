// `npm run bench`: every figure beside the floor it stands on, measured in the same run, because machines differ and ratios less so.
//   --quick   fewer repetitions       --json   the rows as JSON instead of a table       --large   history of five million messages, a million reminders, too
//   --docs    the figures of PostgreSQL into docs/deploying.md
//   --only a,b   some sections; some of them run only when they are named, because they take minutes or install other people's programs
// Throw-away homes on a real disk, loopback only.

import { assertKnown, namesOf, readFlags } from '../prove/flags.mjs';
import { scratch } from '../prove/hub.mjs';
import { benchClients } from './clients.mjs';
import { benchDashboard } from './dashboard.mjs';
import { benchFanout } from './fanout.mjs';
import { Table } from './figures.mjs';
import { fdatasyncFloor, insertFloor, sendFloors } from './floors.mjs';
import { benchHistory } from './history.mjs';
import { benchHooks } from './hooks.mjs';
import { benchHttp } from './http.mjs';
import { benchLibrary } from './library.mjs';
import { benchPeers } from './peers.mjs';
import { benchPostgres } from './postgres.mjs';
import { benchNaive, benchProcesses, CROWDS, MANY } from './processes.mjs';
import { benchReminders } from './reminders.mjs';
import { benchSlowDisk } from './slow-disk.mjs';
import { benchStart, benchTokens } from './start.mjs';
import { benchStdio } from './stdio.mjs';
import { sentences, verdicts } from './targets.mjs';
import { benchTasks } from './tasks.mjs';

const flags = readFlags(import.meta.url, { switches: ['quick', 'json', 'large', 'docs'], words: ['only'] });
const size = flags.quick ? { runs: 200, starts: 4, seconds: 2 } : { runs: 1_000, starts: 11, seconds: 6 };
const table = new Table();

const SECTIONS = {
  floors: async (home) => {
    table.add('fdatasync', await fdatasyncFloor(home, size.runs));
    table.add('raw insert', await insertFloor(home, size.runs), { floor: 'fdatasync' });
    await sendFloors(home, table, size);
  },
  library: (home) => benchLibrary(home, table, size),
  stdio: (home) => benchStdio(home, table, size),
  clients: (home) => benchClients(home, table, size),
  http: (home) => benchHttp(home, table, size),
  many: async (home) => {
    for (const thinkMs of [0, 5]) await benchNaive(home, table, size, thinkMs);
    await benchProcesses(table, size, MANY);
  },
  reminders: (home) => benchReminders(home, table, { ...size, large: flags.large }),
  tasks: (home) => benchTasks(home, table, size),
  start: (home) => benchStart(home, table, size),
  dashboard: (home) => benchDashboard(home, table, size),
  hooks: (home) => benchHooks(home, table),
  postgres: () => benchPostgres(table, { ...size, docs: flags.docs }),
  tokens: (home) => benchTokens(home, table),
};

/** Only when they are named. */
const NAMED = {
  processes: () => benchProcesses(table, size, CROWDS),
  history: (home) => benchHistory(home, table, { ...size, large: flags.large }),
  fanout: (home) => benchFanout(home, table, size),
  'slow-disk': (home) => benchSlowDisk(home, table, size),
  peers: (home) => benchPeers(home, table, size),
};

const all = { ...SECTIONS, ...NAMED };
const only = namesOf(flags.only);
assertKnown('only', only ?? [], Object.keys(all));
const chosen = only === undefined ? Object.keys(SECTIONS) : ['floors', ...only];
const failed = [];
for (const name of new Set(chosen)) {
  const { folder, done } = scratch();
  process.stderr.write(`${name} ... `);
  const since = performance.now();
  try {
    await all[name](folder);
  } catch (error) {
    // What the other sections measure, before and after it, took its time and is printed all the same.
    failed.push(name);
    process.stderr.write(`failed: ${error?.stack ?? error}\n`);
  } finally {
    done();
  }
  process.stderr.write(`${((performance.now() - since) / 1000).toFixed(1)} s\n`);
}
const targets = verdicts(table.rows);
const json = () => JSON.stringify({ at: new Date().toISOString(), node: process.version, rows: table.rows, targets, failed }, null, 2);
process.stdout.write(flags.json ? `${json()}\n` : `${[table, '', ...sentences(table.rows)].join('\n')}\n`);
if (failed.length > 0) process.stderr.write(`Not measured to the end: ${failed.join(', ')}.\n`);
process.exit(failed.length > 0 ? 1 : 0);
