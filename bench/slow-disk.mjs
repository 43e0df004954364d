// A slow disk, emulated: every sync waits five milliseconds more, by a library preloaded into the processes that are measured (bench/slow-disk.c).
// Eight processes, the hub's beside the same rows by raw SQL under SQLite's own busy handler, and 32 sends in flight in one process.
// Real disks merge the syncs of several processes; this one does not.

import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { quantile } from './figures.mjs';
import { naively, sendTogether } from './processes.mjs';

const SOURCE = fileURLToPath(new URL('slow-disk.c', import.meta.url));
const IN_FLIGHT = fileURLToPath(new URL('in-flight.mjs', import.meta.url));
const PROCESSES = 8;
const SYNC_US = 5_000;

export async function benchSlowDisk(home, table, { seconds }) {
  const shim = compile(home);
  if (shim === undefined) return;
  const before = { LD_PRELOAD: process.env.LD_PRELOAD, BENCH_SYNC_US: process.env.BENCH_SYNC_US };
  Object.assign(process.env, { LD_PRELOAD: shim, BENCH_SYNC_US: String(SYNC_US) });
  try {
    const naive = await naively(home, { processes: PROCESSES, seconds });
    const unit = { unit: '/s', floor: `slow disk, ${PROCESSES} naive writers` };
    table.add(unit.floor, { p50: naive.rate }, { unit: '/s', note: naive.note });
    const { times, rate, note } = await sendTogether({ processes: PROCESSES, thinkMs: 0, seconds });
    table.add(`slow disk, ${PROCESSES} processes send`, { p50: rate }, { ...unit, note: `p99 ${ms(times)} ms; ${note}` });
    const [alone, many] = [1, 32].map((count) =>
      Number(execFileSync(process.execPath, [IN_FLIGHT, home, String(count)], { encoding: 'utf8' })),
    );
    table.add('slow disk, 1 send in flight', { p50: alone }, { unit: '/s' });
    table.add('slow disk, 32 sends in flight', { p50: many }, { unit: '/s', floor: 'slow disk, 1 send in flight', note: 'one process' });
  } finally {
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}

/** The library, or undefined with the reason on standard error. */
function compile(home) {
  const skipped = (why) => void process.stderr.write(`SKIPPED: ${why} ... `);
  if (process.platform !== 'linux') return skipped('slow disks are emulated on Linux only');
  const shim = join(home, 'slow-disk.so');
  const { error, status, stderr } = spawnSync('gcc', ['-shared', '-fPIC', '-O2', '-o', shim, SOURCE, '-ldl'], { encoding: 'utf8' });
  if (error !== undefined) return skipped('there is no gcc');
  return status === 0 ? shim : skipped(`gcc: ${stderr.trim().split('\n')[0]}`);
}

const ms = (sorted) => (quantile(sorted, 0.99) / 1_000).toFixed(0);
