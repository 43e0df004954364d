// Both clients in their terminals, with the hub installed as its user installs it. The parts share one pair of sessions, because opening a
// client costs seconds; the last one breaks the hub.

import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { whenLeaving } from '../leaving.mjs';
import { check, figure, title } from '../report.mjs';
import { openStage } from '../stage.mjs';
import { brokenHub } from './broken-hub.mjs';
import { idleWake } from './idle-wake.mjs';
import { recovery } from './recovery.mjs';
import { runningTurn } from './running-turn.mjs';
import { stopping } from './stopping.mjs';

const PARTS = { idleWake, runningTurn, stopping, recovery, brokenHub };

/** @param {string[]} words the parts that are wanted; none: all */
export async function terminals(place, words) {
  const stage = await openStage(place);
  const close = whenLeaving(() => stage.close());
  try {
    if (!(await bothIntroduced(stage))) return;
    const wanted = Object.entries(PARTS).filter(([name]) => words.length === 0 || words.includes('terminals') || words.includes(name));
    for (const [name, part] of wanted) {
      try {
        await part(stage);
      } catch (error) {
        check(`${name} ran to its end`, false, error.stack);
      }
      tellDrops(stage, name);
    }
  } finally {
    await close();
  }
}

async function bothIntroduced(stage) {
  title('Fresh homes: install, and an agent in each client');
  const installed = await stage.hub.call('install', 'claude', 'codex');
  check('rookery install claude codex', installed.code === 0, installed);
  const clients = await Promise.all([stage.open('claude'), stage.open('codex')]);
  let well = installed.code === 0;
  for (const agent of clients) {
    well &&= check(`${agent.which} opens in its terminal`, agent.terminal.ready, agent.terminal.screen());
    const me = await stage.introduce(agent);
    well &&= check(`${agent.which} has an agent of its own: ${me?.name}`, typeof me?.name === 'string', me ?? agent.terminal.screen());
  }
  check('Codex asked once whether its hooks are to be trusted', stage.agents.codex.terminal.asked(), stage.agents.codex.terminal.screen());
  const present = await stage.presence();
  check('both are present and idle', present.filter(({ state }) => state === 'idle').length === 2, present);
  return well;
}

/** On a machine that is too busy hooks give up; what fails then is not the hub's fault, and a person should know. */
function tellDrops(stage, name) {
  const path = join(stage.home, '.rookery', 'hook-drops.log');
  if (!existsSync(path)) return;
  const drops = readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  figure(`hooks given up in ${name}: ${drops.map(({ event, why }) => `${event} (${why})`).join(', ')}`);
  rmSync(path);
}
