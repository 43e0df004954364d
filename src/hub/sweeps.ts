// Retention: what is over goes after its time, what is open never does. The duty sweeps every project once an hour, a few transactions at a time, so
// that nobody waits long for the write lock; whoever claims a sweep first does it. What went stands in the events of the project, and as a sum
// of the last sweep beside it. The operator may sweep at any time, and sooner than the limits say (`rookery prune`).

import { findAgentByName } from '../store/agents.ts';
import { listProjects } from '../store/projects.ts';
import { type Counts, claimSweep, findSweep, listSweeps, reopenSweep, reportSweep, WHOLE_HUB } from '../store/sweeps.ts';
import { authorityOf, type Caller, OPERATOR } from './caller.ts';
import type { HubContext } from './context.ts';
import { HubError } from './errors.ts';
import { add, type Batches, hubBatches, projectBatches, type Sweeper, sumOf } from './sweep-batches.ts';
import { type SweepWish, sweepPlan } from './sweep-plan.ts';

const EVERY_MS = 3_600_000;
/** How many transactions one run of the duty takes before it lets the others have their turn. */
const TURN = 20;
const HUB_ITSELF: Sweeper = { agentId: 'hub' };

export type LastSweep = { scope: string; endedAt: number | null; nextAt: number; swept: Counts };

export class Sweeps {
  readonly #context: HubContext;
  #running: { scope: string; batches: Batches; swept: Counts } | undefined;

  constructor(context: HubContext) {
    this.#context = context;
  }

  /** Duty: goes on with the sweep that this process holds, or takes one that is due. Answers how many rows went. */
  async run(): Promise<number> {
    this.#running ??= await this.#claim();
    const running = this.#running;
    if (running === undefined) return 0;
    let went = 0;
    try {
      for (let turn = 0; turn < TURN; turn++) {
        const { done, value } = await running.batches.next();
        if (done === true) {
          await this.#finish(running.scope, running.swept);
          break;
        }
        add(running.swept, value);
        went += sumOf(value);
      }
    } catch (error) {
      this.#running = undefined;
      await this.#context.db.write('', (tx) => reopenSweep(tx, running.scope, this.#context.time.now()), 'relaxed').catch(() => {});
      throw error;
    }
    return went;
  }

  /** For the scheduler: at once while a sweep is under way. */
  nextDue(): Promise<number | null> {
    return Promise.resolve(this.#running === undefined ? null : this.#context.time.now());
  }

  /**
   * Sweeps now, to the end, for the operator. `projectId`: only that project; otherwise all, and what belongs to none. Told of every batch.
   * Answers the rows that went, by table.
   */
  async prune(
    caller: Caller,
    wish: SweepWish & { projectId?: string | undefined },
    progress: (went: Counts) => void = () => {},
  ): Promise<Counts> {
    if (authorityOf(caller.role) !== 'operator')
      throw new HubError('forbidden', 'Only the operator prunes.', { hint: 'Ask the person who runs the hub.' });
    const swept: Counts = {};
    const all = (await this.#context.db.read(listProjects)).map(({ id }) => id);
    const scopes = wish.projectId === undefined ? [WHOLE_HUB, ...all] : all.filter((id) => id === wish.projectId);
    for (const scope of scopes) {
      const operator = await this.#context.db.read((read) => findAgentByName(read, scope, OPERATOR));
      const here: Counts = {};
      for await (const went of this.#batches(scope, wish, { agentId: operator?.id ?? HUB_ITSELF.agentId })) {
        add(here, went);
        progress(went);
      }
      add(swept, here);
      await this.#report(scope, here);
    }
    return Object.fromEntries(Object.entries(swept).filter(([, rows]) => rows > 0));
  }

  /** What the last sweeps of a project and of the hub took. */
  async last(projectId: string): Promise<LastSweep[]> {
    const found = await this.#context.db.read(async (read) => [await findSweep(read, WHOLE_HUB), await findSweep(read, projectId)]);
    return found.flatMap((row) =>
      row === undefined ? [] : [{ scope: row.scope, endedAt: row.endedAt, nextAt: row.dueAt, swept: row.swept }],
    );
  }

  /** Gives the space of what went back to the disk. Answers the bytes of the database and its log before and after. */
  async compact(): Promise<{ before: number; after: number }> {
    const { db } = this.#context;
    const size = async () => {
      const { bytes, walBytes } = await db.describe();
      return bytes + walBytes;
    };
    const before = await size();
    await db.compact();
    return { before, after: await size() };
  }

  #batches(scope: string, wish: SweepWish, by: Sweeper): Batches {
    const limits = scope === WHOLE_HUB ? this.#context.limits : this.#context.limitsOf({ projectId: scope });
    const plan = sweepPlan(limits, this.#context.time.now(), wish);
    return scope === WHOLE_HUB ? hubBatches(this.#context, plan) : projectBatches(this.#context, scope, plan, by);
  }

  async #claim() {
    const { db, time } = this.#context;
    const now = time.now();
    const due = await db.read(async (read) => {
      const known = new Map((await listSweeps(read)).map((row) => [row.scope, row.dueAt]));
      const scopes = [WHOLE_HUB, ...(await listProjects(read)).map(({ id }) => id)];
      return scopes.find((scope) => (known.get(scope) ?? 0) <= now);
    });
    if (due === undefined || !(await db.write('', (tx) => claimSweep(tx, due, now, now + EVERY_MS), 'relaxed'))) return undefined;
    return { scope: due, batches: this.#batches(due, {}, HUB_ITSELF), swept: {} };
  }

  async #finish(scope: string, swept: Counts): Promise<void> {
    this.#running = undefined;
    await this.#report(scope, swept);
  }

  async #report(scope: string, swept: Counts): Promise<void> {
    const { db, time } = this.#context;
    const now = time.now();
    const rows = Object.fromEntries(Object.entries(swept).filter(([, n]) => n > 0));
    await db.write(
      '',
      async (tx) => {
        await claimSweep(tx, scope, now, now + EVERY_MS);
        await reportSweep(tx, scope, now, rows);
      },
      'relaxed',
    );
  }
}
