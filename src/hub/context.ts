// What every service is given. Nothing in here is global: two hubs in one process do not know of each other.

import type { Db } from '../store/db.ts';
import type { Clock } from './clock.ts';
import type { Commands } from './command.ts';
import type { Host } from './host.ts';
import type { Ids } from './ids.ts';
import type { Instants } from './instants.ts';
import type { Limits } from './limits.ts';
import type { Policy } from './policy.ts';
import type { Party } from './policy-book.ts';
import type { ProjectFiles } from './project-files.ts';
import type { SendRates } from './rates.ts';
import type { SlowLog } from './slow-log.ts';
import type { Telemetry } from './telemetry.ts';
import type { HubTime } from './time.ts';
import type { Waiting } from './waiting.ts';

export type HubContext = {
  readonly db: Db;
  readonly clock: Clock;
  readonly time: HubTime;
  readonly ids: Ids;
  /** What holds for the whole hub; what may differ by project or agent is asked for with whom it is for. */
  readonly limits: Limits;
  readonly policy: Policy;
  limitsOf(party: Party): Limits;
  policyOf(party: Party): Policy;
  readonly host: Host;
  readonly files: ProjectFiles;
  readonly commands: Commands;
  readonly waiting: Waiting;
  readonly instants: Instants;
  readonly rates: SendRates;
  readonly telemetry: Telemetry;
  readonly slowLog: SlowLog;
};
