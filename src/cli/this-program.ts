// Which program this is: the file that was started, by the place of this one. Chunks of the bundle lie one folder deep, as this file does.

import { existsSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isFleeting, type Program, programOf } from '../clients/install/program.ts';

export const MAIN = fileURLToPath(new URL('../main.js', import.meta.url));

/** The words that start it. Throws `conflict` when it lies where it will not stay. */
export function thisProgram(): Program {
  return programOf(MAIN, process.env.PATH);
}

/** What a person types to start it: its short name where the shell finds this very program by it, else the whole path. */
export function invocation(): string {
  if (isFleeting(MAIN)) return 'npx rookery';
  const isOnPath = (process.env.PATH ?? '').split(delimiter).some((folder) => {
    const candidate = join(folder, 'rookery');
    return isAbsolute(folder) && existsSync(candidate) && realpathSync(candidate) === realpathSync(MAIN);
  });
  return isOnPath ? 'rookery' : `node ${/^[\w./-]+$/.test(MAIN) ? MAIN : `'${MAIN.replaceAll("'", `'\\''`)}'`}`;
}

/** What a command knows of its own process, for the doctor. A program in a fleeting place is examined all the same. */
export function thisProcess() {
  return { userHome: homedir(), env: process.env, program: isFleeting(MAIN) ? { node: process.execPath, main: MAIN } : thisProgram() };
}
