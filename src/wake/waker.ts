// A process that hosts wake doors of one agent: it opens them, asks the hub for due wake-ups when something changed, carries out what it could
// claim, and reports what came of it. Whether, when and by which door is the hub's to decide. It costs next to nothing while nothing happens.
// Invariant: trouble with a door, or with the hub, never ends its process and never reaches the client as an error.

import type { Hub } from '../hub/hub.ts';
import { mailHintLine } from '../hub/mail-hint.ts';
import type { HostedKind, Sleeper } from '../hub/wake-doors.ts';
import type { Claim } from '../hub/waking.ts';
import type { Log } from '../system/log.ts';

/** What came of an attempt, as far as the one who made it can tell: `sent` is no proof, reading is. */
export type WakeResult = { sent: true } | { sent: false; detail: string };

/** One way to reach a client that this process has. */
export type HostedDoor = { kind: HostedKind; wake(notice: Notice): Promise<WakeResult> };

/**
 * What a client is told, in one line; `plain` holds no words of anybody. Both end with the id of the attempt, so that hooks know a wake-up when
 * they see one.
 */
export type Notice = { line: string; plain: string; attemptId: string };

export type WakerParts = {
  hub: Hub;
  log: Log;
  /** Whose client this process can wake now; undefined while nobody is known. */
  sleeper: () => Promise<Sleeper | undefined>;
  /** The doors to that client. */
  doors: (sleeper: Sleeper) => readonly HostedDoor[];
  /** Whether the client waits for an answer of this process: it is awake then. */
  busy?: () => boolean;
};

type Opened = { sleeper: Sleeper; doors: { id: string; door: HostedDoor }[] };

/** How often to look while the client waits for an answer. */
const BUSY_MS = 1_000;
const TROUBLE_MS = 10_000;
const TROUBLES = 3;

export class Waker {
  readonly #parts: WakerParts;
  #opened: Opened | undefined;

  constructor(parts: WakerParts) {
    this.#parts = parts;
  }

  /** Hosts until the signal aborts, the hub closes, or the hub fails again and again: then it answers false. Never rejects. */
  async run(signal: AbortSignal): Promise<boolean> {
    const { hub, log } = this.#parts;
    const over = new AbortController();
    let troubles = 0;
    await hub.context.waiting.attend(AbortSignal.any([signal, over.signal]), async () => {
      try {
        const again = await this.#look();
        troubles = 0;
        return again;
      } catch (error) {
        if (signal.aborted) return null;
        log.warn({ event: 'wake_trouble', reason: reasonOf(error) }, 'waking is in trouble; it goes on later');
        troubles += 1;
        if (troubles >= TROUBLES) over.abort();
        return TROUBLE_MS;
      }
    });
    return troubles < TROUBLES;
  }

  /** Closes the doors at once instead of leaving it to the end of this process to be noticed. */
  async close(): Promise<void> {
    const opened = this.#opened;
    this.#opened = undefined;
    for (const { id } of opened?.doors ?? []) await this.#parts.hub.wakeDoors.close(opened?.sleeper ?? NOBODY, id);
  }

  /** Answers after how many milliseconds to look again if nothing changes. */
  async #look(): Promise<number | null> {
    const { hub, sleeper, busy } = this.#parts;
    const opened = await this.#open(await sleeper());
    if (opened === undefined || opened.doors.length === 0) return null;
    if (busy?.() === true) return BUSY_MS;
    const { projectId, agentId } = opened.sleeper;
    const next = await hub.waking.next(
      projectId,
      agentId,
      opened.doors.map(({ id }) => id),
    );
    if (next.claim === undefined) return next.again;
    await hub.waking.report(projectId, next.claim.attemptId, await this.#wake(opened, next.claim));
    return 1;
  }

  async #open(sleeper: Sleeper | undefined): Promise<Opened | undefined> {
    if (sleeper === undefined) return undefined;
    if (this.#opened?.sleeper.sessionId === sleeper.sessionId) return this.#opened;
    const doors: Opened['doors'] = [];
    for (const door of this.#parts.doors(sleeper)) doors.push({ id: await this.#parts.hub.wakeDoors.open(sleeper, door.kind), door });
    this.#opened = { sleeper, doors };
    return this.#opened;
  }

  async #wake({ doors }: Opened, { doorId, attemptId, mail }: Claim): Promise<WakeResult> {
    const door = doors.find(({ id }) => id === doorId)?.door;
    if (door === undefined) return { sent: false, detail: 'its host has no such door' };
    try {
      return await door.wake(noticeOf({ attemptId, mail }));
    } catch (error) {
      return { sent: false, detail: reasonOf(error) };
    }
  }
}

/** The words of a wake-up. */
export function noticeOf({ attemptId, mail }: Pick<Claim, 'attemptId' | 'mail'>): Notice {
  return { line: `${mailHintLine(mail)} (${attemptId})`, plain: `${mailHintLine(mail, false)} (${attemptId})`, attemptId };
}

const NOBODY: Sleeper = { projectId: '', agentId: '', sessionId: '' };

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown reason';
}
