// One process of the race for approvals: node approval-racer.mjs '{home, folder, name, names, count, seed}'. It asks for approvals of its own, decides
// and uses those of everybody, and writes a line before every call and one after it. It may be killed at any instant and is started again.

import { directDoor } from './doors.mjs';
import { History, readOwn } from './history.mjs';
import { chance, pause } from './hub.mjs';

process.once('disconnect', () => process.exit(1)); // whoever started this is gone

const { home, folder, name, count, seed } = JSON.parse(process.argv[2]);
const past = readOwn(folder, name);
const history = new History(folder, name);
const luck = chance(seed + past.length);
const door = await openDoor();
process.send?.({ pid: door.pid });

let made = past.filter(({ op, phase }) => op === 'request' && phase === 'invoke').length;
for (let idle = 0; idle < 5; ) {
  if (made < count && luck.next() < 0.4) await request(`${name}-${made++}`);
  const rows = await approvals();
  const pending = rows.filter(({ state, requester }) => state === 'pending' && requester !== name);
  const approved = rows.filter(({ state }) => state === 'approved');
  // The newest, so that all run for the same few.
  if (pending.length > 0) await decide(pending[luck.below(Math.min(2, pending.length))]);
  if (approved.length > 0) await consume(approved[luck.below(Math.min(2, approved.length))]);
  idle = made >= count && pending.length + approved.length === 0 ? idle + 1 : 0;
  if (idle > 0) await pause(50);
}
await door.close();
history.close();
process.exit(0);

/** A name may be held for a moment by the session of the process that was killed just now. */
async function openDoor() {
  for (let attempt = 0; ; attempt++) {
    const opened = await directDoor(home, name, { toolsets: ['core', 'work'] }).catch((error) => {
      if (attempt > 100) throw error;
    });
    if (opened !== undefined) return opened;
    await pause(50);
  }
}

/** Under a key, so that what was asked just before the end is not asked twice. */
async function request(key) {
  await history.record('request', { key }, () => door.call('request_approval', { action: key, risk: 'medium', idempotency_key: key }));
}

async function approvals() {
  return await door.approvals();
}

async function decide({ id }) {
  const decision = luck.next() < 0.85 ? 'approve' : 'deny';
  await history.record('decide', { about: id, decision }, () => door.call('decide_approval', { approval_id: id, decision }));
}

async function consume({ id, action }) {
  await history.record('consume', { about: id }, () => door.call('verify_approval', { approval_id: id, action, consume: true }));
}
