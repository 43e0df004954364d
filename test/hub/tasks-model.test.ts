// Tasks as a property: whatever is created, claimed, said, lost and decided, in whatever order, the rules of C6 and I7 hold after every step.
// The rules and their commands live in prove/, where `npm run prove` runs far more of them.

import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { checkTasks } from '../../prove/task-property.mjs';
import type { Hub } from '../../src/hub/hub.ts';
import { attach, onEveryEngine, scratch, testHub } from '../support/engines.ts';
import { FakeClock } from '../support/fake-clock.ts';

const limits = { sendPerSecond: 100_000, sendBurst: 100_000, sendPerMinute: 10_000_000, heldTasks: 3, taskAttempts: 3 };

onEveryEngine('tasks', (engine) => {
  it('keep one live token, true counters and a history without gaps, and nothing starves', { timeout: 240_000 }, async () => {
    const world = () => {
      const clock = new FakeClock();
      const place = scratch();
      return {
        clock,
        open: () => testHub(engine, { place, clock, limits }),
        attach: (hub: Hub, name: string, role?: string) => attach(hub, name, { takeover: true, ...(role === undefined ? {} : { role }) }),
        done: () => {},
      };
    };
    const runs = engine.name === 'sqlite' ? 40 : 3;
    const { sequences, completed } = await checkTasks(fc, world, { runs });
    expect(sequences).toBeGreaterThanOrEqual(runs);
    expect(completed).toBeGreaterThan(0);
  });
});
