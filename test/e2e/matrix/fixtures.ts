// The fixture matrix, as data: where agents stand, how they come in, as whom, and with which client. Every combination is a cell, and every
// cell a test, but for those that cannot exist. Who adds a value here gets its cells by that.

import { randomUUID } from 'node:crypto';
import type { About } from '../../support/mcp-agent.ts';

/** A project, by how one comes to be in it: one stands in its folder, or gives its name. */
export const PLACES = {
  plain: { what: 'a folder that nothing marks', git: false },
  repo: { what: 'a git repository', git: true },
  filed: { what: 'a git repository whose .rookery/config.json names the project', git: true, name: 'filed-team' },
  named: { what: 'folders that share nothing but ROOKERY_PROJECT', git: false, name: 'named-team', given: true },
} satisfies Record<string, { what: string; git: boolean; name?: string; given?: true }>;

export const TREES = ['main', 'worktree'] as const;

/** The ways in: the client starts a server for itself, or connects to the served one. */
export const DOORS = ['stdio', 'http'] as const;

/** Real roles: the plain one, and those that carry authority. Others (reviewer) are labels; a member of each project has one. */
export const ROLES = {
  agent: { decides: false, authority: 'peer' },
  manager: { decides: true, authority: 'peer' },
  operator: { decides: true, authority: 'human' },
} as const;

/**
 * Clients as they introduce themselves, with what the real ones give to a server that they start and say in each call. The third is on another machine: by
 * ssh it starts its server with no environment, in the home folder, everything by flags; it reaches the served hub by a forwarded port (ssh -L).
 */
export const CLIENTS = {
  claude: {
    name: 'claude-code',
    version: '2.1.329',
    isFar: false,
    env: (folder: string) => ({ CLAUDECODE: '1', CLAUDE_CODE_SESSION_ID: randomUUID(), CLAUDE_PROJECT_DIR: folder }),
    meta: () => (call: number) => ({ progressToken: call, 'claudecode/toolUseId': `toolu_${call}` }),
  },
  codex: {
    name: 'codex-mcp-client',
    version: '0.169.0',
    isFar: false,
    env: () => ({}),
    meta: () => {
      const threadId = randomUUID();
      return (call: number) => ({ threadId, sessionId: threadId, callId: `call_${call}` });
    },
  },
  far: { name: 'some-client', version: '1', isFar: true, env: () => ({}), meta: undefined },
} as const;

export const DIMENSIONS = {
  place: Object.keys(PLACES) as (keyof typeof PLACES)[],
  tree: [...TREES],
  door: [...DOORS],
  role: Object.keys(ROLES) as (keyof typeof ROLES)[],
  client: Object.keys(CLIENTS) as (keyof typeof CLIENTS)[],
};
type Dimensions = typeof DIMENSIONS;
export type Cell = { [D in keyof Dimensions]: Dimensions[D][number] };

/** What cannot exist, each with its reason. matrix.test.ts holds each to it. */
export const IMPOSSIBLE: { why: string; is: (cell: Cell) => boolean }[] = [
  { why: 'git makes worktrees of repositories only', is: ({ place, tree }) => tree === 'worktree' && !PLACES[place].git },
  {
    why: 'no session of a started server is the operator: a person acts by the command line or by a token',
    is: ({ role, door }) => role === 'operator' && door === 'stdio',
  },
];

/** Every combination of the values of all dimensions. */
export function product(): Cell[] {
  let cells: Partial<Cell>[] = [{}];
  for (const [dimension, values] of Object.entries(DIMENSIONS))
    cells = cells.flatMap((cell) => values.map((value) => ({ ...cell, [dimension]: value })));
  return cells as Cell[];
}

export const cells: (Cell & { name: string })[] = product()
  .filter((cell) => !IMPOSSIBLE.some(({ is }) => is(cell)))
  .map((cell) => ({ ...cell, name: Object.values(cell).join('-') }));

/** The client of a cell, as it introduces itself. */
export function aboutOf({ client }: Pick<Cell, 'client'>): About {
  const { name, version, meta } = CLIENTS[client];
  const say = meta?.();
  let calls = 0;
  return { info: { name, version }, meta: say && (() => say(++calls)) };
}

/** Who is in every project already. */
export const MEMBERS = {
  ana: { role: 'agent', capabilities: ['docs'] },
  rita: { role: 'reviewer', capabilities: ['review'] },
  mia: { role: 'manager', capabilities: [] },
} as const;
export type Member = keyof typeof MEMBERS;

/** The forms of address, each with those of the members whom it means. */
export const GROUPS: { to: string | string[]; means: Member[]; broadcast?: true }[] = [
  { to: '*', means: ['ana', 'mia', 'rita'], broadcast: true },
  { to: ['ana', 'mia'], means: ['ana', 'mia'] },
  { to: 'role:reviewer', means: ['rita'] },
  { to: 'role:manager', means: ['mia'] },
  { to: 'any:docs', means: ['ana'] },
];
