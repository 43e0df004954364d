// Whether the operator holds an agent back. A sub-agent acts in its parent's session, so it is held back with it.

import type { HubContext } from './context.ts';

export function isQuarantined(
  context: Pick<HubContext, 'policyOf'>,
  { projectId, id, parentId }: { projectId: string; id: string; parentId: string | null },
): boolean {
  return [id, ...(parentId === null ? [] : [parentId])].some(
    (agentId) => context.policyOf({ projectId, agentId }).agent.quarantine === 'yes',
  );
}
