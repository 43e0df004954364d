// The services around what outlives a context, wired: what each one is stands in its own file.

import { Checkpoints } from './checkpoints.ts';
import type { HubContext } from './context.ts';
import { Documents } from './documents.ts';
import type { OpenThreads } from './open-threads.ts';
import { Recovery } from './recovery.ts';
import { Usage } from './usage.ts';

export type MemoryServices = {
  readonly checkpoints: Checkpoints;
  readonly documents: Documents;
  readonly usage: Usage;
  readonly recovery: Recovery;
};

export function memoryServices(context: HubContext, openThreads: OpenThreads): MemoryServices {
  const checkpoints = new Checkpoints(context);
  const documents = new Documents(context);
  return { checkpoints, documents, usage: new Usage(context), recovery: new Recovery(context, openThreads, checkpoints, documents) };
}
