// `npm run bench`: every figure beside the floor it stands on, measured in the same run, because machines differ and ratios less so.
//   --quick   fewer repetitions       --json   the rows as JSON instead of a table       --only a,b   some sections
// Throw-away homes on a real disk, loopback only.

import { parseArgs } from 'node:util';
import { scratch } from '../prove/hub.mjs';
import { runWriters } from '../prove/writers.mjs';
import { benchDashboard } from './dashboard.mjs';
import { summary, Table } from './figures.mjs';
import { fdatasyncFloor, insertFloor } from './floors.mjs';
import { benchHooks } from './hooks.mjs';
import { benchHttp } from './http.mjs';
import { benchLibrary } from './library.mjs';
import { benchPostgres } from './postgres.mjs';
import { benchReminders } from './reminders.mjs';
import { benchStart, benchTokens } from './start.mjs';
import { benchStdio } from './stdio.mjs';
import { benchTasks } from './tasks.mjs';

const { values: flags } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, json: { type: 'boolean', default: false }, only: { type: 'string' } },
});
const size = flags.quick ? { runs: 200, starts: 4, seconds: 2 } : { runs: 1_000, starts: 11, seconds: 6 };
const table = new Table();

const SECTIONS = {
  floors: async (home) => {
    table.add('fdatasync', await fdatasyncFloor(home, size.runs));
    table.add('raw insert', await insertFloor(home, size.runs), { floor: 'fdatasync' });
  },
  library: (home) => benchLibrary(home, table, size),
  stdio: (home) => benchStdio(home, table, size),
  http: (home) => benchHttp(home, table, size),
  many: async () => {
    for (const thinkMs of [0, 5]) {
      const answers = await runWriters({ processes: 8, seconds: size.seconds, thinkMs });
      const counts = answers.map(({ times }) => times.length).sort((a, b) => a - b);
      const times = answers.flatMap((answer) => answer.times.map((ms) => ms * 1000)).sort((a, b) => a - b);
      const errors = answers.flatMap((answer) => Object.entries(answer.errors)).map(([code, n]) => `, ${n} x ${code}`);
      const fairness = (counts[0] / counts.at(-1)).toFixed(2);
      const note = `${Math.round(times.length / size.seconds)}/s, fairness ${fairness}${errors.join('')}`;
      table.add(`8 processes send, ${thinkMs} ms think`, summary(times), { floor: 'library send', note });
    }
  },
  reminders: (home) => benchReminders(home, table, size),
  tasks: (home) => benchTasks(home, table, size),
  start: (home) => benchStart(home, table, size),
  dashboard: (home) => benchDashboard(home, table, size),
  hooks: (home) => benchHooks(home, table),
  postgres: () => benchPostgres(table, size),
  tokens: (home) => benchTokens(home, table),
};

const chosen = flags.only === undefined ? Object.keys(SECTIONS) : ['floors', ...flags.only.split(',')];
for (const name of new Set(chosen)) {
  const { folder, done } = scratch();
  process.stderr.write(`${name} ... `);
  const since = performance.now();
  try {
    await SECTIONS[name](folder);
  } finally {
    done();
  }
  process.stderr.write(`${((performance.now() - since) / 1000).toFixed(1)} s\n`);
}
process.stdout.write(
  flags.json ? `${JSON.stringify({ at: new Date().toISOString(), node: process.version, rows: table.rows }, null, 2)}\n` : `${table}\n`,
);
process.exit(0);
