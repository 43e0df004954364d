// A compaction from its beginning to its end through the real program: a real stdio server that the agent talks to, the client's hooks as
// processes of their own, a real repository (C-05, C-43, C-64, C-69, C-71, C-77).

import { execFileSync } from 'node:child_process';
import { mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { beforeAll, expect, it } from 'vitest';
import { start } from '../cli/command-line.ts';
import { built } from '../server/http-process.ts';
import { cleanup, scratch } from '../support/engines.ts';

beforeAll(() => void built());

/** A repository with two commits and one uncommitted file. */
function repository(): string {
  const folder = realpathSync(scratch());
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.org', '-c', 'commit.gpgsign=false', ...args], {
      cwd: folder,
    });
  git('init', '-q', '-b', 'fix-parser');
  mkdirSync(join(folder, 'src'));
  for (const subject of ['Begin', 'Parse numbers']) {
    writeFileSync(join(folder, 'src', 'parser.ts'), `// ${subject}\n`);
    git('add', '.');
    git('commit', '-qm', subject);
  }
  writeFileSync(join(folder, 'src', 'parser.ts'), '// half done\n');
  return folder;
}

/** A transcript in which the model edited files and has filled so much of its context. */
function transcript(folder: string, files: readonly string[], tokens: number): string {
  const at = (n: number) => new Date(Date.now() - 60_000 + n).toISOString();
  const usage = { input_tokens: tokens, output_tokens: 0 };
  const assistant = (id: string, content: object[], n: number) => ({
    ...{ type: 'assistant', isSidechain: false, timestamp: at(n), uuid: id },
    message: { id, role: 'assistant', model: 'claude-sonnet-4-5', content, usage },
  });
  const lines = [
    { type: 'user', isSidechain: false, timestamp: at(0), uuid: 'u', message: { role: 'user', content: 'mend the parser' } },
    ...files.map((file, n) =>
      assistant(`e${n}`, [{ type: 'tool_use', id: `t${n}`, name: 'Edit', input: { file_path: join(folder, file) } }], n + 1),
    ),
    assistant('last', [{ type: 'text', text: 'So far so good.' }], 50),
  ];
  const path = join(scratch(), 'session.jsonl');
  writeFileSync(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  return path;
}

/** An agent in a client: its server, and its client's hooks. A shell plays the client: the process that the server lives in and hooks tell of. */
async function agent(home: string, folder: string, session: string) {
  const client = new Client({ name: 'claude-code', version: '2' });
  const env = { PATH: process.env.PATH ?? '', HOME: home, CLAUDE_CODE_SESSION_ID: session };
  const args = ['-c', '"$0" "$@"; :', process.execPath, built(), 'stdio', '--home', home, '--agent', session];
  const transport = new StdioClientTransport({ command: 'sh', args, env, cwd: folder, stderr: 'ignore' });
  await client.connect(transport);
  cleanup(() => client.close());
  const call = async (name: string, input: object = {}) => {
    const { structuredContent, isError } = await client.callTool({ name, arguments: { ...input } });
    expect([name, isError ?? false]).toEqual([name, false]);
    return structuredContent as Record<string, unknown>;
  };
  const hook = async (event: string, words: object = {}) => {
    const input = JSON.stringify({ session_id: session, cwd: folder, hook_event_name: event, ...words });
    const ended = await start(['hook', event, '--within', '30000'], { home, input, env: { CLAUDE_PID: String(transport.pid) } }).ended;
    expect([ended.code, ended.stderr]).toEqual([0, '']);
    return ended.stdout === ''
      ? {}
      : (JSON.parse(ended.stdout) as { reason?: string; hookSpecificOutput?: { additionalContext?: string } });
  };
  await call('whoami');
  return { call, hook };
}

it('loses nothing: asked for in time, saved, completed by what the client sees, and given back once', { timeout: 120_000 }, async () => {
  const [home, folder] = [scratch(), repository()];
  const [ada, bob] = [await agent(home, folder, 'ada'), await agent(home, folder, 'bob')];
  const { ask_id } = await ada.call('ask', { to: 'bob', question: 'Which port?' });
  const path = transcript(folder, ['src/parser.ts', 'src/lexer.ts'], 130_000);

  // The context is 65 % full: the end of the turn asks for a checkpoint, once.
  await ada.hook('UserPromptSubmit', { prompt_id: 'p', prompt: 'go on' });
  const refused = await ada.hook('Stop', { prompt_id: 'p', transcript_path: path, stop_hook_active: false });
  expect(refused.reason).toContain('your context is 65 % full (save_checkpoint)');
  expect(await ada.hook('Stop', { prompt_id: 'p', transcript_path: path, stop_hook_active: true })).toEqual({});
  await ada.call('save_checkpoint', {
    current_task: 'make the parser read exponents',
    decisions: ['no regular expressions: they are slower'],
  });

  // What the client sees at its compaction stands beside the words.
  expect(await ada.hook('PreCompact', { trigger: 'auto', transcript_path: path })).toEqual({});
  await bob.hook('PreCompact', { trigger: 'auto', transcript_path: transcript(folder, ['README.md'], 1_000) });
  await bob.call('send', { to: 'ada', body: 'a question of mine', subject: 'later' });
  const given = (await ada.hook('SessionStart', { source: 'compact' })).hookSpecificOutput?.additionalContext ?? '';
  for (const part of [
    'You are ada (role agent)',
    '1 unread',
    'current task: "make the parser read exponents"',
    'decided: "no regular expressions: they are slower"',
    'git: "branch fix-parser; uncommitted: src/parser.ts; last commits: ',
    'Parse numbers | ',
    `- ${ask_id} you asked bob (open`,
    'load_checkpoint has the whole checkpoint.',
  ])
    expect(given).toContain(part);
  expect(given).toMatch(/files: "src\/lexer\.ts" "src\/parser\.ts"/);
  expect(given).not.toContain('README.md');
  expect(given).not.toContain('one is asked for');

  // Given once: the next prompt is told of mail only, and the tool tells the same for whoever asks.
  const prompt = (await ada.hook('UserPromptSubmit', { prompt_id: 'q', prompt: 'go on' })).hookSpecificOutput?.additionalContext ?? '';
  expect([prompt.includes('later'), prompt.includes('exponents')]).toEqual([true, false]);
  expect(await ada.call('get_open_threads')).toMatchObject({
    threads: expect.arrayContaining([expect.objectContaining({ kind: 'ask_out', id: ask_id })]),
    checkpoint: { by: 'agent', current_task: 'make the parser read exponents', files_modified: ['src/lexer.ts', 'src/parser.ts'] },
  });
  // Without words of its own an agent is given what its client saw, said to be that.
  const other = (await bob.hook('SessionStart', { source: 'compact' })).hookSpecificOutput?.additionalContext ?? '';
  expect(other).toContain('No checkpoint in your own words; your client saw');
  expect(other).toContain('files: "README.md"');
});

it('asks no more for a checkpoint of a context that is gone', { timeout: 60_000 }, async () => {
  const [home, folder] = [scratch(), scratch()];
  const ada = await agent(home, folder, 'ada');
  const path = transcript(folder, [], 190_000);
  await ada.hook('UserPromptSubmit', { prompt_id: 'p', prompt: 'go' });
  expect((await ada.hook('Stop', { prompt_id: 'p', transcript_path: path, stop_hook_active: false })).reason).toContain('95 % full');
  await ada.hook('PreCompact', { trigger: 'auto', transcript_path: path });
  const given = (await ada.hook('SessionStart', { source: 'compact' })).hookSpecificOutput?.additionalContext ?? '';
  expect(given).toContain('No checkpoint in your own words');
  expect(given).not.toContain('one is asked for');
  expect(await ada.call('get_open_threads')).not.toHaveProperty('hint');
});
