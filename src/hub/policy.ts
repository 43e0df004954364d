// Policy: what the operator's configuration decides of the rules, with the values that hold when it says nothing. Agents never set it.

import type { Decider } from '../store/approvals.ts';
import type { RelatedCapabilities } from './capabilities.ts';
import { DEFAULT_PRICES, type PriceTable } from './prices.ts';
import type { CommandRule } from './risky-commands.ts';

export type Policy = {
  approvals: {
    /** Who decides what is asked at low risk; `policy`: it is approved at once, and recorded as such. */
    readonly low: Decider;
    readonly medium: Exclude<Decider, 'policy'>;
  };
  guard: {
    /** Rules of the operator's own, beside the default ones. */
    readonly commands: readonly CommandRule[];
    /** Names of rules that do not hold; `*`: none holds. */
    readonly off: readonly string[];
    /** A reservation of paths that overlaps another's: `warn` grants it and tells both; `refuse` refuses it. Names are locks and always refused. */
    readonly overlaps: 'warn' | 'refuse';
    /** A client's edit of a file that another agent holds exclusively. */
    readonly edits: 'refuse' | 'warn';
    /** What hooks say when the hub cannot be asked: `open` lets everything pass. */
    readonly whenBroken: 'open' | 'closed';
  };
  wake: {
    /** For what an idle client is woken. */
    readonly for: 'mail' | 'urgent' | 'nothing';
  };
  agent: {
    /** Held back by the operator: every call is refused, and nothing wakes it. */
    readonly quarantine: 'no' | 'yes';
  };
  tools: {
    /** Tools that are refused, by name; `*` stands for any characters. */
    readonly deny: readonly string[];
  };
  /** For a capability that a task needs: which others do instead, and how well. */
  readonly relatedCapabilities: RelatedCapabilities;
  /** What tokens cost. */
  readonly prices: PriceTable;
};

export const DEFAULT_POLICY: Policy = {
  approvals: { low: 'policy', medium: 'manager' },
  guard: { commands: [], off: [], overlaps: 'warn', edits: 'refuse', whenBroken: 'open' },
  wake: { for: 'mail' },
  agent: { quarantine: 'no' },
  tools: { deny: [] },
  relatedCapabilities: {},
  prices: DEFAULT_PRICES,
};
