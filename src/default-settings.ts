// What holds where nothing is set: the schema of config.ts takes its defaults from here, and so does a start that needs no schema.

import { DEFAULT_POLICY } from './hub/policy.ts';
import { WAKE_DOORS } from './hub/vocabulary.ts';
import { DEFAULT_TOOLSETS } from './tools/toolsets.ts';

export const DEFAULT_SETTINGS = {
  toolsets: [...DEFAULT_TOOLSETS],
  logLevel: 'warn' as const,
  slowCallMs: 1_000,
  slowQueryMs: 200,
  host: '127.0.0.1',
  port: 7420,
  databaseConnections: 10,
  behindProxy: false,
  allowedHosts: [] as string[],
  allowedOrigins: [] as string[],
  allowNetworkFs: false,
  wakeDoors: [...WAKE_DOORS],
  limits: {},
  approvals: DEFAULT_POLICY.approvals,
  guard: {
    commands: [] as never[],
    off: [] as string[],
    overlaps: DEFAULT_POLICY.guard.overlaps,
    edits: DEFAULT_POLICY.guard.edits,
    whenBroken: DEFAULT_POLICY.guard.whenBroken,
  },
  relatedCapabilities: {},
  prices: { models: {} },
};
