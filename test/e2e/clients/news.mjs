// What happens in a hub, as `rookery watch` tells it: every event from the first on, so that a scenario waits for what happened instead of for
// some time, and counts what must not have happened.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { MAIN } from './hub.mjs';
import { whenLeaving } from './leaving.mjs';
import { waitFor } from './process.mjs';

export function follow({ env, cwd }) {
  const child = spawn(process.execPath, [MAIN, 'watch', '--json', '--after', '0'], { env, cwd, stdio: ['ignore', 'pipe', 'ignore'] });
  const gone = new Promise((resolve) => child.once('close', resolve));
  const events = [];
  createInterface({ input: child.stdout }).on('line', (line) => events.push(JSON.parse(line)));
  const last = () => events.at(-1)?.seq ?? 0;
  const since = (after, wanted) => events.filter((event) => event.seq > after && wanted(event));

  return {
    events,
    last,
    since,

    /** The first event after a seq that is wanted. */
    one: (what, wanted, { after = 0, seconds } = {}) =>
      waitFor(what, () => events.find((event) => event.seq > after && wanted(event)), {
        seconds,
        so: () => `; the last events: ${events.slice(-12).map(({ seq, type, actor, data }) => `${seq} ${type} ${data.agent ?? actor}`)}`,
      }),

    /** The acceptance of a message, once it has come by: what follows in the history comes after it. */
    sent(messageId) {
      return this.one('the message in the history', ({ type, subject }) => type === 'message.sent' && subject === messageId);
    },

    close: whenLeaving(async () => {
      child.kill('SIGTERM');
      await gone;
    }),
  };
}

export const ofAgent =
  (name, ...types) =>
  ({ type, data }) =>
    types.includes(type) && data.agent === name;
