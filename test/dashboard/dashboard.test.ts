// The dashboard in a real browser, on a real hub: what the operator sees is what the agents see, and what it does reaches them.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Caller } from '../../src/hub/caller.ts';
import { call, connect, type Served, serveHub } from '../server/http-hub.ts';
import { built } from '../server/http-process.ts';
import { operatorOf, recv, send } from '../support/acts.ts';
import { attach, PROJECT, scratch } from '../support/engines.ts';
import { goTo, linkTo, signedIn } from './acts.ts';
import { chromiumPath, openBrowser, openPage } from './browser.ts';
import { PAYLOADS } from './payloads.ts';

beforeAll(() => void built());

/** Two agents that are there, by HTTP. */
async function team(served: Served) {
  const [ada, bob] = [await served.token('ada'), await served.token('bob')];
  const clients = { ada: (await connect(served.url, ada)).client, bob: (await connect(served.url, bob)).client };
  await call(clients.ada, 'join', { status: 'mending the parser' });
  await call(clients.bob, 'join', { status: 'writing tests' });
  return clients;
}

/** A letter to bob that is dead, by being shown once too often. */
async function deadLetter(served: Served): Promise<void> {
  const { hub } = served;
  const operator = await operatorOf(hub);
  const carl = await attach(hub, 'carl');
  await send(hub, operator, 'carl', 'Please look at the parser.', { subject: 'Parser' });
  const dead = async () => {
    await recv(hub, carl);
    return (await hub.overview.dead(operator, 5)).length;
  };
  await expect.poll(dead, { interval: 20 }).toBe(1);
}

describe.skipIf(chromiumPath === undefined)('the dashboard', () => {
  it('signs in by a link that works once, and out', async () => {
    const served = await serveHub();
    const link = await linkTo(served);
    const context = await openBrowser();
    const { page, faults } = await openPage(context, link);
    await page.getByRole('heading', { level: 1, name: 'Nobody is here, nothing waits for you, and nothing is stuck.' }).waitFor();
    expect(page.url()).toBe(`${served.url}/`);
    const [cookie] = await context.cookies();
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict', path: '/' });
    // The cookie alone is nobody, and what the page keeps alone is nobody.
    const asked = await fetch(`${served.url}/api/views/overview`, { headers: { cookie: `${cookie?.name}=${cookie?.value}` } });
    expect(asked.status).toBe(401);
    const proof = await page.evaluate(() => localStorage.getItem('rookery.proof'));
    expect((await fetch(`${served.url}/api/views/overview`, { headers: { 'rookery-proof': proof ?? '' } })).status).toBe(401);
    const both = { cookie: `${cookie?.name}=${cookie?.value}`, 'rookery-proof': proof ?? '' };
    expect((await fetch(`${served.url}/api/views/overview`, { headers: both })).status).toBe(200);
    expect((await fetch(`${served.url}/mcp`, { method: 'POST', headers: both, body: '{}' })).status).toBe(401);
    await page.reload();
    await page.getByText('Live').waitFor();
    const second = await openPage(await openBrowser(), link);
    await second.page.getByText('This link was used already, or is too old.').waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Come in' }).waitFor();
    expect((await fetch(`${served.url}/api/views/overview`, { headers: both })).status).toBe(401);
    expect(faults).toEqual([]);
  });

  it('shows who is there, lets the operator answer, approve and requeue, and the agents receive it', async () => {
    const served = await serveHub({ limits: { deliveryAttempts: 1, poisonMinAgeMs: 1 } });
    const { ada, bob } = await team(served);
    const watched = await signedIn(served);
    const { page, faults } = watched;
    await page.getByRole('heading', { level: 1, name: /^2 agents are here/ }).waitFor();
    await page.getByText('mending the parser').waitFor();
    await page.getByText('writing tests').waitFor();

    const asking = call(ada, 'ask', { to: 'operator', question: 'Tabs or spaces?', options: ['tabs', 'spaces'], wait_seconds: 40 });
    await goTo(watched, 'Waiting for you');
    await page.getByText('Tabs or spaces?').waitFor();
    await page.getByRole('button', { name: 'spaces' }).click();
    expect(await asking).toMatchObject({ state: 'answered', answer: ['spaces'] });
    await page.getByText('Tabs or spaces?').waitFor({ state: 'detached' });

    const wanting = call(bob, 'request_approval', { action: 'rm -rf build', risk: 'high', wait_seconds: 40 });
    const approval = page.getByRole('article', { name: 'Approval for bob' });
    await approval.getByText('rm -rf build').waitFor();
    await approval.getByRole('textbox').fill('only in the worktree');
    await approval.getByRole('button', { name: 'Approve' }).click();
    expect(await wanting).toMatchObject({ state: 'approved', decided_by: 'operator', decision_note: 'only in the worktree' });

    await deadLetter(served);
    const letter = page.getByRole('article', { name: 'Dead letter from operator to carl' });
    await letter.getByRole('button', { name: 'Requeue' }).click();
    await letter.waitFor({ state: 'detached' });
    expect((await served.hub.overview.inbox(await operatorOf(served.hub), 'carl', 5)).map(({ state }) => state)).toEqual(['ready']);

    await call(ada, 'send', { to: 'operator', body: 'I am done.' });
    const mail = page.getByRole('article', { name: 'Message from ada' });
    await mail.getByRole('textbox').fill('Well done.');
    await mail.getByRole('button', { name: 'Reply' }).click();
    await mail.waitFor({ state: 'detached' });
    const { messages = [] } = await call(ada, 'recv_batch', {});
    expect(messages.map(({ body, from }) => [from, body])).toContainEqual(['operator', 'Well done.']);

    await goTo(watched, 'Events');
    await page.getByRole('list', { name: 'Events' }).getByText('ask answered').waitFor();
    await page.getByRole('button', { name: 'approval' }).click();
    await page.getByText('approval approved').waitFor();
    await page.getByText('ask answered').waitFor({ state: 'detached' });
    expect(faults).toEqual([]);
  });

  it('shows an event well within a second of its commit', async () => {
    const served = await serveHub();
    const { ada } = await team(served);
    const watched = await signedIn(served);
    await goTo(watched, 'Waiting for you');
    await watched.page.getByText('Nothing waits for you.').waitFor();
    await watched.page.evaluate(() => {
      const seen = new Promise<number>((resolve) => {
        new MutationObserver(() => {
          if (document.body.textContent?.includes('How late is this?')) resolve(Date.now());
        }).observe(document.body, { childList: true, subtree: true, characterData: true });
      });
      Object.assign(window, { seen });
    });
    const sent = await call(ada, 'ask', { to: 'operator', question: 'How late is this?' });
    const seenAt = await watched.page.evaluate(() => (window as unknown as { seen: Promise<number> }).seen);
    const ask = await served.hub.asks.find(await operatorOf(served.hub), String(sent.ask_id));
    process.stdout.write(`  an event was on the page ${seenAt - ask.askedAt} ms after its commit\n`);
  });

  it('survives a restart of the hub, says so, and is current again', async () => {
    const place = scratch();
    const first = await serveHub({ place });
    const watched = await signedIn(first);
    const { page } = watched;
    await page.getByRole('heading', { level: 1, name: /^Nobody is here/ }).waitFor();
    const port = first.door.port;
    await first.close();
    await page.getByText('The hub does not answer.').waitFor();
    const second = await serveHub({ place, settings: { port } });
    const dora = await attach(second.hub, 'dora');
    await second.hub.asks.ask(dora, { to: 'operator', question: 'Are you back?' }, { tool: 'ask' });
    await page.getByText('The hub was restarted. What you see is current again.').waitFor();
    await page.getByRole('heading', { level: 1, name: 'One agent is here, one thing waits for you, and nothing is stuck.' }).waitFor();
    await page.getByText('The hub does not answer.').waitFor({ state: 'detached' });
    await page.getByText('Are you back?').waitFor();
  });

  it('shows the project that is chosen, and nothing of another', async () => {
    const served = await serveHub();
    const other = { id: 'other-2', name: 'other', root: '/work/other' };
    await attach(served.hub, 'ada');
    await attach(served.hub, 'zoe', { project: other, root: other.root });
    const { page, faults } = await signedIn(served);
    const agents = page.locator('.agent-name');
    await expect.poll(() => agents.allTextContents()).toEqual(['ada']);
    await page.getByRole('combobox', { name: 'Project' }).selectOption('other-2');
    await expect.poll(() => agents.allTextContents()).toEqual(['zoe']);
    await page.reload();
    await expect.poll(() => agents.allTextContents()).toEqual(['zoe']);
    expect(faults).toEqual([]);
  });

  it('takes sixty hostile texts in every field for what they are', { timeout: 300_000 }, async () => {
    const served = await serveHub({
      limits: { pendingAsks: 500, pendingApprovals: 500, pendingReminders: 500, remindersPerMinute: 1_000 },
    });
    await poison(served);
    const watched = await signedIn(served, { width: 1280, height: 20_000 });
    const { page, faults } = watched;
    for (const name of await pagesOf(page)) {
      await goTo(watched, name);
      await shown(page);
      expect([name, await executed(page)]).toEqual([name, { pwned: false, foreign: [] }]);
    }
    for (const place of await innerPlaces(served)) {
      await page.evaluate((hash) => {
        location.hash = hash;
      }, place);
      await shown(page);
      expect([place, await executed(page)]).toEqual([place, { pwned: false, foreign: [] }]);
    }
    await goTo(watched, 'Waiting for you');
    const text = await page.locator('main').textContent();
    for (const payload of PAYLOADS) expect(text).toContain(payload);
    expect(faults).toEqual([]);
  });

  it('has no serious fault of accessibility, in light and dark, wide and narrow', { timeout: 300_000 }, async () => {
    const served = await serveHub({ limits: { deliveryAttempts: 1, poisonMinAgeMs: 1 } });
    const { ada, bob } = await team(served);
    await call(ada, 'ask', { to: 'operator', question: 'Tabs or spaces?', options: ['tabs', 'spaces'] });
    await call(bob, 'request_approval', { action: 'rm -rf build', risk: 'high' });
    await call(bob, 'send', { to: 'operator', body: 'For you.' });
    await call(bob, 'send', { to: 'ada', body: 'For her.' });
    await deadLetter(served);
    await work(served, 'A task with a word of forty-four letters: Donaudampfschifffahrtselektrizitätenhauptbetriebswerk');
    const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
    for (const [width, colorScheme] of [
      [1280, 'light'],
      [400, 'dark'],
    ] as const) {
      const watched = await signedIn(served, { width, height: 900 });
      const { page } = watched;
      await page.emulateMedia({ colorScheme });
      await page.getByText('Live').waitFor();
      for (const place of [...PLACES, ...(await innerPlaces(served))]) {
        await page.evaluate((hash) => {
          location.hash = hash;
        }, place);
        await shown(page);
        expect([place, width, await violations(page, axe)]).toEqual([place, width, []]);
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        expect([place, width, overflow]).toEqual([place, width, 0]);
      }
    }
  });

  it('shows a thread with the truth for every recipient, finds it by its words, and shows an agent as it stands', async () => {
    const served = await serveHub();
    const { ada, bob } = await team(served);
    const sent = await call(ada, 'send', { to: 'bob', subject: 'Parser', body: 'The 100 % case is broken.' });
    await call(bob, 'send', { to: 'ada', body: 'I mend it.', in_reply_to: sent.message_id });
    const watched = await signedIn(served);
    const { page, faults } = watched;
    await goTo(watched, 'Threads');
    await page.getByRole('searchbox').fill('100 %');
    const line = page.getByRole('link', { name: /Parser/ });
    await expect.poll(() => page.locator('.thread-line').count()).toBe(1);
    await line.click();
    await page.getByRole('heading', { level: 1, name: 'Parser' }).waitFor();
    await page.getByText('bob replied.').waitFor();
    await page.getByText('not shown yet').waitFor();
    await call(ada, 'recv_batch', {});
    await page.getByText(/ada was shown it/).waitFor();
    await page.getByRole('article', { name: 'Message from bob' }).getByRole('link', { name: 'bob' }).click();
    await page.getByRole('heading', { level: 1, name: 'bob' }).waitFor();
    await page.getByText('writing tests').waitFor();
    await page.getByText('http', { exact: true }).waitFor();
    expect(faults).toEqual([]);
  });

  it('shows tasks as a board and as what waits for what, and lets the operator decide about them', async () => {
    const served = await serveHub();
    const { ada, bob } = await team(served);
    const first = await call(ada, 'create_task', { title: 'Mend the parser' });
    await call(ada, 'create_task', { title: 'Release it', depends_on: [first.task_id] });
    const watched = await signedIn(served);
    const { page, faults } = watched;
    await goTo(watched, 'Tasks');
    await page.getByRole('region', { name: 'To do' }).getByText('Mend the parser', { exact: true }).waitFor();
    await call(bob, 'claim_task', { task_id: first.task_id });
    await page.getByRole('region', { name: 'Under way' }).getByText('Mend the parser').waitFor();
    await page.getByRole('button', { name: 'what waits for what' }).click();
    await page.getByRole('link', { name: /Release it.*waits for Mend the parser/ }).waitFor();
    await page.getByRole('link', { name: /^Mend the parser/ }).click();
    await page.getByText('bob claimed').waitFor();
    await page.getByRole('textbox').fill('not this week');
    await page.getByRole('button', { name: 'Cancel it' }).click();
    await page.getByText('not this week').waitFor();
    const { messages = [] } = await call(bob, 'recv_batch', {});
    expect(messages.map(({ body }) => body).join()).toContain('not this week');
    expect(faults).toEqual([]);
  });

  it('shows what is reserved and ends it, who owes whom what, and what was decided with which note', async () => {
    const served = await serveHub();
    const { ada, bob } = await team(served);
    await call(ada, 'reserve', { paths: ['src/parser/**'], reason: 'mending it' });
    await call(ada, 'ask', { to: 'bob', question: 'Are the tests there?' });
    const wanting = call(bob, 'request_approval', { action: 'git push --force', risk: 'high', reason: 'rebased', wait_seconds: 40 });
    const watched = await signedIn(served);
    const { page, faults } = watched;
    await page.getByText('bob owes ada an answer').waitFor();
    await goTo(watched, 'Waiting for you');
    const approval = page.getByRole('article', { name: 'Approval for bob' });
    await approval.getByText('only you decide').waitFor();
    await approval.getByRole('textbox').fill('not on a Friday');
    await approval.getByRole('button', { name: 'Deny' }).click();
    expect(await wanting).toMatchObject({ state: 'denied', decision_note: 'not on a Friday' });
    await page.getByText('“not on a Friday”').waitFor();
    await goTo(watched, 'Tasks');
    await page.getByRole('button', { name: 'what is reserved' }).click();
    await page.getByText('mending it').waitFor();
    await page.getByRole('button', { name: 'End the reservation of src/parser/** by ada' }).click();
    await page.getByText('Nothing is reserved.').waitFor();
    const { messages = [] } = await call(ada, 'recv_batch', {});
    expect(messages.map(({ body }) => body).join()).toContain('src/parser/**');
    await goTo(watched, 'Health');
    await page.getByText('Every duty does its work.').waitFor();
    await page.getByText('reconnected').waitFor();
    expect(faults).toEqual([]);
  });

  it('can be used with the keyboard alone', async () => {
    const served = await serveHub();
    const ada = await attach(served.hub, 'ada');
    const { askId } = await served.hub.asks.ask(ada, { to: 'operator', question: 'Go on?', options: ['yes', 'no'] }, { tool: 'ask' });
    const { page } = await signedIn(served);
    const focused = () => page.evaluate(() => document.activeElement?.textContent?.trim() ?? '');
    const tabTo = async (words: string) => {
      for (let presses = 0; presses < 40 && (await focused()) !== words; presses++) await page.keyboard.press('Tab');
      expect(await focused()).toBe(words);
    };
    await tabTo('All of it');
    await page.keyboard.press('Enter');
    await page.getByText('Go on?').waitFor();
    await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
    await tabTo('Skip to the page');
    await page.keyboard.press('Enter');
    await tabTo('no');
    await page.keyboard.press('Enter');
    await expect.poll(async () => (await served.hub.asks.find(ada, askId)).answer).toEqual(['no']);
  });
});

const PLACES = ['overview', 'waiting', 'agents', 'threads', 'tasks', 'reminders', 'events', 'health'].map((name) => `#/${name}`);

/** What is shown of single things, and the other forms of pages. */
async function innerPlaces({ hub }: Served): Promise<string[]> {
  const operator = await operatorOf(hub);
  const [thread] = (await hub.threads.list(operator, { limit: 1 })).threads;
  const { tasks } = await hub.taskViews.list(operator, { limit: 100 });
  const { agents } = await hub.agents.list(operator, { waitMs: 0 });
  const agent = agents.find(({ agent: { role } }) => role !== 'operator');
  const busiest = tasks.find(({ state }) => state === 'in_review') ?? tasks[0];
  return [
    ...['#/tasks?as=graph', '#/tasks?as=reserved', '#/agents?as=costs', '#/reminders?state=parked', '#/threads?q=a'],
    ...(thread === undefined ? [] : [`#/threads/${thread.threadId}`]),
    ...(busiest === undefined ? [] : [`#/tasks/${busiest.id}`]),
    ...(agent === undefined ? [] : [`#/agents/${agent.agent.name}`]),
  ];
}

/** Everything of a page is there. */
async function shown(page: Page): Promise<void> {
  await page.waitForFunction(() => document.querySelector('main h1') !== null && document.querySelector('[aria-busy="true"]') === null);
}

/** The pages that can be gone to, by their words. */
async function pagesOf(page: Page): Promise<string[]> {
  await page.getByRole('navigation', { name: 'Pages' }).waitFor();
  return await page.getByRole('navigation', { name: 'Pages' }).locator('a > span:not(.count)').allTextContents();
}

/** Whether anything ran, and elements that no page of ours makes. */
async function executed(page: Page) {
  return await page.evaluate(() => ({
    pwned: 'pwned' in window || 'pwned' in Object.prototype,
    foreign: [...document.querySelectorAll('body script, iframe, object, embed, form, base, marquee, video, audio, img, body style, a')]
      .filter((element) => !(element instanceof HTMLImageElement && element.getAttribute('src') === '/rookery.svg'))
      .filter((element) => !(element instanceof HTMLAnchorElement && (element.getAttribute('href') ?? '').startsWith('#/')))
      .map((element) => element.outerHTML.slice(0, 120)),
  }));
}

async function violations(page: Page, axe: string): Promise<string[]> {
  await page.evaluate(axe);
  return await page.evaluate(async () => {
    const { axe: examiner } = window as unknown as {
      axe: { run(): Promise<{ violations: { id: string; impact: string; nodes: { html: string; failureSummary: string }[] }[] }> };
    };
    const found = await examiner.run();
    return found.violations.flatMap(({ id, impact, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${impact} ${id}: ${html.slice(0, 160)} ${failureSummary}`),
    );
  });
}

/** A task from its claim to its review, what is reserved for it, a checkpoint, a turn, a refusal, a wake-up: all in these words. */
async function work({ hub }: Served, text: string, given?: Caller): Promise<void> {
  const me = given ?? (await attach(hub, 'worker'));
  const other = await attach(hub, 'judge', { takeover: true });
  const words = text.replace(/\s/g, ' ').slice(0, 120);
  const { taskId } = await hub.tasks.create(me, { title: text, body: text, reviewers: ['judge'] }, { tool: 'create_task' });
  const { taskId: later } = await hub.tasks.create(me, { title: text, dependsOn: [taskId] }, { tool: 'create_task' });
  await hub.claims.claim(me, taskId, { tool: 'claim_task' });
  const token = async () => (await hub.taskViews.get(me, taskId)).task.fencingToken;
  const stale = await token();
  await hub.taskUpdates.update(me, taskId, { fencingToken: stale, state: 'submitted', note: text }, { tool: 'update_task' });
  await hub.claims.claim(me, taskId, { tool: 'claim_task' });
  await hub.taskCompletion.complete(me, taskId, { fencingToken: stale, result: text }, { tool: 'complete_task' }).catch(() => {});
  await hub.taskCompletion.complete(me, taskId, { fencingToken: await token(), result: text }, { tool: 'complete_task' });
  const verdict = { taskId, revision: 1, verdict: 'NOT_PASS' as const, findings: [text] };
  await hub.reviews.submit(other, verdict, { tool: 'submit_review' });
  await hub.taskCompletion.complete(me, taskId, { fencingToken: await token(), result: text }, { tool: 'complete_task' });
  await hub.taskDecisions.cancel(me, later, text, { tool: 'cancel_task' });
  const reserved = { paths: [`src/${words.replace(/[^\w<>=]/g, '_')}`], names: [], mode: 'shared' as const, reason: text };
  await hub.reservations.reserve(me, reserved, { tool: 'reserve' });
  const asked = await hub.approvals.request(
    me,
    { action: `${text} decided ${me.name}`, risk: 'high', reason: text },
    { tool: 'request_approval' },
  );
  await hub.approvals.decide(await operatorOf(hub), asked.approvalId, { state: 'denied', note: text }, { tool: 'decide_approval' });
  const lists = { decisions: [text], openQuestions: [text], blockers: [text], filesModified: [text], gitState: text, note: text };
  await hub.checkpoints.save(me, { currentTask: text, ...lists }, { tool: 'save_checkpoint' });
  const at = hub.context.time.now();
  const use = { id: 'u', tool: text, args: { command: 'git push --force' }, cwd: '/work/demo', subAgent: text };
  await hub.toolUses.start(me, { ...use, tool: 'Bash' }, { turnKey: null, at });
  await hub.turns.end(me, { turnKey: text, at }, 'completed', {
    ...{ startedAt: at, ended: 'completed', model: text, tools: { [text]: 1 } },
    ...{ inputTokens: 10, outputTokens: 20, cacheReadTokens: 30, cacheWriteTokens: 40 },
  });
  await hub.wakeDoors.open(me, 'monitor');
}

/** Puts every payload into every text that agents write. */
async function poison(served: Served): Promise<void> {
  const { hub } = served;
  const project = { ...PROJECT, name: PAYLOADS[0] ?? '', root: PAYLOADS[2] ?? '' };
  const operator = await hub.projects.operator(project, 'cli');
  for (const [index, text] of PAYLOADS.entries()) {
    const client = { name: text, version: text };
    const agent = await hub.sessions.attach({ project, door: 'stdio', client, root: text, name: `agent-${index}` });
    await hub.asks.ask(agent, { to: 'operator', question: text, options: [text, 'other'] }, { tool: 'ask' });
    await hub.approvals.request(agent, { action: `${text} ${index}`, risk: 'high', reason: text, ref: text }, { tool: 'request_approval' });
    await send(hub, agent, 'operator', text, { subject: text.replace(/\s/g, ' ').slice(0, 120) });
    await send(hub, operator, agent.name, text, { subject: text.replace(/\s/g, ' ').slice(0, 120) });
    await hub.reminders.remind(agent, { message: text, inMs: 3_600_000 }, { tool: 'remind' });
    await work(served, text, agent);
    await recv(hub, agent);
  }
  await hub.context.db.write(project.id, async (tx) => {
    for (const [index, text] of PAYLOADS.entries()) {
      const agent = `agent-${index}`;
      await tx.run(`UPDATE agents SET status = ?, description = ?, model = ? WHERE name = ?`, text, text, text, agent);
      await tx.run(`UPDATE reminders SET state = 'parked', last_error = ? WHERE message = ?`, text, text);
      await tx.run(
        `UPDATE deliveries SET state = 'dead', closed_at = 1, reason = ? WHERE recipient_id = (SELECT id FROM agents WHERE name = ?)`,
        text,
        agent,
      );
      await tx.run(`INSERT INTO thread_pauses (thread_id, project_id, reason, paused_at) VALUES (?, ?, ?, 1)`, text, project.id, text);
    }
  });
}
