// health: what the doctor says, what the hub itself notices, how its event streams fare, which duties fail, and how long its tools took lately.

import { toIso } from '../hub/clock.ts';
import { VERSION } from '../hub/hub.ts';
import { defineView, type HealthFinding, type Look } from './view.ts';

const CALLS = 5_000;

export const health = defineView({
  name: 'health',
  what: 'What the doctor says, notices, event streams and failing duties of this server, latency of each tool over the newest calls',
  input: {},
  async run({ hub, caller, examine, serving }) {
    const server = serving?.();
    const [findings, dutyNotices, calls] = await Promise.all([examined(examine), hub.dutyNotices(), hub.calls.byTool(caller, CALLS)]);
    return {
      hub: { version: VERSION, instance_id: hub.instanceId, boot_id: hub.bootId, schema: hub.schema, started_at: toIso(hub.startedAt) },
      findings,
      notices: [...hub.notices(), ...dutyNotices],
      server:
        server === undefined
          ? null
          : {
              sessions: server.sessions,
              waiting_calls: hub.context.waiting.parked,
              streams: {
                ...{ open: server.streams.open, opened: server.streams.opened, resumed: server.streams.resumed },
                ...{ cut_off: server.streams.cutOff, events: server.streams.events },
              },
              failing_duties: server.failing.map(({ duty, failures, lastError }) => ({ duty, failures, error: lastError })),
            },
      calls_since: calls.since === null ? null : toIso(calls.since),
      tools: calls.tools.map(({ tool, calls: count, refused, p50, p95 }) => ({ tool, calls: count, refused, p50_ms: p50, p95_ms: p95 })),
    };
  },
});
export type HealthReply = Awaited<ReturnType<typeof health.run>>;

async function examined(examine: Look['examine']): Promise<readonly HealthFinding[]> {
  return examine === undefined ? [] : await examine();
}
