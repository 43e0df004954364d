// From a token's bearer to somebody the hub knows: the one place where the HTTP door turns a credential into an identity (C15).
// An agent's bearer attaches under the token's name and role, in the token's project; an operator's acts as the project's operator.

import { type Caller, OPERATOR } from '../hub/caller.ts';
import { HubError } from '../hub/errors.ts';
import type { Hub } from '../hub/hub.ts';
import type { Project } from '../hub/projects.ts';
import type { Attachment } from '../hub/sessions.ts';
import type { Bearer } from '../hub/tokens.ts';
import { TOOLSETS, type Toolset } from '../tools/tool.ts';

/** What stands as the client of a session that the API made. */
export const API_CLIENT = { name: 'http-api', version: '' };

export class Principals {
  readonly #hub: Hub;
  readonly #toolsets: readonly Toolset[];
  readonly #projects = new Map<string, Project>();

  constructor(hub: Hub, toolsets: readonly Toolset[]) {
    this.#hub = hub;
    this.#toolsets = toolsets;
  }

  isOperator(bearer: Bearer): boolean {
    return bearer.name === OPERATOR;
  }

  /** What this bearer is offered: the operator everything, agents what the configuration says. */
  toolsetsOf(bearer: Bearer): readonly Toolset[] {
    return this.isOperator(bearer) ? TOOLSETS : this.#toolsets;
  }

  async operator(bearer: Bearer): Promise<Caller> {
    return await this.#hub.projects.operator(await this.#project(bearer), 'http');
  }

  /** How this bearer's agent attaches. Name and role are configuration, never an argument. */
  async attachment(bearer: Bearer, client: { name: string; version: string }): Promise<Attachment & { name: string }> {
    const project = await this.#project(bearer);
    return { project, door: 'http', client, root: project.root, name: bearer.name, role: bearer.role };
  }

  async #project(bearer: Bearer): Promise<Project> {
    const known = this.#projects.get(bearer.projectId) ?? (await this.#hub.projects.list()).find(({ id }) => id === bearer.projectId);
    if (known === undefined)
      throw new HubError('not_found', 'The project of this token is gone.', { hint: 'Ask the operator for a new token.' });
    const project = { id: known.id, name: known.name, root: known.root };
    this.#projects.set(project.id, project);
    return project;
  }
}
