// The hub: the services, wired. It decides; it has no MCP, no HTTP, no SQL text, no clock and no environment of its own.

import { schemaVersion } from '../store/migrate.ts';
import { findHub, updateHighWater } from '../store/projects.ts';
import { Acknowledging } from './acknowledging.ts';
import { Activity } from './activity.ts';
import { Agents } from './agents.ts';
import { ApprovalEnds } from './approval-ends.ts';
import { Approvals } from './approvals.ts';
import { AskEnds } from './ask-ends.ts';
import { Asks } from './asks.ts';
import { Calls } from './calls.ts';
import { Census } from './census.ts';
import { ClientProcesses } from './client-processes.ts';
import { toIso } from './clock.ts';
import { ClockPeers } from './clock-peers.ts';
import type { HubContext } from './context.ts';
import { counted } from './counted.ts';
import { Deliveries } from './deliveries.ts';
import { Enrolments } from './enrolments.ts';
import { Feed } from './feed.ts';
import { Firing } from './firing.ts';
import { Guard } from './guard.ts';
import { Heartbeats } from './heartbeats.ts';
import { contextOf, type HubParts } from './hub-parts.ts';
import { Inbox } from './inbox.ts';
import { identify } from './instance.ts';
import { Joining } from './joining.ts';
import type { Limits } from './limits.ts';
import { Lineage } from './lineage.ts';
import { MailNews } from './mail-news.ts';
import { type MemoryServices, memoryServices } from './memory-services.ts';
import { MessageStatus } from './message-status.ts';
import { Messages } from './messages.ts';
import { OpenThreads } from './open-threads.ts';
import { Overview } from './overview.ts';
import { Policies } from './policies.ts';
import type { Party } from './policy-book.ts';
import { Posting } from './posting.ts';
import { type ProfileServices, profileServices } from './profiles.ts';
import { Projects } from './projects.ts';
import { Reminders } from './reminders.ts';
import { ReservationLeases } from './reservation-leases.ts';
import { Reservations } from './reservations.ts';
import { Restarts } from './restarts.ts';
import { Sessions } from './sessions.ts';
import { SignIns } from './sign-ins.ts';
import { Stats } from './stats.ts';
import { Stopping } from './stopping.ts';
import { NO_SURROUNDINGS, type Surroundings } from './surroundings.ts';
import { Sweeps } from './sweeps.ts';
import { TaskBoard } from './task-board.ts';
import { type TaskServices, taskServices } from './task-services.ts';
import { Threads } from './threads.ts';
import { Tokens } from './tokens.ts';
import { toolChecks } from './tool-checks.ts';
import { ToolUses } from './tool-uses.ts';
import { Turns } from './turns.ts';
import { Untracking } from './untracking.ts';
import { type Verified, verifyProjects } from './verify.ts';
import { WakeDoors } from './wake-doors.ts';
import { Waking } from './waking.ts';

export { VERSION } from './version.ts';

type Services = TaskServices & MemoryServices & ProfileServices;
export type Hub = Services & {
  readonly instanceId: string;
  readonly bootId: string;
  readonly startedAt: number;
  /** The version of the database's schema. */
  readonly schema: number;
  readonly limits: Limits;
  readonly projects: Projects;
  readonly sessions: Sessions;
  readonly joining: Joining;
  readonly agents: Agents;
  readonly messages: Messages;
  readonly status: MessageStatus;
  readonly inbox: Inbox;
  readonly deliveries: Deliveries;
  readonly overview: Overview;
  readonly activity: Activity;
  readonly stats: Stats;
  readonly census: Census;
  readonly taskBoard: TaskBoard;
  readonly asks: Asks;
  readonly askEnds: AskEnds;
  readonly approvals: Approvals;
  readonly approvalEnds: ApprovalEnds;
  readonly reservations: Reservations;
  readonly reservationLeases: ReservationLeases;
  readonly guard: Guard;
  readonly lineage: Lineage;
  readonly reminders: Reminders;
  readonly firing: Firing;
  readonly waking: Waking;
  readonly wakeDoors: WakeDoors;
  readonly heartbeats: Heartbeats;
  readonly clientProcesses: ClientProcesses;
  readonly turns: Turns;
  readonly toolUses: ToolUses;
  readonly mailNews: MailNews;
  readonly stopping: Stopping;
  readonly surroundings: Surroundings;
  readonly clockPeers: ClockPeers;
  readonly openThreads: OpenThreads;
  readonly threads: Threads;
  readonly restarts: Restarts;
  readonly tokens: Tokens;
  readonly enrolments: Enrolments;
  readonly signIns: SignIns;
  readonly calls: Calls;
  readonly policies: Policies;
  readonly sweeps: Sweeps;
  readonly untracking: Untracking;
  readonly feed: Feed;
  readonly context: HubContext;
  /** What is not as it should be, in sentences (C20). */
  notices(): string[];
  /** How the database is called to people, and how large it is. */
  store(): Promise<{ name: string; bytes: number; walBytes: number }>;
  verify(progress?: (rows: number) => void): Promise<Verified[]>;
  /** When the timed duties last ran in any process, epoch milliseconds. */
  beatAt(): Promise<number>;
  /** Commits next to nothing, synced: proof that writes are accepted. */
  probe(): Promise<void>;
  /** A sentence when nobody runs the timed duties. */
  dutyNotices(): Promise<string[]>;
  /** Ends every wait, flushes the record of calls, and closes the database. Idempotent. */
  close(): Promise<void>;
};

/** Opens the hub on a database. The clock's high-water mark and the instance id come from it; a fresh database is given them. */
export async function createHub(parts: HubParts): Promise<Hub> {
  const { db } = parts;
  const hub = await identify(db, parts.clock, parts.ids);
  const { context, book } = await contextOf(parts, hub.highWaterAt);
  const { limits, time, waiting } = context;
  const clockPeers = new ClockPeers(context, hub.beatAt);
  await clockPeers.settle();
  const projects = new Projects(context);
  const sessions = new Sessions(context, projects);
  const posting = new Posting(context);
  const askEnds = new AskEnds(context, posting);
  const approvalEnds = new ApprovalEnds(context, posting);
  const risky = (party: Party) => book.riskyOf(party);
  const approvals = new Approvals(context, approvalEnds, risky);
  const clientProcesses = new ClientProcesses(context);
  const reservationLeases = new ReservationLeases(context, posting);
  const reservations = new Reservations(context, posting, reservationLeases);
  const guard = new Guard(context, approvals, risky, reservations);
  const messages = new Messages(context, posting);
  const deliveries = new Deliveries(context, posting);
  const agents = new Agents(context);
  const waking = new Waking(context, posting);
  const status = new MessageStatus(context, waking);
  const calls = new Calls(context);
  const openThreads = new OpenThreads(context, reservations);
  const asks = new Asks(context, posting, askEnds);
  const policies = new Policies(context, book);
  const tasks = taskServices(context, posting, asks, askEnds);
  const surroundings = parts.surroundings ?? NO_SURROUNDINGS;
  const bootId = parts.ids.next('hub');
  const beatAt = async () => (await db.read(findHub))?.beatAt ?? 0;
  let closing: Promise<void> | undefined;
  return {
    ...tasks,
    ...memoryServices(context, openThreads),
    instanceId: hub.instanceId,
    bootId,
    startedAt: time.now(),
    schema: schemaVersion(db.engine),
    limits,
    projects,
    sessions,
    joining: new Joining(context, sessions),
    agents,
    policies,
    ...profileServices(context, { agents, sessions, templates: tasks.taskTemplates, policies }),
    messages,
    status,
    inbox: new Inbox(context, deliveries, sessions),
    deliveries,
    overview: new Overview(context, agents, status),
    activity: new Activity(context),
    stats: new Stats(context),
    census: new Census(context),
    taskBoard: new TaskBoard(context),
    asks,
    askEnds,
    approvals,
    approvalEnds,
    reservations,
    reservationLeases,
    lineage: new Lineage(context, clientProcesses),
    guard,
    reminders: new Reminders(context),
    firing: new Firing(context, posting),
    waking,
    wakeDoors: new WakeDoors(context),
    heartbeats: new Heartbeats(context, sessions),
    clientProcesses,
    turns: new Turns(context, surroundings),
    toolUses: new ToolUses(context, toolChecks(guard)),
    mailNews: new MailNews(context),
    stopping: new Stopping(context, new Acknowledging(context)),
    surroundings,
    clockPeers,
    openThreads,
    threads: new Threads(context),
    restarts: new Restarts(context, posting, { bootId, beatAt: hub.beatAt }),
    tokens: new Tokens(context),
    enrolments: new Enrolments(context),
    signIns: new SignIns(context),
    calls,
    sweeps: new Sweeps(context),
    untracking: new Untracking(context),
    feed: new Feed(context),
    context,
    notices: () => [
      ...db.notices(),
      ...time.notices(),
      ...(parts.notices?.() ?? []),
      ...(calls.failures > 0
        ? [`The record of tool calls could not be written ${counted(calls.failures, 'time')} (log_write_failures).`]
        : []),
    ],
    store: () => db.describe(),
    verify: (progress) => verifyProjects(context, progress),
    beatAt,
    probe: () => db.write('', (tx) => updateHighWater(tx, time.now())),
    dutyNotices: async () => {
      const at = await beatAt();
      return time.now() - at > limits.schedulerSilenceMs
        ? [`Timed duties have not run since ${toIso(at)}: no reminder fires and no ask ends until a server runs.`]
        : [];
    },
    close: () => {
      closing ??= (async () => {
        waiting.shutdown();
        await calls.answered();
        await calls.flush();
        await tasks.leases.flush().catch(() => {}); // a renewal carries no promise
        await db.close();
      })();
      return closing;
    },
  };
}
