// Every tool, in the order clients list them: deterministic, and the same for every session.

import { ack } from './ack.ts';
import { answer } from './answer.ts';
import { ask } from './ask.ts';
import { cancelAsk } from './cancel-ask.ts';
import { cancelReminder } from './cancel-reminder.ts';
import { cancelTask } from './cancel-task.ts';
import { claimTask } from './claim-task.ts';
import { completeTask } from './complete-task.ts';
import { createAgent } from './create-agent.ts';
import { createTask } from './create-task.ts';
import { createTemplate } from './create-template.ts';
import { decideApproval } from './decide-approval.ts';
import { getDocument } from './get-document.ts';
import { getMessage } from './get-message.ts';
import { getOpenThreads } from './get-open-threads.ts';
import { getTask } from './get-task.ts';
import { getThread } from './get-thread.ts';
import { handoffTask } from './handoff-task.ts';
import { join } from './join.ts';
import { listAgents } from './list-agents.ts';
import { listDocuments } from './list-documents.ts';
import { listMyAsks } from './list-my-asks.ts';
import { listMyReminders } from './list-my-reminders.ts';
import { listTasks } from './list-tasks.ts';
import { loadCheckpoint } from './load-checkpoint.ts';
import { messageStatus } from './message-status.ts';
import { putDocument } from './put-document.ts';
import { recvBatch } from './recv-batch.ts';
import { release } from './release.ts';
import { remind } from './remind.ts';
import { reportUsage } from './report-usage.ts';
import { requestApproval } from './request-approval.ts';
import { requeueDead } from './requeue-dead.ts';
import { reserve } from './reserve.ts';
import { resumeThread } from './resume-thread.ts';
import { retryReminder } from './retry-reminder.ts';
import { saveCheckpoint } from './save-checkpoint.ts';
import { send } from './send.ts';
import { submitReview } from './submit-review.ts';
import type { Tool, Toolset } from './tool.ts';
import { updateTask } from './update-task.ts';
import { verifyApproval } from './verify-approval.ts';
import { waitForTasks } from './wait-for-tasks.ts';
import { whoami } from './whoami.ts';

export const tools: readonly Tool[] = [
  whoami,
  join,
  listAgents,
  send,
  recvBatch,
  ack,
  messageStatus,
  getMessage,
  getThread,
  ask,
  answer,
  listMyAsks,
  cancelAsk,
  getOpenThreads,
  remind,
  listMyReminders,
  cancelReminder,
  reserve,
  release,
  requestApproval,
  decideApproval,
  verifyApproval,
  saveCheckpoint,
  loadCheckpoint,
  putDocument,
  getDocument,
  listDocuments,
  reportUsage,
  createTask,
  claimTask,
  updateTask,
  completeTask,
  submitReview,
  getTask,
  listTasks,
  handoffTask,
  waitForTasks,
  cancelTask,
  createAgent,
  createTemplate,
  requeueDead,
  retryReminder,
  resumeThread,
];

/** The tools of the chosen toolsets, in the order of the list. */
export function toolsOf(toolsets: readonly Toolset[]): readonly Tool[] {
  return tools.filter((tool) => toolsets.includes(tool.toolset));
}

export function findTool(name: string): Tool | undefined {
  return tools.find((tool) => tool.name === name);
}
