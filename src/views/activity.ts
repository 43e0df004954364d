// activity: how the project has been doing, in steps, for the plots.

import * as z from 'zod';
import { WINDOW_NAMES } from '../hub/activity.ts';
import { toIso } from '../hub/clock.ts';
import { defineView } from './view.ts';

export const activity = defineView({
  name: 'activity',
  what: 'Messages accepted and acknowledged, and how long they waited to be shown, per step of a window',
  input: { window: z.enum(WINDOW_NAMES).default('1h') },
  async run({ hub, caller }, { window }) {
    const { steps, stepMs, complete } = await hub.activity.over(caller, window);
    return {
      window,
      step_seconds: stepMs / 1000,
      complete,
      steps: steps.map(({ at, accepted, acked, shownP50, shownP95 }) => ({
        at: toIso(at),
        accepted,
        acked,
        shown_p50_ms: shownP50,
        shown_p95_ms: shownP95,
      })),
    };
  },
});
export type ActivityReply = Awaited<ReturnType<typeof activity.run>>;
