// Takes the pictures of the dashboard in docs/pictures: a real hub on a throw-away folder, on which four agents work for an hour that is over
// in a second, and a real Chromium. Needs a build and Chromium (CHROMIUM says where, if not at the usual place).

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { launchChromium } from './chromium.mjs';

const root = new URL('../', import.meta.url);
const load = (path) => import(new URL(`build/${path}`, root).href);
const { createHub } = await load('hub/hub.js');
const { effectiveLimits } = await load('hub/limits.js');
const { openSqlite } = await load('store/sqlite.js');
const { Scheduler } = await load('scheduler/scheduler.js');
const { dutiesOf } = await load('scheduler/duties.js');
const { HttpDoor } = await load('server/http.js');
const { signInLink } = await load('server/serve.js');
const { systemClock } = await load('system/clock.js');
const { systemHost } = await load('system/host.js');
const { systemIds } = await load('system/ids.js');
const { openLog } = await load('system/log.js');

const MINUTE = 60_000;
const PROJECT = { id: 'payments-1', name: 'payments', root: '/home/you/payments' };
const PICTURES = fileURLToPath(new URL('docs/pictures/', root));

// The scene begins an hour ago and is played up to now, in steps that no clock would call a jump.
let behind = 60 * MINUTE;
const clock = { ...systemClock, now: () => systemClock.now() - behind };
const home = mkdtempSync(join(tmpdir(), 'rookery-pictures-'));
const db = await openSqlite({ path: join(home, 'hub.db'), bellDir: join(home, 'run'), clock });
const hub = await createHub({
  db,
  clock,
  ids: systemIds(clock),
  limits: effectiveLimits({ deliveryAttempts: 2 }),
  host: { ...systemHost, startedAt: 0 },
});
const sessions = new Map();

const attach = async (name, client, role, status) => {
  const attachment = { project: PROJECT, door: 'stdio', client: { name: client, version: '1' }, root: PROJECT.root, name, role };
  const caller = await hub.sessions.attach(attachment);
  if (status !== undefined) await hub.joining.join(caller, attachment, { status }, { tool: 'join' });
  sessions.set(name, caller);
  return caller;
};
const pass = async (minutes) => {
  for (let left = minutes; left > 0; left -= 1) {
    behind -= Math.min(1, left) * MINUTE;
    await hub.heartbeats.beat([...sessions.values()].map(({ sessionId }) => sessionId));
  }
};
const send = (from, to, body, more = {}) => hub.messages.send(from, { to, body, ...more }, { tool: 'send' });
const receive = (caller) => hub.inbox.receive(caller, { max: 10, maxBytes: 32_768, waitMs: 0, peek: false }, { tool: 'recv_batch' });
const read = async (caller) => {
  const { receipt } = await receive(caller);
  if (receipt !== null) await hub.inbox.acknowledge(caller, { receipt, delayMs: 0 }, { tool: 'ack' });
};

const lead = await attach('lead', 'claude-code', 'manager', 'splitting the refund work');
const builder = await attach('amber-builder', 'claude-code', 'agent', 'migrating the ledger');
const reviewer = await attach('reviewer', 'codex', 'reviewer', 'reading refunds.spec.ts');
const writer = await attach('docs-writer', 'gemini-cli', 'agent', undefined);

const lost = await send(lead, 'docs-writer', 'Write down how refunds of partial captures behave, one example per card network.', {
  subject: 'Refund behaviour',
});
for (const minutes of [3, 4, 5]) {
  await receive(writer);
  await pass(minutes);
}
await receive(writer);
await hub.sessions.end(writer, 'closed');
sessions.delete('docs-writer');
const steps = [
  'The columns are there.',
  'The backfill runs.',
  'Half of it is done.',
  'The old column is no longer read.',
  'All rows agree.',
];
for (const [index, words] of steps.entries()) {
  await send(builder, 'lead', words, { subject: 'Ledger migration' });
  await pass(index === 2 ? 3 : 1);
  await read(lead);
  if (index % 2 === 0) await send(lead, 'amber-builder', 'Good. Go on.', { expectsReply: false });
  await pass(1);
  await read(builder);
}
const question = await send(
  lead,
  ['reviewer', 'amber-builder'],
  'Which of you knows the settlement job? It double-counts when a capture is split.',
  {
    subject: 'Settlement counts twice',
  },
);
await pass(1);
await read(reviewer);
await send(reviewer, 'lead', 'I wrote its tests; the split capture was never covered.', { inReplyTo: question.message_id });
await read(builder);
const offer = await send(builder, 'lead', 'I can take it after the ledger.', { inReplyTo: question.message_id });
await pass(2);
await read(lead);
await send(lead, 'amber-builder', 'Yes please. Start from the failing fixture; reviewer has it.', { inReplyTo: offer.message_id });
await send(lead, 'reviewer', 'Please look at src/refunds/ledger.ts: the rounding of partial refunds changed.', {
  subject: 'Review the refund ledger',
  kind: 'request',
});
await pass(1);
await receive(reviewer);
await pass(9);
await hub.approvals.request(
  builder,
  {
    action: 'psql payments -c "ALTER TABLE ledger DROP COLUMN amount_cents"',
    risk: 'high',
    reason: 'Nothing reads it any more; the backup of today is verified.',
  },
  { tool: 'request_approval' },
);
await pass(2);
await hub.asks.ask(
  reviewer,
  {
    to: 'operator',
    question: 'The ledger rounds half up in one place and half even in another. Which one is right for refunds?',
    options: ['Half even everywhere', 'Half up everywhere', 'Keep both'],
  },
  { tool: 'ask' },
);
await pass(behind / MINUTE - 1);
await send(lead, 'operator', 'The refund work is split into six tasks; two are under way.', { subject: 'Where we are' });
behind = 20_000;
await read(builder);
behind = 0;
await hub.heartbeats.beat([...sessions.values()].map(({ sessionId }) => sessionId));
for (const [caller, ago] of [
  [lead, 40_000],
  [builder, 20_000],
  [reviewer, 12 * MINUTE],
]) {
  const { projectId, agentId, sessionId, door } = caller;
  const call = { projectId, agentId, sessionId, door, tool: 'recv_batch', code: 'ok', durationMs: 4, inputBytes: 2, outputBytes: 300 };
  hub.calls.record({ ...call, startedAt: clock.now() - ago });
}
await hub.calls.flush();
const parked = new AbortController();
void hub.inbox
  .receive(builder, { max: 10, maxBytes: 32_768, waitMs: 45_000, peek: false }, { tool: 'recv_batch' }, parked.signal)
  .catch(() => {});

const settings = { host: '127.0.0.1', port: 0, behindProxy: false, allowedHosts: [], allowedOrigins: [], toolsets: ['core', 'work'] };
const log = openLog('silent', undefined);
const scheduler = new Scheduler(hub, dutiesOf(hub), clock, log);
const door = new HttpDoor({ hub, scheduler, settings, log });
await door.listen();
scheduler.start();
const { code } = await hub.signIns.offer(await hub.projects.operator(PROJECT, 'cli'));
mkdirSync(PICTURES, { recursive: true });
const browser = await launchChromium();
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 860 } });
  await page.goto(signInLink(door.url, code));
  await page.getByText('Live').waitFor();
  const shots = { overview: '#/overview', waiting: '#/waiting', threads: `#/threads/${question.thread_id}` };
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    for (const [name, place] of Object.entries(shots)) {
      await page.goto(`${door.url}/${place}`);
      await page.waitForFunction(() => document.querySelector('h1') !== null && document.querySelector('[aria-busy="true"]') === null);
      await page.evaluate(() => document.fonts.ready);
      await page.waitForTimeout(300);
      await page.screenshot({ path: join(PICTURES, `${name}-${colorScheme}.png`) });
    }
  }
} finally {
  await browser.close();
  parked.abort();
  await door.close();
  await scheduler.stop();
  await hub.close();
  rmSync(home, { recursive: true, force: true });
}
process.stdout.write(`docs/pictures: overview, waiting and threads, light and dark (dead letter ${lost.message_id})\n`);
