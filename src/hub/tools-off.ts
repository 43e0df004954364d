// Tools that the operator has switched off (policy `tools.deny`): they are refused when they are called, and not offered.

import { authorityOf, type Caller } from './caller.ts';
import type { HubContext } from './context.ts';

/** Whoever may do nothing else may still ask who it is, and learn why. */
export const ALWAYS: readonly string[] = ['whoami', 'join'];

/** For whom tools are off; without an agent, for everybody of the project. */
export type ToolParty = Pick<Caller, 'projectId'> & Partial<Pick<Caller, 'agentId' | 'role'>>;

const NOTHING: readonly string[] = [];

/** Whether a tool is off for this party. */
export function isOff(context: HubContext, party: ToolParty, tool: string): boolean {
  return isAmong(offFor(context, party), tool);
}

/** What is off for this party, as patterns; the same list as long as nothing was set anew. */
export function offFor(context: HubContext, { projectId, agentId, role }: ToolParty): readonly string[] {
  if (role !== undefined && authorityOf(role) === 'operator') return NOTHING;
  return context.policyOf({ projectId, ...(agentId === undefined ? {} : { agentId }) }).tools.deny;
}

/** Whether these patterns mean this tool. */
export function isAmong(patterns: readonly string[], tool: string): boolean {
  return patterns.some((pattern) => isNamed(tool, pattern)) && !ALWAYS.includes(tool);
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
