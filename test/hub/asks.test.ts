import { expect, it } from 'vitest';
import type { Caller } from '../../src/hub/caller.ts';
import type { Hub } from '../../src/hub/hub.ts';
import { attach, onEveryEngine, PROJECT, testHub } from '../support/engines.ts';

const inboxOf = (hub: Hub, caller: Caller) =>
  hub.inbox.receive(caller, { max: 32, maxBytes: 32_768, waitMs: 0, peek: false }, { tool: 'recv_batch' });
const ask = (hub: Hub, caller: Caller, to: string, more = {}) =>
  hub.asks.ask(caller, { to, question: 'Which port?', ...more }, { tool: 'ask' });
const HOUR = 3_600_000;

onEveryEngine('asks', (engine) => {
  it('an answer ends the ask, settles the question and reaches the asker', async () => {
    const hub = await testHub(engine);
    const [ada, bob] = [await attach(hub, 'ada'), await attach(hub, 'bob')];
    const { askId, messageId } = await ask(hub, ada, 'bob', { options: ['7420', '8080'], context: 'for the demo' });
    const [question] = (await inboxOf(hub, bob)).messages;
    expect(question).toMatchObject({ id: messageId, ref: askId, from: 'ada', kind: 'request' });
    expect(question?.body).toContain('7420 | 8080');
    expect(await hub.asks.answer(bob, askId, { answer: ['9000, neither of these'] }, { tool: 'answer' })).toMatchObject({
      state: 'answered',
      late: false,
    });
    expect((await inboxOf(hub, ada)).messages).toMatchObject([
      { from: 'bob', ref: askId, subject: 'answer', body: '9000, neither of these' },
    ]);
    expect((await inboxOf(hub, bob)).messages).toEqual([]);
    expect((await hub.status.of(ada, messageId)).deliveries).toMatchObject([{ state: 'acked', acked_by: 'reply' }]);
  });

  it('the first answer counts; a later one is kept as late and told', async () => {
    const hub = await testHub(engine);
    const [ada, bob] = [await attach(hub, 'ada'), await attach(hub, 'bob')];
    const { askId } = await ask(hub, ada, 'bob');
    await hub.asks.answer(bob, askId, { answer: ['first'] }, { tool: 'answer' });
    hub.fake.advance(1_000);
    expect(await hub.asks.answer(bob, askId, { answer: ['second'] }, { tool: 'answer' })).toMatchObject({
      state: 'answered',
      answer: ['first'],
      late: true,
    });
    expect(await hub.asks.find(ada, askId)).toMatchObject({ answer: ['first'], late: [{ answer: ['second'] }] });
    expect((await inboxOf(hub, ada)).messages.map((one) => one.subject)).toEqual(['answer', 'late answer']);
  });

  it('late answers of one instant are all kept, in their order', async () => {
    const hub = await testHub(engine);
    const [ada, bob] = [await attach(hub, 'ada'), await attach(hub, 'bob')];
    const { askId } = await ask(hub, ada, 'bob');
    for (const answer of ['first', 'second', 'third', 'fourth'])
      await hub.asks.answer(bob, askId, { answer: [answer] }, { tool: 'answer' });
    const { late } = (await hub.asks.find(ada, askId)) ?? {};
    expect(late?.map(({ answer }) => answer)).toEqual([['second'], ['third'], ['fourth']]);
    await expect(hub.asks.answer(bob, askId, { answer: ['fifth'] }, { tool: 'answer' })).rejects.toMatchObject({ code: 'limit_reached' });
  });

  it('twenty answers at once have one winner', async () => {
    const hub = await testHub(engine);
    const [ada, bob] = [await attach(hub, 'ada'), await attach(hub, 'bob')];
    const { askId } = await ask(hub, ada, 'bob');
    const all = await Promise.allSettled(
      Array.from({ length: 20 }, (_, n) => hub.asks.answer(bob, askId, { answer: [`a${n}`] }, { tool: 'answer' })),
    );
    const taken = all.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    expect(taken.filter((one) => !one.late)).toHaveLength(1);
    expect(new Set(taken.map((one) => one.answer?.[0])).size).toBe(1);
    expect([taken.length, hub.limits.lateAnswers]).toEqual([4, 3]);
    for (const one of all) if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'limit_reached' });
  });

  it('declining tells the reason', async () => {
    const hub = await testHub(engine);
    const [ada, bob] = [await attach(hub, 'ada'), await attach(hub, 'bob')];
    const { askId } = await ask(hub, ada, 'bob');
    await hub.asks.answer(bob, askId, { reason: 'not my code' }, { tool: 'answer' });
    expect((await inboxOf(hub, ada)).messages).toMatchObject([{ subject: 'declined', body: 'Declined: not my code' }]);
  });

  it('a deadline that passes while nothing runs is told once, after the restart', async () => {
    const hub = await testHub(engine);
    const ada = await attach(hub, 'ada');
    await attach(hub, 'bob');
    const { askId } = await ask(hub, ada, 'bob', { deadlineMs: 5_000 });
    await hub.close();
    hub.fake.advance(10_000);
    const again = await testHub(engine, { place: hub.place, clock: hub.fake });
    const other = await testHub(engine, { place: hub.place, clock: hub.fake });
    await Promise.all([again.askEnds.expireDue(), other.askEnds.expireDue(), again.askEnds.expireDue()]);
    await again.deliveries.expireDue();
    const back = await attach(again, 'ada', { takeover: true });
    expect((await inboxOf(again, back)).messages.map((one) => [one.subject, one.ref, one.authority])).toEqual([['expired', askId, 'hub']]);
    expect((await again.asks.find(back, askId)).state).toBe('expired');
  });

  it('an answer after the deadline is late even before anybody noticed the deadline', async () => {
    const hub = await testHub(engine);
    const [ada, bob] = [await attach(hub, 'ada'), await attach(hub, 'bob')];
    const { askId } = await ask(hub, ada, 'bob', { deadlineMs: 5_000 });
    hub.fake.advance(5_000);
    expect(await hub.asks.answer(bob, askId, { answer: ['too late'] }, { tool: 'answer' })).toMatchObject({ late: true });
    await hub.askEnds.expireDue();
    expect(await hub.asks.find(ada, askId)).toMatchObject({ state: 'expired', answer: null, late: [{ answer: ['too late'] }] });
  });

  it('cancelling tells a target that has seen it, hides it from one that has not, and refuses answers', async () => {
    const hub = await testHub(engine);
    const [ada, bob, eve] = [await attach(hub, 'ada'), await attach(hub, 'bob'), await attach(hub, 'eve')];
    const seen = await ask(hub, ada, 'bob');
    await inboxOf(hub, bob);
    const unseen = await ask(hub, ada, 'eve');
    await expect(hub.asks.cancel(eve, seen.askId, { tool: 'cancel_ask' })).rejects.toMatchObject({ code: 'not_found' });
    for (const { askId } of [seen, unseen, seen])
      expect(await hub.asks.cancel(ada, askId, { tool: 'cancel_ask' })).toMatchObject({ state: 'cancelled' });
    expect((await inboxOf(hub, bob)).messages.map((one) => one.subject)).toEqual(['ask withdrawn']);
    expect((await inboxOf(hub, eve)).messages).toEqual([]);
    await expect(hub.asks.answer(bob, seen.askId, { answer: ['x'] }, { tool: 'answer' })).rejects.toMatchObject({ code: 'expired' });
  });

  it('refuses oneself, groups, and the fifty-first', async () => {
    const hub = await testHub(engine, { limits: { pendingAsks: 3, sendBurst: 1_000 } });
    const ada = await attach(hub, 'ada');
    await attach(hub, 'bob');
    await expect(ask(hub, ada, 'ada')).rejects.toMatchObject({ code: 'invalid_input' });
    await expect(ask(hub, ada, '*')).rejects.toMatchObject({ code: 'invalid_input' });
    await expect(ask(hub, ada, 'bobb')).rejects.toMatchObject({ code: 'not_found', hint: expect.stringContaining('bob') });
    for (let n = 0; n < 3; n++) await ask(hub, ada, 'bob');
    await expect(ask(hub, ada, 'bob')).rejects.toMatchObject({ code: 'limit_reached', message: expect.stringContaining('3 open asks') });
  });

  it('only the target answers, and a third party sees nothing', async () => {
    const hub = await testHub(engine);
    const [ada, , eve] = [await attach(hub, 'ada'), await attach(hub, 'bob'), await attach(hub, 'eve')];
    const { askId } = await ask(hub, ada, 'bob');
    await expect(hub.asks.answer(eve, askId, { answer: ['x'] }, { tool: 'answer' })).rejects.toMatchObject({ code: 'not_found' });
    await expect(hub.asks.answer(ada, askId, { answer: ['x'] }, { tool: 'answer' })).rejects.toMatchObject({ code: 'not_found' });
    await expect(hub.asks.find(eve, askId)).rejects.toMatchObject({ code: 'not_found' });
    expect((await hub.openThreads.list(eve, 'mine')).threads).toEqual([]);
  });

  it('the operator is asked, answers, and the asker gets it as a person’s word', async () => {
    const hub = await testHub(engine);
    const ada = await attach(hub, 'ada');
    const { askId } = await ask(hub, ada, 'operator', { multi: true });
    const operator = await hub.projects.operator(PROJECT, 'cli');
    expect((await hub.openThreads.list(operator, 'mine')).threads).toMatchObject([{ kind: 'ask_in', id: askId, counterpart: 'ada' }]);
    await hub.asks.answer(operator, askId, { answer: ['yes', 'and soon'] }, { tool: 'answer' });
    expect((await inboxOf(hub, ada)).messages).toMatchObject([{ from: 'operator', authority: 'human', body: 'yes\nand soon' }]);
  });

  it('a waiting ask returns with its end; the inbox has it, too', async () => {
    const hub = await testHub(engine);
    const [ada, bob] = [await attach(hub, 'ada'), await attach(hub, 'bob')];
    const { askId } = await ask(hub, ada, 'bob');
    const waiting = hub.asks.await(ada, askId, 25_000);
    await hub.asks.answer(bob, askId, { answer: ['now'] }, { tool: 'answer' });
    expect(await waiting).toMatchObject({ end: 'found', ask: { state: 'answered', answer: ['now'] } });
    expect((await inboxOf(hub, ada)).messages).toHaveLength(1);
  });

  it('an asker whose target is gone learns it once; the ask stays open', async () => {
    const hub = await testHub(engine);
    const [ada, bob] = [await attach(hub, 'ada'), await attach(hub, 'bob')];
    const { askId } = await ask(hub, ada, 'bob', { deadlineMs: 2 * HOUR });
    await hub.sessions.end(bob, 'closed');
    await hub.askEnds.tellAbsent();
    expect((await inboxOf(hub, ada)).messages).toEqual([]);
    hub.fake.advance(6 * 60_000);
    await Promise.all([hub.askEnds.tellAbsent(), hub.askEnds.tellAbsent()]);
    expect((await inboxOf(hub, ada)).messages.map((one) => one.subject)).toEqual(['target is gone']);
    expect((await hub.asks.find(ada, askId)).state).toBe('open');
  });

  it('an end reaches even a full inbox', async () => {
    const hub = await testHub(engine, { limits: { inboxFull: 2 } });
    const [ada, bob] = [await attach(hub, 'ada'), await attach(hub, 'bob')];
    const { askId } = await ask(hub, ada, 'bob');
    for (const body of ['one', 'two']) await hub.messages.send(bob, { to: 'ada', body }, { tool: 'send' });
    await expect(hub.messages.send(bob, { to: 'ada', body: 'three' }, { tool: 'send' })).rejects.toMatchObject({ code: 'inbox_full' });
    await hub.asks.answer(bob, askId, { answer: ['7420'] }, { tool: 'answer' });
    expect((await inboxOf(hub, ada)).messages.map((one) => one.body)).toContain('7420');
  });
});

onEveryEngine('open threads', (engine) => {
  it('shows every kind, each until it is done, and the commit just made', async () => {
    const hub = await testHub(engine);
    const other = await testHub(engine, { place: hub.place, clock: hub.fake });
    const [ada, bob] = [await attach(hub, 'ada'), await attach(hub, 'bob')];
    expect((await hub.openThreads.list(ada, 'mine')).threads).toEqual([]);
    const out = await ask(hub, ada, 'bob');
    const incoming = await ask(hub, bob, 'ada');
    const request = await hub.messages.send(bob, { to: 'ada', body: 'please look', kind: 'request' }, { tool: 'send' });
    const reminder = await hub.reminders.remind(ada, { message: 'check CI', inMs: 60_000 }, { tool: 'remind' });
    const { threads } = await other.openThreads.list(ada, 'mine');
    expect(threads.map((one) => [one.kind, one.id])).toEqual([
      ['ask_in', incoming.askId],
      ['message', request.message_id],
      ['ask_out', out.askId],
      ['reminder', reminder.reminderId],
    ]);
    const before = (await hub.openThreads.list(ada, 'mine')).revision;
    await hub.asks.answer(ada, incoming.askId, { answer: ['ok'] }, { tool: 'answer' });
    await hub.inbox.acknowledge(ada, { ids: [request.message_id], delayMs: 0 }, { tool: 'ack' });
    const after = await other.openThreads.list(ada, 'mine');
    expect(after.threads.map((one) => [one.kind, one.state])).toEqual([
      ['message', 'unanswered'],
      ['ask_out', 'open'],
      ['reminder', 'pending'],
    ]);
    expect(after.revision).toBeGreaterThan(before);
    await hub.messages.send(ada, { to: 'bob', body: 'done', inReplyTo: request.message_id }, { tool: 'send' });
    await hub.reminders.cancel(ada, reminder.reminderId, { tool: 'cancel_reminder' });
    expect((await other.openThreads.list(ada, 'mine')).threads.map((one) => one.kind)).toEqual(['ask_out']);
  });

  it('a manager sees the group with owners; an agent may not', async () => {
    const hub = await testHub(engine);
    const [ada] = [await attach(hub, 'ada'), await attach(hub, 'bob')];
    const boss = await attach(hub, 'boss', { role: 'manager' });
    const { askId } = await ask(hub, ada, 'bob');
    await expect(hub.openThreads.list(ada, 'group')).rejects.toMatchObject({ code: 'forbidden' });
    const { threads } = await hub.openThreads.list(boss, 'group');
    expect(threads.filter((one) => one.kind === 'ask_out')).toMatchObject([{ id: askId, owner: 'ada', counterpart: 'bob' }]);
  });
});

onEveryEngine('the loop guard', (engine) => {
  it('pauses a chain of replies after eight hops, tells the operator, and lets it go on when told', async () => {
    const hub = await testHub(engine, { limits: { sendBurst: 1_000 } });
    const [ada, bob] = [await attach(hub, 'ada'), await attach(hub, 'bob')];
    let last = await hub.messages.send(ada, { to: 'bob', body: 'hop 0' }, { tool: 'send' });
    const reply = (n: number) =>
      hub.messages.send(
        n % 2 === 0 ? ada : bob,
        { to: n % 2 === 0 ? 'bob' : 'ada', body: `hop ${n}`, inReplyTo: last.message_id },
        { tool: 'send' },
      );
    for (let n = 1; n <= 9; n++) last = await reply(n);
    expect(last.notes.join()).toContain('paused');
    await expect(reply(10)).rejects.toMatchObject({ code: 'limit_reached' });
    const operator = await hub.projects.operator(PROJECT, 'cli');
    expect((await inboxOf(hub, operator)).messages).toMatchObject([{ subject: 'thread paused', authority: 'hub' }]);
    expect((await hub.openThreads.list(operator, 'group')).threads.filter((one) => one.kind === 'paused')).toMatchObject([
      { id: last.thread_id },
    ]);
    await hub.threads.resume(operator, last.thread_id, { tool: 'resume_thread' });
    expect((await reply(10)).notes).toEqual([]);
  });

  it('a person in between starts the count anew', async () => {
    const hub = await testHub(engine, { limits: { sendBurst: 1_000, hops: 3 } });
    const [ada, bob] = [await attach(hub, 'ada'), await attach(hub, 'bob')];
    const operator = await hub.projects.operator(PROJECT, 'cli');
    const speakers = [bob, ada, operator, bob, ada, bob];
    let last = await hub.messages.send(ada, { to: 'bob', body: 'start' }, { tool: 'send' });
    for (const [n, speaker] of speakers.entries())
      last = await hub.messages.send(speaker, { to: ['ada', 'bob'], body: `n${n}`, inReplyTo: last.message_id }, { tool: 'send' });
    expect(last.notes.filter((note) => note.includes('paused'))).toEqual([]);
  });

  it('thirty alternations within five minutes pause it, spread over an hour they do not', async () => {
    const hub = await testHub(engine, { limits: { sendBurst: 1_000, sendPerMinute: 10_000, hops: 100, alternations: 6 } });
    const [ada, bob] = [await attach(hub, 'ada'), await attach(hub, 'bob')];
    const talk = async (pauseMs: number) => {
      let last = await hub.messages.send(ada, { to: 'bob', body: `start ${pauseMs}`, allowDuplicate: true }, { tool: 'send' });
      for (let n = 1; n <= 7; n++) {
        hub.fake.advance(pauseMs);
        last = await hub.messages.send(
          n % 2 === 0 ? ada : bob,
          { to: n % 2 === 0 ? 'bob' : 'ada', body: `n${n}`, inReplyTo: last.message_id },
          { tool: 'send' },
        );
        if (last.notes.some((note) => note.includes('alternations'))) return n;
      }
      return 0;
    };
    expect(await talk(120_000)).toBe(0);
    expect(await talk(1_000)).toBe(6);
  });
});
