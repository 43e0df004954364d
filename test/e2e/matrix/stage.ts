// The stage of the matrix: real folders and repositories, one hub that serves them all, the members of each project at their clients, and the way in
// for the agent of a cell. Everything comes in by a front door: a started server, the served hub, the command line.

import { execFileSync } from 'node:child_process';
import { mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, connect as dial } from 'node:net';
import { join } from 'node:path';
import { built, run, serveProcess } from '../../server/http-process.ts';
import { cleanup, scratch } from '../../support/cleanup.ts';
import { type Agent, overHttp, overStdio } from '../../support/mcp-agent.ts';
import { aboutOf, type Cell, CLIENTS, DIMENSIONS, MEMBERS, type Member, PLACES } from './fixtures.ts';

type Place = Cell['place'];
type Tree = Cell['tree'];
/** A folder to work in: its top, and where in it a client stands. */
type Ground = { top: string; stand: string };
export type Project = {
  id: string;
  root: string;
  trees: Record<Tree, Ground>;
  members: Record<Member, Agent>;
  /** The id of a message between its members. */
  said: string;
  /** By the tree in whose folder the token was made. */
  operators: Record<Tree, { agent: Agent; token: string }>;
};
export type Stage = {
  hub: string;
  logFile: string;
  projects: Record<Place, Project>;
  /** The agent of a cell, at its client; `folder`: where its work lies, as far as the hub knows. */
  arrive(cell: Cell & { name: string }): Promise<Agent & { folder: string }>;
};

/** Many at once work for one member here. */
const LIMITS = { heldTasks: 100, sendPerSecond: 1_000, sendBurst: 1_000, sendPerMinute: 10_000, openEnrolments: 1_000 };

export async function openStage(): Promise<Stage> {
  const base = realpathSync(scratch());
  const [home, hub, logFile] = [folder(base, 'home'), folder(base, 'hub'), join(base, 'log.jsonl')];
  writeFileSync(join(hub, 'config.json'), JSON.stringify({ logFile, limits: LIMITS }), { mode: 0o600 });
  const { url, port } = await serveProcess(hub);
  const afar = `http://localhost:${await forwarded(port)}`;
  const machine = { base, home, hub, url };
  // The person first: from a client’s own processes, which those of this test are as soon as it plays one, nobody makes tokens.
  const opened = await Promise.all(DIMENSIONS.place.map((place) => found(machine, place)));
  const projects = Object.fromEntries(await Promise.all(opened.map(async (one) => [one.place, await populate(machine, one)]))) as Record<
    Place,
    Project
  >;
  return {
    hub,
    logFile,
    projects,
    async arrive(cell) {
      const project = projects[cell.place];
      const { isFar } = CLIENTS[cell.client];
      if (cell.door === 'stdio') {
        const { server, folder: at } = (isFar ? startedFarAway : startedIn)(machine, project, cell);
        return { ...(await overStdio(cell.name, server, aboutOf(cell))), folder: at };
      }
      const { agent: operator, token } = project.operators[cell.tree];
      const secret = cell.role === 'operator' ? token : await enrolled(url, operator, cell.name, cell.role);
      return { ...(await overHttp(cell.name, isFar ? afar : url, secret, aboutOf(cell))), folder: project.root };
    },
  };
}

type Machine = { base: string; home: string; hub: string; url: string };

function folder(...parts: string[]): string {
  const path = join(...parts);
  mkdirSync(path, { recursive: true, mode: 0o700 });
  return path;
}

function git(cwd: string, ...args: string[]): void {
  const who = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.org', '-c', 'commit.gpgsign=false'];
  execFileSync('git', [...who, ...args], { cwd, stdio: 'ignore' });
}

/** Makes the folders of a place. A worktree that cannot exist is the main tree again; no cell asks for it. */
function landOf(base: string, place: Place): { members: string; trees: Record<Tree, Ground> } {
  const { git: isRepository, name, given } = { name: undefined, given: false, ...PLACES[place] };
  const top = folder(base, place);
  if (!isRepository) {
    const main = { top, stand: top };
    return { members: given ? folder(base, `${place}-elsewhere`) : top, trees: { main, worktree: main } };
  }
  writeFileSync(join(folder(top, 'src'), 'a.ts'), '');
  if (name !== undefined) writeFileSync(join(folder(top, '.rookery'), 'config.json'), JSON.stringify({ project: name }));
  git(top, 'init', '-q');
  git(top, 'add', '.');
  git(top, 'commit', '-qm', 'Begin');
  git(top, 'worktree', 'add', '-q', `../${place}-tree`, '-b', 'side');
  const tree = join(base, `${place}-tree`);
  return { members: top, trees: { main: { top, stand: join(top, 'src') }, worktree: { top: tree, stand: join(tree, 'src') } } };
}

/** The variable by which those of a place are in its project, where standing in its folder is not enough. */
function belonging(place: Place): Record<string, string> {
  const { name, given } = { name: '', given: false, ...PLACES[place] };
  return given ? { ROOKERY_PROJECT: name } : {};
}

type Founded = Awaited<ReturnType<typeof found>>;

/** The folders of a place, and its operator, who was in each tree of it: in the main one where the members are. */
async function found(machine: Machine, place: Place) {
  const { members, trees } = landOf(machine.base, place);
  const env = { PATH: process.env.PATH ?? '', HOME: machine.home, ...belonging(place) };
  const folders = [members, ...(PLACES[place].git ? [trees.worktree.stand] : [])];
  const [main, worktree = main] = await Promise.all(folders.map((cwd) => operatorFrom(machine, cwd, env)));
  if (main === undefined || worktree === undefined) throw new Error('every place has a main tree');
  return { place, trees, operators: { main, worktree } };
}

/** The members come in, at the served hub: servers of their own would be as many processes that look whenever somebody writes. */
async function populate({ url }: Machine, { trees, operators }: Founded): Promise<Project> {
  const entering = async (name: Member, client: Cell['client']) => {
    const agent = await overHttp(name, url, await enrolled(url, operators.main.agent, name, MEMBERS[name].role), aboutOf({ client }));
    await agent.call('join', { capabilities: MEMBERS[name].capabilities });
    return agent;
  };
  const members = { ana: await entering('ana', 'claude'), rita: await entering('rita', 'codex'), mia: await entering('mia', 'claude') };
  const { project, project_root: root } = await members.mia.call('whoami');
  const { message_id: said } = await members.ana.call('send', { to: 'mia', body: 'between us' });
  return { id: String(project), root: String(root), trees, members, operators, said: String(said) };
}

/** The operator, by a token that the command line makes in this folder. */
async function operatorFrom({ hub, url }: Machine, cwd: string, env: Record<string, string>): Promise<{ agent: Agent; token: string }> {
  const { code, stdout, stderr } = await run(['token', 'create', '--operator', '--home', hub], env, cwd);
  if (code !== 0) throw new Error(stderr);
  const token = stdout.trim();
  return { agent: await overHttp('operator', url, token, aboutOf({ client: 'far' })), token };
}

/** An agent that the operator makes, and the token that its enrolment is exchanged for. */
async function enrolled(url: string, operator: Agent, name: string, role: string): Promise<string> {
  const { environment } = await operator.call('create_agent', { name, role });
  const headers = { authorization: `Bearer ${String(environment).replace('ROOKERY_ENROL=', '')}` };
  const { token } = (await (await fetch(`${url}/enrol`, { method: 'POST', headers })).json()) as { token: string };
  return token;
}

/** A server as a client starts it in its folder; it gives itself no name. */
function startedIn({ home, hub }: Machine, { trees }: Project, { place, tree, role, client }: Cell) {
  const { top, stand } = trees[tree];
  const who = role === 'agent' ? {} : { ROOKERY_ROLE: role };
  const env = { PATH: process.env.PATH ?? '', HOME: home, ...belonging(place), ...who, ...CLIENTS[client].env(stand) };
  return { server: { command: process.execPath, args: [built(), 'stdio', '--home', hub], env, cwd: stand }, folder: top };
}

/** A server as sshd starts a command: by a shell, in the home folder, with hardly an environment. */
function startedFarAway({ home, hub }: Machine, { trees }: Project, { place, tree, role, name }: Cell & { name: string }) {
  const { top, stand } = trees[tree];
  const given = belonging(place).ROOKERY_PROJECT;
  const words = [process.execPath, built(), 'stdio', '--home', hub, '--project', given ?? stand, '--agent', name, '--role', role];
  const server = {
    command: 'sh',
    args: ['-c', `exec ${words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ')}`],
    env: { PATH: process.env.PATH ?? '', HOME: home },
    cwd: home,
  };
  return { server, folder: given === undefined ? top : home };
}

/** A port that leads to that one, as ssh -L makes one: whoever calls here names another port than the hub listens on. */
async function forwarded(port: number): Promise<number> {
  const server = createServer((near) => {
    const far = dial(port, '127.0.0.1');
    near.pipe(far).pipe(near);
    near.on('error', () => far.destroy());
    far.on('error', () => near.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  cleanup(() => void server.close());
  return (server.address() as AddressInfo).port;
}
