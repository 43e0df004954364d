// What can be seen around a client on its machine: the transcript it writes, the repository it works in. An interface, because the hub reads
// no files of its own (invariant 9); a hub without clients beside it sees nothing.

import type { GitState } from './checkpoints.ts';

export const CLIENT_KINDS = ['claude', 'codex'] as const;
export type ClientKind = (typeof CLIENT_KINDS)[number];

/** What a transcript tells of the last turn in it. */
export type TurnFacts = {
  startedAt: number | null;
  model: string;
  /** Tokens that were neither read from nor written to a cache. */
  inputTokens: number;
  outputTokens: number;
  cacheReadTokens: number;
  cacheWriteTokens: number;
  /** How often which tool was used. */
  tools: Record<string, number>;
};

export type TranscriptFacts = {
  turn: TurnFacts | null;
  /** Of the receipts that were asked for, those that the model was shown and went on after: it has seen what they stand for (C4). */
  proven: string[];
  /** How full the model's context is, 0 to 100; null when the transcript does not tell. */
  contextPercent: number | null;
  /** Files that the model's tools changed, the latest first. */
  filesModified: string[];
};

export interface Surroundings {
  /** Reads the end of a transcript; null when it cannot be read. Never throws. */
  transcript(client: ClientKind, path: string, receipts: readonly string[]): Promise<TranscriptFacts | null>;
  /** The repository of a folder; null when it is in none, or git does not answer in time. Never throws. */
  git(folder: string): Promise<GitState | null>;
}

export const NO_SURROUNDINGS: Surroundings = {
  transcript: async () => null,
  git: async () => null,
};
