// What is kept from others: files, globs and named locks, each with its holder, why, and until when. The operator may end one.

import type { ReservationsReply } from '../../../src/views/reservations.ts';
import { hrefOf } from '../router.ts';
import { useAct } from '../store.ts';
import { Button, Refused } from './button.tsx';
import { Empty } from './frame.tsx';
import { Badge } from './marks.tsx';
import { Ago } from './time.tsx';

type Reservation = ReservationsReply['reservations'][number];

export function ReservationLines({ held }: { held: readonly Reservation[] }) {
  if (held.length === 0)
    return (
      <Empty title="Nothing is reserved.">
        <p>
          An agent says with <code>reserve</code> which files it works on, or takes a lock by a name. Others are warned or refused, and what
          its holder no longer speaks of becomes free by itself.
        </p>
      </Empty>
    );
  return (
    <ul class="lines">
      {held.map((one) => (
        <li key={one.reservation_id}>
          <ReservationLine reservation={one} />
        </li>
      ))}
    </ul>
  );
}

function ReservationLine({ reservation }: { reservation: Reservation }) {
  const act = useAct();
  const { reservation_id, resource, kind, mode, holder, reason, taken_at, until } = reservation;
  return (
    <>
      <div class="reservation">
        <code class="resource">{resource}</code>
        <span class="reservation-facts">
          <a class="who" href={hrefOf('agents', holder)}>
            {holder}
          </a>
          <Badge tone={mode === 'exclusive' ? 'busy' : 'quiet'}>{kind === 'name' ? 'lock' : mode}</Badge>
          <span class="faint">
            taken <Ago at={taken_at} />, runs out <Ago at={until} />
          </span>
        </span>
        <Button
          act={act}
          label={`End the reservation of ${resource} by ${holder}`}
          onClick={() => void act.run('release', { ids: [reservation_id] }, `It is free again; ${holder} is told.`)}
        >
          End
        </Button>
      </div>
      {reason === '' ? null : <p class="why">{reason}</p>}
      <Refused act={act} />
    </>
  );
}
