// Every view, in the order in which GET /api/views lists them.

import { activity } from './activity.ts';
import { agents } from './agents.ts';
import { events } from './events.ts';
import { overview } from './overview.ts';
import { projects } from './projects.ts';
import type { View } from './view.ts';
import { waiting } from './waiting.ts';

export const views: readonly View<unknown>[] = [projects, overview, waiting, agents, activity, events];

export function findView(name: string): View<unknown> | undefined {
  return views.find((view) => view.name === name);
}
