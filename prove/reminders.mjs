// Reminders with several processes alive (C9, C-19): a thousand due at once fire exactly once each, with processes killed and stopped in the
// middle, while sends go on; and what was missed while nothing ran fires once on the next start, marked late.

import { attachment, openHub, PROJECT, pause, scratch } from './hub.mjs';
import { startServer } from './stdio-raw.mjs';

const OWNERS = 20;
const LIMITS = {
  pendingReminders: 1_000,
  remindersPerMinute: 100_000,
  sendPerSecond: 100_000,
  sendBurst: 100_000,
  sendPerMinute: 10_000_000,
};

/** `count` reminders due at one instant; `disturb`: kill one process and stop another while they fire. */
export async function proveReminders({ count = 1_000, processes = 5 } = {}) {
  const { folder: home, done } = scratch();
  const bad = [];
  const servers = [];
  const hub = await openHub(home, { limits: LIMITS });
  try {
    const owners = await attachAll(hub);
    const sender = await hub.sessions.attach(attachment('sender'));
    const idle = await sendLatencies(hub, sender, 60);
    for (let n = 0; n < processes; n++) servers.push(await started(home, `server-${n}`));
    const dueAt = Date.now() + 3_000;
    await setReminders(hub, owners, count, dueAt);
    await pause(Math.max(0, dueAt - Date.now()));
    servers[0].kill();
    const held = await stopBetweenTransactions(hub, servers[1].pid);
    const busy = await sendLatencies(hub, sender, 60);
    await settled(hub, count);
    process.kill(servers[1].pid, 'SIGCONT');
    const once = await firings(hub);
    judge(once, count, bad);
    const lateness = once.map((row) => row.fired_at - row.due_at).sort((a, b) => a - b);
    for (const server of servers) server.kill();
    await Promise.all(servers.map(({ ended }) => ended));
    const missed = await missedWhileDown(hub, home, owners, bad);
    const note = `${processes} processes, one killed and one stopped (caught inside a transaction ${held} times, where it blocks writers until it goes on); lateness p50 ${middle(lateness)} ms, max ${lateness.at(-1)} ms; send p50 ${ms(middle(busy))} while firing, ${ms(middle(idle))} idle (x${(middle(busy) / middle(idle)).toFixed(2)}); ${missed} missed ones fired once, late`;
    return { checked: once.length + missed, bad, note };
  } finally {
    for (const server of servers) server.kill();
    await Promise.all(servers.map(({ ended }) => ended));
    await hub.close();
    done();
  }
}

async function attachAll(hub) {
  const owners = [];
  for (let n = 0; n < OWNERS; n++) owners.push(await hub.sessions.attach(attachment(`owner-${n}`)));
  await hub.sessions.attach(attachment('reader'));
  return owners;
}

/**
 * Stops a process. Caught inside a transaction it holds SQLite's lock, and nobody can take that from it: then it is let go on and stopped
 * again. Answers how often that happened. (SIGTSTP, what Ctrl-Z sends, is handled by the servers themselves: they stop between transactions.)
 */
async function stopBetweenTransactions(hub, pid) {
  for (let held = 0; ; held++) {
    process.kill(pid, 'SIGSTOP');
    const free = await Promise.race([hub.probe().then(() => true), pause(1_000).then(() => false)]);
    if (free) return held;
    process.kill(pid, 'SIGCONT');
    await pause(7 * (held + 1)); // longer each time, so that it comes to the end of its transaction
  }
}

async function setReminders(hub, owners, count, dueAt) {
  const at = new Date(dueAt).toISOString();
  await Promise.all(
    Array.from({ length: count }, (_, n) =>
      hub.reminders.remind(owners[n % owners.length], { message: `reminder ${n}`, at }, { tool: 'remind' }),
    ),
  );
}

async function started(home, name) {
  const server = startServer(home, name);
  await server.initialize();
  await server.call('whoami');
  return server;
}

async function sendLatencies(hub, sender, count) {
  const taken = [];
  for (let n = 0; n < count; n++) {
    const since = performance.now();
    await hub.messages.send(sender, { to: 'reader', body: `probe ${n}`, allowDuplicate: true }, { tool: 'send' });
    taken.push(performance.now() - since);
    await pause(5);
  }
  return taken.sort((a, b) => a - b);
}

const firings = (hub) =>
  hub.context.db.read((read) =>
    read.all(
      `SELECT f.reminder_id, f.due_at, f.fired_at, f.message_id, m.subject FROM reminder_firings f LEFT JOIN messages m ON m.id = f.message_id`,
    ),
  );

/** All fired, or no progress for ten seconds. */
async function settled(hub, count) {
  let seen = -1;
  for (let still = 0; still < 100; still++) {
    const now = (await firings(hub)).length;
    if (now >= count) return;
    if (now !== seen) still = 0;
    seen = now;
    await pause(100);
  }
}

function judge(rows, count, bad) {
  const messages = rows.map((row) => row.message_id);
  if (rows.length !== count) bad.push(`${rows.length} firings of ${count} reminders`);
  if (messages.some((id) => id === null)) bad.push('a firing without its message');
  if (new Set(messages).size !== messages.length) bad.push('one message stands for two firings');
}

/** Nothing runs at the due time; the next process to start fires what was missed, once. */
async function missedWhileDown(hub, home, owners, bad) {
  const before = (await firings(hub)).length;
  const count = 40;
  await setReminders(hub, owners, count, Date.now() + 1_500);
  await pause(8_000);
  const again = [await started(home, 'server-a'), await started(home, 'server-b')];
  await settled(hub, before + count);
  for (const server of again) server.kill();
  await Promise.all(again.map(({ ended }) => ended));
  const rows = (await firings(hub)).slice(before);
  if (rows.length !== count) bad.push(`${rows.length} firings of ${count} missed reminders`);
  const unmarked = rows.filter((row) => !String(row.subject).includes('late_by_ms'));
  if (unmarked.length > 0) bad.push(`${unmarked.length} late firings are not marked late`);
  const { sent } = await hub.context.db.read((read) => read.get(`SELECT COUNT(*) AS sent FROM messages WHERE ref LIKE 'rem_%'`));
  if (sent !== before + count) bad.push(`${sent} messages for ${before + count} firings`);
  return rows.length;
}

const middle = (sorted) => sorted[Math.floor(sorted.length / 2)] ?? 0;
const ms = (value) => `${value.toFixed(2)} ms`;

if (import.meta.url === `file://${process.argv[1]}`) {
  const { checked, bad, note } = await proveReminders();
  process.stdout.write(
    `${bad.length === 0 ? 'ok' : 'FAIL'} I10 ${checked} due instants, ${note}, project ${PROJECT.name}\n${bad.map((one) => `  ${one}\n`).join('')}`,
  );
  process.exitCode = bad.length === 0 ? 0 : 1;
}
