// Many processes that send on one database, each to a recipient of its own: how long each send takes, how many there are, and whether all get
// their share.

import { runWriters } from '../prove/writers.mjs';
import { quantile, summary } from './figures.mjs';

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
    const { times, note } = await sendTogether({ ...crowd, seconds });
    const floor = table.rows.some(({ name }) => name === 'library send') ? 'library send' : 'fdatasync';
    const what = crowd.jobs === undefined ? 'send' : `report on ${crowd.processes * crowd.jobs} tasks`;
    table.add(`${crowd.processes} processes ${what}, ${crowd.thinkMs} ms think`, summary(times), { floor, note });
  }
}

/** The times of all, in microseconds and sorted, how many a second, and how alike the shares are. */
export async function sendTogether({ processes, thinkMs, jobs, seconds }) {
  const answers = await runWriters({ processes, seconds, thinkMs, jobs });
  const counts = answers.map(({ times }) => times.length).sort((a, b) => a - b);
  const times = answers.flatMap((answer) => answer.times.map((ms) => ms * 1000)).sort((a, b) => a - b);
  const errors = answers.flatMap((answer) => Object.entries(answer.errors)).map(([code, n]) => `, ${n} x ${code}`);
  const rate = times.length / seconds;
  const p95 = `p95 ${(quantile(times, 0.95) / 1000).toFixed(0)} ms`;
  return { times, rate, note: `${Math.round(rate)}/s, ${p95}, fairness ${(counts[0] / counts.at(-1)).toFixed(2)}${errors.join('')}` };
}
