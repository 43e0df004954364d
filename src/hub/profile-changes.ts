// What an import would do, worked out before anything is done: the same list is shown by a dry run and carried out by the import itself.
//
//   merge      adds what is missing here; where both have a thing, what is here stays
//   overwrite  also makes what both have as the file has it; with `remove`, also ends what the file does not have

import { canonicalJson } from './canonical-json.ts';
import { type CarriedAgent, type CarriedPolicy, type CarriedReminder, type CarriedTemplate, keyOf, type Profile } from './profile.ts';

export type ImportMode = { overwrite: boolean; remove: boolean };

export type Field = { field: string; here: string; file: string };
/** `keep`: here and in the file, and different, and left as it is here. `extra`: only here, and left. */
export type Change =
  | PolicyChange
  | { act: 'add' | 'change' | 'keep' | 'remove' | 'extra'; kind: 'agent'; name: string; fields: Field[]; agent: CarriedAgent }
  | { act: 'add' | 'change' | 'keep' | 'remove' | 'extra'; kind: 'template'; name: string; fields: Field[]; template: CarriedTemplate }
  | { act: 'add' | 'remove' | 'extra'; kind: 'reminder'; name: string; fields: Field[]; reminder: CarriedReminder };

export type PolicyChange = {
  act: 'add' | 'change' | 'keep' | 'remove' | 'extra';
  kind: 'policy';
  name: string;
  fields: Field[];
  policy: CarriedPolicy;
};

/** `here` and `file` speak of the same project. Things that are the same on both sides are not in the list. */
export function changesOf(here: Profile, file: Profile, mode: ImportMode): Change[] {
  return [
    ...pairs(here.agents, file.agents, ({ name }) => name).flatMap(([own, other, name]): Change[] => {
      const agent = other ?? own;
      return agent === undefined
        ? []
        : actOf(own, other, mode).map((act) => ({ act, kind: 'agent', name, fields: fieldsOf(own, other), agent }));
    }),
    ...pairs(here.templates, file.templates, ({ name }) => name).flatMap(([own, other, name]): Change[] => {
      const template = other ?? own;
      return template === undefined
        ? []
        : actOf(own, other, mode).map((act) => ({ act, kind: 'template', name, fields: fieldsOf(own, other), template }));
    }),
    ...policyChanges(here.policies, file.policies, mode),
    ...pairs(counted(here.reminders), counted(file.reminders), ({ key }) => key).flatMap(([own, other]): Change[] => {
      const one = other ?? own;
      if (one === undefined || (own !== undefined && other !== undefined)) return [];
      const act = own === undefined ? 'add' : mode.remove ? 'remove' : 'extra';
      return [{ act, kind: 'reminder', name: titleOf(one.reminder), fields: [], reminder: one.reminder }];
    }),
  ];
}

/** The same of the policies alone. */
export function policyChanges(here: readonly CarriedPolicy[], file: readonly CarriedPolicy[], mode: ImportMode): PolicyChange[] {
  const nameOf = ({ key, agent }: CarriedPolicy) => (agent === null ? key : `${key} of ${agent}`);
  return pairs(here, file, nameOf).flatMap(([own, other, name]): PolicyChange[] => {
    const policy = other ?? own;
    return policy === undefined
      ? []
      : actOf(own, other, mode).map((act) => ({ act, kind: 'policy', name, fields: fieldsOf(own, other), policy }));
  });
}

function actOf<T extends object>(
  own: T | undefined,
  other: T | undefined,
  mode: ImportMode,
): ('add' | 'change' | 'keep' | 'remove' | 'extra')[] {
  if (own === undefined) return ['add'];
  if (other === undefined) return [mode.remove ? 'remove' : 'extra'];
  if (fieldsOf(own, other).length === 0) return [];
  return [mode.overwrite ? 'change' : 'keep'];
}

/** Everything that either side has, by name, in order. */
function pairs<T>(here: readonly T[], file: readonly T[], nameOf: (thing: T) => string): [T | undefined, T | undefined, string][] {
  const own = new Map(here.map((thing) => [nameOf(thing), thing]));
  const other = new Map(file.map((thing) => [nameOf(thing), thing]));
  return [...new Set([...own.keys(), ...other.keys()])].sort().map((name) => [own.get(name), other.get(name), name]);
}

/** The same reminder twice is two reminders. */
function counted(reminders: readonly CarriedReminder[]): { key: string; reminder: CarriedReminder }[] {
  const seen = new Map<string, number>();
  return reminders.map((reminder) => {
    const count = (seen.get(keyOf(reminder)) ?? 0) + 1;
    seen.set(keyOf(reminder), count);
    return { key: `${keyOf(reminder)} ${count}`, reminder };
  });
}

function fieldsOf(own: object | undefined, other: object | undefined): Field[] {
  if (own === undefined || other === undefined) return [];
  const [here, file] = [Object.entries(own), new Map(Object.entries(other))];
  return here.flatMap(([field, value]) => {
    const [a, b] = [canonicalJson(value), canonicalJson(file.get(field))];
    return a === b ? [] : [{ field, here: a, file: b }];
  });
}

function titleOf({ of, message, cron, due_at }: CarriedReminder): string {
  return `of ${of}, ${cron === null ? due_at : `"${cron}"`}: ${message.slice(0, 60)}`;
}
