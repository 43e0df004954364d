// Which program this is: the file that was started, by the place of this one. Chunks of the bundle lie one folder deep, as this file does.

import { homedir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { isFleeting, type Program, programOf } from '../clients/install/program.ts';

export const MAIN = fileURLToPath(new URL('../main.js', import.meta.url));

/** The words that start it. Throws `conflict` when it lies where it will not stay. */
export function thisProgram(): Program {
  return programOf(MAIN, process.env.PATH);
}

/** What a command knows of its own process, for the doctor. A program in a fleeting place is examined all the same. */
export function thisProcess() {
  return { userHome: homedir(), env: process.env, program: isFleeting(MAIN) ? { node: process.execPath, main: MAIN } : thisProgram() };
}
