// Whether Codex runs the hooks that were installed: it remembers, for each hook of a file by its place, the digest of what its user has looked
// at. The form of the digest is Codex's own (observed in 0.169.0); a hook whose digest fits is trusted, any other waits to be looked at.

import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { tableIn } from './toml-text.ts';

type Hook = { type?: unknown; command?: unknown; timeout?: unknown; async?: unknown };
type Group = { matcher?: unknown; hooks?: readonly Hook[] };

/** Codex's own limit for a hook that names none. */
const DEFAULT_SECONDS = 600;

/** The hooks of ours that Codex will not run before they are looked at, by event. `config`: config.toml, parsed; `hooks`: those of hooks.json. */
export function untrusted(config: Record<string, unknown>, path: string, hooks: unknown, isOurs: (hook: unknown) => boolean): string[] {
  const state = tableIn(tableIn(config, 'hooks'), 'state') ?? {};
  const paths = [path, realOf(path)];
  return Object.entries(toGroups(hooks)).flatMap(([event, groups]) => {
    const name = event.replace(/(?<!^)([A-Z])/g, '_$1').toLowerCase();
    const waiting = groups.some((group, g) =>
      (group.hooks ?? []).some((hook, h) => {
        if (!isOurs(hook)) return false;
        const known = paths.map((one) => tableIn(state, `${one}:${name}:${g}:${h}`)?.trusted_hash);
        // What it remembers of a hook that is no command is not known here: that it remembers something has to do.
        if (hook.type !== 'command') return known.every((one) => one === undefined);
        return !known.includes(`sha256:${digest(name, group, hook)}`);
      }),
    );
    return waiting ? [event] : [];
  });
}

function digest(name: string, { matcher }: Group, { type, command, timeout, async }: Hook): string {
  const hook = { async: async ?? false, command, timeout: timeout ?? DEFAULT_SECONDS, type };
  const value = { event_name: name, hooks: [hook], ...(matcher === undefined ? {} : { matcher }) };
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}

/** The hooks of a file by event, as far as they are lists. */
function toGroups(hooks: unknown): Record<string, readonly Group[]> {
  const entries = Object.entries((hooks ?? {}) as Record<string, unknown>);
  return Object.fromEntries(entries.filter((entry): entry is [string, Group[]] => Array.isArray(entry[1])));
}

function realOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
