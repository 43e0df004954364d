// `codex queue`: puts a message into a thread of Codex. An idle thread begins a turn with it, in its terminal or without one; a closed one when it
// is resumed. It lands as the words of the user, so it stands in a frame that says it is not; it is an argument that everybody on the machine
// can see in the table of processes, so it holds nobody's words. Exit code 0 says that it was queued, not that
// anything woke (observed with Codex 0.169.0): reading is the proof.

import type { Ids } from '../hub/ids.ts';
import { queuedNotice } from '../hub/wake-notice.ts';
import type { CodexProgram } from './codex-program.ts';
import { runProgram } from './program.ts';
import type { HostedDoor, Notice, WakeResult } from './waker.ts';

export type CodexThread = CodexProgram & { thread: string };

/** It takes a tenth of a second; a first start of its daemon takes longer. */
const TIMEOUT_MS = 20_000;

/** What spawned programs get of the environment, and the clock. */
export type Machine = {
  env: Readonly<Record<string, string>>;
  ids: Ids;
  sleep: (ms: number, signal: AbortSignal) => Promise<void>;
};

export function codexQueue(thread: CodexThread, machine: Machine): HostedDoor {
  return { kind: 'codex_queue', wake: (notice) => queue(thread, notice, machine) };
}

export async function queue(
  codex: CodexThread,
  { plain }: Notice,
  { env, ids, sleep }: Machine,
  signal?: AbortSignal,
): Promise<WakeResult> {
  const home = codex.home === undefined ? {} : { CODEX_HOME: codex.home };
  return await runProgram(
    {
      program: codex.program,
      args: ['queue', '--thread', codex.thread, '--message', queuedNotice(ids, plain)],
      env: { ...env, ...home },
      timeoutMs: TIMEOUT_MS,
    },
    sleep,
    signal,
  );
}
