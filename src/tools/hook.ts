// hook: what a client's hook tells the hub, and what the hub has it tell its model. It is in no list; the program `rookery hook` and mcp_tool hooks
// call it with the client's own words, of which it takes what it knows. Its answer is a hook's output as Claude Code and Codex both read it, and
// nothing more, because Codex drops an output in which it does not know a field. Empty: nothing to say.

import type { Caller } from '../hub/caller.ts';
import type { Hub } from '../hub/hub.ts';
import type { TranscriptFacts } from '../hub/surroundings.ts';
import { wakeUpIn } from '../hub/wake-notice.ts';
import type { Callable, ToolCall } from './callable.ts';
import { type HookWords, readHookWords } from './hook-words.ts';

type Output = Record<string, unknown>;
type Told = { hub: Hub; caller: Caller; words: HookWords; call: ToolCall };

const NOTHING: Output = {};

export const hook: Callable = {
  name: 'hook',
  unlisted: true,
  identifies: true,
  overseers: false,
  parse: (given) => ({ words: readHookWords(given) }),
  async run(call, input) {
    const caller = call.connection.current;
    const words = input.words as HookWords;
    const answer = ANSWERS[words.event];
    return caller === undefined || answer === undefined ? NOTHING : await answer({ hub: call.hub, caller, words, call });
  },
};

const ANSWERS: Readonly<Record<string, (told: Told) => Promise<Output>>> = {
  async SessionStart({ hub, caller, words, call }) {
    // A session that begins has lost nothing.
    if (words.source === 'startup' || words.source === '') return NOTHING;
    // What the context held is gone: a checkpoint of it, asked for and not given, is owed no more.
    if (words.source !== 'resume') await hub.usage.report(caller, 0, { tool: 'hook' });
    const { toolsOf } = await import('./index.ts');
    const offered = new Set(toolsOf(call.connection.toolsets).map(({ name }) => name));
    return context(words, await hub.recovery.text(caller, (tool) => offered.has(tool)));
  },

  async UserPromptSubmit({ hub, caller, words }) {
    const wakeUp = wakeUpIn(words.moment.prompt ?? '');
    if (wakeUp !== undefined && (await hub.waking.isStale(caller, wakeUp)))
      return { decision: 'block', reason: 'The mail that this told of has been read.' };
    const underWay = await hub.turns.underWay(caller);
    const before = underWay === null ? null : await transcript(hub, words, underWay);
    await hub.turns.begin(caller, words.moment, before?.turn ?? null);
    return context(words, await hub.mailNews.tell(caller, 'prompt', words.moment.prompt));
  },

  async PreToolUse({ hub, caller, words }) {
    const [use] = words.uses;
    if (use === undefined) return NOTHING;
    const { decision, reason } = await hub.toolUses.start(caller, use, words.moment);
    // A word that keeps nobody from anything: another works on the same file, for example.
    if (decision === 'none') return context(words, reason === '' ? undefined : reason);
    return specific(words, { permissionDecision: decision, permissionDecisionReason: reason });
  },

  PostToolUse: (told) => ended(told, 'ok'),
  PostToolUseFailure: (told) => ended(told, 'failed'),

  async PostToolBatch({ hub, caller, words }) {
    await hub.toolUses.endBatch(caller, words.uses, words.moment);
    return await news({ hub, caller, words });
  },

  async Stop({ hub, caller, words }) {
    const receipts = await hub.stopping.receipts(caller);
    const underWay = await hub.turns.underWay(caller);
    const facts = await transcript(hub, words, { ...turnOf(underWay, words), receipts });
    await hub.stopping.acknowledge(caller, facts?.proven ?? []);
    if (facts !== null && facts.contextPercent !== null)
      await hub.usage.report(caller, facts.contextPercent, { tool: 'hook', durability: 'relaxed' });
    const refusal = await hub.stopping.refusal(caller, words.stopHookActive);
    if (refusal !== undefined) return { decision: 'block', reason: refusal };
    await hub.turns.end(caller, words.moment, 'completed', facts?.turn ?? null);
    return NOTHING;
  },

  async StopFailure({ hub, caller, words }) {
    const underWay = await hub.turns.underWay(caller);
    const facts = await transcript(hub, words, turnOf(underWay, words));
    await hub.turns.end(caller, words.moment, 'failed', facts?.turn ?? null);
    return NOTHING;
  },

  async SubagentStop({ hub, caller, words }) {
    // A compaction's own helpers have no kind; they are nobody's sub-agents.
    if (words.subAgent !== '') await hub.toolUses.subAgentStopped(caller, words.subAgent);
    return NOTHING;
  },

  async PreCompact({ hub, caller, words }) {
    const [facts, gitState] = await Promise.all([transcript(hub, words, {}), hub.surroundings.git(words.cwd)]);
    await hub.checkpoints.observe(caller, {
      filesModified: facts?.filesModified ?? [],
      gitState,
      trigger: `before compaction${words.trigger === '' ? '' : ` (${words.trigger})`}`,
    });
    return NOTHING;
  },

  async Notification({ hub, caller, words }) {
    if (words.notification === 'idle_prompt') await hub.turns.idle(caller);
    return NOTHING;
  },

  async SessionEnd({ hub, caller, words }) {
    // The client goes on with another conversation; its server stays.
    if (words.reason === 'clear' || words.reason === 'resume') await hub.turns.idle(caller);
    else await hub.sessions.end(caller, 'closed');
    return NOTHING;
  },
};

type UnderWay = { since: number; turnKey: string | null } | null;

/** A turn that took in another prompt keeps the name it began with. */
function turnOf(underWay: UnderWay, { moment }: HookWords): { since: number | null; turnKey: string | null } {
  return { since: underWay?.since ?? null, turnKey: underWay?.turnKey ?? moment.turnKey };
}

async function ended({ hub, caller, words }: Told, outcome: 'ok' | 'failed'): Promise<Output> {
  const [use] = words.uses;
  if (use === undefined) return NOTHING;
  await hub.toolUses.end(caller, use, words.moment, outcome, words.durationMs);
  // Claude Code tells of a batch of tools when all have run; there it is said once.
  return words.client === 'codex' ? await news({ hub, caller, words }) : NOTHING;
}

/** What came since. A sub-agent is not told: it is its parent's mail. */
async function news({ hub, caller, words }: Pick<Told, 'hub' | 'caller' | 'words'>): Promise<Output> {
  return words.subAgent === '' ? context(words, await hub.mailNews.tell(caller, 'in turn')) : NOTHING;
}

function transcript(
  hub: Hub,
  words: HookWords,
  about: { since?: number | null; turnKey?: string | null; receipts?: readonly string[] },
): Promise<TranscriptFacts | null> {
  if (words.transcriptPath === '') return Promise.resolve(null);
  return hub.surroundings.transcript({
    client: words.client,
    path: words.transcriptPath,
    since: about.since ?? null,
    turnKey: about.turnKey ?? null,
    receipts: about.receipts ?? [],
    lastWords: words.lastWords,
  });
}

function context(words: HookWords, text: string | undefined): Output {
  return text === undefined ? NOTHING : specific(words, { additionalContext: text });
}

function specific(words: HookWords, fields: Output): Output {
  return { hookSpecificOutput: { hookEventName: words.event, ...fields } };
}
