// Configuration: what may be set, and its check. Precedence: flag > environment > project file > home file > default (config-sources.ts).
// Unknown or invalid keys refuse the start and are named. The result is frozen, and remembers where each value came from.

import * as z from 'zod';
import type { ClientEnvironment } from './client-environment.ts';
import { ENVIRONMENT, type Given, gather, type Source, wordsOf } from './config-sources.ts';
import { DEFAULT_SETTINGS } from './default-settings.ts';
import { HubError } from './hub/errors.ts';
import { LIMITS, type LimitName } from './hub/limits.ts';
import { WAKE_DOORS } from './hub/vocabulary.ts';
import type { HubFiles } from './hub-home.ts';
import type { Place } from './project-root.ts';
import { TOOLSETS } from './tools/toolsets.ts';

export { type Given, isExporting, type Source } from './config-sources.ts';

const limitShape = Object.fromEntries(
  (Object.keys(LIMITS) as LimitName[]).map((name) => [name, z.int().min(1).max(LIMITS[name].hard).optional()]),
) as Record<LimitName, z.ZodOptional<z.ZodInt>>;

const toolsets = z.preprocess(wordsOf, z.array(z.enum(TOOLSETS)).min(1));

/** Which doors may be used to wake this client; `none` leaves it asleep. */
const wakeDoors = z.preprocess(
  (value) => (typeof value === 'string' ? (value === 'none' ? [] : value.split(',').map((word) => word.trim())) : value),
  z.array(z.enum(WAKE_DOORS)),
);

/** Words too, because flags and the environment have nothing else: "false" is no, not a text that is there. */
const yesOrNo = z.union([z.boolean(), z.stringbool()]);

/** Commands that need an approval, beside the default ones, and names of rules that do not hold. */
const guardShape = z.strictObject({
  commands: z
    .array(
      z.strictObject({
        name: z.string().min(1).max(60),
        match: z.string().trim().min(1).max(400),
        risk: z.enum(['low', 'medium', 'high']),
        why: z.string().min(1).max(200),
        outside: z.boolean().optional(),
      }),
    )
    .max(100)
    .default([]),
  off: z.array(z.string().min(1).max(60)).max(100).default([]),
  overlaps: z.enum(['warn', 'refuse']).default(DEFAULT_SETTINGS.guard.overlaps),
  edits: z.enum(['refuse', 'warn']).default(DEFAULT_SETTINGS.guard.edits),
  whenBroken: z.enum(['open', 'closed']).default(DEFAULT_SETTINGS.guard.whenBroken),
});

/** What tokens cost, per million, before and beside the table that is built in. Whoever states prices states when they held. */
const price = z.number().min(0).max(1e6);
const priceShape = z
  .strictObject({
    asOf: z.iso.date().optional(),
    currency: z
      .string()
      .regex(/^[A-Z]{3}$/, 'three capital letters, for example USD')
      .optional(),
    models: z
      .record(
        z.string().min(1).max(120),
        z.strictObject({ input: price, output: price, cacheRead: price.optional(), cacheWrite: price.optional() }),
      )
      .default({}),
  })
  .refine(({ asOf, models }) => asOf !== undefined || Object.keys(models).length === 0, {
    path: ['asOf'],
    message: 'say on which day these prices held, for example "2026-11-01"',
  });

/** Every setting with its default. The keys of config files and of --flags are these; environment names are in ENVIRONMENT. */
const settings = z.strictObject({
  project: z.string().min(1).optional(),
  agent: z.string().min(1).optional(),
  role: z.string().min(1).optional(),
  toolsets: toolsets.default(DEFAULT_SETTINGS.toolsets),
  logLevel: z.enum(['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace']).default(DEFAULT_SETTINGS.logLevel),
  logFile: z.string().optional(),
  /** From how many milliseconds on a tool call (without what it waited) and a statement are slow, and so in the log; 0: never. */
  slowCallMs: z.coerce.number().int().min(0).max(3_600_000).default(DEFAULT_SETTINGS.slowCallMs),
  slowQueryMs: z.coerce.number().int().min(0).max(3_600_000).default(DEFAULT_SETTINGS.slowQueryMs),
  host: z.string().default(DEFAULT_SETTINGS.host),
  port: z.coerce.number().int().min(0).max(65_535).default(DEFAULT_SETTINGS.port),
  url: z.url().optional(),
  databaseUrl: z.string().min(1).optional(),
  databaseConnections: z.coerce.number().int().min(2).max(100).default(DEFAULT_SETTINGS.databaseConnections),
  token: z.string().optional(),
  enrol: z.string().optional(),
  behindProxy: yesOrNo.default(DEFAULT_SETTINGS.behindProxy),
  tlsCert: z.string().optional(),
  tlsKey: z.string().optional(),
  allowedHosts: z.array(z.string()).default([]),
  allowedOrigins: z.array(z.string()).default([]),
  allowNetworkFs: yesOrNo.default(DEFAULT_SETTINGS.allowNetworkFs),
  wakeDoors: wakeDoors.default(DEFAULT_SETTINGS.wakeDoors),
  limits: z.strictObject(limitShape).default({}),
  approvals: z
    .strictObject({
      low: z.enum(['policy', 'manager', 'operator']).default(DEFAULT_SETTINGS.approvals.low),
      medium: z.enum(['manager', 'operator']).default(DEFAULT_SETTINGS.approvals.medium),
    })
    .default(DEFAULT_SETTINGS.approvals),
  guard: guardShape.prefault({}),
  /** `{"typescript": {"javascript": 0.5}}`: who knows javascript may be given what needs typescript, as half a fit. */
  relatedCapabilities: z.record(z.string(), z.record(z.string(), z.number().gt(0).lt(1))).default({}),
  prices: priceShape.prefault({}),
});
export type Settings = z.output<typeof settings>;
export type Setting = keyof Settings;
export type Config = Readonly<
  Settings &
    ClientEnvironment &
    HubFiles & {
      place: Place;
      /** OpenTelemetry's own variables: they say whether and where telemetry is sent. */
      otel: Readonly<Record<string, string>>;
      noColor: boolean;
      sources: Readonly<Record<Setting, Source>>;
    }
>;

/** The configuration of this process: its environment, its working directory, and the flags it was given. */
export function readProcessConfig(flags: Given['flags']): Config {
  return readConfig({ env: process.env, cwd: process.cwd(), flags });
}

/** The same with nothing but the hub's place: for the doctor, which has to work while a setting is wrong. */
export function readPlaceOnly(flags: Given['flags']): Config {
  const { ROOKERY_HOME, NO_COLOR } = process.env;
  return readConfig({ env: { ROOKERY_HOME, NO_COLOR }, cwd: process.cwd(), flags: { home: flags.home }, files: false });
}

/** Where a setting can be given in the environment; undefined where it cannot. */
export function environmentName(setting: Setting): string | undefined {
  return ENVIRONMENT[setting];
}

export const settingNames: readonly Setting[] = settings.keyof().options;

/** Reads and checks everything. Throws `invalid_input` naming the key, its source and what it may be. */
export function readConfig(given: Given): Config {
  const { merged, sources, complete } = gather(given, (name) => settingNames.some((known) => known === name));
  const parsed = settings.safeParse(merged);
  if (!parsed.success) throw invalid(parsed.error.issues[0], sources);
  return complete(parsed.data, settingNames);
}

function invalid(issue: z.core.$ZodIssue | undefined, sources: Record<string, Source>): HubError {
  const key =
    issue?.code === 'unrecognized_keys' ? [...issue.path, issue.keys[0] ?? ''].join('.') : (issue?.path.join('.') ?? 'configuration');
  const source = sources[key.split('.')[0] ?? ''] ?? 'default';
  const what = issue?.code === 'unrecognized_keys' ? 'is not a setting' : (issue?.message ?? 'is invalid');
  return new HubError('invalid_input', `Configuration: ${key} (${source}): ${what}.`, {
    hint: `Settings are: ${Object.keys(settings.shape).join(', ')}.`,
  });
}
