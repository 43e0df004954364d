// Names and roles of agents: what is allowed, what is suggested, and how a fresh name is made.

import { distance } from 'fastest-levenshtein';
import { HUB, METRICS, OPERATOR } from './caller.ts';
import { HubError } from './errors.ts';
import type { Ids } from './ids.ts';

/** 1 to 40 of letters, digits, dot, dash and underscore, starting with a letter or digit: safe in an address, a path and a terminal. */
const NAME = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,38}[A-Za-z0-9])?$/;
const LABEL = /^[a-z0-9][a-z0-9._+-]{0,39}$/;

const ADJECTIVES = [
  'amber',
  'brisk',
  'calm',
  'clever',
  'coral',
  'dapper',
  'eager',
  'fabled',
  'gentle',
  'hardy',
  'ivory',
  'jolly',
  'keen',
  'lively',
  'mellow',
  'nimble',
  'olive',
  'proud',
  'quiet',
  'rapid',
  'silver',
  'tidy',
  'upbeat',
  'vivid',
  'witty',
] as const;
const BIRDS = [
  'avocet',
  'bunting',
  'crane',
  'dunlin',
  'egret',
  'finch',
  'grebe',
  'heron',
  'ibis',
  'jay',
  'kestrel',
  'lark',
  'martin',
  'nuthatch',
  'owl',
  'plover',
  'quail',
  'raven',
  'siskin',
  'tern',
  'wagtail',
  'wren',
] as const;

/** The two standing principals, and what readers take for one of them or for a person: no agent speaks under such a name. */
const RESERVED: readonly string[] = [OPERATOR, HUB, 'rookery', 'human', 'system', 'admin'];

/** Refuses what cannot be an agent's name, reserved ones included, in whatever case: readers do not look that closely. */
export function assertName(name: string): void {
  if (RESERVED.includes(name.toLowerCase())) {
    throw new HubError('invalid_input', `The name ${name} is reserved: others would take its words for the operator’s or the hub’s.`, {
      hint: `Choose another name than ${RESERVED.join(', ')}.`,
    });
  }
  if (!NAME.test(name) || name.includes('..')) {
    throw new HubError(
      'invalid_input',
      'name must be 1 to 40 letters, digits, dots, dashes or underscores and start with a letter or digit.',
      {
        hint: 'For example: reviewer-1',
      },
    );
  }
}

/** Refuses what cannot be a role or a label. */
export function assertLabel(field: string, label: string, example = 'reviewer, typescript, c++'): void {
  if (!LABEL.test(label)) {
    throw new HubError('invalid_input', `${field} must be 1 to 40 lower-case letters, digits, dots, dashes, plus signs or underscores.`, {
      hint: `For example: ${example}`,
    });
  }
}

/** Refuses what cannot be a capability: a label, perhaps with the version of it. */
export function assertCapability(capability: string): void {
  const [label = '', version] = capability.split('@');
  assertLabel('capabilities', label, 'reviewer, typescript, or with its version node@20.1');
  if (version === undefined || /^\d[\d.]{0,15}$/.test(version)) return;
  throw new HubError('invalid_input', 'capabilities: after @ stands a version of digits and dots.', { hint: 'For example: node@20.1' });
}

/** What configuration may give to a session: any label, and manager. */
export function assertGrantable(role: string): void {
  assertLabel('role', role);
  if (role === OPERATOR || role === HUB || role === METRICS) {
    throw new HubError('forbidden', `The role ${role} cannot be given to an agent’s session.`, {
      hint:
        role === METRICS
          ? 'It belongs to tokens that read numbers: rookery token create --agent prometheus --role metrics'
          : 'The operator acts through the command line or an operator token.',
    });
  }
}

/** A fresh readable name such as claude-amber-finch; `taken` says which exist. */
export async function freshName(ids: Ids, client: string, taken: (name: string) => Promise<boolean>): Promise<string> {
  const stem = client.toLowerCase().replace(/[^a-z0-9]+.*$/, '') || 'agent';
  for (let attempt = 0; attempt < 20; attempt++) {
    const name = `${stem.slice(0, 12)}-${ids.pick(ADJECTIVES)}-${ids.pick(BIRDS)}`;
    if (!(await taken(name))) return name;
  }
  return `${stem.slice(0, 12)}-${ids.pick(ADJECTIVES)}-${ids.next('agt').slice(-6)}`;
}

/** The names that a mistyped one may have meant, nearest first, at most three. */
export function nearestNames(wanted: string, names: readonly string[]): string[] {
  const lower = wanted.toLowerCase();
  return names
    .map((name) => ({
      name,
      off: distance(lower, name.toLowerCase()) - (name.toLowerCase().startsWith(lower) ? 3 : 0),
    }))
    .filter(({ name, off }) => off <= Math.max(2, Math.floor(name.length / 2)))
    .sort((a, b) => a.off - b.off || (a.name < b.name ? -1 : 1))
    .slice(0, 3)
    .map(({ name }) => name);
}
