// What the operator can set of the rules while the hub runs: every key, the finest level at which it may differ, and what it may be. A value that is
// not in force at a level cannot be set there, so that nothing is set in vain.

import { RISKS } from '../store/approvals.ts';
import { HubError } from './errors.ts';
import { LIMITS, type LimitName } from './limits.ts';
import { nearestNames } from './names.ts';
import type { CommandRule } from './risky-commands.ts';

export const LEVELS = ['global', 'project', 'agent'] as const;
export type Level = (typeof LEVELS)[number];

/** `adds`: the lists of all levels hold together; otherwise the finest level holds alone. */
export type PolicyKey = { name: string; finest: Level; adds: boolean; what: string; parse(value: unknown): unknown };

/** What agents meet with: it may differ from one to the next. */
const OF_AGENTS: readonly LimitName[] = [
  'bodyBytes',
  'subjectChars',
  'attachments',
  'fanOut',
  'sendPerSecond',
  'sendBurst',
  'sendPerMinute',
  'inboxWarn',
  'inboxFull',
  'pendingAsks',
  'askDeadlineMs',
  'pendingReminders',
  'remindersPerMinute',
  'reminderIntervalMs',
  'pendingApprovals',
  'approvalDeadlineMs',
  'approvalUseMs',
  'reservations',
  'reservationMs',
  'reservationLimitMs',
  'heldTasks',
  'dailyTokens',
  'children',
  'checkpointAtPercent',
  'checkpointStepPercent',
  'wakeAttempts',
  'wakeEffectMs',
  'wakeSendMs',
  'wakeBackoffMs',
  'wakeQuietMs',
];

/** What belongs to a project as a whole. */
const OF_PROJECTS: readonly LimitName[] = [
  'reservationsInProject',
  'hops',
  'alternations',
  'alternationWindowMs',
  'openTasks',
  'messageKeptMs',
  'deadKeptMs',
  'messagesKept',
  'taskKeptMs',
  'tasksKept',
  'reminderKeptMs',
  'approvalKeptMs',
  'reservationKeptMs',
  'sessionKeptMs',
  'sessionsKept',
  'bindingKeptMs',
  'eventKeptMs',
  'eventsKept',
];

/** Read once when a process starts: setting it later would do nothing. */
const AT_START: readonly LimitName[] = ['heartbeatMs', 'clockJumpMs', 'stdioLineBytes', 'httpBodyBytes', 'diskFloorBytes'];

const limitKeys = (Object.keys(LIMITS) as LimitName[])
  .filter((name) => !AT_START.includes(name))
  .map((name): PolicyKey => {
    const { hard, unit } = LIMITS[name];
    return {
      name: `limits.${name}`,
      finest: OF_AGENTS.includes(name) ? 'agent' : OF_PROJECTS.includes(name) ? 'project' : 'global',
      adds: false,
      what: `a whole number of 1 to ${hard} (${unit})`,
      parse: (value) => (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= hard ? value : undefined),
    };
  });

const oneOf = (words: readonly string[]) => (value: unknown) => words.find((word) => word === value);

const choice = (name: string, finest: Level, words: readonly string[]): PolicyKey => ({
  name,
  finest,
  adds: false,
  what: `one of ${words.join(', ')}`,
  parse: oneOf(words),
});

export const POLICY_KEYS: readonly PolicyKey[] = [
  choice('approvals.low', 'project', ['policy', 'manager', 'operator']),
  choice('approvals.medium', 'project', ['manager', 'operator']),
  choice('guard.overlaps', 'agent', ['warn', 'refuse']),
  choice('guard.edits', 'agent', ['refuse', 'warn']),
  { name: 'guard.off', finest: 'agent', adds: false, what: 'a list of names of rules; "*" is all', parse: (value) => toTexts(value, 60) },
  { name: 'guard.commands', finest: 'agent', adds: true, what: 'a list of {name, match, risk, why, outside?}', parse: toRules },
  choice('wake.for', 'agent', ['mail', 'urgent', 'nothing']),
  choice('agent.quarantine', 'agent', ['no', 'yes']),
  {
    name: 'tools.deny',
    finest: 'agent',
    adds: true,
    what: 'a list of names of tools; "*" stands for any characters',
    parse: (value) => toTexts(value, 60),
  },
  ...limitKeys,
];

/** The key of that name. Errors: `invalid_input` with the nearest name. */
export function policyKey(name: string): PolicyKey {
  const found = POLICY_KEYS.find((key) => key.name === name || key.name === `limits.${name}`);
  if (found !== undefined) return found;
  const atStart = AT_START.some((limit) => name === limit || name === `limits.${limit}`);
  const near = nearestNames(
    name,
    POLICY_KEYS.map((key) => key.name),
  );
  throw new HubError('invalid_input', `${name.slice(0, 60)} is not a policy; nothing was changed.`, {
    hint: atStart
      ? 'It is read once when a process starts: put it into config.json of the hub’s folder.'
      : `${near.length === 0 ? '' : `Did you mean ${near.join(', ')}? `}rookery config list shows all.`,
  });
}

/** A value for a key at a level. Errors: `invalid_input` that says what it may be. */
export function parsePolicy(key: PolicyKey, level: Level, value: unknown): unknown {
  if (LEVELS.indexOf(level) > LEVELS.indexOf(key.finest)) {
    throw new HubError('invalid_input', `${key.name} cannot differ by ${level}; nothing was changed.`, {
      hint:
        key.finest === 'global' ? 'Set it for all projects: leave --project and --agent out.' : 'Set it for a project: leave --agent out.',
    });
  }
  const parsed = key.parse(value);
  if (parsed === undefined)
    throw new HubError('invalid_input', `${key.name} must be ${key.what}; the old value stays.`, {
      hint: 'rookery config list shows what holds now.',
    });
  return parsed;
}

function toTexts(value: unknown, most: number): string[] | undefined {
  if (!Array.isArray(value) || value.length > 100) return undefined;
  return value.every((one) => typeof one === 'string' && one.length > 0 && one.length <= most) ? value : undefined;
}

function toRules(value: unknown): CommandRule[] | undefined {
  if (!Array.isArray(value) || value.length > 100) return undefined;
  const rules = value.map((one: unknown) => toRule(one));
  return rules.some((one) => one === undefined) ? undefined : (rules as CommandRule[]);
}

function toRule(value: unknown): CommandRule | undefined {
  if (value === null || typeof value !== 'object') return undefined;
  const { name, match, risk, why, outside, ...rest } = value as Record<string, unknown>;
  const isText = (text: unknown, most: number): text is string => typeof text === 'string' && text.trim() !== '' && text.length <= most;
  const known = RISKS.find((word) => word === risk);
  if (!isText(name, 60) || !isText(match, 400) || !isText(why, 200) || known === undefined || Object.keys(rest).length > 0)
    return undefined;
  if (outside !== undefined && typeof outside !== 'boolean') return undefined;
  return { name, match: match.trim(), risk: known, why, outside };
}
