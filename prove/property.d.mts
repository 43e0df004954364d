// Types of property.mjs for the test that runs the same property over every engine.

import type * as FastCheck from 'fast-check';
import type { Caller } from '../src/hub/caller.ts';
import type { Clock } from '../src/hub/clock.ts';
import type { Hub } from '../src/hub/hub.ts';

export type World = {
  clock: Clock & { advance(ms: number): void };
  open(): Promise<Hub>;
  attach(hub: Hub, name: string, role?: string): Promise<Caller>;
  done(): void | Promise<void>;
};

export function checkContract(
  fc: typeof FastCheck,
  world: () => World,
  options: { runs: number; seed?: number; maxCommands?: number; endOnFailure?: boolean },
): Promise<{ sequences: number; commands: number }>;
