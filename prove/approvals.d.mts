// The types of approvals.mjs, for the tests that run its property on every engine.

import type * as FastCheck from 'fast-check';
import type { Caller } from '../src/hub/caller.ts';
import type { Hub } from '../src/hub/hub.ts';
import type { LimitName } from '../src/hub/limits.ts';

type World = {
  clock: { advance(ms: number): void; jump(ms: number): void };
  open(): Promise<Hub>;
  attach(hub: Hub, name: string, role?: string): Promise<Caller>;
  operator(hub: Hub): Promise<Caller>;
  done(): void | Promise<void>;
};

export const APPROVAL_LIMITS: Partial<Record<LimitName, number>>;
export function checkApprovals(
  fc: typeof FastCheck,
  world: () => World | Promise<World>,
  options: { runs: number; seed?: number; endOnFailure?: boolean },
): Promise<{ sequences: number; approvals: number; decided: number; used: number; expired: number }>;
