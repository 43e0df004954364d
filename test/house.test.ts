// The rules of the house, each with its reason. A failure names the file, the line and why the rule exists.

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const SRC = fileURLToPath(new URL('../src', import.meta.url));

type Source = { path: string; folder: string; lines: string[]; code: string; imports: { line: number; from: string; typeOnly: boolean }[] };

const sources: Source[] = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map((path) => toSource(path));

function toSource(path: string): Source {
  const text = readFileSync(join(SRC, path), 'utf8');
  const lines = text.split('\n');
  const imports = [
    ...text.matchAll(/^(?:import|export)\s+(type\s)?[^'"]*?from\s+'([^']+)'|^import\s+'([^']+)'|\bimport\('([^']+)'\)/gm),
  ].map((match) => ({
    line: text.slice(0, match.index).split('\n').length,
    from: match[2] ?? match[3] ?? match[4] ?? '',
    typeOnly: match[1] !== undefined,
  }));
  return { path, folder: path.includes('/') ? (path.split('/')[0] ?? '') : '', lines, code: withoutComments(text), imports };
}

/** The text with comments blanked, so that words in prose are no offence; line numbers stay. */
function withoutComments(text: string): string {
  const blank = (comment: string) => comment.replace(/[^\n]/g, ' ');
  return text.replace(/\/\*[\s\S]*?\*\//g, blank).replace(/(^|[\s;,{(])\/\/[^\n]*/g, blank);
}

/** A local import as a path below src; undefined for packages. */
function target(source: Source, from: string): string | undefined {
  return from.startsWith('.') ? relative(SRC, join(SRC, dirname(source.path), from)) : undefined;
}

function offences(rule: RegExp, where: (source: Source) => boolean): string[] {
  return sources
    .filter(where)
    .flatMap((source) =>
      source.code.split('\n').flatMap((line, i) => (rule.test(line) ? [`src/${source.path}:${i + 1}: ${line.trim().slice(0, 100)}`] : [])),
    );
}

/** ARCHITECTURE.md, "Who may import whom". A file stands for itself, a folder for all in it; files of src itself wire everything. */
const MAY_IMPORT: Record<string, { what: string[]; why: string }> = {
  hub: {
    what: ['hub', 'store'],
    why: 'The hub decides: it knows the store’s functions and no front door, so that every door gets the same rules.',
  },
  store: {
    what: ['store', 'hub/errors.ts', 'hub/clock.ts', 'hub/limits.ts'],
    why: 'The store remembers and decides nothing: of the hub it knows the words for errors, time and limits only.',
  },
  tools: { what: ['tools', 'hub'], why: 'Tools ask the hub: a tool that reads rows would pass by its rules (invariant 8).' },
  scheduler: {
    what: ['scheduler', 'hub', 'system/log.ts'],
    why: 'The scheduler only decides when; what is done lives with its noun in the hub.',
  },
  system: {
    what: ['system', 'hub/clock.ts', 'hub/host.ts', 'hub/ids.ts', 'hub/project-files.ts', 'hub/slow-log.ts'],
    why: 'The machine implements the hub’s interfaces and knows nothing else.',
  },
  server: {
    what: ['server', 'views', 'wake', 'tools', 'hub', 'scheduler', 'config.ts', 'open.ts', 'system'],
    why: 'A front door passes the same authorisation as all others: it goes through tools and the hub, never to the store.',
  },
  views: {
    what: ['views', 'tools', 'hub'],
    why: 'A view is a look through the hub, with its rules and its names for things; it never goes to the store.',
  },
  wake: {
    what: ['wake', 'hub', 'config.ts', 'system'],
    why: 'The doors by which a client is woken carry out what the hub decided: they decide nothing and read no rows.',
  },
  clients: {
    what: ['clients', 'tools', 'hub', 'config.ts', 'hub-home.ts', 'project-root.ts', 'open-guest.ts', 'system'],
    why: 'What is installed into clients is a front door, too.',
  },
  demo: {
    what: ['demo', 'system'],
    why: 'The demo knows the hub as any client does, from outside: what it shows is what a client sees.',
  },
  cli: {
    what: [
      'cli',
      'demo',
      'server',
      'wake',
      'telemetry',
      'clients',
      'views',
      'tools',
      'hub',
      'scheduler',
      'care',
      'doctor',
      'config.ts',
      'config-sources.ts',
      'plain-config.ts',
      'database-place.ts',
      'client-environment.ts',
      'hub-home.ts',
      'project-root.ts',
      'open.ts',
      'open-guest.ts',
      'preflight.ts',
      'system',
    ],
    why: 'The command line can do nothing that the hub does not offer (invariant 8): it never goes to the store.',
  },
  telemetry: {
    what: ['telemetry', 'hub', 'config.ts', 'system'],
    why: 'Collecting is told numbers and spans; it looks at the hub through its services and changes nothing.',
  },
  care: {
    what: ['care', 'store', 'hub', 'config.ts', 'database-place.ts', 'system'],
    why: 'Backup and restore handle the file itself, while no hub may be running; they know no front door.',
  },
  doctor: {
    what: ['doctor', 'care', 'store', 'hub', 'clients/install', 'config.ts', 'preflight.ts', 'system'],
    why: 'The doctor looks at a hub that may not open, and at what was installed; it knows no front door.',
  },
};

it('imports only in the directions of the architecture', () => {
  const wrong = sources.flatMap((source) =>
    source.imports.flatMap(({ from, line }) => {
      const to = target(source, from);
      const rule = MAY_IMPORT[source.folder];
      if (to === undefined || source.folder === '') return [];
      if (rule === undefined) return [`src/${source.path}: the folder ${source.folder} has no rule yet: give it one here`];
      return rule.what.some((allowed) => to === allowed || to.startsWith(`${allowed}/`))
        ? []
        : [`src/${source.path}:${line} imports ${to}. ${rule.why}`];
    }),
  );
  expect(wrong).toEqual([]);
});

it('keeps each foreign library in its place', () => {
  const places: [RegExp, RegExp, string][] = [
    [
      /^@modelcontextprotocol\/sdk/,
      /^(server|demo\/agent\.ts)/,
      'Only server speaks MCP (invariant 1), and the demo’s agents as its clients.',
    ],
    [/^(@hono\/|hono)/, /^server\//, 'Only server speaks HTTP (invariant 1).'],
    [/^better-sqlite3/, /^store\/sqlite/, 'A driver is known to its engine only: the second engine runs the same rules.'],
    [/^(pg|@electric-sql)/, /^store\/postgres/, 'A driver is known to its engine only.'],
    [/^unbash/, /^hub\/shell(-words)?\.ts$/, 'What a command line would run is read in one place.'],
    [/^croner/, /^hub\/schedules\.ts/, 'What a recurring time means is decided in one place.'],
    [/^standardwebhooks/, /^(server\/|wake\/webhook\.ts)/, 'Signatures are checked at the door, and made where a webhook is called.'],
    [/^@opentelemetry\//, /^telemetry\//, 'What is measured is named in hub/telemetry.ts; how it is collected is another matter.'],
    [/^pino/, /^system\/log\.ts$/, 'Logs are opened in one place, so that none goes to standard output.'],
    [/^commander/, /^cli\//, 'Flags are read by the command line only.'],
    [
      /^(node:)?(http|https|net|tls)$/,
      /^(server|wake|cli|store\/doorbell\.ts|clients|doctor|preflight)/,
      'The network is used at the doors and by the doorbell only.',
    ],
  ];
  const wrong = sources.flatMap((source) =>
    source.imports.flatMap(({ from, line }) =>
      places.flatMap(([library, place, why]) =>
        library.test(from) && !place.test(source.path) ? [`src/${source.path}:${line} imports ${from}. ${why}`] : [],
      ),
    ),
  );
  expect(wrong).toEqual([]);
});

it('has no import cycles', () => {
  const edges = new Map(
    sources.map((source) => [
      source.path,
      source.imports.filter(({ typeOnly }) => !typeOnly).flatMap(({ from }) => target(source, from) ?? []),
    ]),
  );
  const done = new Set<string>();
  const cycles: string[] = [];
  const walk = (path: string, trail: string[]): void => {
    if (trail.includes(path)) cycles.push([...trail.slice(trail.indexOf(path)), path].join(' -> '));
    if (trail.includes(path) || done.has(path)) return;
    for (const next of edges.get(path) ?? []) walk(next, [...trail, path]);
    done.add(path);
  };
  for (const path of edges.keys()) walk(path, []);
  expect(cycles).toEqual([]);
});

it('takes time, chance, environment and output from outside (invariant 9)', () => {
  const inSystem = ({ path, folder }: Source) => folder !== 'system' && path !== 'hub/clock.ts';
  const rules: [string, RegExp, (source: Source) => boolean][] = [
    [
      'Time is injected, so that tests can move it: use the Clock.',
      /\bDate\b(?!:)|\bperformance\.|\bsetTimeout\(|\bsetInterval\(/,
      inSystem,
    ],
    ['Chance is injected: use Ids.', /\bMath\.random\b/, () => true],
    ['Standard output is the protocol and the log has its own door: use the Log, or process.stdout in cli.', /\bconsole\./, () => true],
    [
      'The environment is read in config.ts only: what is configured must be found in one place.',
      /\bprocess\.env\b/,
      ({ path, folder }) => !(path === 'config.ts' || path === 'main.ts' || folder === 'cli'),
    ],
  ];
  for (const [why, rule, where] of rules) expect([why, offences(rule, where)]).toEqual([why, []]);
});

it('speaks SQL in the store only (invariant 1)', () => {
  const sql = /[`'"]\s*(SELECT\s.+\sFROM|INSERT INTO|UPDATE\s+\w+\s+SET|DELETE FROM|CREATE (TABLE|INDEX)|PRAGMA\s|BEGIN|COMMIT|VACUUM)\b/;
  expect(offences(sql, ({ folder }) => folder !== 'store')).toEqual([]);
});

it('writes transactions that take the lock at once (T-7)', () => {
  const why = 'A deferred transaction that turns into a write fails at once with SQLITE_BUSY.';
  expect([why, offences(/\.transaction\(/, () => true)]).toEqual([why, []]);
  expect([
    why,
    offences(
      /'BEGIN'/,
      ({ path }) => !['store/sqlite.ts', 'store/postgres.ts', 'store/sqlite-care.ts', 'store/sqlite-moving.ts'].includes(path),
    ),
  ]).toEqual([why, []]);
});

it('begins every file by saying what it is responsible for', () => {
  const silent = sources.filter(
    ({ lines }) => !(lines[0]?.startsWith('#!') ? lines[1] : lines[0])?.startsWith('// ') && !lines[2]?.startsWith('// '),
  );
  expect(silent.map(({ path }) => path)).toEqual([]);
});

it('keeps files short: past 300 lines something wants to be two things', () => {
  expect(sources.filter(({ lines }) => lines.length > 301).map(({ path, lines }) => `src/${path}: ${lines.length}`)).toEqual([]);
});

it('names files after what they hold, in kebab-case, and never after nothing', () => {
  for (const { path } of sources) {
    expect(path).toMatch(/^([a-z0-9-]+\/)*[a-z0-9-]+\.ts$/);
    expect(path).not.toMatch(/(^|[/-])(utils?|helpers?|common|misc|handlers?|info|data)(-|\.ts$)/);
  }
});

it('has no any and no non-null assertion', () => {
  const why = 'What a type does not prove, a row proves or a check does.';
  expect([why, offences(/:\s*any\b|\bas any\b|<any>|any\[\]/, () => true)]).toEqual([why, []]);
  expect([why, offences(/[\w)\]]!(\.|\[|;|,|\)|$)/, () => true)]).toEqual([why, []]);
});

it('leaves nothing unfinished in the sources', () => {
  const text = ({ lines }: Source) => lines.join('\n');
  expect(sources.filter((source) => /\b(TODO|FIXME|XXX|HACK)\b/.test(text(source))).map(({ path }) => path)).toEqual([]);
});

it('gives every decision a number of its own, which its title repeats', () => {
  const folder = join(SRC, '..', 'docs', 'decisions');
  const records = readdirSync(folder).sort();
  expect(records.map((name) => Number(name.slice(0, 4)))).toEqual(records.map((_name, index) => index + 1));
  for (const name of records) expect(readFileSync(join(folder, name), 'utf8')).toMatch(new RegExp(`^# ${Number(name.slice(0, 4))}\\. `));
});
