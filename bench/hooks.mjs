// What a hook costs a client: the program `rookery hook`, started once per event, beside a Node that does nothing, in turns, so that a busy machine
// slows both alike. A client waits for it before its model may go on; the budget is 150 ms at the median of 50.

import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { attachment, openHub, PROJECT, program } from '../prove/hub.mjs';
import { summary } from './figures.mjs';

const EVENTS = ['UserPromptSubmit', 'PreToolUse', 'PostToolUse', 'PostToolBatch', 'Stop'];
const RUNS = 50;
const BUDGET_MS = 150;

export async function benchHooks(place, table) {
  // Without a configuration, as most hubs are.
  const home = join(place, 'hub');
  mkdirSync(home, { mode: 0o700 });
  const hub = await openHub(home, { limits: {} });
  const client = { name: 'claude-code', version: '2', key: 'claude:bench' };
  const agent = await hub.sessions.attach(attachment('agent', { client }));
  const peer = await hub.sessions.attach(attachment('peer'));
  const cases = {
    'node -e 0 (beside hooks)': () => run(['-e', '0'], ''),
    'hook, no hub': () => hook(join(place, 'none'), 'PreToolUse', {}),
    ...Object.fromEntries(EVENTS.map((event) => [`hook ${event}`, (n) => hook(home, event, wordsOf(event, n))])),
  };
  const times = Object.fromEntries(Object.keys(cases).map((name) => [name, []]));
  for (let n = 0; n < RUNS + 1; n++) {
    await hub.messages.send(peer, { to: agent.name, body: `${n}`, subject: `news ${n}` }, { tool: 'send' });
    for (const [name, operation] of Object.entries(cases)) {
      const took = operation(n);
      if (n > 0) times[name].push(took);
    }
  }
  await hub.close();
  for (const [name, list] of Object.entries(times)) {
    const figures = summary(list.sort((a, b) => a - b));
    const isFloor = name.startsWith('node');
    const over = figures.p50 > BUDGET_MS ? `OVER the budget of ${BUDGET_MS} ms` : `within the budget of ${BUDGET_MS} ms`;
    table.add(name, figures, { unit: 'ms', ...(isFloor ? {} : { floor: 'node -e 0 (beside hooks)', note: over }) });
  }
}

function wordsOf(event, n) {
  const use = {
    tool_use_id: `use-${n}`,
    tool_name: 'Bash',
    tool_input: { command: 'ls -la' },
    tool_response: 'x'.repeat(2_000),
    duration_ms: 12,
  };
  const words = { session_id: 'bench', cwd: PROJECT.root, hook_event_name: event, prompt_id: `turn-${n}` };
  return event === 'PostToolBatch' ? { ...words, tool_calls: [use] } : { ...words, ...use };
}

function hook(home, event, words) {
  return run([program(), 'hook', event, '--home', home, '--project', 'proof'], JSON.stringify(words));
}

function run(args, input) {
  const since = performance.now();
  const { status } = spawnSync(process.execPath, args, { input });
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}`);
  return performance.now() - since;
}
