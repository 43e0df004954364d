// The dashboard on a large project, in a real Chromium: how soon it can be used once its data are there, how much memory it takes, and how
// long after its commit an event is on the page. The floors are of the same browser: two frames, an empty page, and the bare event.

import { readFileSync } from 'node:fs';
import { attachment, load, openHub, PROJECT, program } from '../prove/hub.mjs';
import { chromiumPath, launchChromium } from '../scripts/chromium.mjs';
import { makeCrowd } from './crowd.mjs';
import { summary } from './figures.mjs';
import { startHttp } from './http.mjs';

const CROWD = { agents: 1_000, messages: 100_000, copies: 50 };
const LIVE = 200;
const BEAT_MS = 15_000;
const MIB = 1_048_576;
/** What issue and documents promise. */
const PROMISED = { interactiveMs: 1_000, memoryMib: 150, eventMs: 300 };

export async function benchDashboard(home, table, { runs }) {
  if (chromiumPath === undefined) return void process.stderr.write('skipped: there is no Chromium; ');
  await makeCrowd(home, CROWD);
  const hub = await openHub(home);
  const living = [];
  for (let n = 0; n < LIVE; n++) living.push(await hub.sessions.attach(attachment(`agent-${String(n).padStart(4, '0')}`)));
  const ids = living.map(({ sessionId }) => sessionId);
  await obligations(hub, living);
  const beating = setInterval(() => void hub.heartbeats.beat(ids), BEAT_MS);
  const served = await startHttp([program(), 'serve', '--port', '0', '--json', '--project', PROJECT.name], home);
  const browser = await launchChromium();
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    const { signInLink } = await load('server/serve.js');
    const { code } = await hub.signIns.offer(await hub.projects.operator(PROJECT, 'cli'));
    await page.goto(signInLink(served.url, code));
    await page.getByText('Live').waitFor();
    const rounds = Math.max(5, Math.round(runs / 100));
    await interactive(page, served.url, table, rounds);
    await lateness(page, hub, living, table, Math.max(20, Math.round(runs / 15)));
    await memory(browser, page, hub, living, table);
  } finally {
    clearInterval(beating);
    await browser.close();
    served.child.kill('SIGTERM');
    await hub.close();
  }
}

/** What so many agents owe each other: tasks to do and under way, questions, reservations, approvals. */
async function obligations(hub, living) {
  const [boss] = living;
  const tool = (name) => ({ tool: name });
  for (let n = 0; n < 300; n++) {
    const needs = n % 10 === 0 ? { capabilities: ['nobody-has-it'] } : {};
    await hub.tasks.create(boss, { title: `Matter ${n} of the parser`, labels: [`part-${n % 7}`], ...needs }, tool('create_task'));
  }
  for (const one of living.slice(1, 60)) {
    await hub.claims.claim(one, undefined, tool('claim_task'));
    await hub.reservations.reserve(one, { paths: [`src/${one.name}/**`], names: [], mode: 'exclusive' }, tool('reserve'));
    await hub.asks.ask(one, { to: boss.name, question: 'Which of the two comes first?' }, tool('ask'));
  }
  for (const one of living.slice(60, 62))
    await hub.approvals.request(one, { action: 'git push --force', risk: 'high' }, tool('request_approval'));
}

/** Loads a page of the dashboard anew, again and again. */
async function interactive(page, url, table, rounds) {
  const frames = [];
  for (let n = 0; n < rounds * 3; n++) frames.push(await page.evaluate(twoFrames));
  table.add('two frames', summary(sorted(frames)), { unit: 'ms' });
  for (const [name, shown] of [
    ['overview', 'main .agent-line'],
    ['agents', 'main .row .agent-line'],
    ['threads', 'main .thread-line'],
    ['tasks', 'main .tile'],
    ['events', 'main .event-line'],
  ]) {
    const times = [];
    const wholes = [];
    for (let n = 0; n < rounds; n++) {
      await page.goto(`${url}/#/${name}`);
      await page.reload();
      const { dataMs, usableMs } = await page.evaluate(usable, shown);
      times.push(usableMs - dataMs);
      wholes.push(usableMs);
    }
    const whole = summary(sorted(wholes)).p50.toFixed(0);
    const note = `promised ${PROMISED.interactiveMs}; ${whole} ms from the reload`;
    table.add(`${name}: data there -> can be used`, summary(sorted(times)), { unit: 'ms', floor: 'two frames', note });
  }
}

/** An event committed by another process, until its words are on the page. */
async function lateness(page, hub, living, table, rounds) {
  await page.evaluate(listen);
  const bare = [];
  const seen = { overview: [], waiting: [] };
  for (const name of ['waiting', 'overview']) {
    await page.evaluate((place) => {
      location.hash = `#/${place}`;
    }, name);
    await page.waitForFunction(() => document.querySelector('main h1') !== null && document.querySelector('[aria-busy="true"]') === null);
    for (let n = 0; n < rounds; n++) {
      const words = `Which of the two, ${name} ${n}?`;
      const watching = page.evaluate(appearing, words);
      const asker = living[n % living.length];
      const { askId } = await hub.asks.ask(asker, { to: 'operator', question: words }, { tool: 'ask' });
      const committedAt = Date.now();
      seen[name].push((await watching) - committedAt);
      bare.push((await page.evaluate((id) => window.heard(id), askId)) - committedAt);
      await hub.asks.cancel(asker, askId, { tool: 'cancel_ask' });
      await page.waitForTimeout(150);
    }
  }
  table.add('event: committed -> in the browser', summary(sorted(bare)), { unit: 'ms', note: 'the bare stream' });
  for (const [name, times] of Object.entries(seen))
    table.add(`event: committed -> on ${name}`, summary(sorted(times)), {
      unit: 'ms',
      floor: 'event: committed -> in the browser',
      note: `promised ${PROMISED.eventMs}; ${times.filter((ms) => ms > PROMISED.eventMs).length} of ${times.length} later`,
    });
}

/** Every page is looked at, lists are scrolled to their ends, and a few hundred events pass by. */
async function memory(browser, page, hub, living, table) {
  const empty = await browser.newPage();
  await empty.goto('about:blank');
  table.add('an empty page', { p50: await privateMib(empty) }, { unit: 'MiB', note: 'private memory of its process' });
  await empty.close();
  let most = 0;
  let mostHeap = 0;
  for (const name of ['overview', 'waiting', 'agents', 'threads', 'tasks', 'reminders', 'events', 'health', 'agents']) {
    await page.evaluate((place) => {
      location.hash = `#/${place}`;
    }, name);
    await page.waitForFunction(() => document.querySelector('[aria-busy="true"]') === null);
    for (let n = 0; n < 12; n++) {
      await page.evaluate(() => scrollBy(0, 4_000));
      const asker = living[n];
      const { askId } = await hub.asks.ask(asker, { to: 'operator', question: `And this, ${name}?` }, { tool: 'ask' });
      await hub.asks.cancel(asker, askId, { tool: 'cancel_ask' });
      await page.waitForTimeout(60);
    }
    most = Math.max(most, await privateMib(page));
    mostHeap = Math.max(mostHeap, await heapMib(page));
  }
  const note = `promised ${PROMISED.memoryMib}; at most, over all pages; its JavaScript heap ${mostHeap.toFixed(0)}`;
  table.add('the dashboard', { p50: most }, { unit: 'MiB', floor: 'an empty page', note });
}

async function heapMib(page) {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable');
  const { metrics } = await session.send('Performance.getMetrics');
  await session.detach();
  return metrics.find(({ name }) => name === 'JSHeapUsedSize').value / MIB;
}

/** What the process of a page has for itself; where the system does not tell, its JavaScript heap. */
async function privateMib(page) {
  const browser = await page.context().browser().newBrowserCDPSession();
  const { processInfo } = await browser.send('SystemInfo.getProcessInfo');
  await browser.detach();
  // Of the renderers, the one that has been given the most work just now is the page's.
  const before = new Map(processInfo.filter(({ type }) => type === 'renderer').map(({ id, cpuTime }) => [id, cpuTime]));
  await page.evaluate(() => {
    const until = performance.now() + 120;
    while (performance.now() < until);
  });
  const again = await page.context().browser().newBrowserCDPSession();
  const after = (await again.send('SystemInfo.getProcessInfo')).processInfo;
  await again.detach();
  const [own] = after.filter(({ id }) => before.has(id)).sort((a, b) => b.cpuTime - before.get(b.id) - (a.cpuTime - before.get(a.id)));
  try {
    const kib = [...readFileSync(`/proc/${own.id}/smaps_rollup`, 'utf8').matchAll(/^Private_(?:Clean|Dirty):\s+(\d+) kB/gm)];
    return kib.reduce((sum, [, n]) => sum + Number(n), 0) / 1024;
  } catch {
    return await heapMib(page);
  }
}

// What runs in the page.

function twoFrames() {
  const since = performance.now();
  return new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now() - since))));
}

/** When the last answer that the page begins with had arrived, and when what it shows could be clicked: drawn, with nothing left to do. */
async function usable(shown) {
  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
  const ready = () => document.querySelector(shown) !== null && document.querySelector('[aria-busy="true"]') === null;
  while (!ready()) await frame();
  const answers = performance.getEntriesByType('resource').filter(({ name }) => name.includes('/api/views/'));
  const dataMs = Math.max(...answers.map(({ responseEnd }) => responseEnd));
  await frame();
  await new Promise((resolve) => setTimeout(resolve, 0));
  return { dataMs, usableMs: performance.now() };
}

/** Reads the event stream beside the page and notes when the first event about an ask was heard. */
async function listen() {
  const heard = new Map();
  const proof = localStorage.getItem('rookery.proof');
  const { body } = await fetch('/events', { headers: { 'Rookery-Proof': proof } });
  window.heard = async (id) => {
    while (!heard.has(id)) await new Promise((resolve) => setTimeout(resolve, 5));
    return heard.get(id);
  };
  void (async () => {
    for await (const text of body.pipeThrough(new TextDecoderStream())) {
      for (const [id] of text.matchAll(/ask_\w+/g)) if (!heard.has(id)) heard.set(id, Date.now());
    }
  })();
}

function appearing(words) {
  return new Promise((resolve) => {
    const look = () => {
      if (!document.body.textContent.includes(words)) return;
      watcher.disconnect();
      requestAnimationFrame(() => resolve(Date.now()));
    };
    const watcher = new MutationObserver(look);
    watcher.observe(document.body, { childList: true, subtree: true, characterData: true });
  });
}

function sorted(times) {
  return times.sort((a, b) => a - b);
}
