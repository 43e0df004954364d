// Many processes that send on one database, each to a recipient of its own: how long each send takes, how many there are, and whether all get
// their share.

import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { runWriters } from '../prove/writers.mjs';
import { quantile, summary } from './figures.mjs';
import { sendStage } from './floors.mjs';

const NAIVE = fileURLToPath(new URL('naive-writer.mjs', import.meta.url));

/** In every run. */
export const MANY = [
  { processes: 8, thinkMs: 0 },
  { processes: 8, thinkMs: 5 },
  { processes: 8, thinkMs: 5, jobs: 13 },
];

/** From two to as many as a machine has clients. The last one is what so many agents do: each sends ten times a second. */
export const CROWDS = [
  { processes: 2, thinkMs: 0 },
  { processes: 8, thinkMs: 0 },
  { processes: 32, thinkMs: 0 },
  { processes: 64, thinkMs: 0 },
  { processes: 64, thinkMs: 100 },
];

export async function benchProcesses(table, { seconds }, crowds) {
  for (const crowd of crowds) {
    const { times, note, fairness } = await sendTogether({ ...crowd, seconds });
    const floor = table.rows.some(({ name }) => name === 'library send') ? 'library send' : 'fdatasync';
    const what = crowd.jobs === undefined ? 'send' : `report on ${crowd.processes * crowd.jobs} tasks`;
    table.add(`${crowd.processes} processes ${what}, ${crowd.thinkMs} ms think`, { ...summary(times), fairness }, { floor, note });
  }
}

/** As most programs write: the rows of a send, by raw SQL under SQLite's own busy handler. */
export async function benchNaive(home, table, { seconds }, thinkMs) {
  const { figures, note } = await naively(home, { processes: 8, seconds, thinkMs });
  table.add(`8 naive writers, ${thinkMs} ms think`, figures, { floor: 'fdatasync', note });
}

/** Raw sends of several processes under a busy timeout: the times, how many a second, and how alike the shares are. */
export async function naively(home, { processes, seconds, thinkMs = 0 }) {
  const args = [await sendStage(home), seconds, thinkMs].map((one) => JSON.stringify(one));
  const children = Array.from({ length: processes }, () => fork(NAIVE, args));
  const said = (child) => new Promise((resolve) => child.once('message', resolve));
  for (const child of children) await said(child);
  const answers = children.map(said);
  for (const child of children) child.send('go');
  const done = await Promise.all(answers);
  const counts = done.map(({ times }) => times.length).sort((a, b) => a - b);
  const times = done.flatMap((one) => one.times.map((each) => each * 1_000)).sort((a, b) => a - b);
  const busy = done.reduce((sum, one) => sum + one.busy, 0);
  const note = `p99 ${(quantile(times, 0.99) / 1_000).toFixed(0)} ms, fairness ${(counts[0] / counts.at(-1)).toFixed(2)}, ${busy} x SQLITE_BUSY`;
  return { rate: times.length / seconds, note, figures: summary(times) };
}

/** The times of all, in microseconds and sorted, how many a second, and how alike the shares are. */
export async function sendTogether({ processes, thinkMs, jobs, seconds }) {
  const answers = await runWriters({ processes, seconds, thinkMs, jobs });
  const counts = answers.map(({ times }) => times.length).sort((a, b) => a - b);
  const times = answers.flatMap((answer) => answer.times.map((ms) => ms * 1000)).sort((a, b) => a - b);
  const errors = answers.flatMap((answer) => Object.entries(answer.errors)).map(([code, n]) => `, ${n} x ${code}`);
  const rate = times.length / seconds;
  const p95 = `p95 ${(quantile(times, 0.95) / 1000).toFixed(0)} ms`;
  const fairness = counts[0] / counts.at(-1);
  return { times, rate, fairness, note: `${Math.round(rate)}/s, ${p95}, fairness ${fairness.toFixed(2)}${errors.join('')}` };
}
