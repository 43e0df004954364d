// projects: every project of this hub that the one who looks may see, with what waits for its operator.

import { defineView } from './view.ts';

export const projects = defineView({
  name: 'projects',
  what: 'The projects that this credential reaches, with how many agents each has and how much waits for its operator',
  input: {},
  async run({ hub, caller, everyProject }) {
    const counted = await hub.projects.counted(everyProject ? null : caller.projectId);
    return {
      projects: counted.map(({ id, name, root, agents, waiting }) => ({ id, name, root, agents, waiting })),
      current: caller.projectId,
    };
  },
});
export type ProjectsReply = Awaited<ReturnType<typeof projects.run>>;
