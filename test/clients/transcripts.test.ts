// What the hub reads off transcripts, on ones that the real clients wrote (driven by scripted models), and on broken ones.

import { execFileSync } from 'node:child_process';
import { appendFileSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { clientSurroundings } from '../../src/clients/surroundings.ts';
import type { TranscriptQuery } from '../../src/hub/surroundings.ts';
import { systemClock } from '../../src/system/clock.ts';
import { until } from '../support/acts.ts';
import { scratch } from '../support/engines.ts';
import { FakeClock } from '../support/fake-clock.ts';

const FOLDER = join(import.meta.dirname, 'transcripts');
const CLAUDE = join(FOLDER, 'claude-2.1.329.jsonl');
const CODEX = join(FOLDER, 'codex-0.169.0.jsonl');
const surroundings = clientSurroundings(systemClock);

function read(path: string, more: Partial<TranscriptQuery> = {}) {
  const client = path.includes('codex') ? 'codex' : 'claude';
  return surroundings.transcript({ client, path, since: null, turnKey: null, receipts: [], lastWords: null, ...more });
}

/** The receipt that a transcript shows to its model. */
function receiptIn(path: string): string {
  const [receipt] = /rcp_[\w-]{20,}/.exec(readFileSync(path, 'utf8')) ?? [];
  return receipt ?? '';
}

it('counts the last turn of a Claude Code once, however many lines its messages have', async () => {
  const facts = await read(CLAUDE);
  expect(facts?.turn).toMatchObject({
    ...{ ended: 'completed', model: 'claude-opus-5-5', tools: { mcp__hub__whoami: 1 } },
    ...{ inputTokens: 2_000, outputTokens: 40, cacheReadTokens: 10, cacheWriteTokens: 14 },
  });
  expect(facts?.contextPercent).toBe(0);
});

it('counts a turn since it began, as the hub knows it', async () => {
  const lines = readFileSync(CLAUDE, 'utf8').split('\n');
  const first = Date.parse(/"timestamp":"([^"]+)"/.exec(lines.find((line) => line.includes('"type":"user"')) ?? '')?.[1] ?? '');
  const facts = await read(CLAUDE, { since: first });
  expect(facts?.turn).toMatchObject({
    inputTokens: 7_000,
    tools: { Bash: 4, Write: 1, Read: 1, mcp__hub__recv_batch: 1, mcp__hub__whoami: 1 },
  });
  expect(facts?.filesModified).toEqual(['/home/user/project/notes.md']);
});

it('counts a turn of Claude Code from the prompt that it is called after, also when the hub heard of it later', async () => {
  const [first, second] = [...new Set([...readFileSync(CLAUDE, 'utf8').matchAll(/"promptId":"([^"]+)"/g)].map((match) => match[1] ?? ''))];
  const late = Date.parse('2026-11-21T04:00:50.000Z');
  expect((await read(CLAUDE, { turnKey: first ?? '', since: late }))?.turn).toMatchObject({
    ...{ startedAt: Date.parse('2026-11-21T04:00:40.104Z'), inputTokens: 7_000 },
  });
  expect((await read(CLAUDE, { turnKey: second ?? '', since: Date.parse('2026-11-21T04:01:02.500Z') }))?.turn).toMatchObject({
    ...{ startedAt: Date.parse('2026-11-21T04:01:00.261Z'), inputTokens: 2_000, tools: { mcp__hub__whoami: 1 } },
  });
  expect((await read(CLAUDE, { turnKey: 'not written yet', since: late }))?.turn).toMatchObject({ startedAt: late });
});

it('counts the whole of a turn that is longer than what is read at first', async () => {
  const path = join(scratch(), 'claude.jsonl');
  const at = (n: number) => new Date(Date.UTC(2026, 10, 21, 4, 0, n)).toISOString();
  const lines = Array.from({ length: 12 }, (_, n) => [
    { type: 'assistant', timestamp: at(n), message: { id: `m${n}`, model: 'm', content: [], usage: { input_tokens: 10 } } },
    { type: 'user', timestamp: at(n), message: { content: [{ type: 'tool_result', content: 'x'.repeat(1_000_000) }] } },
  ]).flat();
  writeFileSync(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  expect((await read(path, { since: Date.parse(at(0)) }))?.turn?.inputTokens).toBe(120);
  expect((await read(path, { since: Date.parse(at(10)) }))?.turn?.inputTokens).toBe(20);
});

it('counts a turn of Codex by its name, cached input apart', async () => {
  const turnKeys = [...readFileSync(CODEX, 'utf8').matchAll(/"type":"task_started".*?"turn_id":"([^"]+)"/g)].map((match) => match[1] ?? '');
  expect(turnKeys).toHaveLength(2);
  const first = await read(CODEX, { turnKey: turnKeys[0] ?? '' });
  expect(first?.turn).toMatchObject({
    ...{ ended: 'completed', model: 'gpt-5.5', tools: { exec_command: 1, mcp__hub__whoami: 2, mcp__hub__recv_batch: 1 } },
    ...{ inputTokens: 3_500, outputTokens: 25, cacheReadTokens: 1_500, cacheWriteTokens: 0 },
  });
  expect((await read(CODEX))?.turn).toMatchObject({ tools: { mcp__hub__whoami: 1 } });
  expect((await read(CODEX, { turnKey: 'unknown' }))?.turn).toBeNull();
});

it('takes a receipt for seen only where the model was shown it and went on', async () => {
  for (const path of [CLAUDE, CODEX]) {
    const receipt = receiptIn(path);
    expect(receipt).toMatch(/^rcp_/);
    expect((await read(path, { receipts: [receipt, 'rcp_never_shown'] }))?.proven).toEqual([receipt]);
    const folder = scratch();
    const cut = join(folder, path.includes('codex') ? 'codex.jsonl' : 'claude.jsonl');
    const lines = readFileSync(path, 'utf8').split('\n');
    const isResult = (line: string) => line.includes(receipt) && /tool_result|function_call_output/.test(line);
    writeFileSync(cut, `${lines.slice(0, lines.findLastIndex(isResult) + 1).join('\n')}\n`);
    expect((await read(cut, { receipts: [receipt] }))?.proven).toEqual([]);
    // The client says that the model has stopped: everything in the transcript was before it.
    expect((await read(cut, { receipts: [receipt], lastWords: 'Done.' }))?.proven).toEqual([receipt]);
  }
});

it('takes a receipt for unseen that stands in the model’s own words only', async () => {
  const path = join(scratch(), 'claude.jsonl');
  const said = {
    type: 'assistant',
    timestamp: '2026-11-21T04:00:00Z',
    message: { id: 'm', content: [{ type: 'tool_use', name: 'ack', input: { receipt: 'rcp_x' } }] },
  };
  writeFileSync(path, `${JSON.stringify(said)}\n${JSON.stringify({ ...said, message: { id: 'n', content: [] } })}\n`);
  expect((await read(path, { receipts: ['rcp_x'] }))?.proven).toEqual([]);
});

it('waits a moment for the last words of a Claude Code, and no longer', async () => {
  const path = join(scratch(), 'claude.jsonl');
  copyFileSync(CLAUDE, path);
  const clock = new FakeClock();
  const query: TranscriptQuery = { client: 'claude', path, since: 0, turnKey: null, receipts: [], lastWords: 'All is done.' };
  const reading = clientSurroundings(clock).transcript(query);
  await until(() => clock.sleeping === 1);
  const usage = { input_tokens: 11, output_tokens: 1 };
  const line = {
    type: 'assistant',
    timestamp: '2026-11-21T05:00:00Z',
    message: { id: 'last', model: 'claude-haiku-4-5', content: [{ type: 'text', text: 'All is done.' }], usage },
  };
  appendFileSync(path, `${JSON.stringify(line)}\n{"type":"assist`);
  clock.advance(30);
  const facts = await reading;
  expect(facts?.turn).toMatchObject({ inputTokens: 7_011, model: 'claude-haiku-4-5', ended: 'open' });
  const never = clientSurroundings(clock).transcript({ ...query, lastWords: 'never written' });
  for (let tries = 0; tries < 4; tries++) {
    await until(() => clock.sleeping === 1);
    clock.advance(30);
  }
  expect((await never)?.turn?.inputTokens).toBe(7_011);
});

it('tells how full a context is by the model’s window, and that a turn was interrupted', async () => {
  const path = join(scratch(), 'claude.jsonl');
  const said = (model: string, tokens: number) =>
    JSON.stringify({
      type: 'assistant',
      timestamp: '2026-11-21T05:00:00Z',
      message: { id: 'x', model, content: [], usage: { cache_read_input_tokens: tokens } },
    });
  for (const [model, tokens, percent] of [
    ['claude-sonnet-4-5-20250929', 150_000, 75],
    ['claude-haiku-4-5', 100_000, 50],
    ['claude-sonnet-4-6[1m]', 150_000, 15],
    ['claude-opus-4-1', 250_000, 25],
    ['claude-opus-4-8', 500_000, 50],
    ['claude-opus-5-5', 900_000, 90],
    ['something-new', 100_000, 10],
  ] as const) {
    writeFileSync(path, `${said(model, tokens)}\n`);
    expect([model, (await read(path))?.contextPercent]).toEqual([model, percent]);
  }
  const stop = {
    type: 'user',
    timestamp: '2026-11-21T05:00:01Z',
    message: { role: 'user', content: [{ type: 'text', text: '[Request interrupted by user]' }] },
  };
  writeFileSync(path, `${said('claude-opus-5-5', 1)}\n${JSON.stringify(stop)}\n`);
  expect((await read(path, { since: 0 }))?.turn?.ended).toBe('interrupted');
});

it('reads nothing off what is no transcript', async () => {
  const folder = scratch();
  const noise = join(folder, 'noise.jsonl');
  writeFileSync(
    noise,
    '{"type":"assistant"}\n{"type":"user","message":7}\n[1]\nnull\n{"type":"assistant","message":{"content":"x","usage":{"input_tokens":-3}}}\n',
  );
  expect(await read(join(folder, 'missing.jsonl'))).toBeNull();
  expect(await read(folder)).toBeNull();
  const pipe = join(folder, 'pipe.jsonl');
  execFileSync('mkfifo', [pipe]);
  expect(await read(pipe)).toBeNull();
  expect(await read(noise, { since: 0 })).toMatchObject({ turn: { inputTokens: 0, tools: {} }, proven: [] });
});

it('tells branch, uncommitted files and recent commits of a repository, and nothing outside of one (C-69)', async () => {
  const folder = scratch();
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', '-c', 'commit.gpgsign=false', ...args], { cwd: folder });
  expect(await surroundings.git(folder)).toBeNull();
  expect(await surroundings.git(join(folder, 'missing'))).toBeNull();
  git('init', '-q', '-b', 'main');
  expect(await surroundings.git(folder)).toEqual({ branch: 'main', uncommitted: [], recentCommits: [] });
  writeFileSync(join(folder, 'one file.txt'), 'a');
  git('add', '.');
  git('commit', '-q', '-m', 'First');
  writeFileSync(join(folder, 'two.txt'), 'a');
  git('add', '.');
  git('commit', '-q', '-m', 'Second: with words');
  writeFileSync(join(folder, 'one file.txt'), 'b');
  mkdirSync(join(folder, 'sub'));
  const seen = await surroundings.git(join(folder, 'sub'));
  expect(seen).toMatchObject({ branch: 'main', uncommitted: ['one file.txt'] });
  expect(seen?.recentCommits.map((line) => line.replace(/^\w+ /, ''))).toEqual(['Second: with words', 'First']);
  git('mv', 'two.txt', 'three.txt');
  git('checkout', '-q', '--detach');
  expect(await surroundings.git(folder)).toMatchObject({
    branch: 'detached HEAD',
    uncommitted: expect.arrayContaining(['three.txt', 'one file.txt']),
  });
});
