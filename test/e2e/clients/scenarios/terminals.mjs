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

export const PARTS = { idleWake, runningTurn, stopping, recovery, brokenHub };

/** @param {{words: string[], measure?: number}} wish the parts that are wanted; none: all */
export async function terminals(place, wish) {
  const stage = await openStage(place);
  const close = whenLeaving(() => stage.close());
  try {
    if (!(await bothIntroduced(stage))) return;
    const isWanted = (name) => wish.words.length === 0 || wish.words.includes('terminals') || wish.words.includes(name);
    for (const [name, part] of Object.entries(PARTS).filter(([one]) => isWanted(one))) {
      const started = Date.now();
      try {
        await part(stage, wish);
      } catch (error) {
        check(`${name} ran to its end`, false, error.stack);
      }
      tellDrops(stage, name);
      figure(`${name}: ${Math.round((Date.now() - started) / 1000)} s`);
    }
  } finally {
    await close();
  }
}

async function bothIntroduced(stage) {
  title('Fresh homes: install, and an agent in each client');
  const installed = [await stage.hub.call('install', 'claude'), await stage.hub.call('install', 'codex')];
  const isWell = check(
    'rookery install claude, rookery install codex',
    installed.every(({ code }) => code === 0),
    installed,
  );
  await Promise.all([stage.open('claude'), stage.open('codex')]);
  stage.watch();
  for (const agent of Object.values(stage.agents)) {
    const me = await stage.introduce(agent);
    if (!check(`${agent.which} has an agent of its own: ${me?.name}`, agent.name !== undefined, me)) return false;
  }
  check('Codex asked once whether its hooks are to be trusted', stage.agents.codex.terminal.asked());
  const { agents = [] } = await stage.hub.json('agents');
  check('both are present and idle', agents.filter(({ state }) => state === 'idle').length === 2, agents);
  return isWell;
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
