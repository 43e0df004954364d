// The hub under test, as its user starts it: the built program, in a home of its own.

import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './process.mjs';

export const MAIN = resolve(fileURLToPath(new URL('../../../dist/main.js', import.meta.url)));

/** The command line of the hub in `home`, called in `cwd`. `json` answers the parsed output. */
export function rookery({ home, cwd, env = process.env }) {
  const call = (...args) => run(process.execPath, [MAIN, ...args, '--home', home], { env, cwd });
  const json = async (...args) => {
    const done = await call(...args, '--json');
    try {
      return JSON.parse(done.out);
    } catch {
      return { failed: done };
    }
  };
  return { call, json };
}

/** The entry of a stdio server in an mcpServers object. */
export const stdio = (home, agent) => ({
  type: 'stdio',
  command: process.execPath,
  args: [MAIN, 'stdio', '--home', home, ...(agent === undefined ? [] : ['--agent', agent])],
});
