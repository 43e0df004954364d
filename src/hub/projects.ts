// Projects: the unit of isolation, of order and of scale. A project exists from the first session in it, with its two standing principals.

import { findAgentByName, insertAgent } from '../store/agents.ts';
import { findProject, insertProject, listProjects, type ProjectRow, projectCounts } from '../store/projects.ts';
import { type Caller, HUB, OPERATOR } from './caller.ts';
import type { HubContext } from './context.ts';
import { HubError } from './errors.ts';
import { GENESIS } from './events.ts';
import { newAgent } from './registering.ts';

export type Project = { id: string; name: string; root: string };

export class Projects {
  readonly #context: HubContext;

  constructor(context: HubContext) {
    this.#context = context;
  }

  /** Makes sure that the project and its principals exist. Idempotent, safe from many processes at once. */
  async ensure(project: Project): Promise<void> {
    const { db, commands } = this.#context;
    const found = await db.read((read) => findProject(read, project.id));
    if (found === undefined) {
      const now = this.#context.time.now();
      await db.write(project.id, (tx) => insertProject(tx, { ...project, createdAt: now, clockAt: now, eventSeq: 0, eventHash: GENESIS }));
    }
    if (found !== undefined && found.eventSeq > 0) return;
    // A project without events is one whose maker died right here.
    await commands.runAs(project.id, { agentId: HUB }, async (act) => {
      if ((await findAgentByName(act.tx, project.id, HUB)) !== undefined) return;
      for (const name of [OPERATOR, HUB]) {
        await insertAgent(act.tx, newAgent(act, this.#context.ids, { name, nameSource: 'given', role: name, client: '' }));
      }
      await act.emit('project.created', project.id, { name: project.name, root: project.root });
    });
  }

  list(): Promise<ProjectRow[]> {
    return this.#context.db.read(listProjects);
  }

  /** Projects with what is in them; all, or (id given) that one. */
  async counted(id: string | null): Promise<(Project & { agents: number; waiting: number })[]> {
    return await this.#context.db.read(async (read) => {
      const counts = await projectCounts(read);
      return (await listProjects(read))
        .filter((project) => id === null || project.id === id)
        .map(({ id: projectId, name, root }) => ({ id: projectId, name, root, ...(counts.get(projectId) ?? { agents: 0, waiting: 0 }) }));
    });
  }

  /** The folder of a project. */
  async root(projectId: string): Promise<string> {
    const project = await this.#context.db.read((read) => findProject(read, projectId));
    return project?.root ?? '';
  }

  /** The operator of a project as a caller: for the command line, which the operating-system user runs, and for operator tokens. */
  async operator(project: Project, door: Caller['door']): Promise<Caller> {
    await this.ensure(project);
    return await this.#principal(project, OPERATOR, door);
  }

  async #principal(project: Project, name: typeof OPERATOR | typeof HUB, door: Caller['door']): Promise<Caller> {
    const agent = await this.#context.db.read((read) => findAgentByName(read, project.id, name));
    if (agent === undefined)
      throw new HubError('internal', `The principal ${name} is missing from the project.`, {
        hint: 'Run: rookery doctor',
      });
    return {
      projectId: project.id,
      agentId: agent.id,
      name,
      role: agent.role,
      model: '',
      sessionId: agent.id,
      epoch: null,
      door,
      root: project.root,
      parentId: null,
    };
  }
}
