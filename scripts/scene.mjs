// A believable project for the pictures of the dashboard: five days of turns, and an hour and more in which five agents move a payments system to
// new columns. Everything is done through the hub, as clients and hooks do it; only the clock is ours, and ends at now.

import { attachmentOf, CARDS, CAST, DAY, factsOf, MINUTE, PROJECT, pastDay, wakeBy } from './scene-cast.mjs';

/** `openHub(clock)` opens the hub; `host` is this machine. Answers the hub at work, with what the pictures point at. */
export async function playScene(openHub, systemClock) {
  let behind = 0;
  const clock = { ...systemClock, now: () => systemClock.now() - behind };
  for (let day = 5; day >= 1; day--) {
    behind = day * DAY - 60 * MINUTE;
    const hub = await openHub(clock);
    await pastDay(hub, day, (ms) => {
      behind -= ms;
    });
    await hub.close();
  }
  behind = 78 * MINUTE;
  const hub = await openHub(clock);
  const sessions = new Map();
  const pass = async (minutes) => {
    for (let left = minutes; left > 0; left -= 1) {
      behind -= Math.min(1, left) * MINUTE;
      await hub.heartbeats.beat([...sessions.values()].map(({ sessionId }) => sessionId));
    }
  };
  const told = await today({ hub, clock, sessions, pass, left: () => behind / MINUTE });
  behind = 0;
  await hub.heartbeats.beat([...sessions.values()].map(({ sessionId }) => sessionId));
  await told.afterwards();
  return { hub, clock, ...told };
}

async function today({ hub, clock, sessions, pass, left }) {
  const tool = (name) => ({ tool: name });
  const cast = {};
  for (const one of CAST) {
    const caller = await hub.sessions.attach(attachmentOf(one));
    const card = { capabilities: CARDS[one.name], model: one.model, ...(one.status === undefined ? {} : { status: one.status }) };
    await hub.joining.join(caller, attachmentOf(one), card, tool('join'));
    sessions.set(one.name, caller);
    cast[one.name] = caller;
  }
  const { lead, reviewer, tester } = cast;
  const builder = cast['amber-builder'];
  const writer = cast['docs-writer'];
  const operator = await hub.projects.operator(PROJECT, 'cli');
  const send = (from, to, body, more = {}) => hub.messages.send(from, { to, body, ...more }, tool('send'));
  const receive = (caller) => hub.inbox.receive(caller, { max: 10, maxBytes: 32_768, waitMs: 0, peek: false }, tool('recv_batch'));
  const read = async (caller) => {
    const { receipt } = await receive(caller);
    if (receipt !== null) await hub.inbox.acknowledge(caller, { receipt, delayMs: 0 }, tool('ack'));
  };
  const turn = async (caller, key, model, share, minutes) => {
    await hub.turns.begin(caller, { turnKey: key, at: hub.context.time.now() }, null);
    await pass(minutes);
    await hub.turns.end(caller, { turnKey: key, at: hub.context.time.now() }, 'completed', factsOf(model, share));
  };
  const create = async (title, more = {}) => (await hub.tasks.create(lead, { title, ...more }, tool('create_task'))).taskId;
  const claim = async (caller, taskId) => {
    await hub.claims.claim(caller, taskId, tool('claim_task'));
    return (await hub.taskViews.get(caller, taskId)).task.fencingToken;
  };
  const update = (caller, taskId, given) => hub.taskUpdates.update(caller, taskId, given, tool('update_task'));
  const complete = (caller, taskId, given) => hub.taskCompletion.complete(caller, taskId, given, tool('complete_task'));

  // What is to be done.
  const columns = await create('Add the amount columns to the ledger', {
    labels: ['ledger'],
    capabilities: ['postgresql'],
    reviewers: ['reviewer'],
  });
  const backfill = await create('Backfill the ledger', { labels: ['ledger'], capabilities: ['postgresql'], dependsOn: [columns] });
  const drop = await create('Drop the column amount_cents', { labels: ['ledger'], dependsOn: [backfill], priority: 'high' });
  const split = await create('Settlement counts a split capture twice', {
    ...{ labels: ['settlement'], priority: 'high', reviewers: ['reviewer'], capabilities: ['testing'] },
    body: 'A capture that is split over two settlements is counted in both. The failing fixture is fixtures/split-capture.json; mend the job, not the fixture.',
  });
  const fixture = await create('A fixture for a refund in two currencies', {
    labels: ['settlement'],
    expectedArtifacts: ['fixtures/two-currencies.json'],
  });
  await create('Release notes for refunds', { labels: ['docs'], capabilities: ['writing'] });
  await create('Publish the new refund API', { labels: ['release'], dependsOn: [drop, split] });
  await create('Ask the card networks for their rounding rules', { labels: ['docs'], capabilities: ['legal'] });

  const lost = await send(lead, 'docs-writer', 'Write down how refunds of partial captures behave, one example per card network.', {
    subject: 'Refund behaviour',
  });
  const columnsToken = await claim(builder, columns);
  await hub.reservations.reserve(
    builder,
    {
      paths: ['src/ledger/**', 'migrations/0042_amounts.sql'],
      names: [],
      mode: 'exclusive',
      reason: 'moving the ledger to the new columns',
    },
    tool('reserve'),
  );
  for (const minutes of [3, 4, 5]) {
    await receive(writer);
    await pass(minutes);
  }
  await receive(writer);
  await hub.sessions.end(writer, 'closed');
  sessions.delete('docs-writer');

  // The columns are added, judged and done; a word of the hub’s guard on the way.
  await turn(builder, 'today-1', 'claude-sonnet-5-5', 0.4, 4);
  const bash = { tool: 'Bash', args: { command: 'git push --force-with-lease origin ledger' }, cwd: PROJECT.root, subAgent: '' };
  const wants = (id, moment) => hub.toolUses.start(builder, { ...bash, id }, moment);
  await hub.turns.begin(builder, { turnKey: 'push', at: hub.context.time.now() }, null);
  await wants('toolu_1', { turnKey: 'push', at: hub.context.time.now() });
  await pass(2);
  const [held] = await hub.approvals.list(operator, { pending: true, limit: 1 });
  await hub.approvals.decide(operator, held.id, { state: 'approved', note: 'only the branch ledger' }, tool('decide_approval'));
  await read(builder);
  await wants('toolu_2', { turnKey: 'push', at: hub.context.time.now() });
  await hub.turns.end(builder, { turnKey: 'push', at: hub.context.time.now() }, 'completed', factsOf('claude-sonnet-5-5', 0.2));
  await complete(builder, columns, {
    fencingToken: columnsToken,
    result: 'Two columns, amount and currency, both nullable; migration 0042.',
  });
  await pass(3);
  await read(reviewer);
  await hub.reviews.submit(
    reviewer,
    { taskId: columns, revision: 1, verdict: 'PASS', findings: ['The default of currency is right.'] },
    tool('submit_review'),
  );
  const refused = await hub.approvals.request(
    tester,
    { action: 'rm -rf /var/lib/fixtures', risk: 'high', reason: 'They are stale.' },
    tool('request_approval'),
  );
  await pass(1);
  await hub.approvals.decide(operator, refused.approvalId, { state: 'denied', note: 'other projects read them' }, tool('decide_approval'));
  await read(tester);

  // The backfill is under way.
  const backfillToken = await claim(builder, backfill);
  let ledger;
  const tellLead = async (words) => {
    const more = ledger === undefined ? { subject: 'Ledger migration' } : { inReplyTo: ledger };
    ledger ??= (await send(builder, 'lead', words, more)).message_id;
    if (more.inReplyTo !== undefined) await send(builder, 'lead', words, more);
  };
  const steps = ['The backfill runs.', 'Half of it is done.', 'The old column is no longer read.', 'All rows of 2025 agree.'];
  for (const [index, words] of steps.entries()) {
    await tellLead(words);
    await update(builder, backfill, { fencingToken: backfillToken, progress: 20 + index * 15 });
    await turn(builder, `today-2-${index}`, 'claude-sonnet-5-5', 0.3 + index / 6, index === 2 ? 4 : 2);
    await read(lead);
    if (index % 2 === 0) await send(lead, 'amber-builder', 'Good. Go on.', { expectsReply: false });
    await turn(lead, `today-3-${index}`, 'claude-opus-5', 0.2 + index / 8, 2);
    await read(builder);
  }

  await pass(6);

  // A question to several, and a task that came of it.
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
  const offer = await send(builder, 'lead', 'I can take it after the ledger, if tester has no time.', { inReplyTo: question.message_id });
  await pass(2);
  await read(lead);
  await send(lead, 'amber-builder', 'Tester has it; stay with the ledger.', { inReplyTo: offer.message_id });
  await hub.reservations.reserve(
    tester,
    { paths: ['src/settlement/**'], names: ['staging-db'], mode: 'exclusive', reason: 'the split capture' },
    tool('reserve'),
  );
  const splitToken = await claim(tester, split);
  await hub.reservations.reserve(reviewer, { paths: ['src/refunds/**'], names: [], mode: 'shared', reason: 'reading' }, tool('reserve'));
  await turn(tester, 'today-4', 'claude-haiku-4-5', 0.7, 3);
  await complete(tester, split, {
    fencingToken: splitToken,
    result: 'The job keeps a set of capture ids per run; see src/settlement/job.ts.',
  });

  // A task that nobody could finish.
  const firstToken = await claim(tester, fixture);
  await update(tester, fixture, {
    fencingToken: firstToken,
    state: 'submitted',
    note: 'The sandbox of the second network is down; later again.',
  });
  await pass(1);
  const secondToken = await claim(builder, fixture);
  const stale = { fencingToken: firstToken, result: 'A draft of the fixture, without the second currency.' };
  await complete(tester, fixture, stale).catch(() => {});
  await complete(builder, fixture, {
    fencingToken: secondToken,
    result: 'Written; the second currency is converted at the rate of the capture.',
  });

  await pass(5);
  await update(builder, backfill, { fencingToken: backfillToken, progress: 65 });
  await read(lead);
  await send(lead, 'reviewer', 'Please look at src/refunds/ledger.ts: the rounding of partial refunds changed.', {
    ...{ subject: 'Review the refund ledger', kind: 'request' },
  });
  // The reviewer is woken, and reads; the second time it does not.
  const door = await hub.wakeDoors.open(reviewer, 'async_rewake');
  await wakeBy(hub, reviewer, door, pass);
  await receive(reviewer);
  await hub.checkpoints.save(
    builder,
    {
      currentTask: 'Backfilling the ledger: rows of 2024 are next, in batches of 10,000; the job is scripts/backfill.ts and resumes by id.',
      filesModified: ['src/ledger/columns.ts', 'src/ledger/backfill.ts', 'migrations/0042_amounts.sql'],
      decisions: ['Both columns stay nullable until every reader is moved.', 'Half-even rounding, as in the ledger’s own tests.'],
      openQuestions: ['May amount_cents be dropped before the release?'],
      blockers: [],
    },
    tool('save_checkpoint'),
  );
  await hub.usage.report(builder, 71, tool('report_usage'));
  await hub.reminders.remind(
    lead,
    { message: 'Look whether the nightly settlement agrees with the bank file.', inMs: 9 * 60 * MINUTE },
    tool('remind'),
  );
  await hub.asks.ask(lead, { to: 'amber-builder', question: 'When can the old column go?', deadlineMs: 50 * MINUTE }, tool('ask'));
  await pass(9);
  await hub.approvals.request(
    builder,
    {
      action: 'psql payments -c "ALTER TABLE ledger DROP COLUMN amount_cents"',
      ...{ risk: 'high', reason: 'Nothing reads it any more; the backup of today is verified.' },
    },
    tool('request_approval'),
  );
  await pass(2);
  await hub.asks.ask(
    reviewer,
    {
      to: 'operator',
      question: 'The ledger rounds half up in one place and half even in another. Which one is right for refunds?',
      options: ['Half even everywhere', 'Half up everywhere', 'Keep both'],
    },
    tool('ask'),
  );
  await update(builder, backfill, { fencingToken: backfillToken, progress: 70 });
  await read(lead);
  for (const words of ['Rows of 2024: 310,000 of 420,000.', 'Rows of 2024 are done.']) {
    await tellLead(words);
    await turn(builder, words, 'claude-sonnet-5-5', 0.5, 2);
    await read(lead);
  }
  await pass(left() - 1);
  await update(builder, backfill, { fencingToken: backfillToken, progress: 75 });
  await send(lead, 'operator', 'The refund work is split into eight tasks; two are under way, one waits for you.', {
    subject: 'Where we are',
  });

  return {
    ids: { thread: question.thread_id, split, backfill, lost: lost.message_id },
    /** What is true at the moment of the pictures. */
    async afterwards() {
      await read(builder);
      for (const [caller, ago] of [
        [lead, 40_000],
        [builder, 20_000],
        [tester, 70_000],
        [reviewer, 12 * MINUTE],
      ]) {
        const { projectId, agentId, sessionId, door: by } = caller;
        const call = { projectId, agentId, sessionId, door: by, code: 'ok', inputBytes: 2, outputBytes: 300 };
        for (const [name, durationMs] of [
          ['recv_batch', 4],
          ['send', 7],
          ['get_open_threads', 9],
          ['update_task', 6],
        ])
          hub.calls.record({ ...call, tool: name, durationMs, startedAt: clock.now() - ago });
      }
      await hub.calls.flush();
      await hub.turns.begin(tester, { turnKey: 'now', at: clock.now() - 3 * MINUTE }, null);
      void hub.inbox.receive(builder, { max: 10, maxBytes: 32_768, waitMs: 45_000, peek: false }, tool('recv_batch')).catch(() => {});
    },
  };
}
