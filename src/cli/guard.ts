// rookery guard and reservations: what is held by whom, which commands need an approval, and the pre-commit guard of git.

import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { programOf } from '../clients/install/program.ts';
import { hookPlace, installHook, stagedFiles, uninstallHook, workTree } from '../clients/pre-commit.ts';
import { hasHub } from '../database-place.ts';
import { HubError } from '../hub/errors.ts';
import { rulesOf } from '../hub/risky-commands.ts';
import { type RefusalsReply, refusals } from '../views/refusals.ts';
import { type ReservationsReply, reservations } from '../views/reservations.ts';
import { asOperator } from './as-operator.ts';
import { addCommand, addGroup, type CommonFlags, configOf } from './command.ts';
import { addList, type ListFlags } from './listing.ts';
import { printSafeLine } from './print-safe.ts';
import { renderThings } from './render.ts';
import { openTerminal } from './terminal.ts';

const DONE = {
  installed: 'The pre-commit guard is in place',
  renewed: 'The pre-commit guard is renewed',
  chained: 'The pre-commit guard is in place; the hook that was there runs first',
} as const;

export function registerGuard(program: Command): void {
  addList<ListFlags, ReservationsReply['reservations'][number], ReservationsReply>(
    program,
    'reservations',
    { description: 'what is reserved, by whom, until when', example: 'rookery reservations' },
    {
      of: 'reservations',
      read: ({ look }) => look(reservations),
      cells: ({ reservation_id, kind, mode, holder, until, resource, reason }) => ({
        reservation: reservation_id,
        ...{ kind, mode, holder, until, resource, reason },
      }),
    },
  );
  const guard = addGroup(program, 'guard', 'the commands that need an approval, and the pre-commit guard of git', 'rookery guard install');
  addList<ListFlags, RefusalsReply['refusals'][number], RefusalsReply>(
    guard,
    'refusals',
    { description: 'what agents were kept from doing, the newest first, and why', example: 'rookery guard refusals' },
    {
      of: 'refusals',
      read: ({ look }) => look(refusals),
      cells: ({ at, agent, sub_agent, tool, reason }) => ({
        at,
        agent: sub_agent === '' ? agent : `${agent} (${sub_agent})`,
        tool,
        why: reason,
      }),
    },
  );
  addCommand(guard, 'rules', 'the commands that need an approval in this project', 'rookery guard rules').action(showRules);
  addCommand(guard, 'install', 'put the pre-commit guard into this git repository', 'rookery guard install').action(
    (flags: CommonFlags) => {
      const config = configOf(flags);
      const main = fileURLToPath(new URL('../main.js', import.meta.url));
      const place = hookPlace(process.cwd());
      const done = installHook(place, programOf(main, process.env.PATH), flags.home === undefined ? undefined : config.home);
      say(
        flags,
        { hook: place.hook, done },
        `${DONE[done]}: ${place.hook}. It asks the hub before each commit; git commit --no-verify goes around it.`,
      );
    },
  );
  addCommand(guard, 'uninstall', 'take it out again; a hook that was there before comes back', 'rookery guard uninstall').action(
    (flags: CommonFlags) => {
      const place = hookPlace(process.cwd());
      const done = uninstallHook(place);
      say(
        flags,
        { hook: place.hook, removed: done },
        done ? `${place.hook} is as it was before.` : `${place.hook} is not ours; nothing was changed.`,
      );
    },
  );
  addCommand(
    guard,
    'check [files...]',
    'whether another agent holds one of these files; by default those that are staged',
    'rookery guard check src/app.ts',
  ).action(check);
}

/** The rules in force: those of the configuration, and where there is a hub what was set over them. */
async function showRules(flags: CommonFlags): Promise<void> {
  const config = configOf(flags);
  const terminal = openTerminal(config);
  const print = (guard: Parameters<typeof rulesOf>[0]) => {
    const rules = rulesOf(guard).map((one) => ({
      name: one.name,
      risk: one.risk,
      match: one.match,
      outside: one.outside === true,
      why: `it ${one.why}`,
    }));
    if (flags.json === true) return terminal.json({ rules });
    for (const line of renderThings(rules)) terminal.line(line);
  };
  if (!hasHub(config)) return print(config.guard);
  await asOperator(flags, async ({ hub, caller }) => {
    await hub.policies.refresh();
    print(hub.context.policyOf({ projectId: caller.projectId }).guard);
  });
}

/** Exit 1, and only then, when an agent would commit what another holds. A person is told and not stopped; a hub in trouble stops nobody. */
async function check(files: string[], flags: CommonFlags): Promise<void> {
  const held = await whatIsHeld(files, flags).catch((error: unknown) => {
    throw new HubError('unavailable', `The hub could not be asked: ${error instanceof Error ? error.message : 'unknown'}`, {
      hint: 'Run: rookery doctor',
      cause: error,
    });
  });
  if (flags.json === true) openTerminal(configOf(flags)).json(held);
  if (held.refused)
    throw new HubError('conflict', `Not committed: ${held.reason}`, { hint: 'Unstage the file, or wait until it is released.' });
  if (held.reason !== '') process.stderr.write(`rookery: ${printSafeLine(held.reason)}\n`);
}

async function whatIsHeld(
  files: readonly string[],
  flags: CommonFlags,
): Promise<{ refused: boolean; agent: string | null; reason: string }> {
  const nothing = { refused: false, agent: null, reason: '' };
  // No hub, nothing to ask: this must not make one.
  if (!hasHub(configOf(flags))) return nothing;
  const top = files.length > 0 ? process.cwd() : workTree(process.cwd());
  const named = files.length > 0 ? files : stagedFiles(top);
  let held = nothing as { refused: boolean; agent: string | null; reason: string };
  await asOperator({ ...flags, begins: true }, async ({ hub, config, caller }) => {
    const agent = await hub.lineage.callerAbove(config.place.project.id, config.commandKey);
    // The session may have changed hands meanwhile; the question is only who asks, and from where.
    const asker = { ...(agent ?? caller), epoch: null, root: config.place.workRoot };
    const { decision, reason } = await hub.guard.edits(asker, named, top);
    held = { refused: agent !== undefined && decision === 'deny', agent: agent?.name ?? null, reason };
  });
  return held;
}

function say(flags: CommonFlags, value: Record<string, unknown>, sentence: string | undefined): void {
  const terminal = openTerminal(configOf(flags));
  if (flags.json === true) terminal.json(value);
  else if (sentence !== undefined) terminal.line(printSafeLine(sentence));
}
