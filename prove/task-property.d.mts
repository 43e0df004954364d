// Types of task-property.mjs for the test that runs the same property over every engine.

import type * as FastCheck from 'fast-check';
import type { Caller } from '../src/hub/caller.ts';
import type { Clock } from '../src/hub/clock.ts';
import type { Hub } from '../src/hub/hub.ts';

export type World = {
  clock: Clock & { advance(ms: number): void; jump(ms: number): void };
  open(): Promise<Hub>;
  attach(hub: Hub, name: string, role?: string): Promise<Caller>;
  done(): void | Promise<void>;
};

export function checkTasks(
  fc: typeof FastCheck,
  world: () => World,
  options: { runs: number; seed?: number; maxSteps?: number; endOnFailure?: boolean },
): Promise<{ sequences: number; tasks: number; versions: number; stale: number; lost: number; completed: number }>;
