// Recovery: what an agent is given back when its context is gone, after compaction, resume, clear or takeover (C14): who it is, what waits, its
// last checkpoint, and everything open with its id, so that nothing is asked twice. It fits into `recoveryTokens`, however full the inbox and
// whatever the words; those are quoted in a frame, its own too, because nobody knows any more where they came from.

import { findUsage } from '../store/context-usage.ts';
import { inboxCounts } from '../store/inbox.ts';
import { findProject } from '../store/projects.ts';
import type { Caller } from './caller.ts';
import type { Checkpoints, CheckpointView } from './checkpoints.ts';
import type { HubContext } from './context.ts';
import { fitText, shareOut, tokensAtMost } from './context-cost.ts';
import type { Documents } from './documents.ts';
import { frame, oneLine, quote } from './frame.ts';
import { fairly, type OpenThread, type OpenThreads } from './open-threads.ts';

/** A checkpoint cut to what fits beside the open threads. */
export type Digest = Pick<
  CheckpointView,
  'source' | 'savedAt' | 'observedAt' | 'currentTask' | 'openQuestions' | 'blockers' | 'decisions' | 'filesModified' | 'gitState' | 'note'
>;

/** `owed`: how full the context is, when a checkpoint is asked for because of it. */
export type Open = {
  threads: OpenThread[];
  more: number;
  checkpoint: Digest | null;
  documents: Documented | null;
  owed: number | null;
  revision: number;
  now: number;
};

/** What the agents of the project know in common, cut: its brief, and what else there is by name. */
export type Documented = { brief: string; version: number; by: string; others: string };

/** What of a tool's offer matters to the words: a tool that a client was not given must not be named. */
export type Offer = (tool: string) => boolean;

/** The tokens that each field of a checkpoint is sure of; what empty ones leave goes to those before them. */
const SHARES = [
  ['currentTask', 160],
  ['openQuestions', 70],
  ['blockers', 70],
  ['decisions', 70],
  ['filesModified', 90],
  ['gitState', 50],
  ['note', 60],
] as const;
const CHECKPOINT_TOKENS = SHARES.reduce((sum, [, tokens]) => sum + tokens, 0);
/** What stands around the text of a thread, and around everything, as JSON or as lines. */
const THREAD_TOKENS = 62;
const AROUND_TOKENS = 420;
/** What the documents of the project may cost: the beginning of the brief, and some names. */
const BRIEF_TOKENS = 80;
const NAMES_TOKENS = 30;
const DOCUMENTS_TOKENS = BRIEF_TOKENS + NAMES_TOKENS + 70;
/** The part of its tokens that a checkpoint keeps beside them. */
const BESIDE_DOCUMENTS = 0.75;
const THREAD_CHARS = 120;
const LEAST_TEXT_TOKENS = 8;

/** The longest text of a checkpoint's field here, and the shortest beginning of one that tells anything. */
const LONGEST = 600;
const STUMP = 12;

/** How a kind of open thread is told in a line; a kind without words of its own is told by its name. */
const KIND_WORDS: Readonly<Record<string, string>> = {
  ask_in: 'asked by',
  ask_out: 'you asked',
  message: 'message from',
  reminder: 'reminder for',
  paused: 'paused thread, by',
  approval: 'approval, with',
  task: 'task of',
  task_out: 'task you gave, now with',
  review: 'review for',
};

export class Recovery {
  readonly #context: HubContext;
  readonly #openThreads: OpenThreads;
  readonly #checkpoints: Checkpoints;
  readonly #documents: Documents;

  constructor(context: HubContext, openThreads: OpenThreads, checkpoints: Checkpoints, documents: Documents) {
    this.#context = context;
    this.#openThreads = openThreads;
    this.#checkpoints = checkpoints;
    this.#documents = documents;
  }

  /** What is open for the caller and its last checkpoint, cut to fit `recoveryTokens` in whatever form they are told. */
  async open(caller: Caller): Promise<Open> {
    const { checkpoint } = await this.#checkpoints.load(caller);
    const usage = await this.#context.commands.look(caller, (read) => findUsage(read, caller.agentId));
    const isOwed = usage !== undefined && usage.requestedSeq !== null && usage.sessionId === caller.sessionId;
    const { threads, more, revision, now } = await this.#openThreads.list(caller, 'mine');
    const documents = await this.#documented(caller);
    const digest = checkpoint === null ? null : digestOf(checkpoint, documents === null ? 1 : BESIDE_DOCUMENTS);
    const kept = (digest === null ? 0 : costOf(digest)) + (documents === null ? 0 : DOCUMENTS_TOKENS);
    const left = this.#context.limits.recoveryTokens - AROUND_TOKENS - kept;
    // Every thread is counted as the dearest, so that any choice of so many fits.
    const head = Math.max(
      0,
      ...threads.map(({ id, counterpart, state }) => THREAD_TOKENS + tokensAtMost(id + counterpart + oneLine(state, 60))),
    );
    const { count, each } = shareOut(threads.length, head, left, LEAST_TEXT_TOKENS);
    const shown = fairly(threads, count).map((thread) => ({
      ...thread,
      state: oneLine(thread.state, 60),
      text: fitText(thread.text, THREAD_CHARS, each),
    }));
    const owed = isOwed ? usage.percent : null;
    return { threads: shown, more: more + threads.length - count, checkpoint: digest, documents, owed, revision, now };
  }

  async #documented(caller: Caller): Promise<Documented | null> {
    const { brief, names } = await this.#documents.digest(caller);
    if (brief === null && names.length === 0) return null;
    return {
      brief: fitText(brief?.body ?? '', LONGEST, BRIEF_TOKENS),
      version: brief?.version ?? 0,
      by: brief?.by ?? '',
      others: fitText(names.join(' '), LONGEST, NAMES_TOKENS),
    };
  }

  /** The recovery text: what a client's hook prints after it lost or shortened its context. */
  async text(caller: Caller, offers: Offer): Promise<string> {
    const open = await this.open(caller);
    const head = await this.#context.commands.look(caller, async (read, now) => {
      const project = await findProject(read, caller.projectId);
      const { unread, urgent, leased } = await inboxCounts(read, caller.agentId, now);
      const waits = `${unread} unread${urgent > 0 ? ` (${urgent} urgent)` : ''}, ${leased} shown and not acknowledged`;
      return `You are ${caller.name} (role ${caller.role}) in project ${oneLine(project?.name ?? '', 60)}. In your inbox: ${waits}.`;
    });
    const render = (threads: OpenThread[]) => {
      const more = open.more + open.threads.length - threads.length;
      return [
        'Rookery, the hub of this project, kept this while your context was shortened or lost.',
        head,
        this.#framed(open, threads, more),
        ...next(offers, open),
      ].join('\n');
    };
    for (let count = open.threads.length; ; count--) {
      const text = render(fairly(open.threads, count));
      if (count === 0 || tokensAtMost(text) <= this.#context.limits.recoveryTokens) return text;
    }
  }

  #framed(open: Open, threads: OpenThread[], more: number): string {
    const { checkpoint, documents, now } = open;
    const lines: string[] = [];
    if (checkpoint !== null) lines.push(...checkpointLines(checkpoint, now));
    if (documents !== null && documents.brief !== '')
      lines.push(
        `Brief of the project, version ${documents.version}, by ${documents.by}: ${quote(documents.brief, documents.brief.length)}`,
      );
    if (documents !== null && documents.others !== '') lines.push(`Other documents: ${quote(documents.others, documents.others.length)}`);
    if (threads.length + more > 0) lines.push(`Open (${threads.length + more}${more > 0 ? `, ${more} not shown` : ''}):`);
    lines.push(...threads.map((thread) => threadLine(thread, now)));
    const nothing = checkpoint === null ? 'No checkpoint was saved.' : '';
    const idle = threads.length + more === 0 ? 'You owe nothing and wait for nothing.' : '';
    return [[nothing, idle].filter((word) => word !== '').join(' '), lines.length === 0 ? '' : frame(this.#context.ids, lines)]
      .filter((part) => part !== '')
      .join('\n');
  }
}

/** What may be called next, as facts; only tools that this client was given. */
function next(offers: Offer, { owed, checkpoint, documents }: Open): string[] {
  const facts = [
    ['recv_batch', 'shows what waits, first what you were shown and did not acknowledge: you may have acted on that already.'],
    ['get_open_threads', 'lists what is open, with ids. What you asked is still open: it need not be asked again.'],
    ...(checkpoint !== null ? [['load_checkpoint', 'has the whole checkpoint.'] as const] : []),
    ...(documents !== null ? [['get_document', 'has the brief and the other documents whole.'] as const] : []),
    ...(owed === null
      ? []
      : [['save_checkpoint', `saves a checkpoint; one is asked for, because your context is ${owed} % full.`] as const]),
  ] as const;
  return facts.filter(([tool]) => offers(tool)).map(([tool, words]) => `${tool} ${words}`);
}

function checkpointLines(checkpoint: Digest, now: number): string[] {
  const saved = `${span(now - checkpoint.savedAt)} ago`;
  const lines = [
    checkpoint.source === 'hook' ? `No checkpoint in your own words; your client saw ${saved}:` : `Your last checkpoint, ${saved}:`,
  ];
  const say = (what: string, words: string | null) => {
    if (words !== null && words !== '') lines.push(`${what}: ${quote(words, words.length)}`);
  };
  say('current task', checkpoint.currentTask);
  for (const question of checkpoint.openQuestions) say('open question', question);
  for (const blocker of checkpoint.blockers) say('blocker', blocker);
  for (const decision of checkpoint.decisions) say('decided', decision);
  if (checkpoint.filesModified.length > 0)
    lines.push(`files: ${checkpoint.filesModified.map((file) => quote(file, file.length)).join(' ')}`);
  say('git', checkpoint.gitState);
  say('note', checkpoint.note);
  return lines;
}

function threadLine(thread: OpenThread, now: number): string {
  const due = thread.dueAt === null ? '' : thread.dueAt > now ? `, due in ${span(thread.dueAt - now)}` : ', overdue';
  const since = `since ${span(now - thread.since)}`;
  const who = `${KIND_WORDS[thread.kind] ?? thread.kind} ${oneLine(thread.counterpart, 48)}`;
  return `- ${thread.id} ${who} (${quote(thread.state, 60).slice(1, -1)} ${since}${due}) ${quote(thread.text, THREAD_CHARS)}`;
}

/** Cuts a checkpoint to its share, or to a part of it; the fields that come first and are empty leave theirs to those that follow. */
function digestOf(checkpoint: CheckpointView, part: number): Digest {
  let left = CHECKPOINT_TOKENS * part;
  const digest: Digest = {
    ...checkpoint,
    openQuestions: [],
    blockers: [],
    decisions: [],
    filesModified: [],
    gitState: null,
    note: '',
    currentTask: null,
  };
  for (const [index, [field]] of SHARES.entries()) {
    const later = SHARES.slice(index + 1).filter(([other]) => !isEmpty(checkpoint[other]));
    const allowed = left - later.reduce((sum, [, tokens]) => sum + tokens * part, 0);
    const value = checkpoint[field];
    if (Array.isArray(value)) {
      const kept = keep(value, allowed);
      left -= kept.cost;
      Object.assign(digest, { [field]: kept.items });
    } else if (!isEmpty(value)) {
      const text = fitted(value ?? '', allowed);
      left -= costOf(text);
      Object.assign(digest, { [field]: text });
    }
  }
  return digest;
}

/** As many items as fit, the last perhaps cut, but not to a stump. */
function keep(items: readonly string[], tokens: number): { items: string[]; cost: number } {
  const kept: string[] = [];
  let cost = 0;
  for (const item of items) {
    const text = fitted(item, tokens - cost);
    const isCut = text !== oneLine(item, LONGEST);
    if (text === '' || (isCut && kept.length > 0 && text.length < STUMP)) break;
    kept.push(text);
    cost += costOf(text);
    if (isCut) break;
  }
  return { items: kept, cost };
}

function fitted(words: string, tokens: number): string {
  return fitText(words, LONGEST, tokens - 4);
}

/** As JSON or as a quoted line with its name in front. */
function costOf(value: unknown): number {
  return tokensAtMost(JSON.stringify(value)) + 4;
}

function isEmpty(value: string | readonly string[] | null): boolean {
  return value === null || value.length === 0;
}

/** A duration in the unit that says it shortest. */
function span(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} days`;
}
