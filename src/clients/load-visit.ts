// Loading what a hook needs of the hub, in a fraction of the time that compiling it takes: the built package has it in one file, and what the
// engine made of that file is kept for the next hook. Without the one file, as in development, the modules are imported.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { KeptCode } from '../system/kept-code.ts';

type Visit = typeof import('./hook-visit.ts');
type Loaded = {
  visit: Visit;
  /** Keeps what was compiled, once it has run: called last, because it takes a moment. */
  keep(): void;
};

/** `home`: the hub's folder. */
export async function loadVisit(home: string): Promise<Loaded> {
  const file = fileURLToPath(new URL('./hook-visit.cjs', import.meta.url));
  if (!existsSync(file)) return { visit: await import('./hook-visit.ts'), keep: () => {} };
  const kept = new KeptCode(join(home, 'cache'), 'hook');
  return { visit: kept.load(file) as Visit, keep: () => kept.keep() };
}
