// What keeps one agent, and not others, from beginning a task: it is needed to review it, or a file that the task is to leave behind is reserved
// by somebody else. Such a task is left for those whom nothing keeps from it.

import { findAgent } from '../store/agents.ts';
import type { Read } from '../store/db.ts';
import { heldIn, type ReservationRow } from '../store/reservations.ts';
import type { TaskRow } from '../store/tasks.ts';
import { isNeededToReview } from './hands.ts';
import { covers, fold } from './reserved-paths.ts';
import { toArtifact } from './task-orders.ts';

export type Obstacle = { kind: 'review' } | { kind: 'reserved'; path: string; by: string };

export class Obstacles {
  readonly #read: Read;
  readonly #projectId: string;
  readonly #agentId: string;
  #reserved: ReservationRow[] | undefined;

  /** For one agent, within one transaction: what is reserved is read once, and only when a task asks for it. */
  constructor(read: Read, projectId: string, agentId: string) {
    this.#read = read;
    this.#projectId = projectId;
    this.#agentId = agentId;
  }

  async of(task: TaskRow): Promise<Obstacle | undefined> {
    if (await isNeededToReview(this.#read, task, this.#agentId)) return { kind: 'review' };
    for (const text of task.expectedArtifacts) {
      const { path } = toArtifact(text, []);
      const holder = path === null ? undefined : (await this.#others()).find((one) => covers(one.folded, fold(path)));
      if (path !== null && holder !== undefined)
        return { kind: 'reserved', path, by: (await findAgent(this.#read, holder.holderId))?.name ?? 'unknown' };
    }
    return undefined;
  }

  async #others(): Promise<ReservationRow[]> {
    this.#reserved ??= (await heldIn(this.#read, this.#projectId)).filter(
      (one) => one.kind === 'path' && one.mode === 'exclusive' && one.holderId !== this.#agentId,
    );
    return this.#reserved;
  }
}

/** The obstacle in the words of a refusal. */
export function toReason(obstacle: Obstacle): string {
  return obstacle.kind === 'review'
    ? 'you, or a hand of yours, are to review it, and nobody reviews their own work'
    : `${obstacle.path}, which it is to leave behind, is reserved by ${obstacle.by}`;
}
