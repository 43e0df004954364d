// Tasks on the real SQLite engine and the built package: the property over random sequences, and a crowd of processes on a few tasks.

import fc from 'fast-check';
import { JumpClock } from './fake-clock.mjs';
import { attachment, LIMITS, openHub, PACKAGE, scratch } from './hub.mjs';
import { checkTasks } from './task-property.mjs';

/** Runs `runs` random sequences; throws fast-check's report, with the seed, at the first that breaks a rule. */
export async function proveTasks({ runs, seed, root = PACKAGE, endOnFailure = false }) {
  const world = () => {
    const { folder, done } = scratch({ inMemory: true });
    const clock = new JumpClock();
    return {
      clock,
      open: () => openHub(folder, { root, clock, limits: { ...LIMITS, heldTasks: 3, taskAttempts: 3 } }),
      attach: (hub, name, role) => hub.sessions.attach(attachment(name, role === undefined ? {} : { role })),
      done,
    };
  };
  return await checkTasks(fc, world, { runs, seed, endOnFailure });
}
