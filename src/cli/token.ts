// rookery token: credentials for HTTP. The secret is shown once: on standard output, or in a fresh file of the user's own (0600).

import { closeSync, openSync, unlinkSync, writeSync } from 'node:fs';
import type { Command } from 'commander';
import { OPERATOR } from '../hub/caller.ts';
import { toIso, toIsoOrNull } from '../hub/clock.ts';
import type { Hub } from '../hub/hub.ts';
import { asOperator } from './as-operator.ts';
import { addCommand, addGroup, type CommonFlags } from './command.ts';
import { usage } from './failure.ts';
import { addList, type ListFlags } from './listing.ts';
import { assertPerson } from './person.ts';
import { printSafeLine } from './print-safe.ts';

type CreateFlags = CommonFlags & { agent?: string; operator?: boolean; role?: string; days?: string; label?: string; out?: string };

const DAY_MS = 86_400_000;

export function registerToken(program: Command): void {
  const token = addGroup(
    program,
    'token',
    'credentials for agents and services that connect over HTTP',
    'rookery token create --agent reviewer',
  );
  addCommand(
    token,
    'create',
    'make a token; the secret is shown this once',
    'rookery token create --agent reviewer --days 30 --out reviewer.token',
  )
    .option('--agent <name>', 'the agent it stands for; created if new')
    .option('--operator', 'make a token of the operator instead')
    .option('--role <role>', 'the role of a new agent')
    .option('--days <number>', 'how long it lives, 90 by default')
    .option('--label <text>', 'a word for yourself')
    .option('--out <file>', 'write the secret into this new file (0600) instead of printing it')
    .action(create);
  addList<ListFlags, Record<string, unknown>, { tokens: Record<string, unknown>[] }>(
    token,
    'list',
    { description: 'tokens of this project; never their secrets', example: 'rookery token list' },
    {
      of: 'tokens',
      read: async ({ hub, caller }) => ({ tokens: (await hub.tokens.list(caller)).map((one) => toRow(one, hub.context.time.now())) }),
      cells: (row) => row,
    },
  );
  addCommand(token, 'revoke <id>', 'end a token; effective with the next request', 'rookery token revoke tok_…').action(
    async (id: string, flags: CommonFlags) => {
      await asOperator(flags, async ({ hub, caller, terminal }) => {
        await hub.tokens.revoke(caller, id);
        if (flags.json === true) return terminal.json({ revoked: id });
        terminal.line(`${printSafeLine(id)} is revoked.`);
      });
    },
  );
}

function toRow(one: Awaited<ReturnType<Hub['tokens']['list']>>[number], now: number) {
  return {
    id: one.id,
    agent: one.agent,
    role: one.role,
    label: one.label,
    state: one.revokedAt !== null ? 'revoked' : one.expiresAt <= now ? 'expired' : 'live',
    created_at: toIso(one.createdAt),
    expires_at: toIso(one.expiresAt),
    used_at: toIsoOrNull(one.usedAt),
  };
}

async function create(flags: CreateFlags): Promise<void> {
  const agent = flags.operator === true ? OPERATOR : flags.agent;
  if (agent === undefined || (flags.operator === true && flags.agent !== undefined))
    throw usage('Say whose token it is: --agent NAME or --operator.', 'For example: rookery token create --agent reviewer');
  const lifeMs = flags.days === undefined ? undefined : Number(flags.days) * DAY_MS;
  if (lifeMs !== undefined && !(lifeMs > 0 && lifeMs <= 365 * DAY_MS))
    throw usage('--days must be more than 0, at most 365.', 'For example: --days 30');
  // The file first: a secret that cannot be put where it was asked for must not come to exist.
  const file = flags.out === undefined ? undefined : { path: flags.out, handle: reserve(flags.out) };
  try {
    await asOperator({ ...flags, begins: true }, async ({ hub, config, caller, terminal }) => {
      await assertPerson(hub, config);
      const made = await hub.tokens.create(caller, { agent, role: flags.role, lifeMs, label: flags.label });
      const known = { id: made.id, agent: made.name, role: made.role, expires_at: toIso(made.expiresAt) };
      if (file !== undefined) writeSync(file.handle, `${made.token}\n`);
      const where = file === undefined ? { token: made.token } : { file: file.path };
      if (flags.json === true) return terminal.json({ ...known, ...where });
      terminal.line(file === undefined ? made.token : `Written to ${printSafeLine(file.path)} (0600).`);
      process.stderr.write(
        `${made.id} for ${printSafeLine(made.name)} (${printSafeLine(made.role)}), until ${known.expires_at}. It is not shown again.\n`,
      );
    });
  } catch (error) {
    if (file !== undefined) unlinkSync(file.path);
    throw error;
  } finally {
    if (file !== undefined) closeSync(file.handle);
  }
}

function reserve(path: string): number {
  try {
    return openSync(path, 'wx', 0o600);
  } catch (error) {
    const exists = error instanceof Error && 'code' in error && error.code === 'EEXIST';
    throw usage(`${path} ${exists ? 'exists already' : 'cannot be written'}; no token was made.`, 'Choose another file.');
  }
}
