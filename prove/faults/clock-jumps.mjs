// Clocks that jump under running processes, by libfaketime: one hour ahead, two back, more than two ahead again. Nobody loses a lease or a
// session by it, and every reminder fires once (C13).

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openHub, pause, scratch } from '../hub.mjs';
import { startServer } from '../stdio-raw.mjs';
import { faketime } from './stage.mjs';

const HOUR = 3_600;

export async function proveClockJumps({ reminders = 5, limitMs = 60_000 } = {}) {
  const { folder: home, done } = scratch({ inMemory: true });
  const offset = join(home, 'offset');
  const jumpTo = (seconds) => writeFileSync(offset, `${seconds < 0 ? '' : '+'}${seconds}`);
  jumpTo(0);
  const env = {
    LD_PRELOAD: faketime(),
    FAKETIME_TIMESTAMP_FILE: offset,
    FAKETIME_NO_CACHE: '1',
    DONT_FAKE_MONOTONIC: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  };
  const servers = ['ada', 'bob', 'cleo'].map((name) => startServer(home, name, { env }));
  const [ada, bob, cleo] = servers;
  const bad = [];
  try {
    for (const server of servers) {
      await server.initialize();
      await server.call('whoami');
    }
    for (let n = 0; n < 5; n++) await bob.call('send', { to: 'ada', body: `before ${n}` });
    const held = await ada.call('recv_batch');
    const soon = await remindSeveral(ada, reminders, 2);
    const later = await remindSeveral(ada, reminders, 2 * HOUR);

    jumpTo(HOUR);
    await fired(home, soon, limitMs);
    const { acked } = await ada.call('ack', { receipt: held.receipt });
    if (acked.length !== 5) bad.push(`an hour ahead: ${acked.length} of 5 could still be acknowledged`);

    jumpTo(-HOUR);
    await bob.call('send', { to: 'ada', body: 'two hours back' });
    await cleo.call('whoami');
    await pause(1_500); // long enough for a duty that believed the clock

    jumpTo(2 * HOUR + 900);
    await fired(home, later, limitMs);
    await cleo.call('whoami');
    bad.push(...(await judge(home, [...soon, ...later], servers.length)));
    return { checked: soon.length + later.length + held.messages.length, bad, note: 'one hour ahead, two back, three and a quarter ahead' };
  } finally {
    await Promise.all(servers.map((server) => server.close()));
    done();
  }
}

async function remindSeveral(server, count, seconds) {
  const ids = [];
  for (let n = 0; n < count; n++)
    ids.push((await server.call('remind', { message: `in ${seconds} s, number ${n}`, in_seconds: seconds })).reminder_id);
  return ids;
}

/** Waits until every one of these reminders has fired at least once. */
async function fired(home, ids, limitMs) {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const seen = new Set((await eventsOf(home)).filter(({ type }) => type === 'reminder.fired').map(({ subject }) => subject));
    if (ids.every((id) => seen.has(id))) return;
    if (performance.now() > deadline)
      throw new Error(`${ids.filter((id) => !seen.has(id)).length} reminders did not fire in ${limitMs} ms`);
    await pause(200);
  }
}

async function judge(home, reminders, sessions) {
  const events = await eventsOf(home);
  const bad = [];
  for (const id of reminders) {
    const times = events.filter(({ type, subject }) => type === 'reminder.fired' && subject === id).length;
    if (times !== 1) bad.push(`${id} fired ${times} times`);
  }
  const ended = events.filter(({ type }) => type === 'session.ended').length;
  if (ended > 0) bad.push(`${ended} of ${sessions} sessions were ended`);
  return bad;
}

async function eventsOf(home) {
  const hub = await openHub(home);
  const events = await hub.context.db.read((read) => read.all('SELECT type, subject FROM events ORDER BY seq'));
  await hub.close();
  return events;
}
