// Offering: when a task can be begun and is meant for nobody in particular, the hub tells the one agent who can do it best and is there: who fits
// best, then who has least to do, has done such tasks well, and was told least lately. An offer reserves nothing: whoever asks for work gets the
// task that is first for it. An offer that is not taken up in time, or is declined, goes to the next.

import { type AgentRow, capabilitiesIn, findAgent, listAgents } from '../store/agents.ts';
import { findUsage } from '../store/context-usage.ts';
import type { Read } from '../store/db.ts';
import {
  closeOffer,
  firstUnoffered,
  growingBacklogs,
  lastOfferTo,
  markBacklogTold,
  markOfferTold,
  offersOf,
  openOffers,
  projectsWithUnoffered,
  unofferedNeeds,
  untoldAssignments,
} from '../store/task-offers.ts';
import { loadOf } from '../store/task-queue.ts';
import { scoresAt } from '../store/task-scores.ts';
import { findTask, type TaskRow } from '../store/tasks.ts';
import { authorityOf } from './caller.ts';
import { fitOf } from './capabilities.ts';
import { toIso } from './clock.ts';
import type { Act } from './command.ts';
import type { HubContext } from './context.ts';
import { counted } from './counted.ts';
import { isLive, sessionOf } from './presence.ts';
import { HUB_ACTOR } from './task-changes.ts';
import type { TaskNotices } from './task-notices.ts';
import { Obstacles } from './task-obstacles.ts';
import { howToTake } from './tasks.ts';
import { overBudget } from './workload.ts';

/** How many are offered in one transaction, and how far down a queue is looked when its first can be offered to nobody. */
const BATCH = 25;
const LOOKED_AT = 10;
/** How many projects one round serves. */
const PROJECTS = 20;

type Candidate = { agent: AgentRow; tags: ReadonlySet<string>; load: number; offeredAt: number };

export class Offers {
  readonly #context: HubContext;
  readonly #notices: TaskNotices;

  constructor(context: HubContext, notices: TaskNotices) {
    this.#context = context;
    this.#notices = notices;
  }

  /** Duty: offers what can be begun to those who are there and have room. Answers how many offers were made. */
  async offerReady(): Promise<number> {
    await this.#lapse();
    let made = await this.#tellAssignees();
    for (const projectId of await this.#context.db.read((read) => projectsWithUnoffered(read, PROJECTS))) {
      const there = await this.#context.db.read((read) => this.#candidates(read, projectId));
      if (there.length > 0)
        made += await this.#context.commands.runAs(projectId, { agentId: HUB_ACTOR.agentId }, (act) => this.#offerIn(act));
    }
    return made;
  }

  /** Whoever is meant for a task is told when it can be begun. */
  async #tellAssignees(): Promise<number> {
    const { db, limits, commands } = this.#context;
    let told = 0;
    for (const { id, projectId } of await db.read((read) => untoldAssignments(read, limits.dueBatch))) {
      told += await commands.runAs(projectId, { agentId: HUB_ACTOR.agentId }, async (act) => {
        const task = await findTask(act.tx, act.projectId, id);
        if (task === undefined || !task.claimable || task.assigneeId === null || task.announcedTo !== null) return 0;
        const [assignee, creator] = [await findAgent(act.tx, task.assigneeId), await findAgent(act.tx, task.creatorId)];
        if (assignee === undefined || creator === undefined) return 0;
        await this.#notices.announce(act, task, assignee, creator, 'assigned', howToTake(task.id));
        return 1;
      });
    }
    return told;
  }

  async #offerIn(act: Act): Promise<number> {
    const candidates = await this.#candidates(act.tx, act.projectId);
    const queues: TaskRow[][] = [];
    for (const needs of await unofferedNeeds(act.tx, act.projectId, this.#context.limits.taskQueues)) {
      if (candidates.some((one) => this.#fit(needs, one) > 0)) queues.push(await firstUnoffered(act.tx, act.projectId, needs, LOOKED_AT));
    }
    const tasks = queues.flat().sort((a, b) => a.rank - b.rank || a.seq - b.seq);
    let made = 0;
    for (const task of tasks) {
      if (made >= BATCH) break;
      const best = await this.#bestFor(act, task, candidates);
      const creator = best && (await findAgent(act.tx, task.creatorId));
      if (best === undefined || creator === undefined) continue;
      await this.#notices.announce(act, task, best.agent, creator, 'offered', howToTake(task.id));
      best.load += 1;
      best.offeredAt = act.now;
      made += 1;
    }
    return made;
  }

  /** Who is there, may be given work, and has room for it. */
  async #candidates(read: Read, projectId: string): Promise<Candidate[]> {
    const { limits, commands } = this.#context;
    const now = await commands.now(read, projectId);
    const tags = new Map<string, Set<string>>();
    for (const { agentId, capability } of await capabilitiesIn(read, projectId))
      tags.set(agentId, (tags.get(agentId) ?? new Set()).add(capability));
    const found: Candidate[] = [];
    for (const agent of await listAgents(read, projectId)) {
      const declared = tags.get(agent.id) ?? new Set<string>();
      // Who has said nothing of what it does, does something of its own; those who oversee hand out work themselves.
      if (authorityOf(agent.role) !== 'agent' || (declared.size === 0 && agent.role === 'agent')) continue;
      const session = await sessionOf(read, agent);
      if (!isLive(this.#context, session)) continue;
      // Whose context is nearly full saves what it knows first, and begins nothing new.
      const usage = await findUsage(read, agent.id);
      if (usage !== undefined && usage.requestedSeq !== null && usage.sessionId === session?.id) continue;
      const { held, offered } = await loadOf(read, agent.id, now - limits.taskOfferMs);
      const own = this.#context.limitsOf({ projectId: agent.projectId, agentId: agent.id });
      if (held + offered >= own.heldTasks || (await overBudget(read, own, agent, now)) !== null) continue;
      found.push({ agent, tags: declared.add(agent.role), load: held + offered, offeredAt: await lastOfferTo(read, agent.id) });
    }
    return found;
  }

  async #bestFor(act: Act, task: TaskRow, candidates: readonly Candidate[]): Promise<Candidate | undefined> {
    const asked = new Set(
      (await offersOf(act.tx, task.id)).filter(({ at }) => at > act.now - this.#context.limits.taskReofferMs).map(({ agentId }) => agentId),
    );
    const able = candidates.filter(
      (one) =>
        one.load < this.#context.limitsOf({ projectId: act.projectId, agentId: one.agent.id }).heldTasks &&
        one.agent.id !== task.creatorId &&
        !asked.has(one.agent.id) &&
        this.#fit(task.needs, one) > 0,
    );
    const free: Candidate[] = [];
    for (const one of able) if ((await new Obstacles(act.tx, act.projectId, one.agent.id).of(task)) === undefined) free.push(one);
    const scores = new Map<string, number>();
    if (free.length > 1)
      for (const need of task.needs.length === 0 ? [''] : task.needs)
        for (const { agentId, completed, failed } of await scoresAt(act.tx, act.projectId, need))
          scores.set(agentId, Math.min(scores.get(agentId) ?? 1, (completed + 1) / (completed + failed + 2)));
    const score = (one: Candidate) => scores.get(one.agent.id) ?? 0.5;
    return free.sort(
      (a, b) =>
        this.#fit(task.needs, b) - this.#fit(task.needs, a) ||
        a.load - b.load ||
        score(b) - score(a) ||
        a.offeredAt - b.offeredAt ||
        (a.agent.name < b.agent.name ? -1 : 1),
    )[0];
  }

  #fit(needs: readonly string[], candidate: Candidate): number {
    return fitOf(needs, candidate.tags, this.#context.policy.relatedCapabilities);
  }

  /** Offers that nobody took up go to the next; of an assignment that is not taken up its owner is told once. */
  async #lapse(): Promise<void> {
    const { db, time, limits, commands } = this.#context;
    const now = time.now();
    const actor = { agentId: HUB_ACTOR.agentId };
    for (const offer of await db.read((read) => openOffers(read, 'offered', now - limits.taskOfferMs, false, limits.dueBatch))) {
      await commands.runAs(offer.projectId, actor, async (act) => {
        const task = await findTask(act.tx, act.projectId, offer.taskId);
        if (task?.announcedTo === offer.agentId && task.state === 'submitted' && task.assigneeId === null)
          await this.#notices.withdraw(act, task, 'it was not taken up in time', 'lapsed');
        else await closeOffer(act.tx, offer.taskId, offer.agentId, 'lapsed');
      });
    }
    for (const offer of await db.read((read) => openOffers(read, 'assigned', now - limits.assignmentMs, true, limits.dueBatch))) {
      await commands.runAs(offer.projectId, actor, async (act) => {
        const task = await findTask(act.tx, act.projectId, offer.taskId);
        await markOfferTold(act.tx, offer, act.now);
        if (task === undefined || task.state !== 'submitted' || task.assigneeId !== offer.agentId) return;
        const name = (await findAgent(act.tx, offer.agentId))?.name ?? 'unknown';
        const body = `${name} was told of ${task.id} at ${toIso(offer.at)} and has not claimed it. handoff_task assigns it to another; update_task with state submitted leaves it to whoever can do it.`;
        await this.#notices.tell(act, task, [task.creatorId], 'task not taken up', body);
      });
    }
  }

  /** Duty: a backlog that has grown for a while is told to managers and the operator, with its numbers, so that somebody starts more agents. */
  async tellBacklog(): Promise<number> {
    const { db, time, limits, commands } = this.#context;
    const now = time.now();
    const query = { least: limits.backlogTasks, since: now - limits.backlogAfterMs, toldBefore: now - limits.backlogAgainMs };
    const growing = await db.read((read) => growingBacklogs(read, query, PROJECTS));
    for (const { projectId, waiting, oldest } of growing) {
      await commands.runAs(projectId, { agentId: HUB_ACTOR.agentId }, async (act) => {
        const [still] = (await growingBacklogs(act.tx, query, PROJECTS)).filter((one) => one.projectId === projectId);
        if (still === undefined) return;
        await markBacklogTold(act.tx, projectId, act.now);
        const agents = (await listAgents(act.tx, projectId)).filter((agent) => ['manager', 'operator'].includes(authorityOf(agent.role)));
        const there = await this.#candidates(act.tx, projectId);
        await act.emit('task.backlog', projectId, { waiting, oldest, agents_with_room: there.length });
        const body = `${counted(waiting, 'task')} could be begun, the oldest since ${toIso(oldest)}, and ${counted(there.length, 'connected agent has', 'connected agents have')} room. More agents with the capabilities that list_tasks shows would help.`;
        await this.#notices.tellOf(act, agents, 'tasks are waiting', body);
      });
    }
    return growing.length;
  }
}
