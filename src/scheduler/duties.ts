// The timed duties. Each lives with its noun and is safe to run in any number of processes at once; this is only the list.

import type { Hub } from '../hub/hub.ts';

export type Duty = {
  name: string;
  /** At most this often, in milliseconds. */
  everyMs: number;
  /** Does what is due and answers how much it did. */
  run(): Promise<unknown>;
};

export function dutiesOf(hub: Hub): Duty[] {
  return [
    { name: 'record calls', everyMs: 1_000, run: () => hub.calls.flush() },
    { name: 'beat', everyMs: 5_000, run: () => hub.beat() },
    { name: 'end dead sessions', everyMs: 5_000, run: () => hub.sessions.endDead() },
    { name: 'expire messages', everyMs: 2_000, run: () => hub.deliveries.expireDue() },
    { name: 'nudge', everyMs: 10_000, run: () => hub.deliveries.nudgeForgetful() },
    { name: 'tell stalled', everyMs: 10_000, run: () => hub.deliveries.tellStalled() },
    { name: 'bury poison', everyMs: 10_000, run: () => hub.deliveries.buryPoison() },
    { name: 'offer pool messages again', everyMs: 15_000, run: () => hub.deliveries.reofferPool() },
    { name: 'forget keys', everyMs: 600_000, run: () => hub.forgetKeys() },
  ];
}
