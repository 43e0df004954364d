// docs/limits.md: every limit with its reason, and what retention takes.

import { built, NOTE, table } from './markdown.mjs';

const { LIMITS } = await built('hub/limits.js');

export const files = {
  'docs/limits.md': [
    NOTE,
    '# Limits',
    '',
    'Set a limit while the hub runs: `rookery config set limits.pendingAsks 10`, for all projects, for one (`--project`) or for one agent (`--agent`); the',
    'finest level holds, from the next call on, and `rookery config list --explain` says where each value comes from. A default is overridden under `limits` in',
    '`config.json`, which a process reads when it starts. The hard ceiling cannot be passed. `whoami` reports the ones agents meet.',
    '',
    table(
      ['limit', 'default', 'hard', 'unit', 'why'],
      Object.entries(LIMITS).map(([name, limit]) => [`\`${name}\``, limit.value, limit.hard, limit.unit, limit.why]),
    ),
    '',
    '## Retention',
    '',
    'Every table has its time. Once an hour one process sweeps, a few transactions at a time; `rookery prune` does it now, `--dry-run` says what would go.',
    '',
    table(
      ['what', 'goes', 'never before'],
      [
        [
          'threads: messages, deliveries, asks',
          '`messageKeptMs` after the last of it was dealt with; dead letters after `deadKeptMs`; beyond `messagesKept`, an hour after',
          'everything in it is read, answered and closed, and no task, approval, review or reminder points to it',
        ],
        [
          'tasks with history, results, reviews, offers',
          '`taskKeptMs` after their end; beyond `tasksKept`, an hour after',
          'parent and children have ended, nobody waits for it, no verdict is owed',
        ],
        ['reminders', '`reminderKeptMs` after their end; of recurring ones, old firings', 'it has ended'],
        [
          'approvals, events',
          '`approvalKeptMs`, `eventKeptMs`, beyond `eventsKept`: the audit',
          'the approval is over; the newest event always stays',
        ],
        ['reservations', '`reservationKeptMs` after their end', 'it is released'],
        ['sessions', '`sessionKeptMs` after their end, beyond `sessionsKept`', 'its turns are gone; the last of an agent always stays'],
        [
          'turns, tool calls, tool uses',
          '`turnKeptMs`, `callKeptMs` or beyond `callsKept`, `toolUseKeptMs`; sums by day stay for `dayKeptMs`',
          '',
        ],
        [
          'keys, wake attempts, enrolments, tokens, sign-ins, bindings',
          '`keyRetentionMs`, `wakeAttemptsKeptMs`, `enrolmentKeptMs`, `tokenKeptMs`, `signInKeptMs`, `bindingKeptMs`',
          'it has ended or run out',
        ],
        ['checkpoints, documents', 'beyond `checkpointsKept` per agent, `documentVersions` per name', 'the newest always stays'],
      ],
    ),
    '',
    'Each batch stands in the history as `retention.swept` with the rows by table and the seqs of the messages that went; when the oldest events go,',
    '`retention.forgotten` says from which hash the chain goes on. `rookery verify` counts with both, so that a sweep is no cover for a loss.',
    'Space that becomes free is used again; `rookery prune` also gives it back to the disk. On a full disk nothing can be deleted either, because a deletion is first',
    'written down; so servers keep 16 MiB aside beside the database (`hub.db-ballast`), which `rookery prune` gives up for as long as it needs.',
    '',
    'Agents stay until `rookery untrack` takes their project: a name that comes back is who it was, and what it once said is still theirs. So does one row for each two that',
    'ever wrote to each other, because the numbers of a pair never repeat. Both are small, and bounded by the names of a project, not by what is said in it.',
    '',
  ].join('\n'),
};
