// The tool that clients' hooks call: what it makes of the words of both clients, through the one way tools are called.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { clientSurroundings } from '../../src/clients/surroundings.ts';
import type { Hub } from '../../src/hub/hub.ts';
import { NO_SURROUNDINGS } from '../../src/hub/surroundings.ts';
import { postedNotice, queuedNotice } from '../../src/hub/wake-notice.ts';
import { systemClock } from '../../src/system/clock.ts';
import { callTool } from '../../src/tools/call.ts';
import { Connection } from '../../src/tools/connection.ts';
import { hook } from '../../src/tools/hook.ts';
import { tools } from '../../src/tools/index.ts';
import { events, operatorOf, recv, send } from '../support/acts.ts';
import { attach, sqlite, type TestHub, testHub } from '../support/engines.ts';

const CLAUDE = join(import.meta.dirname, '..', 'clients', 'transcripts', 'claude-2.1.329.jsonl');

async function setUp() {
  const hub = await testHub(sqlite);
  // What the hub is told of transcripts is what the program would tell it.
  Object.assign(hub, { surroundings: clientSurroundings(systemClock) });
  const [ada, bob] = [await attach(hub, 'ada'), await attach(hub, 'bob')];
  const tell = (event: string, more: object = {}) =>
    say(hub, Connection.fixed(hub, bob, ['core', 'memory']), { hook_event_name: event, ...more });
  const state = async () => (await hub.agents.list(ada, { waitMs: 0 })).agents.find(({ agent }) => agent.name === 'bob')?.state;
  return { hub, ada, bob, tell, state };
}

async function say(hub: Hub, connection: Connection, words: object): Promise<Record<string, unknown>> {
  const reply = await callTool(hub, connection, hook, words);
  if (!reply.ok) throw new Error(reply.text);
  expect(reply.text).toBe(JSON.stringify(reply.result));
  return reply.result;
}

const use = (id: string, more: object = {}) => ({
  tool_use_id: id,
  tool_name: 'Bash',
  tool_input: { command: 'ls' },
  prompt_id: 'p',
  ...more,
});
const added = (output: Record<string, unknown>) =>
  (output.hookSpecificOutput as { additionalContext?: string } | undefined)?.additionalContext;

it('is in no list, and is not called over the network', async () => {
  const { hub, bob } = await setUp();
  expect(tools.map(({ name }) => name)).not.toContain('hook');
  const reply = await callTool(hub, Connection.fixed(hub, { ...bob, door: 'http' }, ['core']), hook, { hook_event_name: 'Stop' });
  expect(reply).toMatchObject({ ok: false, error: { code: 'forbidden' } });
});

it('goes through a turn of Claude Code', async () => {
  const { hub, ada, tell, state } = await setUp();
  expect(await tell('UserPromptSubmit', { prompt_id: 'p' })).toEqual({});
  expect(await state()).toBe('busy');
  expect(await tell('PreToolUse', use('a'))).toEqual({});
  await send(hub, ada, 'bob', 'the body', { subject: 'look here', kind: 'request' });
  expect(await tell('PostToolUse', use('a', { duration_ms: 12 }))).toEqual({});
  const batch = { tool_calls: [use('a', { tool_response: 'x' })], prompt_id: 'p' };
  const hint = await tell('PostToolBatch', batch);
  expect(hint).toEqual({
    hookSpecificOutput: { hookEventName: 'PostToolBatch', additionalContext: expect.stringContaining('"look here"') },
  });
  expect(await tell('PostToolBatch', batch)).toEqual({});
  const stop = await tell('Stop', { prompt_id: 'p', stop_hook_active: false, last_assistant_message: 'Done.' });
  expect(stop).toEqual({ decision: 'block', reason: expect.stringMatching(/1 message unread[\s\S]*look here/) });
  expect(await state()).toBe('busy');
  expect(await tell('Stop', { prompt_id: 'p', stop_hook_active: true, last_assistant_message: 'Done.' })).toEqual({});
  expect(await state()).toBe('idle');
});

it('tells mail to Codex after each tool, and refuses its stop once, whatever it says of stop_hook_active', async () => {
  const { hub, ada, tell } = await setUp();
  const codex = { turn_id: 't-1', transcript_path: '/nowhere/rollout-2026-x.jsonl' };
  await tell('UserPromptSubmit', codex);
  await send(hub, ada, 'bob', 'hello', { subject: 'one' });
  expect(added(await tell('PostToolUse', { ...codex, ...use('a'), tool_response: 'x' }))).toContain('"one"');
  expect(await tell('PostToolUse', { ...codex, ...use('b') })).toEqual({});
  expect(await tell('Stop', { ...codex, stop_hook_active: false })).toHaveProperty('decision', 'block');
  expect(await tell('Stop', { ...codex, stop_hook_active: false })).toEqual({});
});

it('acknowledges at the stop what the transcript shows the model has seen, and counts the turn', async () => {
  const { hub, ada, bob, tell } = await setUp();
  const [receipt = ''] = /rcp_[\w-]{20,}/.exec(readFileSync(CLAUDE, 'utf8')) ?? [];
  Object.assign(hub.context.ids, { receipt: () => receipt });
  await send(hub, ada, 'bob', 'please review');
  await recv(hub, bob);
  await tell('UserPromptSubmit', { prompt_id: 'p', at: Date.parse('2026-11-20T09:00:00Z') });
  expect(await tell('Stop', { prompt_id: 'p', transcript_path: CLAUDE, last_assistant_message: 'fin' })).toEqual({});
  expect((await recv(hub, bob)).messages).toEqual([]);
  expect((await events(hub)).filter(({ type }) => type === 'message.acked')).toMatchObject([{ actor: bob.agentId }]);
  const { turns } = await hub.turns.list(await operatorOf(hub), { since: 0, limit: 5 });
  expect(turns).toMatchObject([
    { model: 'claude-opus-5-5', inputTokens: 7_000, cacheReadTokens: 35, cacheWriteTokens: 49, outputTokens: 140, toolCalls: 8 },
  ]);
  expect(turns[0]?.tools).toEqual({ Bash: 4, Write: 1, Read: 1, mcp__hub__recv_batch: 1, mcp__hub__whoami: 1 });
});

it('counts the whole of a turn whose prompt came before its agent was known', async () => {
  const { hub, tell } = await setUp();
  const [prompt = ''] = [...readFileSync(CLAUDE, 'utf8').matchAll(/"promptId":"([^"]+)"/g)].map((match) => match[1]).slice(-1);
  hub.fake.advance(Date.parse('2026-11-21T04:01:02.000Z') - hub.fake.now());
  await tell('PreToolUse', { ...use('a'), prompt_id: prompt });
  await tell('Stop', { prompt_id: prompt, transcript_path: CLAUDE, last_assistant_message: 'fin' });
  const { turns } = await hub.turns.list(await operatorOf(hub), { since: 0, limit: 5 });
  expect(turns).toMatchObject([{ startedAt: Date.parse('2026-11-21T04:01:00.261Z'), inputTokens: 2_000, toolCalls: 1 }]);
});

it('keeps a wake-up from becoming a turn that comes when its mail has been read, and nothing else', async () => {
  const { hub, ada, bob, tell, state } = await setUp();
  await hub.turns.hasHooks(bob);
  await send(hub, ada, 'bob', 'hello');
  const door = await hub.wakeDoors.open(bob, 'codex_queue');
  hub.fake.advance(hub.limits.wakeQuietMs + 1);
  const { claim } = await hub.waking.next(bob.projectId, bob.agentId, [door]);
  const line = `Mail for bob from ada: note. recv_batch shows it. (${claim?.attemptId})`;
  const notices = [queuedNotice(hub.context.ids, line), postedNotice(line)];
  const prompt = async (words: string) => (await tell('UserPromptSubmit', { prompt_id: words.slice(-40), prompt: words })).decision;
  for (const notice of notices) expect(await prompt(`${notice}\n`)).toBeUndefined();
  expect(await state()).toBe('busy');
  await recv(hub, bob);
  await tell('Stop', {});
  for (const notice of notices) {
    expect(await prompt(notice)).toBe('block');
    expect(await prompt(`${notice}\nand do this too`)).toBeUndefined();
    expect(await prompt(notice.replace(claim?.attemptId ?? '', 'wak_other'))).toBeUndefined();
  }
  await send(hub, ada, 'bob', 'again');
  expect(await prompt(notices[0] ?? '')).toBeUndefined();
});

it('keeps one row per tool use, and nothing of the arguments (C-62)', async () => {
  const { hub, bob, tell } = await setUp();
  for (let n = 0; n < 100; n++) {
    const words = use(`use-${n}`, { tool_input: { command: `deploy --token s3cr3t-${n}` }, duration_ms: n });
    await tell('PreToolUse', words);
    await tell(n % 10 === 0 ? 'PostToolUseFailure' : 'PostToolUse', words);
  }
  const uses = await hub.toolUses.list(bob, bob.agentId, 1_000);
  expect(uses).toHaveLength(100);
  expect(new Set(uses.map(({ argsDigest }) => argsDigest)).size).toBe(100);
  expect(uses.filter(({ outcome }) => outcome === 'failed')).toHaveLength(10);
  expect(uses.reduce((sum, { durationMs }) => sum + (durationMs ?? 0), 0)).toBe(4_950);
  const raw = Buffer.concat(['hub.db', 'hub.db-wal'].map((name) => readFileSync(join(hub.place, name))));
  expect(raw.includes('s3cr3t')).toBe(false);
});

it('takes the words of mcp_tool hooks, in which everything is text', async () => {
  const { hub, bob, tell } = await setUp();
  await tell('PreToolUse', { ...use('a'), tool_input: '{"command":"ls"}', duration_ms: '', agent_type: '' });
  await tell('PostToolUse', { ...use('a'), tool_input: '{"command":"ls"}', duration_ms: '17' });
  expect(await hub.toolUses.list(bob, bob.agentId, 5)).toMatchObject([{ durationMs: 17, subAgent: '' }]);
  await tell('PostToolBatch', { tool_calls: JSON.stringify([use('b', { tool_response: 'x' }), use('c')]) });
  expect((await hub.toolUses.list(bob, bob.agentId, 5)).map(({ toolUseId, outcome }) => [toolUseId, outcome]).sort()).toEqual([
    ['a', 'ok'],
    ['b', 'ok'],
    ['c', 'failed'],
  ]);
});

it('gives back what was lost after resume, clear and compaction, and nothing at a fresh start (C-77)', async () => {
  const { hub, bob, tell } = await setUp();
  await hub.checkpoints.save(bob, { currentTask: 'mend the parser' }, { tool: 'save_checkpoint' });
  expect(await tell('SessionStart', { source: 'startup' })).toEqual({});
  for (const source of ['resume', 'clear', 'compact']) {
    const text = added(await tell('SessionStart', { source })) ?? '';
    expect(text).toContain('mend the parser');
    expect(text).toContain('0 unread');
    expect(text.length).toBeLessThan(8_000);
  }
});

it('saves at a compaction what the client sees, and not inside git without git', async () => {
  const { hub, bob, tell } = await setUp();
  expect(await tell('PreCompact', { trigger: 'auto', transcript_path: CLAUDE, cwd: '/' })).toEqual({});
  expect((await hub.checkpoints.load(bob)).checkpoint).toMatchObject({
    ...{ source: 'hook', gitState: null, note: 'before compaction (auto)', filesModified: ['/home/user/project/notes.md'] },
  });
});

it('keeps sub-agents apart: their label on their tools, no mail for them', async () => {
  const { hub, ada, bob, tell } = await setUp();
  await send(hub, ada, 'bob', 'x', { subject: 'for bob' });
  const sub = { agent_id: 'ad7e1234567', agent_type: 'Explore' };
  await tell('PreToolUse', { ...use('a'), ...sub });
  expect(await tell('PostToolBatch', { tool_calls: [use('z', { tool_response: '' })], ...sub })).toEqual({});
  await tell('SubagentStop', { agent_id: 'internal', agent_type: '' });
  await tell('SubagentStop', sub);
  expect(await hub.toolUses.list(bob, bob.agentId, 5)).toMatchObject([
    { subAgent: 'Explore ad7e1234' },
    { subAgent: 'Explore ad7e1234', outcome: expect.any(String) },
  ]);
  expect((await events(hub)).filter(({ type }) => type === 'subagent.stopped')).toHaveLength(1);
  expect(added(await tell('PostToolBatch', { tool_calls: [] }))).toContain('for bob');
});

it('holds a risky command back and lets an approved one pass', async () => {
  const { tell } = await setUp();
  const output = await tell('PreToolUse', { ...use('a'), cwd: '/work/demo', tool_input: { command: 'rm -rf /' } });
  expect(output).toMatchObject({ hookSpecificOutput: { hookEventName: 'PreToolUse', permissionDecision: 'deny' } });
  expect(await tell('PreToolUse', { ...use('b'), cwd: '/work/demo', tool_input: { command: 'ls -la' } })).toEqual({});
});

it('ends the session when the client ends, and not when the person clears it', async () => {
  const { tell, state } = await setUp();
  await tell('UserPromptSubmit', {});
  await tell('SessionEnd', { reason: 'clear' });
  expect(await state()).toBe('idle');
  await tell('Notification', { notification_type: 'idle_prompt' });
  await tell('SessionEnd', { reason: 'prompt_input_exit' });
  expect(await state()).toBe('gone');
});

it('has nothing to say to nonsense, and to nobody', async () => {
  const { hub, tell } = await setUp();
  for (const event of ['Nonsense', '', 'Stop', 'PreToolUse', 'PostToolUse', 'PostToolBatch', 'SubagentStop', 'Notification'])
    expect([
      event,
      await tell(event, { tool_name: 7, tool_calls: 'x', transcript_path: '/dev/null', prompt_id: '\0', tool_use_id: null }),
    ]).toEqual([event, {}]);
  const nobody = await callTool(hub, Connection.nobody(hub, ['core']), hook, { hook_event_name: 'Stop' });
  expect(nobody).toMatchObject({ ok: true, result: {} });
});

it('does without transcripts', async () => {
  const { hub, tell, state }: { hub: TestHub } & Awaited<ReturnType<typeof setUp>> = await setUp();
  Object.assign(hub, { surroundings: NO_SURROUNDINGS });
  await tell('UserPromptSubmit', { prompt_id: 'p', transcript_path: '/gone' });
  expect(await tell('Stop', { prompt_id: 'p', transcript_path: '/gone' })).toEqual({});
  expect(await state()).toBe('idle');
});
