// How full the context of an agent is (C14). From a threshold on the hub asks for a checkpoint, once: not again until one was saved and the
// context has grown by a step since. What is asked for is a flag that hooks and open threads show, not a message: it needs no acknowledgement.

import { findUsage, saveUsage, type UsageRow } from '../store/context-usage.ts';
import type { Caller } from './caller.ts';
import type { Intent } from './command.ts';
import type { HubContext } from './context.ts';

export type Pressure = {
  percent: number;
  /** From this percentage on a checkpoint is asked for. */
  threshold: number;
  /** Whether this report is the one that asked for it. */
  requested: boolean;
  /** Whether a checkpoint is owed, now or still. */
  owed: boolean;
};

export class Usage {
  readonly #context: HubContext;

  constructor(context: HubContext) {
    this.#context = context;
  }

  /** The caller's context is `percent` full, 0 to 100. */
  async report(caller: Caller, percent: number, intent: Intent): Promise<Pressure & { replayed?: boolean }> {
    const { checkpointAtPercent: threshold, checkpointStepPercent: step } = this.#context.limitsOf(caller);
    const full = Math.round(Math.min(100, Math.max(0, percent)));
    return await this.#context.commands.run(caller, { durability: 'relaxed', ...intent }, async (act) => {
      const known = await findUsage(act.tx, caller.agentId);
      const usage: UsageRow = {
        ...(known?.sessionId === caller.sessionId && full >= threshold ? known : NOTHING_ASKED),
        agentId: caller.agentId,
        projectId: act.projectId,
        sessionId: caller.sessionId,
        percent: full,
        reportedAt: act.now,
      };
      const requested =
        full >= threshold && usage.requestedSeq === null && full >= (usage.coveredPercent === null ? 0 : usage.coveredPercent + step);
      if (requested) {
        const seq = await act.emit('checkpoint.requested', caller.agentId, { agent: caller.name, percent: full });
        Object.assign(usage, { requestedSeq: seq, requestedAt: act.now, coveredPercent: null });
      }
      await saveUsage(act.tx, usage);
      return { percent: full, threshold, requested, owed: usage.requestedSeq !== null };
    });
  }
}

const NOTHING_ASKED = { requestedSeq: null, requestedAt: null, coveredPercent: null };
