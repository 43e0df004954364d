// A look at a project, as the server does it for the page.

import type { Params } from '../../dashboard/src/view-store.ts';
import type { Caller } from '../../src/hub/caller.ts';
import type { Hub } from '../../src/hub/hub.ts';
import type { ViewName } from '../../src/views/freshness.ts';
import { findView } from '../../src/views/index.ts';

export async function view(hub: Hub, caller: Caller, name: ViewName, params: Params = {}): Promise<Record<string, unknown>> {
  const look = { hub, caller, everyProject: true, examine: undefined };
  return (await findView(name)?.run(look, params)) as Record<string, unknown>;
}
