// What is asked before a client's model may use a tool, in this order. A check looks at the use and answers in facts; it is waited for.

import type { Guard } from './guard.ts';
import { guardedUse } from './guarded-uses.ts';
import type { ToolCheck } from './tool-uses.ts';

export function toolChecks(guard: Guard): readonly ToolCheck[] {
  return [(caller, use) => guard.check(caller, guardedUse({ ...use, cwd: use.cwd === '' ? caller.root : use.cwd }))];
}
