// The doctor on hooks: what those of the clients on this machine could not tell the hub. They are silent towards their clients whatever is wrong,
// so this is where it shows.

import type { Config } from '../config.ts';
import { toIso } from '../hub/clock.ts';
import { readHookDrops } from '../system/hook-drops.ts';
import type { Probes } from './doctor.ts';
import { type Finding, ok, warn } from './finding.ts';

const RECENT_MS = 24 * 3_600_000;

export function checkHookDrops({ home }: Config, { now }: Pick<Probes, 'now'>): Finding {
  const drops = readHookDrops(home);
  const recent = drops.filter(({ at }) => now - at <= RECENT_MS);
  const last = recent.at(-1);
  if (last === undefined)
    return ok('hook_drops', drops.length === 0 ? 'none was in vain' : `${drops.length} were in vain, none in the last day`);
  return warn(
    'hook_drops',
    `${recent.length} were in vain in the last day, the last (${last.event}) at ${toIso(last.at)}: ${last.why}`,
    'What they would have told is missing: who is busy, what tools were used, that mail waits.',
    'See to the other findings; on a slow machine add --within 3000 to the hooks of the client',
  );
}
