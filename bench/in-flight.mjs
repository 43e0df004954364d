// One process with so many sends in flight for three seconds: node in-flight.mjs HOME COUNT. Prints sends a second.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { attachment, openHub } from '../prove/hub.mjs';

const [place, count] = process.argv.slice(2);
const home = join(place, `in-flight-${count}`);
mkdirSync(home, { mode: 0o700 });
const hub = await openHub(home);
const sender = await hub.sessions.attach(attachment('sender'));
await hub.sessions.attach(attachment('reader'));
const end = performance.now() + 3_000;
let sent = 0;
await Promise.all(
  Array.from({ length: Number(count) }, async (_, k) => {
    while (performance.now() < end) {
      await hub.messages.send(sender, { to: 'reader', body: `${k} ${sent}`, allowDuplicate: true }, { tool: 'send' });
      sent += 1;
    }
  }),
);
process.stdout.write(`${sent / 3}`);
await hub.close();
process.exit(0);
