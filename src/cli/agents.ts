// rookery agents: who is in this project; and agents create: an agent that a client becomes by a token which enrols once, with the lines to put
// into that client. The token is shown once, on standard output with the rest of the lines.

import { homedir } from 'node:os';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { placesOf, type Wish } from '../clients/install/client.ts';
import { PRINTS, type Print, snippet } from '../clients/install/snippets.ts';
import type { Config } from '../config.ts';
import { toIso } from '../hub/clock.ts';
import type { Enrolment } from '../hub/enrolments.ts';
import { LIMITS } from '../hub/limits.ts';
import { PRESENCE_STATES } from '../hub/presence.ts';
import { type AgentsReply, agents as agentsView } from '../views/agents.ts';
import { registerAgentCard } from './agent-card.ts';
import { registerAgentWaking } from './agent-waking.ts';
import { asOperator } from './as-operator.ts';
import { addCommand, type CommonFlags } from './command.ts';
import { usage } from './failure.ts';
import { definedOf, type ListFlags, type Listing, showList, withAllProjects } from './listing.ts';
import { assertPerson } from './person.ts';
import { printSafeLine } from './print-safe.ts';
import { thisProgram } from './this-program.ts';

type AgentFlags = ListFlags & { state?: string; search?: string; offset?: string };
type CreateFlags = CommonFlags & { role?: string; model?: string; description?: string; print?: string; days?: string };

const ROWS = 1_000;
const DAY_MS = 86_400_000;
const MOST_DAYS = LIMITS.enrolmentMs.hard / DAY_MS;

export function registerAgents(program: Command): void {
  const agents = withAllProjects(addCommand(program, 'agents', 'who is in this project, and who is there now', 'rookery agents'))
    .alias('agent')
    .addOption(new Option('--state <state>', 'only those in this state').choices(PRESENCE_STATES))
    .option('--search <text>', 'part of a name, role, client or status')
    .option('--offset <number>', `those after the first so many; ${ROWS} are shown at once`)
    .action((flags: AgentFlags) => showList(flags, LISTING));
  addCommand(
    agents,
    'create <name>',
    'make an agent that exactly one client becomes',
    'rookery agents create reviewer --role reviewer --print claude',
  )
    .option('--role <role>', 'its role; manager, too')
    .option('--model <model>', 'the model it is to run, for whoever starts it')
    .option('--description <text>', 'what it is for')
    .option('--print <what>', `the lines for ${PRINTS.join(', ')}; env by default`)
    .option('--days <number>', `how long the token may wait to be used, 7 by default, at most ${MOST_DAYS}`)
    .action((name: string, _flags: CreateFlags, command: Command) => create(name, command.optsWithGlobals<CreateFlags>()));
  registerAgentCard(agents);
  registerAgentWaking(agents);
}

const LISTING: Listing<AgentFlags, AgentsReply['agents'][number], AgentsReply> = {
  of: 'agents',
  read: ({ look }, { state, search: q, offset }) => look(agentsView, { ...definedOf({ state, q, offset }), limit: ROWS }),
  cells: ({ name, role, state, quarantined, unread, owed, wake, client, spawned_by, last_seen, status }) => ({
    ...{
      name,
      role,
      state: quarantined === true ? `${state}, in quarantine` : state,
      unread,
      owed,
      wake: wake.proven_at === undefined ? wake.door : `${wake.door}, proven`,
    },
    ...{ client: client ?? '-', made_by: spawned_by ?? '-', last_seen, status: status ?? '' },
  }),
  below({ total, states }, rows, _operator, { offset = '0' }) {
    const shown = Number(offset) + rows.length;
    return [
      Object.keys(states).length === 0
        ? 'Nobody to show. rookery install claude codex puts the hub into clients, rookery agents create makes an agent.'
        : undefined,
      total > shown ? `${total - shown} more follow: repeat it with --offset ${shown}. --state or --search narrows it.` : undefined,
      rows.length > 0 ? 'rookery agents show NAME shows one: what it was told, what it owes, its sessions.' : undefined,
    ];
  },
};

async function create(name: string, flags: CreateFlags): Promise<void> {
  const print = printOf(flags.print);
  const days = flags.days === undefined ? undefined : Number(flags.days);
  if (days !== undefined && !(days > 0 && days <= MOST_DAYS))
    throw usage(`--days must be more than 0, at most ${MOST_DAYS}.`, 'For example: --days 1');
  await asOperator({ ...flags, begins: true }, async ({ hub, config, caller, terminal }) => {
    await assertPerson(hub, config);
    const { role, model, description } = flags;
    const wish = { name, role, model, description, lifeMs: days === undefined ? undefined : days * DAY_MS };
    const { token = '', ...made } = await hub.enrolments.create(caller, wish, { tool: 'agents.create' });
    const lines = snippet(print, { name: made.name, token }, wishFor(config, flags));
    if (flags.json === true) return terminal.json({ ...toFields(made), token, print, lines });
    for (const line of lines) terminal.line(printSafeLine(line));
    process.stderr.write(
      `${made.enrolmentId}: one client becomes ${printSafeLine(made.name)} (${printSafeLine(made.role)}) by this, until ${toIso(made.expiresAt)}. It is not shown again.\n` +
        (made.model === '' ? '' : `It is to run the model ${printSafeLine(made.model)}: start it so.\n`),
    );
  });
}

function toFields({ enrolmentId, name, role, model, expiresAt }: Enrolment) {
  return { enrolment_id: enrolmentId, name, role, model, expires_at: toIso(expiresAt) };
}

function printOf(given = 'env'): Print {
  const print = PRINTS.find((one) => one === given);
  if (print === undefined) throw usage(`--print must be one of ${PRINTS.join(', ')}.`, 'For example: --print codex');
  return print;
}

/** The values of this project, and of no other: where another hub or a project by name is meant, the client is told. */
function wishFor(config: Config, flags: CommonFlags): Omit<Wish, 'env'> {
  const named = flags.project !== undefined && config.place.project.name === flags.project ? flags.project : undefined;
  const home = config.home === join(homedir(), '.rookery') ? undefined : config.home;
  return {
    program: thisProgram(),
    scope: 'project',
    places: placesOf(process.env, homedir(), config.place.workRoot),
    flags: { ...(named === undefined ? {} : { '--project': named }), ...(home === undefined ? {} : { '--home': home }) },
    allowTools: true,
  };
}
