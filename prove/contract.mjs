// The contract against its model, on the real SQLite engine and the built package.

import fc from 'fast-check';
import { StillClock } from './fake-clock.mjs';
import { attachment, LIMITS, openHub, PACKAGE, scratch } from './hub.mjs';
import { checkContract } from './property.mjs';

/** Runs `runs` random sequences of at most 40 commands; throws at the first difference. */
export async function proveContract({ runs, seed, root = PACKAGE, endOnFailure = false }) {
  const world = () => {
    const { folder, done } = scratch({ inMemory: true });
    const clock = new StillClock();
    return {
      clock,
      open: () => openHub(folder, { root, clock, limits: { ...LIMITS, poisonMinAgeMs: 86_400_000 } }),
      attach: (hub, name, role) => hub.sessions.attach(attachment(name, role === undefined ? {} : { role })),
      done,
    };
  };
  return await checkContract(fc, world, { runs, seed, endOnFailure });
}
