// A client for orphans.mjs: node orphan-parent.mjs HOME NAME starts a server, uses it, prints the server's pid and waits to be killed.

import { pause } from '../hub.mjs';
import { startServer } from '../stdio-raw.mjs';

const [home, name] = process.argv.slice(2);
const server = startServer(home, name);
await server.initialize();
await server.call('whoami');
process.stdout.write(`${server.pid}\n`);
await pause(600_000);
