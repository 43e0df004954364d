// What a hub is made of that it does not make itself (its database, clock, chance, limits), and the context that its services are given.

import type { Db } from '../store/db.ts';
import type { Clock } from './clock.ts';
import { Commands } from './command.ts';
import type { HubContext } from './context.ts';
import type { Host } from './host.ts';
import type { Ids } from './ids.ts';
import { Instants } from './instants.ts';
import type { Limits } from './limits.ts';
import { DEFAULT_POLICY, type Policy } from './policy.ts';
import { PolicyBook } from './policy-book.ts';
import type { ProjectFiles } from './project-files.ts';
import { SendRates } from './rates.ts';
import { NO_SLOW_LOG, type SlowLog } from './slow-log.ts';
import type { Surroundings } from './surroundings.ts';
import { NO_TELEMETRY, type Telemetry } from './telemetry.ts';
import { HubTime } from './time.ts';
import { Waiting } from './waiting.ts';

export type HubParts = {
  db: Db;
  clock: Clock;
  ids: Ids;
  limits: Limits;
  host: Host;
  /** What the operator's configuration decides of the rules; the defaults where it says nothing. */
  policy?: Policy;
  /** Where clients run beside the hub: what can be seen of them. */
  surroundings?: Surroundings;
  files: ProjectFiles;
  /** Who is told of numbers; nobody by default. */
  telemetry?: Telemetry;
  slowLog?: SlowLog;
  /** What the process around the hub has to say of itself (its log, for example). */
  notices?: () => string[];
};

/** `highWaterAt`: the latest time that any process of this hub has seen. */
export async function contextOf(parts: HubParts, highWaterAt: number): Promise<{ context: HubContext; book: PolicyBook }> {
  const { db, clock, ids, host, files, telemetry = NO_TELEMETRY } = parts;
  const book = new PolicyBook(parts.limits, parts.policy ?? DEFAULT_POLICY);
  await db.read((read) => book.refresh(read));
  const { limits, policy } = book;
  const time = new HubTime(clock, { highWaterAt, jumpMs: limits.clockJumpMs, trustAfterMs: limits.silentAfterMs });
  const context: HubContext = {
    db,
    clock,
    time,
    ids,
    limits,
    policy,
    limitsOf: (party) => book.limitsOf(party),
    policyOf: (party) => book.policyOf(party),
    host,
    files,
    commands: new Commands(db, time, host, telemetry, book),
    waiting: new Waiting(db, clock, limits),
    instants: new Instants(db),
    rates: new SendRates(clock, (caller) => book.limitsOf(caller)),
    telemetry,
    slowLog: parts.slowLog ?? NO_SLOW_LOG,
  };
  return { context, book };
}
