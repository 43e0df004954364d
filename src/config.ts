// Configuration: the only reader of the environment and of config files. Precedence: flag > environment > project file > home file > default.
// Unknown or invalid keys refuse the start and are named. The result is frozen, and remembers where each value came from.

import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { type ClientEnvironment, clientEnvironment } from './client-environment.ts';
import { HubError } from './hub/errors.ts';
import { LIMITS, type LimitName } from './hub/limits.ts';
import { DEFAULT_POLICY } from './hub/policy.ts';
import { WAKE_DOORS } from './hub/vocabulary.ts';
import { existingFolder, filesOf, type HubFiles, hubHome } from './hub-home.ts';
import { findPlace, givenPlace, type Place } from './project-root.ts';
import { DEFAULT_TOOLSETS, TOOLSETS } from './tools/toolsets.ts';

const limitShape = Object.fromEntries(
  (Object.keys(LIMITS) as LimitName[]).map((name) => [name, z.int().min(1).max(LIMITS[name].hard).optional()]),
) as Record<LimitName, z.ZodOptional<z.ZodInt>>;

const toolsets = z.preprocess(
  (value) => {
    const words = typeof value === 'string' ? value.split(',').map((word) => word.trim()) : value;
    return Array.isArray(words) && words.includes('all') ? [...TOOLSETS] : words;
  },
  z.array(z.enum(TOOLSETS)).min(1),
);

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
  overlaps: z.enum(['warn', 'refuse']).default(DEFAULT_POLICY.guard.overlaps),
  edits: z.enum(['refuse', 'warn']).default(DEFAULT_POLICY.guard.edits),
  whenBroken: z.enum(['open', 'closed']).default(DEFAULT_POLICY.guard.whenBroken),
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
  toolsets: toolsets.default([...DEFAULT_TOOLSETS]),
  logLevel: z.enum(['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace']).default('warn'),
  logFile: z.string().optional(),
  /** From how many milliseconds on a tool call (without what it waited) and a statement are slow, and so in the log; 0: never. */
  slowCallMs: z.coerce.number().int().min(0).max(3_600_000).default(1_000),
  slowQueryMs: z.coerce.number().int().min(0).max(3_600_000).default(200),
  host: z.string().default('127.0.0.1'),
  port: z.coerce.number().int().min(0).max(65_535).default(7420),
  url: z.url().optional(),
  databaseUrl: z.string().min(1).optional(),
  databaseConnections: z.coerce.number().int().min(2).max(100).default(10),
  token: z.string().optional(),
  enrol: z.string().optional(),
  behindProxy: yesOrNo.default(false),
  tlsCert: z.string().optional(),
  tlsKey: z.string().optional(),
  allowedHosts: z.array(z.string()).default([]),
  allowedOrigins: z.array(z.string()).default([]),
  allowNetworkFs: yesOrNo.default(false),
  wakeDoors: wakeDoors.default([...WAKE_DOORS]),
  limits: z.strictObject(limitShape).default({}),
  approvals: z
    .strictObject({
      low: z.enum(['policy', 'manager', 'operator']).default(DEFAULT_POLICY.approvals.low),
      medium: z.enum(['manager', 'operator']).default(DEFAULT_POLICY.approvals.medium),
    })
    .default(DEFAULT_POLICY.approvals),
  guard: guardShape.prefault({}),
  /** `{"typescript": {"javascript": 0.5}}`: who knows javascript may be given what needs typescript, as half a fit. */
  relatedCapabilities: z.record(z.string(), z.record(z.string(), z.number().gt(0).lt(1))).default({}),
  prices: priceShape.prefault({}),
});
export type Settings = z.output<typeof settings>;
export type Setting = keyof Settings;
export type Source = 'flag' | 'environment' | 'project file' | 'home file' | 'default';

/**
 * What a project's own file may say. It comes with the code, perhaps from strangers: it may name things, but gives no role, opens no port, chooses
 * no file and reaches no other project's folder.
 */
const PROJECT_SETTINGS: readonly string[] = ['project', 'agent', 'toolsets', 'logLevel'];

const ENVIRONMENT: Partial<Record<Setting, string>> = {
  project: 'ROOKERY_PROJECT',
  agent: 'ROOKERY_AGENT',
  role: 'ROOKERY_ROLE',
  token: 'ROOKERY_TOKEN',
  enrol: 'ROOKERY_ENROL',
  toolsets: 'ROOKERY_TOOLSETS',
  logLevel: 'ROOKERY_LOG_LEVEL',
  host: 'ROOKERY_HOST',
  port: 'ROOKERY_PORT',
  url: 'ROOKERY_URL',
  databaseUrl: 'ROOKERY_DATABASE_URL',
  wakeDoors: 'ROOKERY_WAKE_DOORS',
};

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

export type Given = {
  env: NodeJS.ProcessEnv;
  cwd: string;
  /** Flags as parsed by the command line; undefined ones were not given. */
  flags: Partial<Record<Setting | 'home', unknown>>;
  /** False: config files are not looked at. */
  files?: boolean;
};

/** The configuration of this process: its environment, its working directory, and the flags it was given. */
export function readProcessConfig(flags: Given['flags']): Config {
  return readConfig({ env: process.env, cwd: process.cwd(), flags });
}

/** The same with nothing but the hub's place: for the doctor, which has to work while a setting is wrong. */
export function readPlaceOnly(flags: Given['flags']): Config {
  const { ROOKERY_HOME, NO_COLOR } = process.env;
  return readConfig({ env: { ROOKERY_HOME, NO_COLOR }, cwd: process.cwd(), flags: { home: flags.home }, files: false });
}

export const settingNames: readonly Setting[] = settings.keyof().options;

/** Where a setting can be given in the environment; undefined where it cannot. */
export function environmentName(setting: Setting): string | undefined {
  return ENVIRONMENT[setting];
}

/** Reads and checks everything. Throws `invalid_input` naming the key, its source and what it may be. */
export function readConfig({ env, cwd, flags, files = true }: Given): Config {
  const home = hubHome(flags.home ?? env.ROOKERY_HOME);
  // Claude Code tells a server the folder of its session; a client that does not is taken by its working directory.
  const start = existingFolder(env.CLAUDE_PROJECT_DIR) ?? cwd;
  const place = (given: unknown) => (typeof given === 'string' && given !== '' ? givenPlace(given, cwd, home) : findPlace(start, home));
  const projectFile = join(place(flags.project ?? env.ROOKERY_PROJECT).workRoot, '.rookery', 'config.json');
  const layers: [Source, Record<string, unknown>][] = [
    ['flag', defined(flags, 'home')],
    ['environment', fromEnvironment(env)],
    ['project file', files ? readProjectFile(projectFile, home) : {}],
    ['home file', files ? readFile(join(home, 'config.json'), undefined) : {}],
  ];
  const { merged, sources } = merge(withinHome(layers));
  const parsed = settings.safeParse(merged);
  if (!parsed.success) throw invalid(parsed.error.issues[0], sources);
  return Object.freeze({
    ...parsed.data,
    ...filesOf(home),
    place: place(parsed.data.project),
    ...clientEnvironment(env),
    otel: Object.fromEntries(
      Object.entries(env).filter((pair): pair is [string, string] => pair[0].startsWith('OTEL_') && pair[1] !== undefined),
    ),
    noColor: env.NO_COLOR !== undefined && env.NO_COLOR !== '',
    sources: Object.freeze({
      ...Object.fromEntries(Object.keys(settings.shape).map((key) => [key, 'default'])),
      ...sources,
    }) as Record<Setting, Source>,
  });
}

function fromEnvironment(env: NodeJS.ProcessEnv): Record<string, unknown> {
  const pairs = Object.entries(ENVIRONMENT).map(([setting, name]) => [setting, env[name]] as const);
  return Object.fromEntries(pairs.filter(([, value]) => value !== undefined && value !== ''));
}

/** The project's file, within what a project may say. */
function readProjectFile(path: string, home: string): Record<string, unknown> {
  const values = readFile(path, home);
  const refused = Object.keys(values).find((key) => !PROJECT_SETTINGS.includes(key));
  if (refused !== undefined) {
    const known = settingNames.some((name) => name === refused) ? 'is not for a project’s file' : 'is not a setting';
    throw new HubError('invalid_input', `${path}: ${refused.slice(0, 40)} ${known}.`, {
      hint: `A project’s file comes with its code; it may say ${PROJECT_SETTINGS.join(', ')}. Put the rest into the hub’s own config.json, a flag or the environment.`,
    });
  }
  if (typeof values.project === 'string' && /[\\/]|^\.+$/.test(values.project)) {
    throw new HubError('invalid_input', `${path}: project must be a name, not a folder.`, {
      hint: 'A folder is given by --project or ROOKERY_PROJECT.',
    });
  }
  return values;
}

/** A config file; the hub's own folder is never taken for a project's. */
function readFile(path: string, home: string | undefined): Record<string, unknown> {
  if (!existsSync(path) || (home !== undefined && realpathSync(path).startsWith(`${home}/`))) return {};
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new HubError('invalid_input', `${path} is not readable JSON.`, {
      hint: 'Correct or remove it.',
      cause: error,
    });
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw new HubError('invalid_input', `${path} must hold one JSON object.`, { hint: 'For example {"port": 7421}.' });
  return value as Record<string, unknown>;
}

/** The project's file comes with the code: what the operator's own file narrows, it cannot widen again. */
function withinHome(layers: [Source, Record<string, unknown>][]): [Source, Record<string, unknown>][] {
  const allowed = toolsets.safeParse(layers.find(([source]) => source === 'home file')?.[1].toolsets);
  return layers.map(([source, values]) => {
    const wanted = source === 'project file' ? toolsets.safeParse(values.toolsets) : undefined;
    if (!allowed.success || wanted?.success !== true) return [source, values];
    const both = wanted.data.filter((one) => allowed.data.includes(one));
    return [source, { ...values, toolsets: both.length === 0 ? allowed.data : both }];
  });
}

function merge(layers: [Source, Record<string, unknown>][]): {
  merged: Record<string, unknown>;
  sources: Record<string, Source>;
} {
  const merged: Record<string, unknown> = {};
  const sources: Record<string, Source> = {};
  for (const [source, values] of layers) {
    for (const [key, value] of Object.entries(values)) {
      if (key in merged) continue;
      merged[key] = value;
      sources[key] = source;
    }
  }
  return { merged, sources };
}

function defined(values: Record<string, unknown>, without: string): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([key, value]) => value !== undefined && key !== without));
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

/** Whether OpenTelemetry's variables name a receiver for this signal, or for any. */
export function isExporting(otel: Config['otel'], ...signals: ('traces' | 'metrics')[]): boolean {
  if (otel.OTEL_SDK_DISABLED?.toLowerCase() === 'true') return false;
  return (signals.length === 0 ? (['traces', 'metrics'] as const) : signals).some((signal) => {
    const name = signal.toUpperCase();
    const endpoint = otel[`OTEL_EXPORTER_OTLP_${name}_ENDPOINT`] ?? otel.OTEL_EXPORTER_OTLP_ENDPOINT ?? '';
    return endpoint !== '' && (otel[`OTEL_${name}_EXPORTER`] ?? 'otlp') === 'otlp';
  });
}
