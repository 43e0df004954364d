// Where the demo takes place: a hub of its own in a temporary folder, served with its dashboard by a process of its own. Nothing of the user's
// hub is touched, and nothing is left: the processes are ended and the folder is removed, whatever happened.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../system/clock.ts';
import { DemoAgent, type Place, type Reply } from './agent.ts';

/** In the demo a dead worker's task goes to the next after this, so that nobody has to wait a minute for it. */
export const ORPHAN_MS = 1_000;

const END_MS = 3_000;

export type StageParts = {
  /** How this program is started. */
  command: string;
  main: string;
  /** What its processes are given of the environment. */
  env: Readonly<Record<string, string>>;
  port: number;
  /** Where the doorbells of a hub in this folder hang. */
  bellDir(home: string): string;
};

export class Stage {
  readonly folder: string;
  readonly home: string;
  readonly project: string;
  url = '';
  /** The dashboard with a code that signs one browser in. */
  dashboard = '';
  serverPid = 0;
  readonly #parts: StageParts;
  readonly #place: Place;
  readonly #agents = new Set<DemoAgent>();
  readonly #children = new Set<ChildProcess>();
  #operator = '';
  #closed = false;

  constructor(parts: StageParts) {
    this.folder = realpathSync(mkdtempSync(join(tmpdir(), 'rookery-demo-')));
    this.home = join(this.folder, 'hub');
    this.project = join(this.folder, 'parser');
    mkdirSync(this.home, { mode: 0o700 });
    mkdirSync(join(this.project, '.rookery'), { recursive: true });
    writeFileSync(join(this.home, 'config.json'), `${JSON.stringify({ limits: { taskOrphanMs: ORPHAN_MS } })}\n`);
    this.#parts = parts;
    const env = { ...parts.env, HOME: this.folder, ROOKERY_HOME: this.home };
    this.#place = { command: parts.command, main: parts.main, cwd: this.project, env };
    process.once('exit', this.#lastResort);
  }

  /** However this process ends, by a reader that went away or a defect, its own end too. */
  readonly #lastResort = () => {
    for (const agent of this.#agents) agent.killNow();
    for (const child of this.#children) child.kill('SIGKILL');
    this.#remove();
  };

  /** Starts the hub. The person's own credential is made first: once agents run below this process, it is no longer a person's. */
  async open(): Promise<void> {
    this.#operator = (await this.#run('token', 'create', '--operator', '--label', 'demo')).trim();
    const server = this.#spawn('serve', '--json', '--port', String(this.#parts.port));
    const line = await Promise.race([firstLine(server), once(server, 'exit').then(() => undefined)]);
    if (line === undefined) throw new Error('the hub of the demo did not start');
    const served = JSON.parse(line) as { url: string; dashboard?: string };
    this.url = served.url;
    this.dashboard = served.dashboard ?? served.url;
    this.serverPid = server.pid ?? 0;
  }

  async enter(name: string, ...flags: string[]): Promise<DemoAgent> {
    const agent = await DemoAgent.start(this.#place, name, flags);
    this.#agents.add(agent);
    if (this.#closed) await agent.end();
    return agent;
  }

  /** What the person does, by the same route as the dashboard. */
  async asPerson(tool: string, args: Record<string, unknown>): Promise<Reply> {
    return await this.#fetch(`/api/${tool}`, { method: 'POST', body: JSON.stringify(args) });
  }

  async view(name: string): Promise<Reply> {
    return await this.#fetch(`/api/views/${name}`, {});
  }

  /** Ends every process; removes the folder unless it is to be kept. */
  async close(keep: boolean): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#agents].map((agent) => agent.end()));
    await Promise.all([...this.#children].map(endProcess));
    if (!keep) this.#remove();
    process.removeListener('exit', this.#lastResort);
  }

  #remove(): void {
    for (const folder of [this.#parts.bellDir(this.home), this.folder]) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }

  async #fetch(path: string, init: RequestInit): Promise<Reply> {
    const headers = { authorization: `Bearer ${this.#operator}`, 'content-type': 'application/json' };
    const answer = await fetch(`${this.url}${path}`, { ...init, headers });
    const reply = (await answer.json()) as Reply;
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${JSON.stringify(reply)}`);
    return reply;
  }

  #spawn(...args: string[]): ChildProcess {
    const { command, main, cwd, env } = this.#place;
    if (this.#closed) throw new Error('the demo is over');
    const child = spawn(command, [main, ...args], { cwd, env, stdio: ['ignore', 'pipe', 'ignore'] });
    this.#children.add(child);
    return child;
  }

  async #run(...args: string[]): Promise<string> {
    const child = this.#spawn(...args);
    let text = '';
    child.stdout?.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
    await once(child, 'close');
    if (child.exitCode !== 0) throw new Error(`rookery ${args[0]} ended with ${child.exitCode ?? child.signalCode}`);
    return text;
  }
}

async function firstLine(child: ChildProcess): Promise<string> {
  let text = '';
  for await (const part of child.stdout ?? []) {
    text += String(part);
    if (text.includes('\n')) break;
  }
  return text;
}

async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const late = new AbortController();
  await Promise.race([ended, systemClock.sleep(END_MS, late.signal).then(() => child.kill('SIGKILL'))]);
  late.abort();
  await ended;
}
