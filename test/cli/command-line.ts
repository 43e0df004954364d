// The program as a person runs it, for tests of the command line: to its end, with standard input, in a private home.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, vi } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { openHub } from '../../src/open.ts';
import { built } from '../server/http-process.ts';
import { cleanup, scratch } from '../support/engines.ts';

export type Ended = { code: number | null; stdout: string; stderr: string };
export type Running = {
  pid: number;
  stdout: () => string;
  stderr: () => string;
  write(text: string): void;
  kill(signal: NodeJS.Signals): void;
  ended: Promise<Ended>;
};

/** On a loaded machine every start of a process takes seconds, and a build a minute: no test here is about that. */
vi.setConfig({ testTimeout: 180_000 });
beforeAll(() => void programFile(), 300_000);

/** Built once per test file: sources that change meanwhile are for the next run. */
let main: string | undefined;
export function programFile(): string {
  main ??= built();
  return main;
}

const ROOT = join(import.meta.dirname, '..', '..');

/** Starts `rookery`; it is killed after the test if it still runs. */
export function start(
  args: readonly string[],
  options: { home: string; input?: string; env?: Record<string, string>; main?: string; cwd?: string },
): Running {
  const child = spawn(process.execPath, [options.main ?? programFile(), ...args], {
    cwd: options.cwd ?? ROOT,
    env: { PATH: process.env.PATH ?? '', HOME: options.home, ROOKERY_HOME: options.home, ...options.env },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    stdout += part;
  });
  child.stderr.setEncoding('utf8').on('data', (part: string) => {
    stderr += part;
  });
  child.stdin.on('error', () => {});
  if (options.input !== undefined) child.stdin.end(options.input);
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, stdout, stderr }));
  cleanup(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await ended;
  });
  return {
    pid: child.pid ?? 0,
    stdout: () => stdout,
    stderr: () => stderr,
    write: (text) => child.stdin.write(text),
    kill: (signal) => child.kill(signal),
    ended,
  };
}

/** Runs `rookery` on one home, again and again. */
export function rookeryOn(home: string) {
  const run = (...args: string[]) => start(args, { home, input: '' }).ended;
  // biome-ignore lint/suspicious/noExplicitAny: the output of another process; every test says what it expects of it
  const json = async (...args: string[]): Promise<Record<string, any>> => {
    const { code, stdout, stderr } = await run(...args, '--json');
    if (stdout === '') throw new Error(`${args.join(' ')} ended with ${code}: ${stderr}`);
    return JSON.parse(stdout);
  };
  return { run, json };
}

/** The program without the native part of SQLite: the state of an install whose build failed. */
export function withoutNativePart(): string {
  const place = scratch();
  cpSync(join(programFile(), '..'), join(place, 'dist'), { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(place, 'package.json'));
  cpSync(join(ROOT, 'src', 'store', 'migrations'), join(place, 'src', 'store', 'migrations'), { recursive: true });
  const modules = join(place, 'node_modules');
  mkdirSync(modules);
  for (const name of readdirSync(join(ROOT, 'node_modules'))) {
    const from = join(ROOT, 'node_modules', name);
    if (name !== 'better-sqlite3') symlinkSync(from, join(modules, name));
    else cpSync(from, join(modules, name), { recursive: true, filter: (path) => !/better-sqlite3\/(build|deps|src)/.test(path) });
  }
  return join(place, 'dist', 'main.js');
}

/** A private home with a hub in it that knows an agent called reviewer, made without a process of its own. */
export async function freshHub(home = scratch()) {
  chmodSync(home, 0o700);
  const config = readConfig({ env: { ROOKERY_HOME: home }, cwd: ROOT, flags: {} });
  const hub = await openHub(config);
  const operator = await hub.projects.operator(config.place.project, 'cli');
  await hub.tokens.create(operator, { agent: 'reviewer', role: 'reviewer' });
  await hub.close();
  return { home, config, path: config.databasePath, ...rookeryOn(home) };
}
