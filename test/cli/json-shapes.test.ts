// What programs read of every command with --json: its fields, with the values of this one small project where they are always the same. Ids, times,
// sizes and places are replaced by what they are. A change here is a change for everybody who reads them.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { programWith, runCommandLine } from '../../src/cli/program.ts';
import { tools } from '../../src/tools/index.ts';
import { scratch } from '../support/engines.ts';

const STARTS_SOMETHING = [
  'serve',
  'stdio',
  'hook',
  'monitor',
  'rewake',
  'watch',
  'demo',
  'bench',
  'prove',
  'doctor',
  'install',
  'uninstall',
];
/** Shown by their own tests: they print no JSON of their own, need a browser’s server, or change what git or a client has. */
const ELSEWHERE = [
  'dashboard',
  'guard',
  'completion',
  'restore',
  'call',
  'stats',
  'prune',
  'untrack',
  'policy',
  'quarantine',
  'migrate',
  'config',
];

afterEach(() => vi.restoreAllMocks());

/** Runs the command line within this process, as a person would. */
async function said(home: string, ...words: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const take = (into: (text: string) => void) => (text: unknown) => {
    into(String(text));
    return true;
  };
  const stdout = vi.spyOn(process.stdout, 'write').mockImplementation(
    take((text) => {
      out += text;
    }) as never,
  );
  const stderr = vi.spyOn(process.stderr, 'write').mockImplementation(
    take((text) => {
      err += text;
    }) as never,
  );
  try {
    const code = await runCommandLine(['node', 'rookery', ...words, '--home', home, '--project', 'demo', '--json']);
    process.exitCode = 0;
    return { code, out, err };
  } finally {
    stdout.mockRestore();
    stderr.mockRestore();
  }
}

/** The words of one output that are another's next time. */
function shapeOf(value: unknown, home: string): unknown {
  if (Array.isArray(value)) return value.map((item) => shapeOf(item, home));
  if (value !== null && typeof value === 'object')
    return Object.fromEntries(
      Object.entries(value).map(([name, inner]) => [
        name,
        /(^|_)(bytes|pid|ms|seconds|schema)$/.test(name) && typeof inner === 'number' ? `<${name}>` : shapeOf(inner, home),
      ]),
    );
  if (typeof value !== 'string') return value;
  return value
    .replaceAll(home, '<home>')
    .replace(/\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:(\d{2}(\.\d+)?Z|…)/g, '<time>')
    .replace(/\b(rookery|enrol)_[\w-]{20,}/g, '<secret>')
    .replace(/\b([a-z]{3})_[\w-]{12,}/g, '<$1>')
    .replace(/\b([0-9a-f]{32,64}|[0-9a-f]{16})\b/g, '<digest>')
    .replaceAll(process.cwd(), '<folder>')
    .replace(/\bdemo-[0-9a-f]{6,}\b/g, '<project>')
    .replace(/\d+ (s|min|h) ago/g, '<ago>')
    .replace(/hub-[\w-]+\.db/g, '<backup>')
    .replace(/node [^\s"]*main\.js|\/[^\s"']*\/(dist|src)\/main\.js/g, '<program>')
    .replace(process.execPath, '<node>');
}

it('every command keeps its fields', { timeout: 120_000 }, async () => {
  const home = scratch();
  const shapes: Record<string, unknown> = {};
  const told = new Set<string>();
  // biome-ignore lint/suspicious/noExplicitAny: what another command prints; the snapshot says what it is
  const tell = async (...words: string[]): Promise<Record<string, any>> => {
    const { code, out, err } = await said(home, ...words);
    if (code !== 0) throw new Error(`${words.join(' ')} ended with ${code}: ${err}`);
    const result = JSON.parse(out);
    if ('notices' in result) result.notices = []; // they tell of this machine
    const title = words.map((word) => String(shapeOf(word, home))).join(' ');
    shapes[title] = shapeOf(result, home);
    told.add(words[0] ?? '');
    return result;
  };
  await tell('agents', 'create', 'ada', '--description', 'writes code');
  const { id: token } = await tell('token', 'create', '--agent', 'reviewer', '--role', 'reviewer');
  await tell('token', 'list');
  const sent = await tell('send', '--to', 'reviewer', '--kind', 'request', '--subject', 'auth', 'please look');
  await tell('message-status', sent.message_id);
  await tell('inbox', 'reviewer');
  await tell('thread', sent.message_id);
  const asked = await tell('ask', '--to', 'operator', '--as-agent', 'reviewer', 'port 7420?');
  await tell('asks');
  await tell('answer', asked.ask_id, 'yes');
  const reminder = await tell('remind', '--in-seconds', '3600', 'stand-up');
  await tell('reminders');
  await tell('retry', reminder.reminder_id);
  await tell('cancel', reminder.reminder_id);
  const wish = await tell('request-approval', '--risk', 'high', '--as-agent', 'reviewer', 'npm publish');
  await tell('approvals');
  await tell('approve', wish.approval_id, '--note', 'go');
  const { task_id: task } = await tell('task', 'create', 'Write the parser', '--need', 'typescript');
  await tell('tasks');
  await tell('task', 'show', task);
  await tell('task', 'graph');
  await tell('job', 'export', task);
  await tell('task', 'cancel', task, 'not needed');
  await tell('recv', '--as-agent', 'reviewer');
  await tell('open');
  await tell('agents');
  await tell('agents', 'show', 'reviewer');
  await tell('agents', 'wake', 'reviewer');
  await tell('reservations');
  await tell('turns');
  await tell('dead');
  await tell('status');
  await tell('verify');
  await tell('backup', join(home, 'copy.db'));
  await tell('export', join(home, 'hub.ndjson'));
  await tell('import', join(home, 'hub.ndjson'), '--dry-run');
  await tell('token', 'revoke', token);
  await tell('agents', 'revoke', 'reviewer');
  expect((await said(home, 'deny', 'apr_none')).code).toBe(1);
  expect((await said(home, 'resume', 'thr_none')).code).toBe(1);
  expect((await said(home, 'requeue', 'msg_none', '--to', 'ada')).code).toBe(1);
  for (const refused of ['deny', 'resume', 'requeue']) told.add(refused);
  await expect(`${JSON.stringify(shapes, null, 2)}\n`).toMatchFileSnapshot('json-shapes.snap');
  const toolNames = new Set(tools.map(({ name }) => name.replaceAll('_', '-')));
  const left = (await programWith(undefined)).commands
    .map((command) => command.name())
    .filter((name) => !told.has(name) && !toolNames.has(name) && ![...STARTS_SOMETHING, ...ELSEWHERE].includes(name));
  expect(left).toEqual([]);
});

it('the shapes hold no secret and nothing of this machine', () => {
  const text = readFileSync(join(import.meta.dirname, 'json-shapes.snap'), 'utf8');
  expect(text.length).toBeGreaterThan(10_000);
  expect(text).not.toMatch(/rookery_[\w-]{20,}/);
  expect(text).not.toContain(process.execPath);
});
