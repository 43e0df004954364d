// The cold start of a server, the memory it holds afterwards, and what its tools cost a model before the first call.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { encode } from 'gpt-tokenizer';
import { startProgram, startServer } from '../prove/stdio-raw.mjs';
import { summary } from './figures.mjs';

const BARE = fileURLToPath(new URL('bare-server.mjs', import.meta.url));
/** What the core toolset may cost a context. */
const TOKEN_BUDGET = 2_500;

export async function benchStart(home, table, { starts }) {
  // As most hubs are: the limits that other sections raise would have every setting checked at each start.
  rmSync(join(home, 'config.json'), { force: true });
  // The first keeps what it compiled for those that follow.
  await coldStarts(1, () => startServer(home, 'starter'));
  const empty = [];
  for (let n = 0; n < starts; n++) {
    const since = performance.now();
    execFileSync(process.execPath, ['-e', '0']);
    empty.push(performance.now() - since);
  }
  table.add('node -e 0', summary(empty.sort((a, b) => a - b)), { unit: 'ms' });
  const bare = await coldStarts(starts, () => startProgram([BARE], home));
  table.add('bare server, tools/list', bare.listed, { unit: 'ms', floor: 'node -e 0' });
  const ours = await coldStarts(starts, () => startServer(home, 'starter'));
  table.add('rookery, initialize', ours.initialized, { unit: 'ms', floor: 'bare server, tools/list' });
  table.add('rookery, tools/list', ours.listed, { unit: 'ms', floor: 'bare server, tools/list' });
  table.add('rookery, first call', ours.called, { unit: 'ms', floor: 'bare server, tools/list' });
  table.add('bare server, PSS', bare.memory, { unit: 'MB', note: `RSS ${bare.rss.toFixed(0)} MB` });
  table.add('rookery, PSS', ours.memory, {
    unit: 'MB',
    floor: 'bare server, PSS',
    note: `RSS ${ours.rss.toFixed(0)} MB, idle after one call`,
  });
}

async function coldStarts(starts, start) {
  const times = { initialized: [], listed: [], called: [] };
  let memory;
  for (let n = 0; n < starts; n++) {
    const since = performance.now();
    const server = start();
    await server.initialize();
    times.initialized.push(performance.now() - since);
    await server.ask('tools/list', {});
    times.listed.push(performance.now() - since);
    await server.ask('tools/call', { name: 'whoami', arguments: {} });
    times.called.push(performance.now() - since);
    if (n === starts - 1) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      memory = memoryOf(server.pid);
    }
    await server.close();
  }
  const sorted = Object.fromEntries(Object.entries(times).map(([name, list]) => [name, summary(list.sort((a, b) => a - b))]));
  return { ...sorted, memory: { p50: memory.pss }, rss: memory.rss };
}

/** In MB. Only Linux tells the proportional share of what processes have in common. */
function memoryOf(pid) {
  const path = `/proc/${pid}/smaps_rollup`;
  if (!existsSync(path)) return { rss: Number.NaN, pss: Number.NaN };
  const text = readFileSync(path, 'utf8');
  const field = (name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1]) / 1024;
  return { rss: field('Rss'), pss: field('Pss') };
}

/** Tokens of what a client puts before the model of each tool of the core set: name, description, input schema. */
export async function benchTokens(home, table) {
  const server = startServer(home, 'counter', { flags: ['--toolsets', 'core'] });
  await server.initialize();
  const { result } = await server.ask('tools/list', {});
  await server.close();
  let total = 0;
  let bytes = 0;
  for (const { name, description, inputSchema } of result.tools) {
    const text = JSON.stringify({ name, description, inputSchema });
    const tokens = encode(text).length;
    total += tokens;
    bytes += Buffer.byteLength(text);
    table.add(`tokens of ${name}`, { p50: tokens }, { unit: 'tokens' });
  }
  const over = total > TOKEN_BUDGET ? `OVER the budget of ${TOKEN_BUDGET}` : `within the budget of ${TOKEN_BUDGET}`;
  table.add('tokens of the core tools', { p50: total }, { unit: 'tokens', note: `${over}; bytes / 4 = ${Math.round(bytes / 4)}` });
}
