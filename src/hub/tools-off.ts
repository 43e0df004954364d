// Tools that the operator has switched off (policy `tools.deny`): they are refused when they are called, and not offered.

import { authorityOf, type Caller } from './caller.ts';
import type { HubContext } from './context.ts';

/** Whoever may do nothing else may still ask who it is, and learn why. */
export const ALWAYS: readonly string[] = ['whoami', 'join'];

/** Whether a tool is off for this party; without an agent, for everybody of its project. */
export function isOff(
  context: HubContext,
  party: Pick<Caller, 'projectId'> & Partial<Pick<Caller, 'agentId' | 'role'>>,
  tool: string,
): boolean {
  const { projectId, agentId, role } = party;
  if (ALWAYS.includes(tool) || (role !== undefined && authorityOf(role) === 'operator')) return false;
  const { deny } = context.policyOf({ projectId, ...(agentId === undefined ? {} : { agentId }) }).tools;
  return deny.some((pattern) => isNamed(tool, pattern));
}

/** `*` stands for any characters. */
function isNamed(tool: string, pattern: string): boolean {
  const parts = pattern.split('*');
  const [first = '', last = ''] = [parts[0], parts.at(-1)];
  if (parts.length === 1) return tool === pattern;
  let at = first.length;
  if (!tool.startsWith(first)) return false;
  for (const part of parts.slice(1, -1)) {
    const found = tool.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return tool.length - last.length >= at && tool.endsWith(last);
}
