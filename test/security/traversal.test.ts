// Paths that lead out of where they belong: in every argument that could be one, in addresses of files and resources, in names of projects. A secret file
// stands outside the project, and a link to it inside; nothing of it comes out, not even its digest, and nothing is written beside the hub's folder.

import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { runCommandLine } from '../../src/cli/program.ts';
import { tools } from '../../src/tools/index.ts';
import { TOOLSETS } from '../../src/tools/tool.ts';
import { api, ask, call, connect, serveHub } from '../server/http-hub.ts';
import { PROJECT, scratch } from '../support/engines.ts';

const CANARY = 'the-words-of-a-file-that-is-nobodys-business';
const DIGEST = createHash('sha256').update(CANARY).digest('hex');

/** Thirty ways to a file outside. */
const pathsTo = (file: string) => {
  const up = '../'.repeat(12);
  return [
    file,
    `${up}${file.slice(1)}`,
    `./${up}${file.slice(1)}`,
    'link',
    './link',
    'sub/../link',
    'sub/../../canary',
    '../canary',
    '..\\canary',
    '..%2fcanary',
    '%2e%2e/canary',
    '..%c0%afcanary',
    '..%252fcanary',
    '....//canary',
    '.../canary',
    'sub/link/../../../canary',
    `file://${file}`,
    `file:${file}`,
    `/proc/self/root${file}`,
    `/proc/self/cwd/../canary`,
    `//${file}`,
    `\\\\?\\${file}`,
    `~/canary`,
    `${file}\u0000.md`,
    `link\u0000`,
    `${file}/.`,
    `folder-link/canary`,
    `folder-link/../canary`,
    '..',
    '.',
  ];
};

function place() {
  const outside = scratch();
  const root = join(outside, 'project');
  const file = join(outside, 'canary');
  mkdirSync(join(root, 'sub'), { recursive: true });
  writeFileSync(file, CANARY);
  symlinkSync(file, join(root, 'link'));
  symlinkSync(outside, join(root, 'folder-link'));
  return { root, paths: pathsTo(file) };
}

it('no argument of any tool reaches a file outside the project', { timeout: 120_000 }, async () => {
  const { root, paths } = place();
  const { url, token } = await serveHub({ settings: { toolsets: [...TOOLSETS] }, limits: { heldTasks: 1_000 } });
  const secret = await token('alice', { role: 'manager', project: { ...PROJECT, root } });
  const told: string[] = [];
  const asked = async (tool: string, args: object) => {
    const { status, body } = await api(url, secret, tool, args);
    told.push(`${tool} ${JSON.stringify(args)}: ${JSON.stringify(body)}`);
    expect([tool, args, status === 500]).toEqual([tool, args, false]);
    return body;
  };
  // Each field of each tool is tried with some of them, so that all of them together are tried with everything.
  let next = 0;
  for (const tool of tools.filter(({ name }) => !name.startsWith('wait_')))
    for (const field of Object.keys(tool.input.shape).filter((name) => !/seconds|max|limit/.test(name)))
      for (let n = 0; n < 4; n++) {
        const path = paths[next++ % paths.length];
        await asked(tool.name, { [field]: n % 2 === 0 ? path : [path] });
      }
  for (const path of paths) {
    // What the hub reads files for: a task that expects one.
    const { task_id } = await asked('create_task', { title: `make ${path}`, expected_artifacts: [path] });
    const { task_id: plain } = await asked('create_task', { title: `make ${path}` });
    for (const id of [task_id, plain]) {
      if (id === undefined) continue;
      const { fencing_token } = await asked('claim_task', { task_id: id });
      for (const artifact of [path, `${path} sha256:${DIGEST}`]) {
        const { state, code } = await asked('complete_task', { task_id: id, fencing_token, result: 'done', artifacts: [artifact] });
        if (id === task_id && code === undefined) expect([path, state]).not.toEqual([path, 'completed']);
      }
      await asked('get_task', { task_id: id });
    }
  }
  const given = (line: string) => line.replaceAll(`sha256:${DIGEST}`, '');
  expect(told.filter((line) => line.includes(CANARY) || given(line).includes(DIGEST))).toEqual([]);
  expect(told.length).toBeGreaterThan(800);
});

it('no address of a file, view or resource reaches one either', async () => {
  const { paths } = place();
  const { url, token } = await serveHub({ settings: { toolsets: [...TOOLSETS] } });
  const secret = await token('operator');
  const { client } = await connect(url, await token('alice'));
  const found: unknown[] = [];
  const page = (await ask(url, '/')).text; // to which `..` of the root leads
  for (const path of [...paths, '/etc/passwd', '../package.json', '../../package.json', '../../../src/main.ts']) {
    for (const folder of ['', '/assets', '/api', '/api/views', '/events', '/.well-known']) {
      const spelled = `${folder}/${encodeURI(path).replaceAll('%00', '%2500')}`;
      const { status, text } = await ask(url, spelled.startsWith('//') ? `${url}${spelled}` : spelled, { token: secret });
      if (![400, 401, 404, 405].includes(status) && text !== page) found.push([spelled, status, text.slice(0, 40)]);
      if (text.includes(CANARY) || text.includes('root:') || text.includes('"dependencies"')) found.push([spelled, 'content']);
    }
    for (const uri of [`hub://${path}`, `hub://inbox/${path}`, `hub://threads/${path}`, `file://${path}`, path]) {
      const answer = await client.readResource({ uri }).catch((error: Error) => error.message);
      if (typeof answer !== 'string') found.push([uri, answer]);
    }
    const { status } = await ask(url, '/api/views/overview', { token: secret, headers: { 'rookery-project': encodeURI(path) } });
    if (status !== 404) found.push(['project', path, status]);
    const prompt = await call(client, path).catch((error: Error) => error.message);
    if (typeof prompt !== 'string' && prompt.code === undefined) found.push(['tool', path]);
  }
  expect(found).toEqual([]);
});

it('no name of a project makes anything outside the hub’s folder', { timeout: 120_000 }, async () => {
  const { root, paths } = place();
  const outside = join(root, '..');
  const home = join(outside, 'home');
  mkdirSync(home, { mode: 0o700 });
  const beside = () =>
    readdirSync(outside, { recursive: true, encoding: 'utf8' }).filter(
      (name) => !name.startsWith('home') && !name.includes('folder-link/'),
    );
  const before = beside();
  const spies = [vi.spyOn(process.stdout, 'write'), vi.spyOn(process.stderr, 'write')].map((spy) => spy.mockImplementation(() => true));
  try {
    for (const name of [...paths, '../../x', 'a/../../b', '-rf', '$(touch x)', 'con', 'a'.repeat(5_000)].filter(
      (one) => !one.includes('\u0000'),
    ))
      for (const line of [['status'], ['send', '--to', 'operator', 'x'], ['untrack', name, '--dry-run'], ['agents', 'create', name]])
        await runCommandLine(['node', 'rookery', ...line, '--home', home, `--project=${name}`]);
    process.exitCode = 0;
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
  expect(beside()).toEqual(before);
  const kept = readdirSync(home, { recursive: true, encoding: 'utf8' });
  expect(kept.filter((name) => /passwd|canary|\.\.|link|\$/.test(name))).toEqual([]);
});
