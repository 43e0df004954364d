// The event stream: whoever reads it, however often the connection breaks, sees every event once its cursor has passed, in order.

import { request } from 'node:http';
import { describe, expect, it, vi } from 'vitest';
import { attach, cleanup, OTHER_PROJECT, PROJECT } from '../support/engines.ts';
import { ask, revoke, serveHub } from './http-hub.ts';

type Event = { seq: number; type: string };

/** Reads events after `cursor` until `enough` of them came or the stream ended, then breaks the connection. */
function read(
  url: string,
  token: string,
  cursor: { after?: number; last?: number },
  enough: (events: Event[]) => boolean,
): Promise<Event[]> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}`, ...(cursor.last === undefined ? {} : { 'last-event-id': String(cursor.last) }) };
    const path = cursor.after === undefined ? '/events' : `/events?after=${cursor.after}`;
    const asked = request(new URL(path, url), { agent: false, headers }, (response) => {
      const events: Event[] = [];
      let rest = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        const frames = (rest + part).split('\n\n');
        rest = frames.pop() ?? '';
        for (const frame of frames) {
          const found = /^id: (\d+)\ndata: (.*)$/.exec(frame);
          if (found === null || enough(events)) continue;
          events.push(JSON.parse(found[2] ?? '') as Event);
          expect(events.at(-1)?.seq).toBe(Number(found[1]));
        }
        if (enough(events)) response.destroy();
      });
      response.on('close', () => resolve(events));
      response.on('error', () => {});
    });
    asked.on('error', reject);
    asked.end();
  });
}

type Streams = { open: number; opened: number; resumed: number; cut_off: number; events: number };

/** What Health says of the streams. */
async function streams(url: string, token: string): Promise<Streams> {
  const response = await fetch(`${url}/api/views/health`, { headers: { authorization: `Bearer ${token}` } });
  return ((await response.json()) as { server: { streams: Streams } }).server.streams;
}

describe('the event stream', () => {
  it('misses nothing and repeats nothing, however often it breaks', async () => {
    const { url, hub, token } = await serveHub();
    const secret = await token('operator');
    const alice = await attach(hub, 'alice');
    const bob = await attach(hub, 'bob');
    const writing = (async () => {
      for (let i = 0; i < 300; i++) await hub.messages.send(alice, { to: 'bob', body: `message ${i}` }, { tool: 'send' });
      await hub.sessions.end(bob, 'closed');
    })();
    const isLast = (events: Event[]) => events.at(-1)?.type === 'session.ended';
    const seen: Event[] = [];
    let breaks = 0;
    for (let size = 1; !isLast(seen); size = (size * 7) % 31) {
      const last = seen.at(-1)?.seq ?? 0;
      // Both cursors, in turn; the header of a reconnecting reader counts more than the address.
      const cursor = breaks % 2 === 0 ? { after: last } : { after: 0, last };
      seen.push(...(await read(url, secret, cursor, (events) => events.length >= size || isLast(events))));
      breaks += 1;
    }
    await writing;
    expect(seen.at(-1)?.seq).toBe(await hub.feed.head(await hub.projects.operator(PROJECT, 'cli')));
    expect(breaks).toBeGreaterThan(5);
    expect(seen.map(({ seq }) => seq)).toEqual(Array.from({ length: seen.length }, (_, i) => i + 1));
    expect(JSON.stringify(seen)).not.toContain('message 1');
  });

  it('begins with what happens from now on, when no cursor is given', async () => {
    const { url, hub, token } = await serveHub();
    const secret = await token('boss', { role: 'manager' });
    await attach(hub, 'alice');
    const reading = read(url, secret, {}, (events) => events.some(({ type }) => type === 'session.ended'));
    await expect.poll(() => hub.context.waiting.parked).toBe(1);
    const bob = await attach(hub, 'bob');
    await hub.sessions.end(bob, 'closed');
    expect((await reading).map(({ type }) => type)).toEqual(['agent.registered', 'session.started', 'session.ended']);
  });

  it('is for managers and the operator, and shows their project only', async () => {
    const { url, hub, token } = await serveHub();
    expect((await ask(url, '/events', { token: await token('alice') })).status).toBe(403);
    expect((await ask(url, '/events?after=x', { token: await token('operator') })).status).toBe(400);
    await attach(hub, 'secret-agent', { project: OTHER_PROJECT });
    const head = await hub.feed.head(await hub.projects.operator(PROJECT, 'cli'));
    const seen = await read(url, await token('operator'), { after: 0 }, (events) => events.length >= head);
    expect(JSON.stringify(seen)).not.toContain('secret-agent');
  });

  it('ends when its token is revoked and when the hub closes', async () => {
    const served = await serveHub();
    const { url, hub } = served;
    const [revoked, kept] = [await served.token('boss', { role: 'manager' }), await served.token('operator')];
    const ending = [revoked, kept].map((secret) => read(url, secret, {}, () => false));
    await expect.poll(() => hub.context.waiting.parked).toBe(2);
    await revoke(hub, revoked); // itself an event, which the stream must not show any more
    expect(JSON.stringify(await ending[0])).not.toContain('token.revoked');
    await served.close();
    expect(JSON.stringify(await ending[1])).toContain('token.revoked');
  });

  it('is counted: what was opened, what came back with a cursor, what was sent (A-24)', async () => {
    const { url, hub, token } = await serveHub();
    const secret = await token('operator');
    await attach(hub, 'alice');
    const one = (events: Event[]) => events.length >= 1;
    for (let after = 0; after < 3; after++) await read(url, secret, { after }, one);
    await expect.poll(async () => (await streams(url, secret)).open, { timeout: 10_000 }).toBe(0);
    const counted = await streams(url, secret);
    expect(counted).toMatchObject({ opened: 3, resumed: 3, cut_off: 0 });
    expect(counted.events).toBeGreaterThanOrEqual(3);
  });

  it('cuts off a reader that does not read', async () => {
    const { url, hub, token } = await serveHub({ limits: { sseBufferBytes: 10_000, silentAfterMs: 300 } });
    const secret = await token('operator');
    const { agentId } = await attach(hub, 'alice');
    const counted = vi.spyOn(hub.context.telemetry, 'count');
    cleanup(() => counted.mockRestore());
    const cut = new Promise<void>((resolve, reject) => {
      const asked = request(
        new URL('/events?after=0', url),
        { agent: false, headers: { authorization: `Bearer ${secret}` } },
        (response) => {
          response.pause(); // never reads; what the system itself buffers fills up, then the hub's own buffer
          asked.socket?.on('close', () => resolve());
          response.on('error', () => resolve());
        },
      );
      asked.on('error', reject);
      asked.end();
    });
    let open = true;
    void cut.then(() => {
      open = false;
    });
    const burst = 'y'.repeat(4_000);
    for (let i = 0; open && i < 20_000; i += 200) {
      await hub.context.commands.runAs(PROJECT.id, { agentId: 'hub' }, async (act) => {
        for (let n = 0; n < 200; n++) await act.emit('agent.changed', agentId, { note: burst });
      });
    }
    await cut;
    const count = async () => (await streams(url, secret)).cut_off;
    await expect.poll(count, { timeout: 10_000 }).toBe(1);
    expect(counted.mock.calls.filter(([name]) => name === 'hub.event_stream.drops')).toHaveLength(1);
  });
});
