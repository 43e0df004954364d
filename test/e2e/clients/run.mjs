// The real clients, driven offline by scripted models, against the built hub. Run by `npm run e2e:clients`; words after `--` choose scenarios
// by name, --measure [N] measures N (20) rounds of waking, --keep leaves the folders behind. Every line it prints is a check that could fail;
// it exits 1 if one did, or if it takes longer than ROOKERY_E2E_SECONDS. Where the clients cannot be installed it says so and exits 0, unless
// ROOKERY_E2E_REQUIRED is set.

import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endDaemons } from './codex.mjs';
import { installClients } from './install-clients.mjs';
import { leaveNothing, whenLeaving } from './leaving.mjs';
import { endRunning, until } from './process.mjs';
import { check, flushAll, outcome, scene } from './report.mjs';
import { doors } from './scenarios/doors.mjs';
import { guarding } from './scenarios/guarding.mjs';
import { installing } from './scenarios/installing.mjs';
import { messaging } from './scenarios/messaging.mjs';
import { plugIn } from './scenarios/plug-in.mjs';
import { restoring } from './scenarios/restoring.mjs';
import { PARTS, terminals } from './scenarios/terminals.mjs';
import { haveTmux } from './terminal.mjs';

/** The scenarios, the longest first, and the names by which a run may ask for them. */
const SCENARIOS = [
  { names: ['terminals', ...Object.keys(PARTS)], run: terminals, tmux: true },
  { names: ['doors'], run: doors, tmux: true },
  { names: ['installing'], run: installing },
  { names: ['messaging'], run: messaging },
  { names: ['guarding'], run: guarding },
  { names: ['restoring'], run: restoring, tmux: true },
  { names: ['plugIn'], run: plugIn, tmux: true },
];
/** Clients wait more than they work: two scenarios side by side take half the time. Who looks at one, or measures, has it alone. */
const LANES = 2;
const ROUNDS = 20;

const names = SCENARIOS.flatMap((one) => one.names);
const words = process.argv.slice(2);
const measureAt = words.indexOf('--measure');
const measure = measureAt === -1 ? undefined : Number(words[measureAt + 1]) || ROUNDS;
const keep = words.includes('--keep');
const asked = words.filter((word) => !/^(--measure|--keep|\d+)$/.test(word));
const unknown = asked.filter((word) => !names.includes(word));
if (unknown.length > 0) {
  process.stderr.write(`no scenario is called ${unknown.join(', ')}; there are ${names.join(', ')}\n`);
  process.exit(2);
}
const wish = { words: asked.length === 0 && measure !== undefined ? ['idleWake'] : asked, measure };

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
  (one) => (withTerminals || one.tmux !== true) && (wish.words.length === 0 || one.names.some((name) => wish.words.includes(name))),
);
const lanes = wish.words.length > 0 ? 1 : LANES;

whenLeaving(async () => {
  if (keep) return process.stdout.write(`kept ${base}\n`);
  endRunning();
  // Clients write until they are gone, and one that was stopped while it started may yet start its daemon.
  const removed = await until(async () => (await endDaemons(base)) ?? remove(base), { seconds: 30, every: 500 });
  check('nothing of it was left behind', removed, base);
});

function remove(folder) {
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
  flushAll();
  await leaveNothing();
  const { passed, failed } = outcome();
  const sum = failed === 0 ? `all ${passed} checks passed` : `${failed} of ${passed + failed} checks failed`;
  process.stdout.write(`\n${sum} in ${seconds()} s\n`);
  process.exit(failed === 0 ? 0 : 1);
}

async function giveUp(why) {
  check(why, false);
  await end();
}

const limit = Number(process.env.ROOKERY_E2E_SECONDS ?? 900);
setTimeout(() => giveUp(`the run took no more than ${limit} s`), limit * 1000).unref();
process.once('uncaughtException', (error) => giveUp(`the run went on to its end: ${error.stack}`));
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => giveUp(`the run was not stopped by ${signal}`));

async function lane() {
  for (let one = chosen.shift(); one !== undefined; one = chosen.shift()) {
    const {
      run,
      names: [name],
    } = one;
    await scene(name, () => run({ clients, base, cwd }, wish), { aside: lanes > 1 });
  }
}

await Promise.all(Array.from({ length: lanes }, lane));
await end();
