// `rookery monitor`: a plug-in's monitor of Claude Code. Each line that it prints wakes the idle session; otherwise it is silent. Claude Code never
// starts a monitor again, and takes its end for news (observed with 2.1.329): so it ends with its client and never before, whatever is wrong
// with the hub.

import type { Clock } from '../hub/clock.ts';
import type { Hub } from '../hub/hub.ts';
import type { Log } from '../system/log.ts';
import { agentOfClient, type Told } from './client-agent.ts';
import { reasonOf, type WakeResult, Waker } from './waker.ts';

export type MonitorParts = {
  open: () => Promise<Hub>;
  told: Told;
  /** Aborts when the client ends. */
  over: AbortSignal;
  /** Prints a line; rejects when nobody reads any more. */
  print: (line: string) => Promise<void>;
  clock: Clock;
  log: Log;
};

const RETRY_MS = 30_000;

export async function serveMonitor({ open, told, over, print, clock, log }: MonitorParts): Promise<void> {
  while (!over.aborted) {
    try {
      const hub = await open();
      try {
        await new Waker({ hub, log, sleeper: () => agentOfClient(hub, told), doors: () => [{ kind: 'monitor', wake }] }).run(over);
      } finally {
        await hub.close();
      }
    } catch (error) {
      log.warn({ event: 'monitor_trouble', reason: reasonOf(error) }, 'the hub cannot be used; the monitor tries again');
    }
    if (!over.aborted) await clock.sleep(RETRY_MS, over);
  }

  async function wake({ line }: { line: string }): Promise<WakeResult> {
    await print(line);
    return { sent: true };
  }
}
