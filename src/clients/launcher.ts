// The launcher: a small program in the hub's private folder that starts this Rookery, whatever its folder and Node are called. A plug-in that was
// copied away from the package finds it there; the last Rookery that was installed or served has the word.

import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Program } from './install/program.ts';

export function launcherPath(home: string): string {
  return join(home, 'bin', 'rookery');
}

/** Writes the launcher where it is missing or starts another Rookery. A folder that cannot be written is no reason to fail. */
export function leaveLauncher(home: string, { node, main }: Program): void {
  const path = launcherPath(home);
  const text = `#!/bin/sh\n# Written by rookery install and rookery serve.\nexec ${quoted(node)} ${quoted(main)} "$@"\n`;
  try {
    if (existsSync(path) && readFileSync(path, 'utf8') === text) return;
    mkdirSync(join(home, 'bin'), { recursive: true, mode: 0o700 });
    const temp = `${path}.${process.pid}`;
    writeFileSync(temp, text, { mode: 0o700 });
    chmodSync(temp, 0o700);
    renameSync(temp, path);
  } catch {
    return;
  }
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
