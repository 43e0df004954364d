// reserve: say what one works on, so that others keep away or know.

import * as z from 'zod';
import { LIMITS } from '../hub/limits.ts';
import { RESERVATION_MODES } from '../hub/vocabulary.ts';
import { defineTool } from './tool.ts';
import { clampWait, renderReservation, reservation, waitSeconds } from './words.ts';

/** What one call may name. */
const AT_ONCE = 32;

export const reserve = defineTool({
  name: 'reserve',
  title: 'Reserve files or a lock',
  description:
    'Keep files or a named lock for yourself while you work on them; your calls renew it. Without arguments: what is reserved by whom.',
  access: 'write',
  toolset: 'work',
  as: true,
  input: () => ({
    paths: z.array(z.string().min(1)).max(AT_ONCE).optional().describe('files, folders, globs'),
    names: z.array(z.string().min(1)).max(AT_ONCE).optional().describe('locks, e.g. branch:main'),
    mode: z.enum(RESERVATION_MODES).optional().describe('default exclusive'),
    ttl_seconds: z
      .int()
      .min(1)
      .max(LIMITS.reservationMs.hard / 1000)
      .optional(),
    reason: z.string().max(500).optional(),
    wait_seconds: waitSeconds,
  }),
  output: () => ({
    reservations: z.array(reservation()),
    overlaps: z
      .array(z.object({ asked: z.string(), with: reservation() }))
      .optional()
      .describe('granted all the same; the others are told'),
    hint: z.string().optional(),
    note: z.string().optional(),
  }),
  async run({ hub, caller, key, args, signal }, input) {
    if (input.paths === undefined && input.names === undefined)
      return { reservations: (await hub.reservations.list(caller)).map((one) => renderReservation(one, caller)) };
    const request = {
      paths: input.paths ?? [],
      names: input.names ?? [],
      mode: input.mode ?? 'exclusive',
      ttlMs: input.ttl_seconds === undefined ? undefined : input.ttl_seconds * 1000,
      reason: input.reason,
    };
    const { waitMs, note } = clampWait(input.wait_seconds, LIMITS.waitMs.hard);
    const { taken, overlaps, replayed } = await hub.reservations.reserveWithin(
      caller,
      request,
      { tool: 'reserve', key, args },
      waitMs,
      signal,
    );
    return {
      reservations: taken.map((one) => renderReservation(one, caller)),
      ...(overlaps.length === 0
        ? {}
        : {
            overlaps: overlaps.map((one) => ({ asked: one.asked, with: renderReservation(one.with, caller) })),
            hint: 'others work on the same; agree with them by send before you edit',
          }),
      ...(note === undefined ? {} : { note }),
      ...(replayed === true ? { replayed } : {}),
    };
  },
});
