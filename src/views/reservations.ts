// reservations: what agents keep for themselves or share for a while: files, globs and named locks, each with its holder and until when.

import { toIso } from '../hub/clock.ts';
import { defineView } from './view.ts';

export const reservations = defineView({
  name: 'reservations',
  what: 'What is held by whom and until when, the oldest first; what runs out first is due',
  input: {},
  async run({ hub, caller }) {
    const held = await hub.reservations.list(caller);
    return {
      reservations: held.map(({ id, resource, kind, mode, holder, takenAt, until, token, reason }) => ({
        ...{ reservation_id: id, resource, kind, mode, holder, token, reason },
        taken_at: toIso(takenAt),
        until: toIso(until),
      })),
    };
  },
});
export type ReservationsReply = Awaited<ReturnType<typeof reservations.run>>;
