// One idle hub with its scheduler, as a process of its own: node --expose-gc idle-hub.mjs HOME. Prints what it costs: processor time a second over five,
// and its memory.

import { openHub, pause } from '../prove/hub.mjs';
import { schedule } from './reminders.mjs';

const hub = await openHub(process.argv[2]);
await schedule(hub);
await pause(1_500);
global.gc();
const before = process.cpuUsage();
await pause(5_000);
const { user, system } = process.cpuUsage(before);
process.stdout.write(JSON.stringify({ cpu: (user + system) / 5, rss: process.memoryUsage().rss / 2 ** 20 }), () => process.exit(0));
