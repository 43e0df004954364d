// The hub's folder is removed under running clients: they go on working, their hooks say nothing and exit 0.

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { MAIN } from '../hub.mjs';
import { run } from '../process.mjs';
import { check, title } from '../report.mjs';
import { turnsOf } from '../stage.mjs';

const EVENTS = [
  'SessionStart',
  'UserPromptSubmit',
  'PreToolUse',
  'PostToolUse',
  'PostToolBatch',
  'Stop',
  'PreCompact',
  'SubagentStop',
  'SessionEnd',
];

export async function brokenHub(stage) {
  title('The hub is gone');
  await stage.news.close();
  rmSync(join(stage.home, '.rookery'), { recursive: true, force: true });
  for (const which of ['claude', 'codex']) {
    const agent = stage.agents[which];
    const from = agent.model.seen.length;
    agent.model.script = (view) => (view.results.length === 0 ? { tool: 'whoami' } : { text: `${which} goes on.` });
    await agent.terminal.type('Work without the hub.');
    await agent.terminal.shows(`${which} goes on.`);
    check(`${which} goes on working`, turnsOf(agent, from).length === 2, turnsOf(agent, from).length);
    check(`${which} shows no failed hook`, !/hook (failed|error)/i.test(agent.terminal.screen()));
  }
  const loud = [];
  for (const event of EVENTS) {
    const input = JSON.stringify({ session_id: 'gone', hook_event_name: event, cwd: stage.cwd, transcript_path: '/nowhere' });
    const done = await run(process.execPath, [MAIN, 'hook', event], { env: stage.hub.env, cwd: stage.cwd, input });
    if (done.code !== 0 || done.out !== '' || done.err !== '') loud.push({ event, ...done });
  }
  check('every hook exits 0 and says nothing', loud.length === 0, loud);
}
