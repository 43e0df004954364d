// How long what is over is kept, and how much of it: a part of the table in limits.ts, where every limit is looked up. What is open is kept for as
// long as it is open, whatever stands here.

const DAY = 24 * 3_600_000;
const YEARS = 3_650 * DAY;

export const RETENTION_LIMITS = {
  messageKeptMs: {
    value: 30 * DAY,
    hard: YEARS,
    unit: 'ms',
    why: 'a month answers what was agreed; counted from when the last of a thread was dealt with',
  },
  deadKeptMs: { value: 90 * DAY, hard: YEARS, unit: 'ms', why: 'a dead letter waits for a person, who may be away for weeks' },
  messagesKept: {
    value: 200_000,
    hard: 10_000_000,
    unit: 'messages per project',
    why: 'a flood is swept sooner: over this, threads go an hour after they end',
  },
  taskKeptMs: { value: 90 * DAY, hard: YEARS, unit: 'ms', why: 'a quarter is what work is looked back over; its threads stay as long' },
  tasksKept: { value: 50_000, hard: 1_000_000, unit: 'ended tasks per project', why: 'a loop that makes tasks must not fill the disk' },
  reminderKeptMs: { value: 30 * DAY, hard: YEARS, unit: 'ms', why: 'what fired last month is no question any more' },
  sessionKeptMs: { value: 90 * DAY, hard: YEARS, unit: 'ms', why: 'as long as the turns that went on in them' },
  sessionsKept: {
    value: 10_000,
    hard: 1_000_000,
    unit: 'ended sessions per project',
    why: 'a client that restarts in a loop is a session each time',
  },
  bindingKeptMs: { value: 365 * DAY, hard: YEARS, unit: 'ms', why: 'a session of a client that is resumed after a year is a new one' },
  callKeptMs: { value: 30 * DAY, hard: YEARS, unit: 'ms', why: 'a month shows what became slow or fails; sums by day stay' },
  callsKept: { value: 1_000_000, hard: 100_000_000, unit: 'calls', why: 'the record of calls grows with every call' },
  tokenKeptMs: {
    value: 90 * DAY,
    hard: YEARS,
    unit: 'ms',
    why: 'who had access can be looked up for a quarter after it ran out; events keep the rest',
  },
  signInKeptMs: {
    value: 30 * DAY,
    hard: 365 * DAY,
    unit: 'ms',
    why: 'who was signed in can be looked up for a month; events keep the rest',
  },
  dayKeptMs: { value: 5 * 365 * DAY, hard: YEARS, unit: 'ms', why: 'sums by day are small, and trends are long' },
  eventKeptMs: {
    value: 365 * DAY,
    hard: YEARS,
    unit: 'ms',
    why: 'the audit: who did what within the year; the chain of hashes goes on from there',
  },
  eventsKept: {
    value: 2_000_000,
    hard: 100_000_000,
    unit: 'events per project',
    why: 'half a gigabyte or so: a loop must not fill the disk before the year is over',
  },
  sweepBatch: { value: 200, hard: 5_000, unit: 'rows', why: 'a sweep never holds the write lock longer than a send notices' },
} as const;
