// Which program this is: the file that was started, by the place of this one. Chunks of the bundle lie one folder deep, as this file does.

import { fileURLToPath } from 'node:url';
import { type Program, programOf } from '../clients/install/program.ts';

export const MAIN = fileURLToPath(new URL('../main.js', import.meta.url));

/** The words that start it. Throws `conflict` when it lies where it will not stay. */
export function thisProgram(): Program {
  return programOf(MAIN, process.env.PATH);
}
