// Approvals as a property on every engine: the hub beside a small model of the rules (C8, I9). The property lives in prove/, where `npm run prove`
// runs far more of it, and the race of processes that are killed.

import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { APPROVAL_LIMITS, checkApprovals } from '../../prove/approvals.mjs';
import type { Hub } from '../../src/hub/hub.ts';
import { attach, onEveryEngine, PROJECT, scratch, testHub } from '../support/engines.ts';
import { FakeClock } from '../support/fake-clock.ts';

onEveryEngine('approvals beside their model', (engine) => {
  it('hold for random sequences of requests, decisions, uses, restarts and steps of the clock', { timeout: 120_000 }, async () => {
    const world = () => {
      const clock = new FakeClock();
      const place = scratch();
      return {
        clock,
        open: () => testHub(engine, { place, clock, limits: APPROVAL_LIMITS }),
        attach: (hub: Hub, name: string, role?: string) => attach(hub, name, { takeover: true, ...(role === undefined ? {} : { role }) }),
        operator: (hub: Hub) => hub.projects.operator(PROJECT, 'cli'),
        done: () => {},
      };
    };
    const runs = engine.name === 'sqlite' ? 40 : 5;
    const { sequences, approvals } = await checkApprovals(fc, world, { runs });
    expect(sequences).toBeGreaterThanOrEqual(runs);
    expect(approvals).toBeGreaterThan(runs);
  });
});
