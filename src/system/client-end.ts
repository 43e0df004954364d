// When the client ends that started this process beside itself: what waits for mail then has nobody to wake.

import { systemClock } from './clock.ts';
import { systemHost } from './host.ts';

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;
const LOOK_MS = 2_000;
const BORN_EVERY = 30;

/** Aborts when the process `client` ends, or asks this one to end. */
export function clientEnd(client: number): AbortSignal {
  const over = new AbortController();
  for (const signal of SIGNALS) process.on(signal, () => over.abort());
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => over.abort());
  const born = systemHost.bornOf(client);
  void (async () => {
    // When a process was born is asked of another program where there is no /proc, so it is asked rarely.
    const isOther = (round: number) => round % BORN_EVERY === 0 && systemHost.bornOf(client) !== born;
    for (let round = 0; !over.signal.aborted && systemHost.isAlive(client) && !isOther(round); round++)
      await systemClock.sleep(LOOK_MS, over.signal);
    over.abort();
  })();
  return over.signal;
}
