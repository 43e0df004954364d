// Whole processes for tests: the program as it is installed, started as a client or a person starts it.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { cleanup } from '../support/engines.ts';

const ROOT = join(import.meta.dirname, '..', '..');
export const MAIN = join(ROOT, 'dist', 'main.js');

/** Builds the program if its sources are newer. */
export function built(): string {
  const newest = Math.max(
    ...readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => statSync(join(ROOT, 'src', file)).mtimeMs),
  );
  const server = join(ROOT, 'dist', 'server', 'serve.js');
  if (!existsSync(server) || statSync(server).mtimeMs < newest) {
    execFileSync(process.execPath, [join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.build.json'], { cwd: ROOT });
  }
  return MAIN;
}

export type Process = { child: ChildProcess; stdout: () => string; stderr: () => string; exited: Promise<{ code: number | null }> };

/** Runs `rookery` with these arguments. It is killed after the test if it still runs. */
export function rookery(args: string[], env: Record<string, string> = {}): Process {
  const child = spawn(process.execPath, [built(), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
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
export async function run(args: string[], env?: Record<string, string>): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const { exited, stdout, stderr } = rookery(args, env);
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
