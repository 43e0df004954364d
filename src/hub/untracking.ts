// Untracking: a project goes, with everything that is its own, in one transaction. Nothing of it remains, its history included, so it is
// the operator's alone, by name, and not while somebody works in it.

import { findProject, listProjects, type ProjectRow } from '../store/projects.ts';
import { openSessions } from '../store/sessions.ts';
import type { Counts } from '../store/sweeps.ts';
import { attachedTo, countProject, deleteProject } from '../store/untracking.ts';
import { authorityOf, type Caller } from './caller.ts';
import type { HubContext } from './context.ts';
import { counted } from './counted.ts';
import { HubError } from './errors.ts';
import { isLive } from './presence.ts';

export type Untracked = { project: ProjectRow; rows: Counts };

export class Untracking {
  readonly #context: HubContext;

  constructor(context: HubContext) {
    this.#context = context;
  }

  /** The one project of that id, name or folder. Errors: `invalid_input` for a pattern or nothing, `not_found`, `conflict` when several bear the name. */
  async find(named: string): Promise<ProjectRow> {
    const wanted = named.trim();
    if (wanted === '' || /[*?%[\]{}]/.test(wanted)) {
      throw new HubError('invalid_input', 'Name one project, by its id, name or folder; patterns are refused. Nothing was removed.', {
        hint: 'rookery untrack NAME --dry-run says what would go.',
      });
    }
    const all = await this.#context.db.read(listProjects);
    const found = all.filter(({ id }) => id === wanted);
    const matches = found.length > 0 ? found : all.filter(({ name, root }) => name === wanted || root === wanted);
    const [project, another] = matches;
    if (project === undefined) {
      throw new HubError('not_found', `No project is called ${wanted.slice(0, 80)}; nothing was removed.`, {
        hint: `Known are: ${
          all
            .map(({ id }) => id)
            .join(', ')
            .slice(0, 400) || 'none'
        }.`,
      });
    }
    if (another !== undefined) {
      throw new HubError('conflict', `${matches.length} projects are called ${wanted.slice(0, 80)}; nothing was removed.`, {
        hint: `Give the id: ${matches
          .map(({ id }) => id)
          .join(', ')
          .slice(0, 400)}.`,
      });
    }
    return project;
  }

  /** What a project holds, by table. */
  async count(projectId: string): Promise<Counts> {
    return await this.#context.db.read((read) => countProject(read, projectId));
  }

  /** Removes a project. `force`: even while sessions are live in it. Errors: `forbidden`, `not_found`, `conflict`. */
  async remove(caller: Caller, projectId: string, force = false): Promise<Untracked> {
    if (authorityOf(caller.role) !== 'operator')
      throw new HubError('forbidden', 'Only the operator removes a project.', { hint: 'Ask the person who runs the hub.' });
    return await this.#context.db.write(projectId, async (tx) => {
      const project = await findProject(tx, projectId);
      if (project === undefined)
        throw new HubError('not_found', 'This project is gone already.', { hint: 'rookery status shows what there is.' });
      const live = (await openSessions(tx, projectId)).filter((session) => isLive(this.#context, session));
      if (live.length > 0 && !force) {
        const who = (await attachedTo(tx, projectId)).slice(0, 5).map(({ agent, client, pid }) => `${agent} (${client}, pid ${pid})`);
        throw new HubError(
          'conflict',
          `${counted(live.length, 'session is', 'sessions are')} live in ${project.name}: ${who.join(', ')}. Nothing was removed.`,
          {
            hint: 'End those clients first, or repeat with --force: their next call is refused.',
          },
        );
      }
      return { project, rows: await deleteProject(tx, projectId) };
    });
  }
}
