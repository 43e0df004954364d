// The doors that the operator registered, for agents without a process of their own: a command, a webhook, a thread of Codex. Any process with a
// scheduler carries out what it could claim; the claim is what makes it happen once. It never holds up the scheduler, and ends with it.

import type { Config } from '../config.ts';
import { toIso } from '../hub/clock.ts';
import type { Hub } from '../hub/hub.ts';
import type { WakeTarget } from '../hub/wake-doors.ts';
import type { Claim } from '../hub/waking.ts';
import type { Log } from '../system/log.ts';
import { findCodex } from './codex-program.ts';
import { queue } from './codex-queue.ts';
import { runProgram } from './program.ts';
import { noticeOf, reasonOf, type WakeResult } from './waker.ts';
import type { Resolve } from './webhook.ts';

export type RegisteredParts = {
  hub: Hub;
  log: Log;
  settings: Pick<Config, 'wakeDoors' | 'codexHome' | 'childEnv'>;
  resolve?: Resolve;
};

type Due = Claim & { projectId: string };

const COMMAND_MS = 30_000;
/** How many run at once in one process; what is due beyond that waits, or another process takes it. */
const AT_ONCE = 4;

export class RegisteredWakes {
  readonly #parts: RegisteredParts;
  readonly #running = new Set<Promise<void>>();
  readonly #stop = new AbortController();

  constructor(parts: RegisteredParts) {
    this.#parts = parts;
  }

  /** When the next one is due; null while this process has its hands full. */
  async nextDue(): Promise<number | null> {
    return this.#hasRoom() ? await this.#parts.hub.waking.nextRegisteredAt() : null;
  }

  /** Duty: claims what is due and carries it out beside the scheduler. Answers how many. */
  async run(): Promise<number> {
    if (!this.#hasRoom()) return 0;
    const due = await this.#parts.hub.waking.nextRegistered(AT_ONCE - this.#running.size);
    for (const one of due) {
      const work = this.#carryOut(one).finally(() => this.#running.delete(work));
      this.#running.add(work);
    }
    return due.length;
  }

  /** Ends what runs, and waits until all is reported. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.settled();
  }

  /** Resolves when what runs now is reported. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.#running]);
  }

  #hasRoom(): boolean {
    return !this.#stop.signal.aborted && this.#running.size < AT_ONCE;
  }

  async #carryOut(due: Due): Promise<void> {
    const { hub, log } = this.#parts;
    const result = await this.#reach(due).catch((error: unknown): WakeResult => ({ sent: false, detail: reasonOf(error) }));
    await hub.waking.report(due.projectId, due.attemptId, result).catch((error: unknown) => {
      log.warn({ event: 'wake_unreported', attempt: due.attemptId, reason: reasonOf(error) }, 'the outcome of a wake-up was not recorded');
    });
  }

  async #reach(due: Due): Promise<WakeResult> {
    const { hub, settings, resolve } = this.#parts;
    const target = toTarget(due.target);
    const signal = this.#stop.signal;
    if (!settings.wakeDoors.includes(target.kind)) return { sent: false, detail: `wakeDoors leaves out ${target.kind}` };
    const { clock, ids } = hub.context;
    const sleep = (ms: number, until: AbortSignal) => clock.sleep(ms, until);
    switch (target.kind) {
      case 'webhook': {
        // Few hubs have one, and every server starts with what stands here.
        const { postWebhook } = await import('./webhook.ts');
        return await postWebhook(
          target,
          { id: due.attemptId, body: this.#event(due) },
          { clock, signal, ...(resolve === undefined ? {} : { resolve }) },
        );
      }
      case 'command': {
        const input = `${JSON.stringify({ ...this.#event(due), line: noticeOf(due).line })}\n`;
        const run = { program: target.program, args: target.args, env: settings.childEnv, input, timeoutMs: COMMAND_MS };
        return await runProgram({ ...run, cwd: await hub.projects.root(due.projectId) }, sleep, signal);
      }
      case 'codex_queue': {
        const codex = findCodex({ home: settings.codexHome, path: settings.childEnv.PATH ?? '', parentPid: undefined });
        if (codex === undefined) return { sent: false, detail: 'no codex is on the PATH' };
        return await queue({ ...codex, thread: target.thread }, noticeOf(due), { env: settings.childEnv, ids, sleep }, signal);
      }
    }
  }

  /** What a program is told: who has how much mail of whom. The words stay in the hub. */
  #event({ attemptId, projectId, mail }: Due): Record<string, unknown> {
    return {
      type: 'mail.waiting',
      timestamp: toIso(this.#parts.hub.context.time.now()),
      data: {
        attempt_id: attemptId,
        project: projectId,
        agent: mail.name,
        unread: mail.unread,
        urgent: mail.urgent,
        messages: mail.heads.map(({ messageId, from, to, kind, urgent }) => ({ id: messageId, from, to, kind, urgent })),
      },
    };
  }
}

/** Parses what the operator registered; it was checked then. */
function toTarget(text: string | null): WakeTarget {
  return JSON.parse(text ?? 'null') as WakeTarget;
}
