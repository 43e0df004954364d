// Checkpoints: what an agent needs to know again when its context is gone (C14). Its own words come from the agent alone; what its client's
// hooks saw (files edited, git) is recorded beside them and marked as such. The newest of each counts, so that no hook ever writes over
// words with what it scraped (T-27). The last few are kept.

import { findAgent, findAgentByName } from '../store/agents.ts';
import {
  type CheckpointRow,
  type CheckpointSource,
  forgetOlderCheckpoints,
  insertCheckpoint,
  newestCheckpoint,
} from '../store/checkpoints.ts';
import { coverUsage, findUsage } from '../store/context-usage.ts';
import type { Read } from '../store/db.ts';
import { findProject } from '../store/projects.ts';
import { type Caller, oversees } from './caller.ts';
import type { Act, Intent } from './command.ts';
import type { HubContext } from './context.ts';
import { wellFormed } from './drafts.ts';
import { HubError } from './errors.ts';
import { pathInProject } from './references.ts';

/** What an agent says of its work. */
export type CheckpointWords = {
  currentTask: string;
  filesModified?: readonly string[] | undefined;
  decisions?: readonly string[] | undefined;
  openQuestions?: readonly string[] | undefined;
  blockers?: readonly string[] | undefined;
  gitState?: string | undefined;
  note?: string | undefined;
};

/** A repository as a client's hook sees it. */
export type GitState = { branch: string; uncommitted: readonly string[]; recentCommits: readonly string[] };

/** What a hook saw. `trigger` says when, in a few words: "before compaction (auto)". */
export type Observed = { filesModified: readonly string[]; gitState: GitState | null; trigger: string };

/** The newest words of an agent with what its hooks saw since. */
export type CheckpointView = Omit<CheckpointRow, 'projectId' | 'agentId' | 'sessionId' | 'seq'> & {
  /** When a hook last saw files and git, after the words; null when the words are newer, or no hook saw anything. */
  observedAt: number | null;
};

type Saved = { checkpointId: string; savedAt: number };

const GIT_CHARS = 2_000;

export class Checkpoints {
  readonly #context: HubContext;

  constructor(context: HubContext) {
    this.#context = context;
  }

  /** Saves the agent's own words. Errors: `invalid_input` for a blank task, `too_large` past `checkpointBytes` or `checkpointFiles`. */
  async save(caller: Caller, words: CheckpointWords, intent: Intent): Promise<Saved & { replayed?: boolean }> {
    const { checkpointBytes, checkpointFiles } = this.#context.limits;
    if (words.currentTask.trim() === '') {
      throw new HubError('invalid_input', 'current_task is blank; nothing was saved.', {
        hint: 'Say what you are doing and what comes next.',
      });
    }
    const bytes = Buffer.byteLength(JSON.stringify(words));
    if (bytes > checkpointBytes) {
      throw new HubError('too_large', `The checkpoint has ${bytes} bytes; the limit is ${checkpointBytes}. Nothing was saved.`, {
        hint: 'Save what you need to go on; put the rest into a project file and name it in note.',
      });
    }
    const files = words.filesModified?.length ?? 0;
    if (files > checkpointFiles) {
      throw new HubError('too_large', `files_modified has ${files} paths; the limit is ${checkpointFiles}. Nothing was saved.`, {
        hint: 'Name the folders instead.',
      });
    }
    return await this.#context.commands.run(caller, intent, async (act) => {
      const saved = await this.#insert(act, caller, 'agent', {
        currentTask: words.currentTask.trim(),
        filesModified: words.filesModified ?? [],
        decisions: words.decisions ?? [],
        openQuestions: words.openQuestions ?? [],
        blockers: words.blockers ?? [],
        gitState: words.gitState ?? null,
        note: words.note ?? '',
      });
      await coverUsage(act.tx, caller.agentId);
      return saved;
    });
  }

  /** Records what a hook saw, cut to the limits. It is beside the agent's words, never instead of them, and settles no request for them. */
  async observe(caller: Caller, observed: Observed, intent: Intent = { tool: 'hook' }): Promise<Saved & { replayed?: boolean }> {
    const git = observed.gitState === null ? null : describeGit(observed.gitState).replaceAll('\0', '').slice(0, GIT_CHARS);
    return await this.#context.commands.run(caller, intent, (act) =>
      this.#insert(act, caller, 'hook', {
        currentTask: null,
        filesModified: this.#fit(observed.filesModified),
        decisions: [],
        openQuestions: [],
        blockers: [],
        gitState: git,
        note: observed.trigger.replaceAll('\0', '').slice(0, 200),
      }),
    );
  }

  /** The last checkpoint: the caller's own, or that of an agent it oversees or is the parent of. Null when there is none. */
  async load(caller: Caller, of?: string): Promise<{ agent: string; checkpoint: CheckpointView | null }> {
    return await this.#context.commands.look(caller, async (read) => {
      if (of === undefined || of === caller.name) return { agent: caller.name, checkpoint: await this.newest(read, caller.agentId) };
      const agent = await findAgentByName(read, caller.projectId, of);
      if (agent === undefined || (!oversees(caller) && agent.parentId !== caller.agentId)) {
        throw new HubError('not_found', `of: no agent of that name whose checkpoint you may read.`, {
          hint: 'Managers and the operator may read any, a parent those of its sub-agents. list_agents shows who there is.',
        });
      }
      return { agent: agent.name, checkpoint: await this.newest(read, agent.id) };
    });
  }

  /** Whether a checkpoint was asked for in this session and has not been saved. */
  async isOwed(caller: Caller): Promise<boolean> {
    return await this.#context.commands.look(caller, async (read) => {
      const usage = await findUsage(read, caller.agentId);
      return usage !== undefined && usage.requestedSeq !== null && usage.sessionId === caller.sessionId;
    });
  }

  /** The newest words of an agent, with what its hooks saw since. */
  async newest(read: Read, agentId: string): Promise<CheckpointView | null> {
    const words = await newestCheckpoint(read, agentId, 'agent');
    const seen = await newestCheckpoint(read, agentId, 'hook');
    if (words === undefined) return seen === undefined ? null : { ...toView(seen), observedAt: seen.savedAt };
    if (seen === undefined || seen.seq < words.seq) return { ...toView(words), observedAt: null };
    return {
      ...toView(words),
      filesModified: [...new Set([...words.filesModified, ...seen.filesModified])],
      gitState: seen.gitState ?? words.gitState,
      observedAt: seen.savedAt,
    };
  }

  async #insert(
    act: Act,
    caller: Caller,
    source: CheckpointSource,
    given: Pick<CheckpointRow, 'currentTask' | 'gitState' | 'note'> &
      Record<'filesModified' | 'decisions' | 'openQuestions' | 'blockers', readonly string[]>,
  ): Promise<Saved> {
    const id = this.#context.ids.next('chk');
    const roots = [caller.root, (await findProject(act.tx, act.projectId))?.root ?? caller.root];
    const files = [...new Set(given.filesModified.map((file) => wellFormed(pathInProject(file, roots) ?? file)))];
    const agent = await findAgent(act.tx, caller.agentId);
    const seq = await act.emit('checkpoint.saved', id, { agent: agent?.name ?? caller.name, source, files: files.length });
    await insertCheckpoint(act.tx, {
      id,
      projectId: act.projectId,
      agentId: caller.agentId,
      sessionId: caller.sessionId,
      seq,
      source,
      currentTask: given.currentTask === null ? null : wellFormed(given.currentTask),
      filesModified: files,
      decisions: given.decisions.map(wellFormed),
      openQuestions: given.openQuestions.map(wellFormed),
      blockers: given.blockers.map(wellFormed),
      gitState: given.gitState === null ? null : wellFormed(given.gitState),
      note: wellFormed(given.note),
      savedAt: act.now,
    });
    await forgetOlderCheckpoints(act.tx, caller.agentId, source, this.#context.limits.checkpointsKept);
    return { checkpointId: id, savedAt: act.now };
  }

  #fit(files: readonly string[]): string[] {
    const { checkpointFiles, checkpointBytes } = this.#context.limits;
    const kept: string[] = [];
    let bytes = 0;
    for (const file of files) {
      bytes += Buffer.byteLength(file) + 3;
      if (kept.length >= checkpointFiles || bytes > checkpointBytes) break;
      if (!file.includes('\0')) kept.push(file);
    }
    return kept;
  }
}

/** A repository in one line. */
export function describeGit({ branch, uncommitted, recentCommits }: GitState): string {
  const dirty = uncommitted.length === 0 ? 'nothing uncommitted' : `uncommitted: ${uncommitted.join(', ')}`;
  return [`branch ${branch}`, dirty, ...(recentCommits.length === 0 ? [] : [`last commits: ${recentCommits.join(' | ')}`])].join('; ');
}

function toView({
  projectId: _project,
  agentId: _agent,
  sessionId: _session,
  seq: _seq,
  ...view
}: CheckpointRow): Omit<CheckpointView, 'observedAt'> {
  return view;
}
