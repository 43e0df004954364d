// Every limit of the hub, in one table: the default, the hard ceiling that no policy may pass, the unit, and the reason.
// A refusal because of a limit states the number; `whoami` reports the ones in force. Configuration may override a default (`limits` in config.json).

import { RETENTION_LIMITS } from './retention-limits.ts';
import { TASK_LIMITS } from './task-limits.ts';

const KIB = 1024;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export const LIMITS = {
  bodyBytes: { value: 64 * KIB, hard: 256 * KIB, unit: 'bytes', why: 'a message is a note, not a file; larger things are referred to' },
  inlineBodyBytes: {
    value: 4 * KIB,
    hard: 64 * KIB,
    unit: 'bytes',
    why: 'one long message must not fill the reader’s context; the rest is one get_message away',
  },
  subjectChars: { value: 120, hard: 240, unit: 'characters', why: 'a subject is one line' },
  batchMessages: { value: 10, hard: 32, unit: 'messages', why: 'what a model can act on in one turn' },
  batchBytes: {
    value: 32 * KIB,
    hard: 48 * KIB,
    unit: 'bytes',
    why: 'below the 50,000 characters at which Claude Code moves a result into a file',
  },
  waitMs: { value: 25_000, hard: 50_000, unit: 'ms', why: 'below every client’s request time-out (the shortest observed is 60 s)' },
  inboxWarn: { value: 1_000, hard: 5_000, unit: 'messages', why: 'a backlog that nobody reads is worth a word to the sender' },
  inboxFull: { value: 5_000, hard: 50_000, unit: 'messages', why: 'a flood must stop at the flooder, not at the disk' },
  sendPerSecond: { value: 5, hard: 100_000, unit: 'sends/s', why: 'faster than any model writes; slower than any loop' },
  sendBurst: { value: 50, hard: 100_000, unit: 'sends', why: 'a manager may hand out a batch at once' },
  sendPerMinute: { value: 300, hard: 10_000_000, unit: 'sends/min', why: 'the same ceiling over a minute' },
  fanOut: { value: 100, hard: 1_000, unit: 'recipients', why: 'one transaction writes one row per recipient' },
  attachments: { value: 16, hard: 64, unit: 'references', why: 'a reading list, not an archive' },
  deliveryAttempts: { value: 8, hard: 32, unit: 'attempts', why: 'what eight turns did not acknowledge will not be by a ninth' },
  poisonMinAgeMs: { value: 10 * MINUTE, hard: 24 * HOUR, unit: 'ms', why: 'a quick loop of reads is not yet poison' },
  nudgeAfterMs: { value: 5 * MINUTE, hard: 24 * HOUR, unit: 'ms', why: 'shown and forgotten: the reader is reminded' },
  stalledAfterMs: { value: 30 * MINUTE, hard: 24 * HOUR, unit: 'ms', why: 'shown and still not acknowledged: the sender is told once' },
  silentAfterMs: { value: 60_000, hard: 10 * MINUTE, unit: 'ms', why: 'three missed heartbeats: another session may take the name' },
  heartbeatMs: { value: 20_000, hard: 60_000, unit: 'ms', why: 'three fit into the silence that frees a name' },
  retireAfterMs: {
    value: 7 * DAY,
    hard: 365 * DAY,
    unit: 'ms',
    why: 'a broadcast does not fill the inbox of an agent nobody has seen for a week',
  },
  nackDelayMs: { value: 30_000, hard: DAY, unit: 'ms', why: 'long enough for the reason to pass' },
  messageExpiryMs: { value: 30 * DAY, hard: 365 * DAY, unit: 'ms', why: 'the longest expires_in_seconds a sender may ask for' },
  keyRetentionMs: { value: 7 * DAY, hard: 90 * DAY, unit: 'ms', why: 'a retry a week later is still the same request' },
  contentRepeatMs: { value: 60_000, hard: HOUR, unit: 'ms', why: 'the same words again within a minute are a retry without a key' },
  clockJumpMs: {
    value: 5 * MINUTE,
    hard: DAY,
    unit: 'ms',
    why: 'a larger step of the wall clock is a suspended machine or a corrected clock, not elapsed work',
  },
  askDeadlineMs: { value: HOUR, hard: 7 * DAY, unit: 'ms', why: 'a question without an answer ends; an hour is a working rhythm' },
  pendingAsks: { value: 50, hard: 500, unit: 'asks', why: 'who has fifty open questions should not ask the fifty-first' },
  lateAnswers: { value: 3, hard: 20, unit: 'answers per ask', why: 'a late answer is worth keeping; a stream of them is not an answer' },
  children: { value: 16, hard: 100, unit: 'sub-agents per agent', why: 'what one session can direct; more would drown the list of agents' },
  askAbsenceMs: { value: 5 * MINUTE, hard: DAY, unit: 'ms', why: 'a client that restarts is back by then; after it the asker should know' },
  pendingReminders: { value: 50, hard: 1_000, unit: 'reminders', why: 'more is a task list, and belongs in one' },
  remindersPerMinute: { value: 10, hard: 100_000, unit: 'creations/min', why: 'a loop that reminds itself is stopped early' },
  reminderIntervalMs: { value: MINUTE, hard: DAY, unit: 'ms', why: 'the shortest distance between two firings of a recurring reminder' },
  reminderAttempts: { value: 5, hard: 20, unit: 'attempts', why: 'what failed five times needs a look, not a sixth try' },
  actionBytes: { value: 16 * KIB, hard: 64 * KIB, unit: 'bytes', why: 'what a person approves is read to its end' },
  approvalDeadlineMs: {
    value: 8 * HOUR,
    hard: 7 * DAY,
    unit: 'ms',
    why: 'a person answers within a working day, or the act does not happen',
  },
  approvalUseMs: {
    value: DAY,
    hard: 7 * DAY,
    unit: 'ms',
    why: 'what was approved and not done by then was approved about another state of things',
  },
  pendingApprovals: { value: 20, hard: 200, unit: 'requests', why: 'who waits for twenty decisions should not ask for the twenty-first' },
  reservationMs: {
    value: 15 * MINUTE,
    hard: 12 * HOUR,
    unit: 'ms',
    why: 'what nobody has asked the hub about for so long is not being worked on; every call renews it',
  },
  reservationLimitMs: {
    value: 12 * HOUR,
    hard: 7 * DAY,
    unit: 'ms',
    why: 'however often it is renewed, a working day is the longest anybody keeps a thing',
  },
  reservationGraceMs: {
    value: 60_000,
    hard: HOUR,
    unit: 'ms',
    why: 'clients restart their servers in mid-work: what a session held waits for its successor',
  },
  reservations: { value: 50, hard: 500, unit: 'per agent', why: 'whoever needs more reserves a folder' },
  reservationsInProject: { value: 500, hard: 5_000, unit: 'in a project', why: 'each new one is compared with all of them' },
  reservationKeptMs: {
    value: 30 * DAY,
    hard: 365 * DAY,
    unit: 'ms',
    why: 'who held what last month is still a question; events keep the rest',
  },
  approvalKeptMs: {
    value: 365 * DAY,
    hard: 3_650 * DAY,
    unit: 'ms',
    why: 'who allowed what is asked about for as long as the audit is kept',
  },
  hops: { value: 8, hard: 100, unit: 'hops', why: 'a chain of replies without a task, an ask or a person in between leads nowhere' },
  alternations: {
    value: 30,
    hard: 1_000,
    unit: 'alternations',
    why: 'two agents that answer each other thirty times in five minutes are in a loop',
  },
  alternationWindowMs: { value: 5 * MINUTE, hard: DAY, unit: 'ms', why: 'the window of that count' },
  ...TASK_LIMITS,
  ...RETENTION_LIMITS,
  openThreads: { value: 40, hard: 200, unit: 'threads', why: 'one look at what is owed stays below 2,000 tokens' },
  recoveryTokens: {
    value: 2_000,
    hard: 8_000,
    unit: 'tokens',
    why: 'what a model is given back after compaction must not fill the context that was just emptied',
  },
  checkpointBytes: { value: 16 * KIB, hard: 64 * KIB, unit: 'bytes', why: 'what the next context needs, not the history of this one' },
  checkpointFiles: { value: 200, hard: 2_000, unit: 'paths', why: 'a list a reader can use; version control has the rest' },
  checkpointsKept: {
    value: 10,
    hard: 100,
    unit: 'checkpoints per agent and source',
    why: 'the newest counts; a few before it show how work went',
  },
  documentBytes: {
    value: 48 * KIB,
    hard: 256 * KIB,
    unit: 'bytes',
    why: 'what agents agree on fits into one reply; longer things are files',
  },
  documents: { value: 100, hard: 1_000, unit: 'in a project', why: 'a list that is read whole' },
  documentVersions: { value: 20, hard: 200, unit: 'versions', why: 'to see what was changed lately, and take it back' },
  checkpointAtPercent: {
    value: 60,
    hard: 100,
    unit: 'percent of the context',
    why: 'early enough that saving still fits before the client compacts',
  },
  checkpointStepPercent: {
    value: 10,
    hard: 100,
    unit: 'percent of the context',
    why: 'after a checkpoint the next is asked for when this much more has been written',
  },
  schedulerSilenceMs: {
    value: 15_000,
    hard: HOUR,
    unit: 'ms',
    why: 'three missed beats of the timed duties: nobody fires reminders any more',
  },
  pageRows: { value: 20, hard: 200, unit: 'rows', why: 'a page a person can read' },
  waiters: {
    value: 256,
    hard: 10_000,
    unit: 'parked calls',
    why: 'each waiting call of one process costs memory and a look at every change',
  },
  stdioLineBytes: { value: 512 * KIB, hard: 4096 * KIB, unit: 'bytes', why: 'twice the largest body, as JSON' },
  httpBodyBytes: { value: 1024 * KIB, hard: 4096 * KIB, unit: 'bytes', why: 'as above, with room for the HTTP API' },
  sseBufferBytes: {
    value: 1024 * KIB,
    hard: 16_384 * KIB,
    unit: 'bytes',
    why: 'a reader that does not read is cut off; it resumes by its cursor',
  },
  httpSessions: { value: 512, hard: 10_000, unit: 'MCP sessions', why: 'each costs memory in the process that serves it' },
  httpSessionKeptMs: {
    value: 4 * HOUR,
    hard: 7 * DAY,
    unit: 'ms',
    why: 'a client that comes back goes on in its session; clients that leave without a word must not pile up',
  },
  tokenLifeMs: { value: 90 * DAY, hard: 365 * DAY, unit: 'ms', why: 'a forgotten credential dies' },
  signInMs: { value: 10 * MINUTE, hard: DAY, unit: 'ms', why: 'a link that signs in is used at once, or made anew' },
  browserSessionMs: {
    value: 7 * DAY,
    hard: 30 * DAY,
    unit: 'ms',
    why: 'a forgotten browser is signed out; a daily one is not bothered daily',
  },
  enrolmentMs: {
    value: 7 * DAY,
    hard: 90 * DAY,
    unit: 'ms',
    why: 'an agent that was made and not started within a week is not coming; its name is free again',
  },
  openEnrolments: { value: 100, hard: 1_000, unit: 'enrolments per project', why: 'a manager that makes agents in a loop is stopped' },
  enrolmentKeptMs: { value: 90 * DAY, hard: 3650 * DAY, unit: 'ms', why: 'who enrolled by what can be looked up for a quarter' },
  authFailures: { value: 10, hard: 1_000, unit: 'failures per 5 min', why: 'guessing a token is stopped per address' },
  diskFloorBytes: {
    value: 512 * KIB * KIB,
    hard: 1024 * 1024 * KIB * KIB,
    unit: 'bytes',
    why: 'below it a notice asks the operator to make room',
  },
  wakeAttempts: { value: 5, hard: 20, unit: 'wake-ups', why: 'what five wake-ups did not get read waits for the next call of its reader' },
  wakeEffectMs: {
    value: 30_000,
    hard: 10 * MINUTE,
    unit: 'ms',
    why: 'a woken client begins its turn within seconds; by then its model has called something',
  },
  wakeSendMs: { value: 60_000, hard: 10 * MINUTE, unit: 'ms', why: 'a command or webhook that has not ended by then has failed' },
  wakeBackoffMs: {
    value: MINUTE,
    hard: DAY,
    unit: 'ms',
    why: 'who was woken and did not read has its reasons; the pause doubles each time',
  },
  wakeQuietMs: {
    value: 10_000,
    hard: 10 * MINUTE,
    unit: 'ms',
    why: 'without hooks nobody says that a turn is over: a model that called nothing for so long has probably stopped',
  },
  wakeAttemptsKeptMs: { value: 30 * DAY, hard: 365 * DAY, unit: 'ms', why: 'as long as what became of a message is asked' },
  turnQuietMs: {
    value: 10_000,
    hard: 10 * MINUTE,
    unit: 'ms',
    why: 'a turn of which nothing was heard for so long is looked for in its transcript',
  },
  turnSilentMs: {
    value: 20 * MINUTE,
    hard: DAY,
    unit: 'ms',
    why: 'longer than a model thinks without a word: a turn of which no hook told the end (the person interrupted it) is over',
  },
  toolSilentMs: {
    value: 2 * HOUR,
    hard: 2 * DAY,
    unit: 'ms',
    why: 'longer than a build or a test run: a tool of which nobody told the end is no longer in flight',
  },
  toolUseKeptMs: {
    value: 30 * DAY,
    hard: 365 * DAY,
    unit: 'ms',
    why: 'the record of tool uses is large; a month answers what happened lately',
  },
  turnKeptMs: { value: 90 * DAY, hard: 10 * 365 * DAY, unit: 'ms', why: 'a quarter is what costs are compared over' },
  turnRows: { value: 50, hard: 500, unit: 'rows', why: 'a page of turns; the sums count all of them' },
  statsRows: { value: 100, hard: 1_000, unit: 'rows', why: 'a report is read by a person; what is left out is counted' },
  statsWindowMs: {
    value: 366 * DAY,
    hard: 10 * 365 * DAY,
    unit: 'ms',
    why: 'a year is the longest that is compared; one look reads all of it',
  },
  clientProcessKeptMs: {
    value: 30 * DAY,
    hard: 365 * DAY,
    unit: 'ms',
    why: 'a client of another host that nobody told of for a month has ended without a word',
  },
  hintMessages: { value: 5, hard: 20, unit: 'messages', why: 'a hint names what came; the inbox has the rest' },
  dueBatch: { value: 100, hard: 1_000, unit: 'rows', why: 'a timed duty never holds the write lock longer than a send notices' },
} as const satisfies Record<string, { value: number; hard: number; unit: string; why: string }>;

export type LimitName = keyof typeof LIMITS;
/** The limits in force: every name of the table with its number. */
export type Limits = Readonly<Record<LimitName, number>>;

/** The table with overrides applied. Overrides are already checked against the hard ceilings (configuration does that and names the key). */
export function effectiveLimits(overrides: Partial<Record<LimitName, number>> = {}): Limits {
  const names = Object.keys(LIMITS) as LimitName[];
  return Object.freeze(Object.fromEntries(names.map((name) => [name, overrides[name] ?? LIMITS[name].value]))) as Limits;
}
