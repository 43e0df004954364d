// `npm run prove`: tries to break the contract, and prints one line per invariant with what was checked. Exit 1 on any violation.
//   --quick        about a minute, as in CI          --rounds N   crash rounds (default 1)
//   --seed N       repeat a run                       --mutants    break the rules on purpose instead, and see the checks turn red
//   --count N      messages per client (default 250; the long form is 2,000)
//   --faults       the fault laboratory alone: disks, kills, clocks, lost answers, malformed input (faults/index.mjs); --only a,b picks some
//   --nightly      more of everything              --scorecard  writes what it checked into docs/scorecard.md and README, when all is green
//   --only a,b     with --mutants: some of contract, tasks, approvals, isolation, faults
// Everything happens in throw-away homes and ends with them.

import { AsyncLocalStorage } from 'node:async_hooks';
import { cpus } from 'node:os';
import { inspect } from 'node:util';
import { approvalRace } from './approval-race.mjs';
import { proveApprovals } from './approvals.mjs';
import { proveContract } from './contract.mjs';
import { crashRound } from './crash.mjs';
import { FAULTS } from './faults/index.mjs';
import { missing } from './faults/stage.mjs';
import { assertKnown, namesOf, readFlags } from './flags.mjs';
import { proveHosts } from './hosts.mjs';
import { proveIsolation } from './isolation.mjs';
import { MUTANT_GROUPS, runMutants } from './mutants.mjs';
import { proveObligations } from './obligations.mjs';
import { provePostgres } from './postgres.mjs';
import { proveReceivers } from './receivers.mjs';
import { proveReminders } from './reminders.mjs';
import { writeMutants, writeProofs } from './scorecard.mjs';
import { proveFirstStarts, proveKilledStarts } from './starts.mjs';
import { proveTaskCrowd } from './task-crowd.mjs';
import { proveTasks } from './tasks.mjs';
import { proveWriters } from './writers.mjs';

const flags = readFlags(import.meta.url, {
  switches: ['quick', 'mutants', 'faults', 'nightly', 'scorecard'],
  words: ['only'],
  figures: { rounds: 1, count: undefined, seed: undefined },
});
const only = namesOf(flags.only);
assertKnown('only', only ?? [], flags.mutants ? MUTANT_GROUPS : FAULTS.map(({ name }) => name));
const { quick } = flags;
const tier = quick ? 'push' : flags.nightly ? 'nightly' : 'merge';
const seed = flags.seed ?? Date.now() % 1_000_000;
const size = quick
  ? {
      runs: 60,
      count: 100,
      clients: 4,
      stdio: 1,
      killEveryMs: 1_500,
      killForMs: 12_000,
      messages: 60,
      starts: 8,
      killed: 5,
      seconds: 2,
      racers: 4,
      rounds: 6,
      crowd: { processes: 4, count: 80 },
    }
  : {
      runs: tier === 'nightly' ? 2_000 : 150,
      count: 250,
      clients: 8,
      stdio: 2,
      killEveryMs: 1_200,
      killForMs: 45_000,
      messages: 200,
      starts: 32,
      killed: 20,
      seconds: 4,
      racers: 8,
      rounds: 25,
      crowd: { processes: 8, count: 200 },
    };
const count = flags.count ?? size.count;
if (flags.count !== undefined) Object.assign(size, { killForMs: 3_600_000, limitMs: 3_600_000 });
let violations = 0;
const began = performance.now();
/** What is to run, in order, and how many of them beside each other; what a section prints is kept until it is over. */
const queue = [];
const LANES = flags.mutants || cpus().length < 2 ? 1 : 4;
const LONG = { long: true };
const output = new AsyncLocalStorage();
/** What stands on the scorecard. */
const rows = [];
const skipped = [];
let mutantLines = [];

print(`seed ${seed}; repeat with: npm run prove -- --seed ${seed}${quick ? ' --quick' : ''}`);
if (flags.mutants) mutants();
else {
  if (!flags.faults && only === undefined) proofs();
  faults();
}
await runQueue();
if (flags.scorecard && violations === 0 && only === undefined && !(flags.faults && !flags.mutants)) score();
print(violations === 0 ? 'No violation.' : `${violations} VIOLATIONS.`);
process.exit(violations === 0 ? 0 : 1);

/** Of whole and green runs only. */
function score() {
  const seconds = (performance.now() - began) / 1000;
  const form = flags.mutants ? ' -- --mutants' : quick ? ' -- --quick' : flags.nightly ? ' -- --nightly' : '';
  if (flags.mutants) writeMutants({ lines: mutantLines, seconds, command: `npm run prove${form}` });
  else writeProofs({ rows, skipped, seconds, command: `npm run prove${form}` });
}

function proofs() {
  section('contract beside its model', async () => {
    const { sequences, commands, reached } = await proveContract({ runs: size.runs, seed });
    const note = Object.entries(reached)
      .map(([path, n]) => `${path} ${n}`)
      .join(', ');
    line('C2-C5', `${sequences} sequences, ${commands} commands`, { checked: commands, bad: [], note });
  });
  section('asks and reminders under a clock that steps, with restarts', async () => {
    const { sequences, asks, firings, late } = await proveObligations({ runs: size.runs, seed });
    line('C7', 'every ask has one end, told once', { checked: asks, bad: [], note: `${sequences} sequences` });
    line('I10', 'one firing and one message per due instant, none early', { checked: firings, bad: [], note: `${late} of them late` });
  });
  section(
    'tasks: random graphs, claims, words under old tokens, lost leases, clocks that step, restarts',
    async () => {
      const { sequences, versions, stale, lost, completed } = await proveTasks({ runs: size.runs, seed });
      const note = `${sequences} sequences, ${stale} stale words, ${lost} leases lost, ${completed} completed`;
      line('I7', 'one live token, stale words change nothing, versions without gaps, nothing starves', {
        checked: versions,
        bad: [],
        note,
      });
    },
    LONG,
  );
  prove(
    'I7',
    `${size.crowd.processes} processes, ${size.crowd.count} accepted changes each on 20 tasks, killed and suspended meanwhile`,
    () => proveTaskCrowd({ seed, ...size.crowd }),
  );
  prove(
    'I10',
    'reminders with processes killed and stopped while they fire',
    () => proveReminders(quick ? { count: 200, processes: 3 } : {}),
    { alone: true },
  );
  section('approvals beside their model, under a clock that steps, with restarts', async () => {
    const { sequences, approvals, decided, used } = await proveApprovals({ runs: size.runs, seed });
    line('I9', 'decided once, used once, by whom it may', {
      checked: approvals,
      bad: [],
      note: `${sequences} sequences, ${decided} decided, ${used} used`,
    });
  });
  section(`${size.racers} managers decide and use the same approvals, kill -9 at random`, async () => {
    const { figures, results } = await approvalRace({
      processes: size.racers,
      count: quick ? 20 : 60,
      killEveryMs: 700,
      killForMs: quick ? 6_000 : 20_000,
      seed,
    });
    print(`  ${figures.kills} kills, ${figures.starts} starts`);
    for (const result of results) line(result.id, result.title, result);
    line('end', 'every process came to its end', { checked: figures.starts, bad: figures.exits });
  });
  prove('I11', 'two projects with the same names, every tool with the ids of both', () => proveIsolation({ rounds: size.rounds, seed }));
  for (let round = 0; round < flags.rounds; round++) {
    section(`${size.clients} clients, ${count} messages each, kill -9 at random`, async () => {
      const { figures, results } = await crashRound({ ...size, count, seed: seed + round });
      const { kills, starts, seconds, reopenMs, exits } = figures;
      print(`  ${kills} kills, ${starts} starts, ${seconds.toFixed(1)} s, reopened in ${reopenMs.toFixed(0)} ms`);
      for (const result of results) line(result.id, result.title, result);
      line('end', 'every client came to its end', { checked: starts, bad: exits });
    });
  }
  section(
    'PostgreSQL: hubs on one server that send to each other, kill -9 at random, the server killed and stopped by turns',
    async () => {
      const hubs = quick
        ? { clients: 3, count: 60, restartEveryMs: 4_000 }
        : { clients: size.clients, count: flags.count === undefined ? 150 : count, restartEveryMs: 5_000 };
      const proved = await provePostgres({ ...size, ...hubs, seed });
      if (proved === undefined) return skip('PostgreSQL is not installed');
      const { figures, stops, results } = proved;
      const { kills, starts, seconds, exits } = figures;
      print(
        `  ${kills} hubs killed, ${starts} starts; server killed ${stops.killed} times, stopped ${stops.ordered} times; ${seconds.toFixed(1)} s`,
      );
      for (const result of results) line(result.id, result.title, result);
      line('end', 'every client came to its end', { checked: starts, bad: exits });
    },
    LONG,
  );
  section('two hubs in two network namespaces over TLS on one PostgreSQL', async () => {
    const { skipped: why, lines } = await proveHosts();
    if (why !== undefined) return skip(why);
    for (const { title, checked = 1, bad } of lines) line('S-32', title, { checked, bad });
  });
  prove('C-03', 'ten receivers of one inbox: one live receipt per delivery', () => proveReceivers(size));
  prove('T-32', 'first starts at once on an empty folder', () => proveFirstStarts({ count: size.starts }));
  prove('I13', 'a first start killed at any instant leaves a clean next one', () => proveKilledStarts({ count: size.killed, seed }));
  prove('T-7', 'processes that read and then write meet no SQLITE_BUSY', () => proveWriters({ processes: 8, seconds: size.seconds }), {
    alone: true,
  });
}

/** What cannot run here is said, and is no failure. */
function faults() {
  for (const { name, title, needs, prove: run, sizes, alone, long } of FAULTS) {
    const size = sizes[tier];
    if (size === undefined || only?.includes(name) === false) continue;
    const why = missing(needs);
    if (why !== undefined) {
      skipped.push(`${name} (${why})`);
      print(`\n${title}\n  SKIPPED ${name}: ${why}`);
    } else prove(name, title, () => run({ ...size, seed }), { alone, long });
  }
}

function skip(why) {
  skipped.push(why);
  print(`  SKIPPED: ${why}`);
}

function mutants() {
  section('mutants', async () => {
    const lines = await runMutants({ seed, only, print: (text) => print(`  ${text}`) });
    mutantLines = lines;
    const killed = lines.filter(({ red }) => red.length > 0).length;
    print(`  ${killed} of ${lines.length} killed`);
    violations += lines.length - killed;
  });
}

function prove(id, title, run, how) {
  section(title, async () => line(id, title, await run()), how);
}

/** Puts a section into the queue. `alone`: it measures time, or starves the machine, so that nothing else may run beside it; `long`: it goes first. */
function section(title, run, { alone = false, long = false } = {}) {
  queue.push({ title, run, alone, long });
}

/** Most proofs wait for disks and processes most of the time, so some run beside each other, and then those that must not, one by one. */
async function runQueue() {
  const beside = queue.filter(({ alone }) => !alone).sort((a, b) => Number(b.long) - Number(a.long));
  const lane = async () => {
    for (let next = beside.shift(); next !== undefined; next = beside.shift()) await runSection(next);
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  for (const one of queue.filter(({ alone }) => alone)) await runSection(one);
}

/** Each section is printed in one piece. */
async function runSection({ title, run }) {
  const words = [];
  await output.run(words, () => tried(title, run));
  process.stdout.write(`${words.join('\n')}\n`);
}

/** A proof that throws is a violation too; the others still run. */
async function tried(title, run) {
  const since = performance.now();
  print(`\n${title}`);
  try {
    await run();
  } catch (error) {
    violations += 1;
    print(`  FAILED: ${inspect(error)}`); // with its cause: what a property found stands there
  }
  print(`  (${((performance.now() - since) / 1000).toFixed(1)} s)`);
}

function line(id, title, { checked, bad, note }) {
  rows.push({ id, title, checked, note });
  violations += bad.length;
  const verdict = bad.length === 0 ? 'ok  ' : 'FAIL';
  print(`  ${verdict} ${id.padEnd(5)} ${String(checked).padStart(7)} checked  ${title}${note === undefined ? '' : ` (${note})`}`);
  for (const sentence of bad.slice(0, 5)) print(`         ${sentence}`);
  if (bad.length > 5) print(`         and ${bad.length - 5} more`);
}

function print(text) {
  const words = output.getStore();
  if (words === undefined || flags.mutants) process.stdout.write(`${text}\n`);
  else words.push(text);
}
