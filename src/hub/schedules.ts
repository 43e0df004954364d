// When a reminder is due: once (in so many seconds, or at an instant), or again and again by a cron expression in a time zone.
// The only place that knows croner. Daylight saving: a local time that does not exist fires when the clocks have moved on; one that exists
// twice fires once.

import { Cron } from 'croner';
import { toInstant, toIso } from './clock.ts';
import { HubError } from './errors.ts';
import type { Limits } from './limits.ts';

export type When = {
  inMs?: number | undefined;
  at?: string | undefined;
  cron?: string | undefined;
  timezone?: string | undefined;
  maxRuns?: number | undefined;
};

export type Schedule = { dueAt: number; cron: string | null; timezone: string | null; maxRuns: number | null };

/** The latest instant a reminder may be set to: ten years ahead is a typing error. */
const FARTHEST_MS = 10 * 366 * 86_400_000;

/** Reads what was asked for. Exactly one of inMs, at and cron. Errors: `invalid_input` naming the field. */
export function toSchedule(when: When, now: number, limits: Limits): Schedule {
  const given = [when.inMs, when.at, when.cron].filter((one) => one !== undefined).length;
  if (given !== 1)
    throw invalid(
      'Give exactly one of in_seconds, at and cron.',
      'For example in_seconds: 600, at: "2026-12-24T18:00:00+01:00", or cron: "0 9 * * 1-5" with timezone.',
    );
  if (when.cron === undefined && (when.timezone !== undefined || when.maxRuns !== undefined)) {
    throw invalid('timezone and max_runs belong to cron.', 'An instant in `at` carries its own offset.');
  }
  if (when.cron !== undefined) return recurring(when.cron, when.timezone ?? 'UTC', when.maxRuns ?? null, now, limits);
  const dueAt = when.inMs !== undefined ? now + when.inMs : instant(when.at ?? '', now);
  if (dueAt - now > FARTHEST_MS) throw invalid('A reminder can be at most ten years ahead.', 'Check the year.');
  return { dueAt, cron: null, timezone: null, maxRuns: null };
}

/** The first due instant of a recurring reminder after `after`; null when there is none. */
export function nextDue(cron: string, timezone: string, after: number): number | null {
  return new Cron(cron, { timezone, mode: '5-part' }).nextRun(toIso(after))?.getTime() ?? null;
}

function recurring(cron: string, timezone: string, maxRuns: number | null, now: number, limits: Limits): Schedule {
  let first: number | null;
  try {
    first = nextDue(cron, timezone, now);
  } catch (error) {
    // croner's own words quote what was given, so only the field is named.
    const zone = error instanceof Error && /timezone/i.test(error.message);
    throw zone
      ? invalid('timezone: not a time zone of the IANA database.', 'For example Europe/Berlin, America/New_York or UTC.')
      : invalid(
          'cron: not an expression of five fields (minute hour day month weekday).',
          'For example "0 9 * * 1-5" for 09:00 on working days.',
        );
  }
  if (first === null) throw invalid('cron: this expression is never due.', 'Check day and month.');
  const second = nextDue(cron, timezone, first);
  if (second !== null && second - first < limits.reminderIntervalMs) {
    throw invalid(`cron: firings must be at least ${limits.reminderIntervalMs / 1000} s apart.`, 'Use a coarser expression.');
  }
  return { dueAt: first, cron, timezone, maxRuns };
}

function instant(at: string, now: number): number {
  const found = /[zZ]|[+-]\d\d:?\d\d$/.test(at) ? toInstant(at) : undefined;
  if (found === undefined)
    throw invalid('at: not an ISO instant with its offset.', 'For example 2026-12-24T18:00:00+01:00 or 2026-12-24T17:00:00Z.');
  if (found <= now)
    throw invalid(`at: ${toIso(found)} is not in the future (it is ${toIso(now)}).`, 'Give a later instant, or in_seconds.');
  return found;
}

function invalid(message: string, hint: string): HubError {
  return new HubError('invalid_input', `${message} Nothing was set.`, { hint });
}
