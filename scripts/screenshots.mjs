// Takes the pictures of the dashboard in docs/pictures: a real hub on a throw-away folder with a scene that ends now, and a real Chromium. Needs
// a build and Chromium (CHROMIUM says where, if not at the usual place).
//   --all FOLDER   every page instead, wide and narrow, light and dark: for looking at what was changed

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { launchChromium } from './chromium.mjs';
import { playScene } from './scene.mjs';
import { PROJECT } from './scene-cast.mjs';

const { values: flags } = parseArgs({ options: { all: { type: 'string' } } });
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
const { systemFiles } = await load('system/project-files.js');

const home = mkdtempSync(join(tmpdir(), 'rookery-pictures-'));
const openHub = async (clock) =>
  createHub({
    db: await openSqlite({ path: join(home, 'hub.db'), bellDir: join(home, 'run'), clock }),
    clock,
    ids: systemIds(clock),
    limits: effectiveLimits({ deliveryAttempts: 2 }),
    host: { ...systemHost, startedAt: 0 },
    files: systemFiles,
  });
const { hub, clock, ids } = await playScene(openHub, systemClock);

const settings = { host: '127.0.0.1', port: 0, behindProxy: false, allowedHosts: [], allowedOrigins: [], toolsets: ['core', 'work'] };
const log = openLog('silent', undefined);
const scheduler = new Scheduler(hub, dutiesOf(hub), clock, log);
const door = new HttpDoor({ hub, scheduler, settings, log, examine: async () => FINDINGS });
await door.listen();
scheduler.start();
const { code } = await hub.signIns.offer(await hub.projects.operator(PROJECT, 'cli'));
const browser = await launchChromium();

/** What a doctor might say, for the picture of Health alone: the real one would examine the machine that takes the pictures. */
const FINDINGS = [
  {
    check: 'backup',
    status: 'warn',
    what: 'the newest backup is 31 hours old',
    why: 'What happened since is lost with the disk.',
    fix: 'rookery backup',
  },
  { check: 'sqlite', status: 'ok', what: '3.53.2, WAL, synchronous FULL' },
  { check: 'disk', status: 'ok', what: '212 GiB free' },
  { check: 'hooks', status: 'ok', what: 'claude and codex, heard within the hour' },
];

const PICTURES = { overview: '#/overview', waiting: '#/waiting', threads: `#/threads/${ids.thread}` };
const EVERY = {
  ...PICTURES,
  agents: '#/agents',
  costs: '#/agents?as=costs',
  agent: '#/agents/amber-builder',
  'agent-woken': '#/agents/reviewer',
  'thread-list': '#/threads',
  tasks: '#/tasks',
  graph: '#/tasks?as=graph',
  reserved: '#/tasks?as=reserved',
  task: `#/tasks/${ids.split}`,
  'task-under-way': `#/tasks/${ids.backfill}`,
  reminders: '#/reminders',
  events: '#/events',
  health: '#/health',
};

try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 860 } });
  await page.goto(signInLink(door.url, code));
  await page.getByText('Live').waitFor();
  if (flags.all === undefined) await shoot(page, fileURLToPath(new URL('docs/pictures/', root)), PICTURES, { whole: false });
  else {
    await shoot(page, flags.all, EVERY, { whole: true });
    await page.setViewportSize({ width: 400, height: 860 });
    await shoot(page, join(flags.all, 'narrow'), EVERY, { whole: true });
  }
} finally {
  await browser.close();
  await door.close();
  await scheduler.stop();
  await hub.close();
  rmSync(home, { recursive: true, force: true });
}

async function shoot(page, folder, shots, { whole }) {
  mkdirSync(folder, { recursive: true });
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    for (const [name, place] of Object.entries(shots)) {
      await page.goto(`${door.url}/${place}`);
      await page.waitForFunction(() => document.querySelector('h1') !== null && document.querySelector('[aria-busy="true"]') === null);
      await page.evaluate(() => document.fonts.ready);
      await page.waitForTimeout(300);
      await page.screenshot({ path: join(folder, `${name}-${colorScheme}.png`), fullPage: whole });
    }
  }
  process.stdout.write(`${folder}: ${Object.keys(shots).join(', ')}, light and dark\n`);
}
