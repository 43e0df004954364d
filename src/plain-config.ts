// The configuration of a start that is given only what clients usually give: names, toolsets, a credential. It is what config.ts would read, in a
// fraction of the time, because the schema of all settings is not loaded. Anything else, and everything that is wrong, is left to config.ts.

import type { Config, Settings } from './config.ts';
import { type Given, gather, toolsetsIn } from './config-sources.ts';
import { DEFAULT_SETTINGS } from './default-settings.ts';

/** What the schema takes as it is. */
const WORDS: readonly string[] = ['project', 'agent', 'role', 'token', 'enrol'];

/** Undefined where something is set that has to be looked at more closely. */
export function plainConfig(given: Given): Config | undefined {
  let gathered: ReturnType<typeof gather>;
  try {
    gathered = gather(given, () => false);
  } catch {
    return undefined; // config.ts says it in full
  }
  const { merged, complete } = gathered;
  const { toolsets, ...words } = merged;
  const isPlain = Object.entries(words).every(([name, value]) => WORDS.includes(name) && typeof value === 'string' && value !== '');
  const chosen = toolsets === undefined ? DEFAULT_SETTINGS.toolsets : toolsetsIn(toolsets);
  if (!isPlain || chosen === undefined) return undefined;
  const settings: Settings = { ...DEFAULT_SETTINGS, ...words, toolsets: chosen };
  return complete(settings, Object.keys(settings));
}
