// The real clients, driven offline by scripted models, against the built hub. Run by `npm run e2e:clients`; words after `--` choose scenarios
// by name, --keep leaves the folders behind. Every line it prints is a check that could fail; it exits 1 if one did, or if it takes longer than
// ROOKERY_E2E_SECONDS. Where the clients cannot be installed it says so and exits 0, unless ROOKERY_E2E_REQUIRED is set.

import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endDaemons } from './codex.mjs';
import { installClients } from './install-clients.mjs';
import { leaveNothing, whenLeaving } from './leaving.mjs';
import { until } from './process.mjs';
import { check, outcome } from './report.mjs';
import { doors } from './scenarios/doors.mjs';
import { guarding } from './scenarios/guarding.mjs';
import { installing } from './scenarios/installing.mjs';
import { messaging } from './scenarios/messaging.mjs';
import { plugIn } from './scenarios/plug-in.mjs';
import { restoring } from './scenarios/restoring.mjs';
import { terminals } from './scenarios/terminals.mjs';
import { haveTmux } from './terminal.mjs';

/** The scenarios, and the names by which a run may ask for them. */
const SCENARIOS = [
  { names: ['messaging'], run: messaging },
  { names: ['installing'], run: installing },
  { names: ['restoring'], run: restoring },
  { names: ['guarding'], run: guarding },
  { names: ['terminals', 'idleWake', 'runningTurn', 'stopping', 'recovery', 'brokenHub'], run: terminals, tmux: true },
  { names: ['doors'], run: doors, tmux: true },
  { names: ['plugIn'], run: plugIn, tmux: true },
];

const words = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const keep = process.argv.includes('--keep');

function leave(reason) {
  process.stdout.write(`SKIPPED: ${reason}\n`);
  process.exit(process.env.ROOKERY_E2E_REQUIRED === undefined ? 0 : 1);
}

function clientsOrLeave() {
  try {
    return installClients();
  } catch (error) {
    return leave(`the clients cannot be installed: ${error.message}`);
  }
}

const clients = clientsOrLeave();
const base = realpathSync(mkdtempSync(join(tmpdir(), 'rookery-e2e-')));
const cwd = join(base, 'project');
mkdirSync(join(cwd, '.git'), { recursive: true });

const withTerminals = haveTmux();
if (!withTerminals) process.stdout.write('NOTICE: tmux is not installed, so no scenario runs the clients in a terminal\n');
const chosen = SCENARIOS.filter(
  ({ names, tmux }) => (withTerminals || tmux !== true) && (words.length === 0 || names.some((name) => words.includes(name))),
);
whenLeaving(async () => {
  if (keep) return process.stdout.write(`kept ${base}\n`);
  // Clients write until they are gone, and one that was stopped while it started may yet start its daemon.
  await until(() => endDaemons(base) ?? removed(base), { seconds: 30, every: 500 });
});

function removed(folder) {
  try {
    rmSync(folder, { recursive: true, force: true });
    return true;
  } catch {
    return false;
  }
}

const started = Date.now();
const seconds = () => Math.round((Date.now() - started) / 1000);

async function end() {
  await leaveNothing();
  const { passed, failed } = outcome();
  const words = failed === 0 ? `all ${passed} checks passed` : `${failed} of ${passed + failed} checks failed`;
  process.stdout.write(`\n${words} in ${seconds()} s\n`);
  process.exit(failed === 0 ? 0 : 1);
}

async function giveUp(why) {
  check(why, false);
  await end();
}

const limit = Number(process.env.ROOKERY_E2E_SECONDS ?? 900);
setTimeout(() => giveUp(`the run took no more than ${limit} s`), limit * 1000).unref();
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => giveUp(`the run was not stopped by ${signal}`));

for (const { names, run } of chosen) {
  try {
    await run({ clients, base, cwd }, words);
  } catch (error) {
    check(`${names[0]} ran to its end`, false, error.stack);
  }
}
await end();
