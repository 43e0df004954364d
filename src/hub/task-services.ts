// The services around tasks, wired: what each one is stands in its own file.

import type { AskEnds } from './ask-ends.ts';
import type { Asks } from './asks.ts';
import { CarriedJobs } from './carried-jobs.ts';
import { Claims } from './claims.ts';
import type { HubContext } from './context.ts';
import { Handoffs } from './handoffs.ts';
import { Leases } from './leases.ts';
import { Offers } from './offers.ts';
import type { Posting } from './posting.ts';
import { Reviews } from './reviews.ts';
import { TaskCompletion } from './task-completion.ts';
import { TaskDeadlines } from './task-deadlines.ts';
import { TaskDecisions } from './task-decisions.ts';
import { TaskEnds } from './task-ends.ts';
import { TaskNotices } from './task-notices.ts';
import { TaskTemplates } from './task-templates.ts';
import { TaskTrees } from './task-trees.ts';
import { TaskUpdates } from './task-updates.ts';
import { TaskViews } from './task-views.ts';
import { TaskWebhooks } from './task-webhooks.ts';
import { Tasks } from './tasks.ts';

export type TaskServices = {
  readonly tasks: Tasks;
  readonly taskViews: TaskViews;
  readonly taskTrees: TaskTrees;
  readonly carriedJobs: CarriedJobs;
  readonly taskTemplates: TaskTemplates;
  readonly taskWebhooks: TaskWebhooks;
  readonly taskUpdates: TaskUpdates;
  readonly taskCompletion: TaskCompletion;
  readonly taskDecisions: TaskDecisions;
  readonly taskEnds: TaskEnds;
  readonly claims: Claims;
  readonly handoffs: Handoffs;
  readonly leases: Leases;
  readonly reviews: Reviews;
  readonly offers: Offers;
  readonly taskDeadlines: TaskDeadlines;
};

export function taskServices(context: HubContext, posting: Posting, asks: Asks, askEnds: AskEnds): TaskServices {
  const notices = new TaskNotices(posting);
  const taskEnds = new TaskEnds(context, notices, askEnds);
  const leases = new Leases(context, taskEnds, notices);
  const taskDecisions = new TaskDecisions(context, taskEnds, notices);
  const taskUpdates = new TaskUpdates(context, { ends: taskEnds, leases, asks, notices, decisions: taskDecisions });
  askEnds.whenEnded((act, ask) => taskUpdates.resume(act, ask));
  const taskViews = new TaskViews(context);
  const taskTemplates = new TaskTemplates(context);
  const taskWebhooks = new TaskWebhooks(context, taskEnds);
  return {
    tasks: new Tasks(context, notices, taskTemplates, taskWebhooks),
    taskTemplates,
    taskWebhooks,
    taskViews,
    taskTrees: new TaskTrees(context, taskViews),
    carriedJobs: new CarriedJobs(context),
    taskUpdates,
    taskCompletion: new TaskCompletion(context, taskEnds, notices),
    taskDecisions,
    taskEnds,
    claims: new Claims(context, leases, notices),
    handoffs: new Handoffs(context, notices),
    leases,
    reviews: new Reviews(context, taskEnds, notices, leases),
    offers: new Offers(context, notices),
    taskDeadlines: new TaskDeadlines(context, taskEnds, notices),
  };
}
