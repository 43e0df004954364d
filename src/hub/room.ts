// Whether inboxes have room for one message more (C18). Counting what waits in an inbox costs more the more waits there, so it is left out while
// an earlier count and the number of events since then already say that there is room: every message that enters an inbox is an event.

import type { AgentRow } from '../store/agents.ts';
import { inboxDepth } from '../store/inbox.ts';
import type { Audience } from './addresses.ts';
import type { Act } from './command.ts';
import type { HubContext } from './context.ts';
import { HubError } from './errors.ts';

/** How many agents' counts are remembered. */
const REMEMBERED = 10_000;

export class Room {
  readonly #context: HubContext;
  /** By agent: how much waited when the project was at an event. */
  readonly #counts = new Map<string, { depth: number; seq: number }>();

  constructor(context: HubContext) {
    this.#context = context;
  }

  /**
   * Those of an audience whose inbox has room. Refuses a full inbox addressed by name; leaves a full member of a group out and says so.
   * `unwritten`: how many this change has for an agent that are not in the database yet.
   */
  async of(act: Act, audience: Audience, notes: string[], unwritten: (agent: AgentRow) => number = () => 0): Promise<AgentRow[]> {
    const kept: AgentRow[] = [];
    let most = 0;
    for (const recipient of audience.recipients) {
      const { inboxFull, inboxWarn } = this.#context.limitsOf({ projectId: act.projectId, agentId: recipient.id });
      most = Math.max(most, inboxFull);
      const more = unwritten(recipient);
      if (this.#isBelow(act, recipient.id, Math.min(inboxWarn, inboxFull) - more)) {
        kept.push(recipient);
        continue;
      }
      const written = await inboxDepth(act.tx, recipient.id);
      this.#remember(act, recipient.id, written);
      const depth = written + more;
      if (depth >= inboxFull && !audience.byMembership) throw full(recipient.name, depth, inboxFull);
      if (depth >= inboxFull) {
        notes.push(`${recipient.name} was left out: its inbox is full (${depth} of ${inboxFull}).`);
        continue;
      }
      if (depth >= inboxWarn) notes.push(`${recipient.name} has ${depth} unacknowledged messages; at ${inboxFull} its inbox refuses more.`);
      kept.push(recipient);
    }
    const [one] = audience.recipients;
    if (kept.length === 0 && one !== undefined) throw full(`Each of the ${audience.recipients.length} recipients`, most, most);
    return kept;
  }

  /** Whether an inbox certainly holds fewer: it cannot have grown by more than there were events. */
  #isBelow({ headSeq }: Act, agentId: string, limit: number): boolean {
    const known = this.#counts.get(agentId);
    return known !== undefined && headSeq >= known.seq && known.depth + (headSeq - known.seq) < limit;
  }

  #remember({ headSeq }: Act, agentId: string, depth: number): void {
    if (this.#counts.size >= REMEMBERED) this.#counts.clear();
    this.#counts.set(agentId, { depth, seq: headSeq });
  }
}

function full(who: string, depth: number, limit: number): HubError {
  return new HubError('inbox_full', `${who} has ${depth} unacknowledged messages, the limit of an inbox (${limit}); nothing was sent.`, {
    hint: 'Wait until some are acknowledged, address somebody else, or tell the operator.',
    retryAfterMs: 60_000,
  });
}
