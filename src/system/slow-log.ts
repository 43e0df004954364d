// The slow log: a warning for a tool call or a statement that took longer than its threshold, with its name and how long it took. A statement's name
// is its text, in which values never stand. What is slow again and again is told every few seconds, with how often it was.

import type { Clock } from '../hub/clock.ts';
import type { SlowKind, SlowLog } from '../hub/slow-log.ts';
import type { Log } from './log.ts';

const QUIET_MS = 10_000;
const NAME_CHARS = 160;
/** Statements are a few hundred; this only bounds what is remembered of them. */
const REMEMBERED = 1_000;

export function slowLog(log: Log, clock: Clock, thresholds: { callMs: number; queryMs: number }): SlowLog {
  const told = new Map<string, { at: number; silent: number }>();
  return {
    callMs: thresholds.callMs === 0 ? null : thresholds.callMs,
    queryMs: thresholds.queryMs === 0 ? null : thresholds.queryMs,
    tell(kind, name, ms) {
      const short = name.replace(/\s+/g, ' ').trim().slice(0, NAME_CHARS);
      const known = told.get(short);
      const now = clock.monotonic();
      if (known !== undefined && now - known.at < QUIET_MS) {
        known.silent += 1;
        return;
      }
      if (told.size >= REMEMBERED) told.clear();
      told.set(short, { at: now, silent: 0 });
      log.warn(
        { event: 'slow', ...namedAs(kind, short), ms: Math.round(ms), ...(known?.silent ? { again: known.silent } : {}) },
        `slow ${kind}`,
      );
    },
  };
}

function namedAs(kind: SlowKind, name: string): Record<string, string> {
  return kind === 'call' ? { tool: name } : { query: name };
}
