// Configuration: which source wins, and what refuses the start.

import { execFileSync } from 'node:child_process';
import { mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readConfig } from '../src/config.ts';
import { HubError } from '../src/hub/errors.ts';
import { LIMITS, type LimitName } from '../src/hub/limits.ts';
import { plainConfig } from '../src/plain-config.ts';
import { scratch } from './support/engines.ts';

function folders(projectFile?: unknown, homeFile?: unknown) {
  const base = realpathSync(scratch());
  const home = join(base, 'home');
  const cwd = join(base, 'project');
  for (const folder of [home, join(cwd, '.rookery')]) mkdirSync(folder, { recursive: true });
  if (projectFile !== undefined) writeFileSync(join(cwd, '.rookery', 'config.json'), JSON.stringify(projectFile));
  if (homeFile !== undefined) writeFileSync(join(home, 'config.json'), JSON.stringify(homeFile));
  return { home, cwd };
}

function read(given: { projectFile?: unknown; homeFile?: unknown; env?: Record<string, string>; flags?: Record<string, unknown> } = {}) {
  const { home, cwd } = folders(given.projectFile, given.homeFile);
  const told = { env: { ROOKERY_HOME: home, ...given.env }, cwd, flags: given.flags ?? {} };
  const plain = plainConfig(told);
  try {
    const config = readConfig(told);
    // What a start without the schema reads is the same, wherever it reads at all.
    if (plain !== undefined) {
      expect({ ...plain, sources: {} }).toEqual({ ...config, sources: {} });
      expect(config.sources).toMatchObject(plain.sources);
    }
    return config;
  } catch (error) {
    expect(plain).toBeUndefined();
    throw error;
  }
}

function refusal(given: Parameters<typeof read>[0]): HubError {
  try {
    read(given);
  } catch (error) {
    if (error instanceof HubError) return error;
    throw error;
  }
  throw new Error('accepted');
}

it('reads what clients usually give without the schema of all settings, and leaves the rest to it', () => {
  const plain = (given: Parameters<typeof read>[0] = {}) => {
    const { home, cwd } = folders(given.projectFile, given.homeFile);
    return plainConfig({ env: { ROOKERY_HOME: home, ...given.env }, cwd, flags: given.flags ?? {} });
  };
  const usual: Parameters<typeof read>[0][] = [
    {},
    { flags: { agent: 'ada', role: 'reviewer', project: 'web', toolsets: 'core, work' } },
    { env: { ROOKERY_AGENT: 'ada', ROOKERY_TOOLSETS: 'all', ROOKERY_TOKEN: 't', OTEL_SERVICE_NAME: 'x', CLAUDE_PID: '7' } },
    { projectFile: { project: 'web', toolsets: ['core'] }, homeFile: { agent: 'ada', toolsets: ['core', 'work'] } },
    { flags: { home: undefined, agent: undefined } },
  ];
  for (const given of usual) {
    expect(plain(given)).toBeDefined();
    read(given); // compares
  }
  const others: Parameters<typeof read>[0][] = [
    { homeFile: { port: 7421 } },
    { flags: { agent: 7 } },
    { flags: { toolsets: 'core,nonsense' } },
    { flags: { toolsets: '' } },
    { env: { ROOKERY_LOG_LEVEL: 'info' } },
    { projectFile: { role: 'manager' } },
    { homeFile: { nonsense: 1 } },
  ];
  for (const given of others) expect(plain(given)).toBeUndefined();
});

it('lets a project’s file choose among the toolsets that the operator’s file allows, and never more', () => {
  const toolsetsOf = (homeFile: object, projectFile: object) => read({ homeFile, projectFile }).toolsets;
  expect(toolsetsOf({ toolsets: ['core', 'work'] }, { toolsets: ['core', 'manage'] })).toEqual(['core']);
  expect(toolsetsOf({ toolsets: ['core'] }, { toolsets: 'all' })).toEqual(['core']);
  expect(toolsetsOf({ toolsets: ['core'] }, { toolsets: ['manage'] })).toEqual(['core']);
  expect(toolsetsOf({}, { toolsets: ['core', 'manage'] })).toEqual(['core', 'manage']);
});

it('prefers flag to environment to project file to home file to default, and remembers which it was', () => {
  const layers = {
    flags: { agent: 'flag' },
    env: { ROOKERY_AGENT: 'env' },
    projectFile: { agent: 'project' },
    homeFile: { agent: 'home' },
  };
  const expected = [
    ['flag', 'flag'],
    ['env', 'environment'],
    ['project', 'project file'],
    ['home', 'home file'],
    [undefined, 'default'],
  ];
  for (const [i, layer] of [undefined, 'flags', 'env', 'projectFile', 'homeFile'].entries()) {
    if (layer !== undefined) delete layers[layer as keyof typeof layers];
    const config = read(layers);
    expect([config.agent, config.sources.agent]).toEqual(expected[i]);
  }
});

it('has working defaults and is frozen', () => {
  const config = read();
  expect(config).toMatchObject({
    toolsets: ['core', 'work', 'memory'],
    logLevel: 'warn',
    host: '127.0.0.1',
    port: 7420,
    limits: {},
    noColor: false,
  });
  expect(Object.isFrozen(config)).toBe(true);
  expect(config.databasePath).toBe(join(config.home, 'hub.db'));
});

it('reads words and numbers from the environment as from a file', () => {
  const config = read({
    env: { ROOKERY_TOOLSETS: 'core, manage', ROOKERY_LOG_LEVEL: 'debug', NO_COLOR: '1', CLAUDE_CODE_SESSION_ID: 'abc' },
    flags: { port: '8000' },
  });
  expect(config).toMatchObject({ toolsets: ['core', 'manage'], logLevel: 'debug', noColor: true, clientKey: 'claude:abc', port: 8000 });
  expect(read({ env: { ROOKERY_TOOLSETS: 'all' } }).toolsets).toContain('channels');
  expect(read({ env: { ROOKERY_AGENT: '' } }).sources.agent).toBe('default');
});

it('takes no for no in the environment and in flags', () => {
  for (const word of ['false', '0', 'no']) expect(read({ flags: { allowNetworkFs: word } }).allowNetworkFs).toBe(false);
  for (const word of ['true', '1', 'yes', true]) expect(read({ flags: { allowNetworkFs: word } }).allowNetworkFs).toBe(true);
});

it('names an unknown key, a wrong value and where it came from', () => {
  for (const [given, words] of [
    [{ homeFile: { prot: 7421 } }, ['prot', 'home file', 'is not a setting']],
    [{ projectFile: { logLevel: 'loud' } }, ['logLevel', 'project file']],
    [{ env: { ROOKERY_TOOLSETS: 'core,everything' } }, ['toolsets', 'environment']],
    [{ flags: { port: 70_000 } }, ['port', 'flag']],
    [{ homeFile: { limits: { bodyBites: 1 } } }, ['limits.bodyBites', 'home file', 'is not a setting']],
    [{ homeFile: { url: 'not a url' } }, ['url', 'home file']],
  ] as const) {
    const error = refusal(given);
    expect(error.code).toBe('invalid_input');
    for (const word of words) expect(error.message).toContain(word);
    expect(error.hint).toContain('Settings are');
  }
});

it('refuses a file that is no JSON object, by its name', () => {
  for (const text of ['{', '[]', '7', '']) {
    const { home, cwd } = folders();
    writeFileSync(join(home, 'config.json'), text);
    expect(() => readConfig({ env: { ROOKERY_HOME: home }, cwd, flags: {} })).toThrow(join(home, 'config.json'));
  }
});

it('lets limits be set up to their hard ceiling, and no further, nor to nothing', () => {
  for (const name of Object.keys(LIMITS) as LimitName[]) {
    const { hard, value } = LIMITS[name];
    expect([name, value <= hard]).toEqual([name, true]);
    expect(read({ homeFile: { limits: { [name]: hard } } }).limits[name]).toBe(hard);
    for (const wrong of [hard + 1, 0, -1, 1.5, '5', null])
      expect(refusal({ homeFile: { limits: { [name]: wrong } } }).message).toContain(`limits.${name}`);
  }
});

it('does not take the hub’s own folder for a project’s', () => {
  const base = scratch();
  const home = join(base, '.rookery');
  mkdirSync(home);
  writeFileSync(join(home, 'config.json'), JSON.stringify({ agent: 'from-home' }));
  const config = readConfig({ env: { ROOKERY_HOME: home }, cwd: base, flags: {} });
  expect([config.agent, config.sources.agent]).toEqual(['from-home', 'home file']);
});

it('is in the same project whether one stands in a folder or gives its path, also where its file names the project', () => {
  const { home, cwd } = folders({ project: 'team' });
  const deep = join(cwd, 'src');
  mkdirSync(deep);
  const at = (start: string, given: string | undefined, how: 'flag' | 'environment' = 'flag') =>
    readConfig({
      env: { ROOKERY_HOME: home, ...(how === 'environment' && given !== undefined ? { ROOKERY_PROJECT: given } : {}) },
      cwd: start,
      flags: how === 'flag' ? { project: given } : {},
    }).place;
  const stood = at(cwd, undefined);
  expect(stood).toMatchObject({ project: { name: 'team' }, workRoot: cwd });
  for (const how of ['flag', 'environment'] as const) for (const given of [cwd, deep]) expect(at('/', given, how)).toEqual(stood);
  expect(at(deep, undefined)).toEqual(stood);
  // A name means that name, wherever it is given.
  expect(at(cwd, 'other').project.name).toBe('other');
});

it('takes the name that the main repository gives the project into its worktrees, and nothing else of its file', () => {
  const { home, cwd } = folders({ project: 'team', agent: 'ada' });
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args], { cwd, stdio: 'ignore' });
  git('init', '-q');
  git('commit', '-q', '--allow-empty', '-m', 'first');
  git('worktree', 'add', '-q', '../tree', '-b', 'side');
  const tree = join(cwd, '..', 'tree');
  const at = (start: string) => readConfig({ env: { ROOKERY_HOME: home }, cwd: start, flags: {} });
  expect(at(tree).place).toMatchObject({ project: { id: at(cwd).place.project.id, name: 'team' }, workRoot: tree });
  expect([at(cwd).agent, at(tree).agent]).toEqual(['ada', undefined]);
  mkdirSync(join(tree, '.rookery'));
  writeFileSync(join(tree, '.rookery', 'config.json'), JSON.stringify({ project: 'own' }));
  expect(at(tree).place.project.name).toBe('own');
});
