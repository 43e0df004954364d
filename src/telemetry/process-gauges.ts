// What a process tells of itself: its memory, and how long its event loop is held up.

import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Instruments } from './instruments.ts';

const RESOLUTION_MS = 20;
/** A look comes every so often anyway; what is above that is delay. */
const toDelay = (nanos: number) => Math.max(0, nanos / 1e9 - RESOLUTION_MS / 1e3);

export function observeProcess(instruments: Instruments): void {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  instruments.gauges('process', async () => {
    const { rss, heapUsed } = process.memoryUsage();
    // Without a sample there is no number, and none is made up.
    const delays =
      delay.count === 0
        ? []
        : ([
            { name: 'nodejs.eventloop.delay.p50', value: toDelay(delay.percentile(50)) },
            { name: 'nodejs.eventloop.delay.p99', value: toDelay(delay.percentile(99)) },
            { name: 'nodejs.eventloop.delay.max', value: toDelay(delay.max) },
          ] as const);
    delay.reset();
    return [
      ...delays,
      { name: 'process.memory.usage', value: rss },
      { name: 'v8js.memory.heap.used', value: heapUsed },
      { name: 'process.uptime', value: process.uptime() },
    ];
  });
}
