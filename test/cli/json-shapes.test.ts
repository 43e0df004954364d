// What programs read of every command with --json: its fields, with the values of this one small project where they are always the same. Ids, times,
// sizes and places are replaced by what they are. A change here is a change for everybody who reads them.

import { execFileSync } from 'node:child_process';
import { readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { afterEach, expect, it, vi } from 'vitest';
import { programWith, runCommandLine } from '../../src/cli/program.ts';
import { namedPlace } from '../../src/project-root.ts';
import { tools } from '../../src/tools/index.ts';
import { scratch } from '../support/engines.ts';
import { start } from './command-line.ts';

/** The main one, where this is a worktree of it. */
const REPOSITORY = namedPlace('demo', process.cwd(), homedir()).project.root;

/** Commands that print no JSON of their own, and why. A command that is neither here nor shown below fails the test. */
const NO_JSON: Readonly<Record<string, string>> = {
  stdio: 'speaks MCP',
  hook: 'speaks to its client',
  monitor: 'writes lines for its client',
  rewake: 'writes lines for its client',
  completion: 'prints a script',
  bench: 'runs a script of the repository',
  prove: 'runs a script of the repository',
};

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

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
    const code = await runCommandLine(['node', 'rookery', ...words, '--home', home, '--json']);
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
        /(^|_)(bytes|pid|ms|seconds|schema|port)$/.test(name) && typeof inner === 'number' ? `<${name}>` : shapeOf(inner, home),
      ]),
    );
  if (typeof value !== 'string') return value;
  return value
    .replaceAll(home, '<home>')
    .replace(/\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:(\d{2}(\.\d+)?Z|…)/g, '<time>')
    .replace(/\b(rookery|enrol)_[\w-]{20,}/g, '<secret>')
    .replace(/^\d{4}-\d{2}-\d{2}$/, '<day>')
    .replace(/\b([a-z]{3})_[\w-]{12,}/g, '<$1>')
    .replace(/\b([0-9a-f]{32,64}|[0-9a-f]{16})\b/g, '<digest>')
    .replaceAll(process.cwd(), '<folder>')
    .replaceAll(REPOSITORY, '<folder>')
    .replace(/\bdemo-[0-9a-f]{6,}\b/g, '<project>')
    .replace(/\d+ (s|min|h) ago/g, '<ago>')
    .replace(/hub-[\w-]+\.db/g, '<backup>')
    .replace(/127\.0\.0\.1:\d+/g, '<address>')
    .replace(/(#|\?)[\w=-]{20,}/g, '$1<secret>')
    .replace(/\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}[\w-]*/g, '<time>')
    .replace(/node [^\s"]*main\.js|\/[^\s"']*\/(dist|src)\/main\.js/g, '<program>')
    .replace(process.execPath, '<node>');
}

it('every command keeps its fields', { timeout: 300_000 }, async () => {
  const home = scratch();
  vi.stubEnv('ROOKERY_PROJECT', 'demo');
  const shapes: Record<string, unknown> = {};
  const program = await programWith(undefined);
  const told = new Set<string>();
  const keep = (words: readonly string[], result: object) => {
    if ('notices' in result) result.notices = []; // they tell of this machine
    shapes[words.map((word) => String(shapeOf(word, home))).join(' ')] = shapeOf(result, home);
    told.add(pathOf(program, words));
  };
  // biome-ignore lint/suspicious/noExplicitAny: what another command prints; the snapshot says what it is
  const tell = async (...words: string[]): Promise<Record<string, any>> => {
    const { code, out, err } = await said(home, ...words);
    if (code !== 0) throw new Error(`${words.join(' ')} ended with ${code}: ${err}`);
    const result = JSON.parse(out);
    keep(words, result);
    return result;
  };
  await tell('agents', 'create', 'ada', '--description', 'writes code');
  const { id: token } = await tell('token', 'create', '--agent', 'reviewer', '--role', 'reviewer');
  await tell('token', 'list');
  const sent = await tell('send', '--to', 'reviewer', '--kind', 'request', '--subject', 'auth', 'please look');
  await tell('message-status', sent.message_id);
  await tell('inbox', 'reviewer');
  await tell('thread', 'show', sent.message_id);
  await tell('thread', 'export', sent.message_id);
  await tell('threads');
  await tell('quarantine', sent.message_id);
  await tell('dead');
  await tell('requeue', sent.message_id, '--to', 'reviewer');
  await tell('quarantine', 'ada');
  await tell('quarantine', 'ada', '--release');
  const asked = await tell('ask', '--to', 'operator', '--as-agent', 'reviewer', 'port 7420?');
  await tell('asks');
  await tell('asks', '--all-projects');
  await tell('answer', asked.ask_id, 'yes');
  const reminder = await tell('remind', '--in-seconds', '3600', 'stand-up');
  await tell('reminders');
  await tell('retry', reminder.reminder_id);
  await tell('cancel', reminder.reminder_id);
  const wish = await tell('request-approval', '--risk', 'high', '--as-agent', 'reviewer', 'npm publish');
  await tell('approvals');
  await tell('approve', wish.approval_id, '--note', 'go');
  const other = await tell('request-approval', '--risk', 'high', '--as-agent', 'reviewer', 'npm unpublish');
  await tell('deny', other.approval_id);
  const { task_id: task } = await tell('task', 'create', 'Write the parser', '--need', 'typescript');
  await tell('tasks');
  await tell('task', 'show', task);
  await tell('task', 'graph');
  await tell('task', 'assign', task, 'ada');
  await tell('job', 'export', task);
  await tell('task', 'retry', task);
  await tell('task', 'cancel', task, 'not needed');
  const { code, out } = await said(home, 'job', 'export', task);
  expect(code).toBe(0);
  writeFileSync(join(home, 'job.json'), out);
  await tell('job', 'import', join(home, 'job.json'));
  await tell('recv', '--as-agent', 'reviewer');
  await tell('open');
  await tell('agents');
  await tell('agents', 'show', 'reviewer');
  await tell('agents', 'wake', 'reviewer');
  await tell('call', 'list_my_asks', '{}');
  await tell('reservations');
  await tell('turns');
  await tell('stats');
  await tell('stats', 'tools');
  await tell('status');
  await tell('projects');
  await tell('config', 'set', 'limits.hops', '9');
  await tell('config', 'show', 'limits.hops');
  await tell('config', 'list', '--agent', 'ada');
  await tell('config', 'unset', 'limits.hops');
  await tell('config', 'set', 'port', '7421');
  await tell('config', 'show', 'port');
  await tell('guard', 'rules');
  await tell('guard', 'refusals');
  await tell('verify');
  await tell('backup', join(home, 'copy.db'));
  await tell('export', join(home, 'hub.ndjson'));
  await tell('import', join(home, 'hub.ndjson'), '--dry-run');
  await tell('prune', '--dry-run');
  await tell('prune');
  await tell('migrate');
  await tell('token', 'revoke', token);
  await tell('agents', 'revoke', 'reviewer');
  await tell('dashboard', '--sign-out');
  await tell('restore', join(home, 'copy.db'));
  await tell('untrack', 'demo', '--dry-run');
  for (const [refused, ...words] of REFUSED) {
    const { code, err } = await said(home, refused, ...words);
    expect([refused, code]).toEqual([refused, 1]);
    keep([refused, ...words], JSON.parse(err));
  }
  await outside(home, keep);
  await expect(`${JSON.stringify(shapes, null, 2)}\n`).toMatchFileSnapshot('json-shapes.snap');
  const toolNames = new Set(tools.map(({ name }) => name.replaceAll('_', '-'))); // held by their output schemas, and test/tools
  const silent = Object.keys(NO_JSON);
  expect(pathsOf(program).filter((path) => !told.has(path) && !toolNames.has(path) && !silent.includes(path))).toEqual([]);
  expect(silent.filter((path) => told.has(path) || !pathsOf(program).includes(path))).toEqual([]);
});

/** What cannot be done to nothing is shown as it is refused. */
const REFUSED = [
  ['resume', 'thr_none'],
  ['task', 'accept', 'tsk_none'],
] as const;

/** What works in a folder, a home or a process of its own. */
async function outside(home: string, keep: (words: readonly string[], result: object) => void): Promise<void> {
  const repository = scratch();
  execFileSync('git', ['init', '-q', repository]);
  const user = scratch();
  const env = { HOME: user, XDG_CONFIG_HOME: join(user, '.config') };
  const run = async (...words: string[]) => {
    const { stdout, stderr } = await start([...words, '--json'], { home, cwd: repository, input: '', env }).ended;
    if (stdout === '') throw new Error(`${words.join(' ')}: ${stderr}`);
    return JSON.parse(stdout.replaceAll(realpathSync(repository), '<repository>').replaceAll(user, '<user>'));
  };
  const tell = async (...words: string[]) => keep(words, await run(...words));
  await tell('guard', 'install');
  await tell('guard', 'check', 'a.ts');
  await tell('guard', 'uninstall');
  await tell('install', 'codex');
  await tell('uninstall', 'codex');
  const moved = await run('move', '--to', join(home, 'there'), '--dry-run');
  keep(['move', '--to', '<folder>', '--dry-run'], { ...moved, rows: '<rows>', tables: '<rows by table>' });
  const examined = await run('doctor');
  const fields = Object.fromEntries(examined.findings.flatMap((one: object) => Object.keys(one).map((name) => [name, `<${name}>`])));
  keep(['doctor'], { ...examined, ok: '<ok>', findings: [fields] });
  const served = start(['serve', '--port', '0', '--json'], { home, env: { ...env, ROOKERY_PROJECT: 'demo' } });
  await vi.waitFor(() => expect(served.stdout()).toContain('\n'), 60_000);
  const hub = JSON.parse(served.stdout());
  keep(['serve'], hub);
  await tell('dashboard', '--url', hub.url);
  served.kill('SIGTERM');
  await served.ended;
  const watching = start(['watch', '--after', '0', '--json', '--project', 'demo'], { home, env });
  await vi.waitFor(() => expect(watching.stdout()).toContain('\n'), 60_000);
  watching.kill('SIGINT');
  keep(['watch'], JSON.parse((await watching.ended).stdout.split('\n')[0] ?? ''));
  const played = await start(['demo', '--speed', 'fast', '--json'], { home, input: '', env }).ended;
  const acts = played.stdout.trim().split('\n');
  keep(['demo'], { ...JSON.parse(acts[0] ?? ''), who: '<who>', what: '<what>', act: '<act>' });
  const sums = JSON.parse(acts.at(-1) ?? '');
  keep(['demo', 'its', 'end'], { ...sums, events: '<events>', messages: '<messages>' });
}

/** The names of the command that these words call. */
function pathOf(program: Command, words: readonly string[]): string {
  const next = program.commands.find((one) => [one.name(), ...one.aliases()].includes(words[0] ?? ''));
  return next === undefined ? '' : `${next.name()} ${pathOf(next, words.slice(1))}`.trim();
}

/** Every command that does something, by the names that call it. */
function pathsOf(program: Command): string[] {
  return program.commands.flatMap((one) => {
    const does = typeof Reflect.get(one, '_actionHandler') === 'function';
    return [...(does ? [one.name()] : []), ...pathsOf(one).map((path) => `${one.name()} ${path}`)];
  });
}

it('the shapes hold no secret and nothing of this machine', () => {
  const text = readFileSync(join(import.meta.dirname, 'json-shapes.snap'), 'utf8');
  expect(text.length).toBeGreaterThan(10_000);
  expect(text).not.toMatch(/rookery_[\w-]{20,}/);
  expect(text).not.toContain(process.execPath);
});
