// The limits of tasks: a part of the table in limits.ts, where every limit is looked up.

const KIB = 1024;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export const TASK_LIMITS = {
  reviewSilentMs: {
    value: 30 * MINUTE,
    hard: 7 * DAY,
    unit: 'ms',
    why: 'a verdict takes a while; after this whoever wants the task done should know that none has come',
  },
  taskLeaseMs: {
    value: 15 * MINUTE,
    hard: 12 * HOUR,
    unit: 'ms',
    why: 'longer than a model is silent while it works; a dead holder costs no more than this',
  },
  taskLeaseLimitMs: { value: 12 * HOUR, hard: 7 * DAY, unit: 'ms', why: 'who has not finished by then should say so and claim it again' },
  taskOrphanMs: {
    value: MINUTE,
    hard: HOUR,
    unit: 'ms',
    why: 'clients restart their servers in mid-task: what a session held waits this long for the next',
  },
  taskAttempts: { value: 5, hard: 50, unit: 'attempts', why: 'what five holders did not finish needs a look, not a sixth' },
  heldTasks: {
    value: 5,
    hard: 100,
    unit: 'tasks',
    why: 'an agent works on one thing and waits on a few; more would only be kept from others',
  },
  dailyTokens: {
    value: 1_000_000_000,
    hard: 1_000_000_000_000,
    unit: 'tokens',
    why: 'who has used more within 24 hours, by what its hooks tell of its turns, is given no task; set it where tokens are money',
  },
  handoffMs: { value: 10 * MINUTE, hard: DAY, unit: 'ms', why: 'who is there accepts by then; after it the holder goes on' },
  taskOfferMs: { value: 5 * MINUTE, hard: DAY, unit: 'ms', why: 'an offer that is not taken up by then goes to the next agent' },
  taskReofferMs: { value: HOUR, hard: 7 * DAY, unit: 'ms', why: 'who declined or let an offer lapse is asked again after this' },
  assignmentMs: { value: 30 * MINUTE, hard: 7 * DAY, unit: 'ms', why: 'an owner should know that whom it chose has not begun' },
  backlogTasks: { value: 10, hard: 100_000, unit: 'tasks', why: 'so many that could be begun and are not call for more agents' },
  backlogAfterMs: { value: 10 * MINUTE, hard: 7 * DAY, unit: 'ms', why: 'a plan that was just created is not a backlog' },
  backlogAgainMs: { value: HOUR, hard: 7 * DAY, unit: 'ms', why: 'the same backlog is told once an hour' },
  artifactBytes: {
    value: 64 * KIB * KIB,
    hard: 4096 * KIB * KIB,
    unit: 'bytes',
    why: 'what is hashed while somebody waits for the answer',
  },
  taskHistoryRows: { value: 50, hard: 500, unit: 'rows', why: 'one page of what happened to a task; the rest by its version' },
  taskGraphNodes: { value: 500, hard: 5_000, unit: 'tasks', why: 'a graph or a job that a person or a program reads in one piece' },
  openTasks: { value: 200_000, hard: 2_000_000, unit: 'tasks', why: 'claims stay as fast as with a hundred; lists and backups do not' },
  taskQueues: {
    value: 200,
    hard: 1_000,
    unit: 'combinations',
    why: 'a claim looks at the first task of each combination of needed capabilities',
  },
  taskDependencies: { value: 50, hard: 500, unit: 'tasks', why: 'each is a row that its end has to settle' },
  taskCascade: {
    value: 1_000,
    hard: 5_000,
    unit: 'tasks',
    why: 'what is canceled because of what it depended on, with one end, in one transaction',
  },
  taskDependents: { value: 1_000, hard: 5_000, unit: 'tasks', why: 'the end of one task settles all that wait for it in one transaction' },
  taskChildren: { value: 500, hard: 5_000, unit: 'tasks', why: 'a subtree is canceled in one transaction' },
  taskDepth: { value: 8, hard: 32, unit: 'levels', why: 'deeper plans are not plans' },
  templateSteps: { value: 30, hard: 200, unit: 'steps', why: 'all of them are created in one transaction' },
  taskBodyBytes: { value: 20 * KIB, hard: 64 * KIB, unit: 'bytes', why: 'who claims it reads it whole; longer things are files' },
  resultBytes: { value: 16 * KIB, hard: 64 * KIB, unit: 'bytes', why: 'a result is an account; what was made are artifacts' },
  taskTags: {
    value: 20,
    hard: 100,
    unit: 'entries',
    why: 'capabilities, labels, reviewers and expected artifacts of one task: each is a thing somebody checks',
  },
  taskCacheMs: { value: 7 * DAY, hard: 365 * DAY, unit: 'ms', why: 'how long a result under a cache_key answers for another task' },
  lateResults: { value: 3, hard: 20, unit: 'results per task', why: 'work that came too late is worth keeping; a stream of it is not' },
} as const satisfies Record<string, { value: number; hard: number; unit: string; why: string }>;
