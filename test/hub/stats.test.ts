// Reports: their numbers are those of a fixture worked out by hand, and what has no price is never given one.

import { expect, it } from 'vitest';
import type { Caller } from '../../src/hub/caller.ts';
import { DEFAULT_POLICY } from '../../src/hub/policy.ts';
import { addCosts, costOf, DEFAULT_PRICES, priceOf, priceTable } from '../../src/hub/prices.ts';
import { foldCalls, foldTurns } from '../../src/store/days.ts';
import { saveTurn, type TurnRow } from '../../src/store/turns.ts';
import { stats } from '../../src/views/stats.ts';
import { ack, operatorOf, recv, refused, send } from '../support/acts.ts';
import { attach, onEveryEngine, type TestHub, testHub } from '../support/engines.ts';

const DAY = 86_400_000;
const HOUR = 3_600_000;

async function report(hub: TestHub, name: string, more: Record<string, string> = {}, caller?: Caller) {
  const look = { hub, caller: caller ?? (await operatorOf(hub)), everyProject: false, examine: undefined };
  return (await stats.run(look, { report: name, ...more })) as Record<string, unknown>;
}

let turns = 0;
function turn(hub: TestHub, agent: Caller, more: Partial<TurnRow>): Promise<void> {
  turns += 1;
  const row: TurnRow = {
    ...{ id: `trn_${turns}`, projectId: agent.projectId, agentId: agent.agentId, sessionId: agent.sessionId, turnKey: null },
    ...{ result: 'completed', wakeDoor: null, startedAt: hub.fake.now() - 1_000, endedAt: hub.fake.now(), model: 'claude-opus-5' },
    ...{ inputTokens: 1_000, outputTokens: 200, cacheReadTokens: 10_000, cacheWriteTokens: 400, toolCalls: 2, tools: { Read: 2 } },
    ...more,
  };
  return hub.db.write(agent.projectId, (tx) => saveTurn(tx, row));
}

onEveryEngine('reports', (engine) => {
  it('say the same after retention took the rows and kept their days', async () => {
    const hub = await testHub(engine);
    const [ada, bob] = [await attach(hub, 'ada'), await attach(hub, 'bob')];
    for (const days of [1, 100, 100, 101]) {
      const endedAt = hub.fake.now() - days * DAY;
      for (const agent of [ada, bob]) await turn(hub, agent, { startedAt: endedAt - 1_000, endedAt });
      const call = {
        projectId: bob.projectId,
        agentId: bob.agentId,
        sessionId: bob.sessionId,
        door: 'stdio',
        inputBytes: 1,
        outputBytes: 2,
      };
      hub.calls.record({ ...call, tool: 'send', startedAt: endedAt, durationMs: 5, code: days === 100 ? 'ok' : 'rate_limited' });
    }
    await hub.calls.flush();
    const look = async () => {
      const [tokens, tools, agents] = [
        await report(hub, 'tokens', { since: '120d' }),
        await report(hub, 'tools', { since: '120d' }),
        await report(hub, 'agents', { since: '120d' }),
      ];
      const calls = (tools.tools as { tool: string; calls: number; codes: object }[]).map(({ tool, calls: n, codes }) => [tool, n, codes]);
      const rows = (agents.agents as { agent: string; calls: number; refused: number; cost: number }[]).map((one) => [
        ...[one.agent, one.calls, one.refused, one.cost],
      ]);
      return [tokens.total, tokens.by_agent, tokens.by_model, tokens.by_day, calls, rows];
    };
    const before = await look();
    expect(before[0]).toMatchObject({ turns: 8, cost: 0.14 });
    const upTo = hub.fake.now() - 50 * DAY;
    await hub.db.write('', async (tx) => {
      expect(await foldTurns(tx, upTo)).toBe(6);
      expect(await foldCalls(tx, upTo)).toBe(3);
    });
    expect(await look()).toEqual(before);
  });

  it('roll tokens and their cost up by agent, model and day, and price nothing that has no price', async () => {
    const hub = await testHub(engine);
    const [ada, bob] = [await attach(hub, 'ada'), await attach(hub, 'bob')];
    await turn(hub, ada, { endedAt: hub.fake.now() - 40 * DAY, startedAt: hub.fake.now() - 40 * DAY });
    await turn(hub, ada, { endedAt: hub.fake.now() - 3 * DAY, startedAt: hub.fake.now() - 3 * DAY - 500 });
    await turn(hub, ada, { model: 'claude-opus-5-20260724', tools: { Read: 1, Edit: 3 }, toolCalls: 4 });
    await turn(hub, bob, { model: 'gpt-5.5', inputTokens: 2_000, outputTokens: 100, cacheReadTokens: 0, cacheWriteTokens: 50 });
    await turn(hub, bob, { model: 'somebody-elses-model', inputTokens: 7, outputTokens: 3, cacheReadTokens: 0, cacheWriteTokens: 0 });
    await turn(hub, bob, {
      ...{ model: '', inputTokens: null, outputTokens: null, cacheReadTokens: null, cacheWriteTokens: null },
      ...{ toolCalls: 0, tools: {} },
    });
    // 1,000 × 5 + 200 × 25 + 10,000 × 0.5 + 400 × 6.25 = 17,500 millionths; gpt-5.5: 2,000 × 5 + 100 × 30 = 13,000, its 50 written ones unpriced.
    const week = await report(hub, 'tokens', { since: '7d' });
    expect(week).toMatchObject({
      prices: { as_of: DEFAULT_PRICES.asOf, currency: 'USD' },
      total: {
        ...{ turns: 5, untold_turns: 1, turn_ms: 4_500, tool_uses: 10, input_tokens: 4_007, output_tokens: 503 },
        ...{ cache_read_tokens: 20_000, cache_write_tokens: 850, cost: 0.048, unpriced_tokens: 60 },
      },
      by_agent: [
        { agent: 'ada', turns: 2, cost: 0.035, unpriced_tokens: 0 },
        { agent: 'bob', turns: 3, untold_turns: 1, cost: 0.013, unpriced_tokens: 60 },
      ],
      by_model: [
        { model: 'claude-opus-5', priced: true, cost: 0.0175 },
        { model: 'claude-opus-5-20260724', priced: true, cost: 0.0175 },
        { model: 'gpt-5.5', priced: true, cost: 0.013, unpriced_tokens: 50 },
        { model: 'somebody-elses-model', priced: false, cost: null, unpriced_tokens: 10 },
        { model: '', priced: false, turns: 1, cost: null, unpriced_tokens: 0 },
      ],
      unpriced: ['gpt-5.5', 'somebody-elses-model'],
      more: 0,
    });
    const day = (at: number) => new Date(at).toISOString().slice(0, 10);
    expect(week.by_day).toMatchObject([
      { day: day(hub.fake.now() - 3 * DAY), turns: 1, cost: 0.0175 },
      { day: day(hub.fake.now()), turns: 4, cost: 0.0305 },
    ]);
    expect(await report(hub, 'tokens', { since: '24h' })).toMatchObject({ total: { turns: 4, cost: 0.0305 } });
    expect(await report(hub, 'tokens', { since: '60d', agent: 'ada' })).toMatchObject({ total: { turns: 3, cost: 0.0525 } });
    expect(await report(hub, 'tools', { since: '7d' })).toMatchObject({
      client_tools: [
        { tool: 'Read', uses: 7 },
        { tool: 'Edit', uses: 3 },
      ],
    });
  });

  it('count the mail, tasks and calls of each agent as they were', async () => {
    const hub = await testHub(engine, { limits: { deliveryAttempts: 2, poisonMinAgeMs: 1 } });
    const [ada, bob] = [await attach(hub, 'ada', { role: 'manager' }), await attach(hub, 'bob')];
    await send(hub, ada, 'bob', 'old');
    hub.fake.advance(2 * DAY);
    for (let i = 0; i < 3; i++) await send(hub, ada, 'bob', `message ${i}`);
    hub.fake.advance(1_000);
    const batch = await recv(hub, bob, { max: 10 });
    hub.fake.advance(500);
    await recv(hub, bob, { max: 10 });
    await ack(hub, bob, { ids: batch.messages.slice(1, 3).map(({ id }) => id) });
    await send(hub, bob, 'ada', 'seen', { inReplyTo: batch.messages[3]?.id });

    const made = await hub.tasks.create(ada, { title: 'one', labels: ['docs'] }, { tool: 'create_task' });
    await hub.tasks.create(ada, { title: 'two', capabilities: ['typescript'] }, { tool: 'create_task' });
    hub.fake.advance(2_000);
    await hub.claims.claim(bob, made.taskId, { tool: 'claim_task' });
    hub.fake.advance(3_000);
    await hub.taskCompletion.complete(bob, made.taskId, { fencingToken: 1, result: 'done' }, { tool: 'complete_task' });
    const call = {
      projectId: bob.projectId,
      agentId: bob.agentId,
      sessionId: bob.sessionId,
      door: 'stdio',
      inputBytes: 10,
      outputBytes: 20,
    };
    for (let i = 1; i <= 20; i++)
      hub.calls.record({ ...call, tool: 'send', startedAt: hub.fake.now(), durationMs: i, code: i === 20 ? 'rate_limited' : 'ok' });
    hub.calls.record({ ...call, tool: 'ack', startedAt: hub.fake.now() - 2 * DAY, durationMs: 9_999, code: 'ok' });
    await hub.calls.flush();

    expect(await report(hub, 'agents')).toMatchObject({
      agents: [
        {
          ...{ agent: 'bob', sent: 2, received: 3, acked: 3, dead: 0, open: 0, redeliveries: 3 },
          ...{ shown_p50_ms: 1_000, shown_p95_ms: 1_000, acked_p50_ms: 500 },
          ...{ tasks: { claimed: 1, completed: 1, failed: 0, late: 0 }, calls: 20, refused: 1, turns: 0, cost: null },
        },
        // The reply, and that her task is done.
        { agent: 'ada', sent: 3, received: 2, acked: 0, open: 2, tasks: { claimed: 0, completed: 0 } },
      ],
      more: 0,
    });
    expect(await report(hub, 'tasks')).toMatchObject({
      ...{ created: 2, ended: { completed: 1 }, success: 1, now: { completed: 1, submitted: 1 } },
      ...{ waited: { p50_ms: 2_000 }, worked: { p50_ms: 3_000 }, took: { p50_ms: 5_000, p95_ms: 5_000 } },
      by_day: [{ created: 2, ended: { completed: 1 } }],
      by_label: [{ kind: 'docs', tasks: 1, ended: { completed: 1 } }],
      by_capabilities: [{ kind: '', tasks: 1 }],
      ...{ reviews: { passed: 0, not_passed: 0 }, retried: 0, leases_lost: 0, late_results: 0, reused: 0 },
    });
    expect(await report(hub, 'tools')).toMatchObject({
      tools: [
        {
          ...{ tool: 'send', calls: 20, refused: 1, codes: { ok: 19, rate_limited: 1 }, p50_ms: 10, p95_ms: 19, longest_ms: 20 },
          ...{ input_bytes: 200, output_bytes: 400 },
        },
      ],
    });
    expect((await report(hub, 'tools', { since: '7d' })).tools).toMatchObject([{ tool: 'send' }, { tool: 'ack', calls: 1 }]);
    await refused('forbidden', report(hub, 'agents', {}, bob));
    await refused('not_found', report(hub, 'agents', { agent: 'nobody' }));
    for (const since of ['never', '7y', '9999d', new Date(hub.fake.now() + HOUR).toISOString()])
      expect((await refused('invalid_input', report(hub, 'tokens', { since }))).message).toContain('since');
  });

  it('hold a page, and say how much more there is', async () => {
    const hub = await testHub(engine, { limits: { statsRows: 2 }, policy: { ...DEFAULT_POLICY, prices: priceTable({ currency: 'EUR' }) } });
    for (const name of ['ada', 'bob', 'cleo']) await turn(hub, await attach(hub, name), { model: `model of ${name}` });
    expect(await report(hub, 'tokens')).toMatchObject({ prices: { currency: 'EUR' }, by_agent: [{ cost: null }, {}], more: 2 });
    expect((await report(hub, 'agents')).more).toBe(1);
  });
});

it('finds the price of a model by its name, its name without a date, and by no other', () => {
  const named = (model: string) => priceOf(DEFAULT_PRICES, model);
  expect(named('claude-opus-4-5-20251101')).toEqual(named('claude-opus-4-5'));
  expect(named('claude-sonnet-4-5[1m]')).toEqual(named('claude-sonnet-4-5'));
  expect(named('claude-opus-4@20250514')?.input).toBe(15);
  expect(named('gpt-5-2025-08-07')).toEqual(named('gpt-5'));
  for (const other of ['claude-opus-4-9', 'claude', '', 'gpt-5-nano', 'constructor', 'anthropic.claude-opus-5'])
    expect(named(other)).toBeUndefined();
});

it('takes the operator’s prices before the built-in ones, and none of these in another currency', () => {
  const own = priceTable({ asOf: '2026-11-20', models: { 'claude-opus-5': { input: 1, output: 2 }, mine: { input: 3, output: 4 } } });
  expect([own.asOf, priceOf(own, 'claude-opus-5')?.input, priceOf(own, 'mine')?.output]).toEqual(['2026-11-20', 1, 4]);
  expect(priceOf(own, 'gpt-5')).toEqual(priceOf(DEFAULT_PRICES, 'gpt-5'));
  expect(priceOf(priceTable({ currency: 'EUR', models: {} }), 'gpt-5')).toBeUndefined();
  const tokens = { inputTokens: 10, outputTokens: 0, cacheReadTokens: 5, cacheWriteTokens: 0 };
  expect(costOf(own, 'mine', tokens)).toEqual({ cost: 30 / 1e6, unpricedTokens: 5 });
  expect(addCosts({ cost: null, unpricedTokens: 2 }, { cost: 1, unpricedTokens: 0 })).toEqual({ cost: 1, unpricedTokens: 2 });
});
