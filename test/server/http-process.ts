// Whole processes for tests: the program as it is installed, started as a client or a person starts it.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cleanup } from '../support/cleanup.ts';

const ROOT = join(import.meta.dirname, '..', '..');
export const MAIN = join(ROOT, 'dist', 'main.js');
const TSC = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
const BUNDLE = join(ROOT, 'scripts', 'bundle.mjs');
const VITE = join(ROOT, 'node_modules', 'vite', 'bin', 'vite.js');

/** One test run builds at most once: a build under the feet of a starting process is a broken process. */
const RUN = join(ROOT, 'build', '.built-for');
const LOCK = join(tmpdir(), `rookery-build-${process.ppid}`);

/** Builds the program if its sources are newer. Safe from several test files at once. */
export function built(): string {
  while (!isBuilt()) {
    try {
      mkdirSync(LOCK);
    } catch {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50); // another file of this run is building
      continue;
    }
    try {
      if (isStale())
        for (const step of [[TSC, '-p', 'tsconfig.build.json'], [BUNDLE], [VITE, 'build', 'dashboard']])
          execFileSync(process.execPath, step, { cwd: ROOT });
      writeFileSync(RUN, String(process.ppid));
    } finally {
      rmdirSync(LOCK);
    }
  }
  return MAIN;
}

function isBuilt(): boolean {
  return existsSync(RUN) && readFileSync(RUN, 'utf8') === String(process.ppid);
}

function isStale(): boolean {
  if (!existsSync(MAIN)) return true;
  const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  const bundledAt = statSync(MAIN).mtimeMs;
  if (isPageStale()) return true;
  return sources.some((file) => {
    const output = join(ROOT, 'build', file.replace(/\.ts$/, '.js'));
    return !existsSync(output) || Math.min(bundledAt, statSync(output).mtimeMs) < statSync(join(ROOT, 'src', file)).mtimeMs;
  });
}

function isPageStale(): boolean {
  const page = join(ROOT, 'dist', 'dashboard', 'index.html');
  const sources = ['dashboard', 'src/views'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((file) => join(ROOT, folder, file)),
  );
  return !existsSync(page) || sources.some((file) => statSync(file).mtimeMs > statSync(page).mtimeMs);
}

export type Process = { child: ChildProcess; stdout: () => string; stderr: () => string; exited: Promise<{ code: number | null }> };

/** Runs `rookery` with these arguments. It is killed after the test if it still runs. */
export function rookery(args: string[], env: Record<string, string> = {}, cwd?: string): Process {
  const child = spawn(process.execPath, [built(), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd,
    env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', ...env },
  });
  const text = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    text.stdout += part;
  });
  child.stderr.setEncoding('utf8').on('data', (part: string) => {
    text.stderr += part;
  });
  const exited = once(child, 'close').then(([code]) => ({ code: code as number | null }));
  cleanup(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await exited;
  });
  return { child, stdout: () => text.stdout, stderr: () => text.stderr, exited };
}

/** Runs `rookery` to its end. */
export async function run(
  args: string[],
  env?: Record<string, string>,
  cwd?: string,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const { exited, stdout, stderr } = rookery(args, env, cwd);
  const { code } = await exited;
  return { code, stdout: stdout(), stderr: stderr() };
}

/** Starts `rookery serve` and waits until it says where it is. */
export async function serveProcess(
  home: string,
  args: string[] = [],
  env: Record<string, string> = {},
): Promise<Process & { url: string; port: number }> {
  const process_ = rookery(['serve', '--json', '--port', '0', '--home', home, '--project', 'demo', ...args], env);
  const { child, stdout, stderr } = process_;
  while (!stdout().includes('\n')) {
    if (child.exitCode !== null) throw new Error(`serve ended: ${stderr()}`);
    await Promise.race([once(child.stdout ?? child, 'data'), process_.exited]);
  }
  const { url, port } = toServing(stdout());
  return { ...process_, url, port };
}

/** A token from the command line. */
export async function tokenFrom(home: string, agent: string, args: string[] = []): Promise<string> {
  const who = agent === 'operator' ? ['--operator'] : ['--agent', agent];
  const { stdout, stderr, code } = await run(['token', 'create', ...who, '--home', home, '--project', 'demo', ...args]);
  if (code !== 0) throw new Error(stderr);
  return stdout.trim();
}

function toServing(line: string): { url: string; port: number } {
  return JSON.parse(line) as { url: string; port: number };
}
