// Loading what a hook needs of the hub, in a fraction of the time that compiling it takes: the built package has it in one file, and what the
// engine made of that file is kept in the hub's own private folder for the next hook. (Node 22 could do so by itself; Node 20 cannot.)
// Without the one file, as in development, the modules are imported.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire, Module } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';

type Visit = typeof import('./hook-visit.ts');
type Loaded = {
  visit: Visit;
  /** Keeps what was compiled, once it has run: called last, because it takes a moment. */
  keep(): void;
};

const DIGEST_BYTES = 32;

/** `home`: the hub's folder. */
export async function loadVisit(home: string): Promise<Loaded> {
  const file = fileURLToPath(new URL('./hook-visit.cjs', import.meta.url));
  if (!existsSync(file)) return { visit: await import('./hook-visit.ts'), keep: () => {} };
  const { size, mtimeMs } = statSync(file);
  // The engine tells a changed file by its length only.
  const name = `hook-visit-${size}-${Math.round(mtimeMs)}-${process.versions.v8}-${process.arch}.bin`;
  const kept = join(home, 'cache', name);
  const cachedData = readWhole(kept);
  const script = new Script(Module.wrap(readFileSync(file, 'utf8')), { filename: file, cachedData });
  const module = { exports: {} };
  script.runInThisContext()(module.exports, createRequire(file), module, file, join(file, '..'));
  const isKept = cachedData !== undefined && script.cachedDataRejected !== true;
  return { visit: module.exports as Visit, keep: () => (isKept ? undefined : write(join(home, 'cache'), name, script)) };
}

/** What was kept, behind its digest: the engine trusts it blindly, and dies of a damaged byte. */
function readWhole(path: string): Buffer | undefined {
  try {
    const file = readFileSync(path);
    const data = file.subarray(DIGEST_BYTES);
    return file.subarray(0, DIGEST_BYTES).equals(digestOf(data)) ? data : undefined;
  } catch {
    return undefined;
  }
}

function digestOf(data: Buffer): Buffer {
  return createHash('sha256').update(data).digest();
}

/** In one step, so that nobody reads half of it; what earlier programs left is taken away. Where it cannot be kept, hooks are slower. */
function write(folder: string, name: string, script: Script): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const unfinished = join(folder, `${name}.${process.pid}`);
    const data = script.createCachedData();
    writeFileSync(unfinished, Buffer.concat([digestOf(data), data]), { mode: 0o600 });
    renameSync(unfinished, join(folder, name));
    for (const other of readdirSync(folder))
      if (other.startsWith('hook-visit-') && other !== name) rmSync(join(folder, other), { force: true });
  } catch {
    // No room, or not ours.
  }
}
