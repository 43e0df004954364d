import type { ChildProcess } from 'node:child_process';

export type PostgresServer = {
  readonly pid: number;
  readonly folder: string;
  readonly port: number;
  readonly programs: string;
  url(database?: string, more?: Record<string, string>): string;
  log(): string;
  start(): Promise<void>;
  halt(signal?: NodeJS.Signals): Promise<void>;
  stop(): Promise<void>;
  sql(text: string, database?: string): string;
  run(program: string, args: readonly string[]): string;
};

export function postgresPrograms(): string | undefined;

export function startPostgres(options?: {
  inMemory?: boolean;
  tcp?: boolean;
  toldAt?: string;
  settings?: Record<string, string | number>;
}): Promise<PostgresServer | undefined>;

export function lookAfter(place: string): ChildProcess;
