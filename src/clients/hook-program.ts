// `rookery hook <event>`: what a client's command hook runs. It reads the client's words from standard input, visits the hub with them, and prints
// its answer. Invariant: it never disturbs its client. Whatever is wrong with the hub, it prints nothing (unless the operator wants the guard
// closed: hook-closed.ts), ends with 0 and is soon gone; it makes no hub where none is, and what it could not tell is counted beside the hub
// (system/hook-drops.ts).
// It is started for every tool that a model uses, so everything else is loaded only where there is a hub, and while the words still come in.

import type { Clock } from '../hub/clock.ts';
import { existingHub } from '../hub-home.ts';
import { systemClock } from '../system/clock.ts';
import { noteHookDrop } from '../system/hook-drops.ts';
import type { HookFlags, Visitor } from './hook-visit.ts';
import { loadVisit } from './load-visit.ts';

export type HookProcess = Visitor & {
  /** The event, and --client, --home, --project, --within. */
  args: readonly string[];
  /** Asked for only where there is a hub to tell. */
  stdin(): AsyncIterable<Uint8Array | string>;
  print(text: string): Promise<void>;
};

/** Within the second that a client notices; `--within` gives a slow machine more. */
const DEADLINE_MS = 900;
/**
 * Told once per session, turn or compaction, and dear to lose: without a Stop the agent counts as busy, and nobody wakes it. Below every
 * client's limit.
 */
const LONGER_MS: Readonly<Record<string, number>> = {
  SessionStart: 4_000,
  UserPromptSubmit: 4_000,
  Stop: 4_000,
  StopFailure: 4_000,
  PreCompact: 4_000,
  SessionEnd: 2_500,
};
/** For what the guard looks at: a busy machine must not let a risky command pass. Clients wait 5 s. */
const GUARDED_MS = 4_000;
/** Tools may have long results; nobody's context holds more. */
const LONGEST_INPUT_BYTES = 16 * 1024 * 1024;

/** Runs one hook. Never throws; whoever calls it ends the process afterwards, whatever still hangs. */
export async function runHook(started: HookProcess): Promise<void> {
  const { event, flags } = readArgs(started.args);
  const files = existingHub(flags.home ?? started.env.ROOKERY_HOME, started.env.ROOKERY_DATABASE_URL);
  if (files === undefined) return;
  let said: Record<string, unknown> = {};
  let isDropped = false;
  const drop = (why: string) => {
    isDropped = true;
    noteHookDrop(files.home, { at: systemClock.now(), event, why });
  };
  const work = async () => {
    const reading = readAll(started.stdin()).then((text) => {
      said = parse(text);
    });
    const [{ visit, keep }] = await Promise.all([loadVisit(files.home), reading]);
    const answer = await visit.visitHub(started, { event, flags, files, said }, drop);
    if (answer !== undefined) await started.print(answer);
    keep();
  };
  const late = patience(Number(flags.within) || deadlineOf(event), event, () => said).then(() => drop('the hub did not answer in time'));
  await Promise.race([work().catch((error: unknown) => drop(wordsOf(error))), late]);
  if (isDropped) await sayIfClosed(started, files.home, event, said);
}

/** How long a hub that is there, but does not answer, may keep its client waiting. */
export function deadlineOf(event: string): number {
  return LONGER_MS[event] ?? DEADLINE_MS;
}

/** Resolves when an answer comes too late. `said`: the client's words, as far as they were read by then. */
export async function patience(ms: number, event: string, said: () => Record<string, unknown>, clock: Pick<Clock, 'sleep'> = systemClock) {
  await clock.sleep(ms);
  if (ms >= GUARDED_MS || event !== 'PreToolUse') return;
  const { isGuarded } = await import('./hook-closed.ts');
  const words = said();
  if (Object.keys(words).length === 0 || isGuarded(event, words)) await clock.sleep(GUARDED_MS - ms);
}

/** A hub that cannot be asked keeps nobody from anything, unless the operator wants it so. */
async function sayIfClosed(started: HookProcess, home: string, event: string, said: Record<string, unknown>): Promise<void> {
  const { closedAnswer } = await import('./hook-closed.ts');
  const answer = closedAnswer(home, event, said);
  if (answer !== undefined) await started.print(answer);
}

function readArgs(args: readonly string[]): { event: string; flags: HookFlags } {
  const flags: Record<string, string> = {};
  let event = '';
  for (let index = 0; index < args.length; index++) {
    const word = args[index] ?? '';
    const [, name, value] = /^--(client|home|project|within)(?:=(.*))?$/s.exec(word) ?? [];
    if (name !== undefined) flags[name] = value ?? args[++index] ?? '';
    else if (!word.startsWith('-') && event === '') event = word;
  }
  return { event, flags };
}

async function readAll(stdin: ReturnType<HookProcess['stdin']>): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stdin) {
    const piece = Buffer.from(chunk);
    bytes += piece.length;
    if (bytes > LONGEST_INPUT_BYTES) throw new Error('its input is too long');
    chunks.push(piece);
  }
  return Buffer.concat(chunks).toString();
}

function parse(text: string): Record<string, unknown> {
  const value: unknown = text.trim() === '' ? {} : JSON.parse(text);
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

/** Why a hook was in vain, without anybody's words in it. */
function wordsOf(error: unknown): string {
  if (error instanceof SyntaxError) return 'its input is not JSON';
  return error instanceof Error ? error.message.slice(0, 200) : 'unknown';
}
