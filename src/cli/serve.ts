// rookery serve: serves the hub over HTTP and says how to reach it. Standard output is for the person who started it; with --json it is
// one line for a program. Ends with a signal, after the hub has closed.

import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { isFleeting } from '../clients/install/program.ts';
import { leaveLauncher } from '../clients/launcher.ts';
import { type Config, readProcessConfig } from '../config.ts';
import type { Finding } from '../doctor/finding.ts';
import { HubError } from '../hub/errors.ts';
import { openLog } from '../system/log.ts';
import { isSuperuser } from '../system/superuser.ts';
import { addCommand, type CommonFlags } from './command.ts';
import { assertPerson } from './person.ts';
import { printSafeLine, safeJson } from './print-safe.ts';
import { MAIN, thisProcess, thisProgram } from './this-program.ts';

type ServeFlags = CommonFlags & {
  host?: string;
  port?: string;
  behindProxy?: boolean;
  tlsCert?: string;
  tlsKey?: string;
  asRoot?: boolean;
};

export function registerServe(program: Command): void {
  addCommand(program, 'serve', 'serve the hub over HTTP: MCP, the API and the event stream', 'rookery serve --port 7421')
    .option('--host <address>', 'the address to listen on, 127.0.0.1 by default')
    .option('--port <number>', 'the port, 7420 by default; 0 takes a free one')
    .option('--behind-proxy', 'a proxy in front of the hub does TLS')
    .option('--tls-cert <file>', 'certificate (PEM), to serve more than this machine')
    .option('--tls-key <file>', 'its key (PEM)')
    .option('--as-root', 'serve although this is the superuser of the machine')
    .action(async ({ json, asRoot = false, ...flags }: ServeFlags) => {
      assertOrdinary(asRoot || !isSuperuser());
      const config = readProcessConfig(flags);
      const log = openLog(config.logLevel, config.logFile);
      if (!isFleeting(MAIN)) leaveLauncher(config.home, thisProgram());
      const [{ serve, serveUntilSignal }, { openWithScheduler }, { collectTelemetry }] = await Promise.all([
        import('../server/serve.ts'),
        import('../open.ts'),
        import('../telemetry/collect.ts'),
      ]);
      const telemetry = await collectTelemetry({ config, process: 'serve', log });
      const open = () => openWithScheduler(config, log, telemetry);
      const served = await serve(config, log, open, doctorOf(config), telemetry.scrape);
      await telemetry.follow(served.hub);
      // An agent that starts the hub is not let in as the operator.
      const dashboard = await assertPerson(served.hub, config).then(
        () => served.offerSignIn(),
        () => undefined,
      );
      process.stdout.write(
        json === true
          ? `${safeJson({ url: served.url, port: served.port, instance_id: served.hub.instanceId, home: config.home, project: config.place.project, dashboard })}\n`
          : howToConnect(config, served.url, dashboard),
      );
      const code = await serveUntilSignal(served, log);
      await telemetry.close();
      process.exit(code); // whatever hangs has had its time
    });
}

/** A hub needs nothing that only root may do; what agents and browsers ask of it should not be done as root. Errors: `forbidden`. */
export function assertOrdinary(isOrdinary: boolean): void {
  if (isOrdinary) return;
  throw new HubError('forbidden', 'This is the superuser of the machine; the hub was not served.', {
    hint: 'Start it as the user whose agents use it; or say --as-root.',
  });
}

/** The doctor, for the health page; loaded when it is first asked, and never waited for by anybody else. */
function doctorOf(config: Config): () => Promise<readonly Finding[]> {
  return async () => {
    const { examine, realProbes } = await import('../doctor/doctor.ts');
    return (
      await examine(config, undefined, false, realProbes({ ...thisProcess(), startsServers: false }), () => ({
        add: () => {},
        end: () => {},
      }))
    ).findings;
  };
}

/** What a person needs to connect the first agent. Every line of it works as it is, but for NAME and the token. */
export function howToConnect(config: Config, url: string, dashboard: string | undefined): string {
  const main = quoted(MAIN);
  // Clients start their servers with an environment of their own, so a home that is not the usual one is said.
  const home = config.home === join(homedir(), '.rookery') ? '' : ` --home ${quoted(config.home)}`;
  const { name, root } = config.place.project;
  return `Rookery is served at ${url}
  home     ${printSafeLine(config.home)}
  project  ${printSafeLine(name)} (${printSafeLine(root)})

The dashboard, for you${dashboard === undefined ? '' : ' (the link works once, within ten minutes; rookery dashboard makes another)'}:
  ${dashboard ?? `${url} (rookery dashboard, in a terminal of your own, prints a link that signs you in)`}

Put it into your clients, with hooks (--dry-run shows what that changes):
  node ${main} install claude codex${home}

Or add the server alone; each agent starts one of its own:
  claude mcp add hub -- node ${main} stdio${home}
  codex mcp add hub -- node ${main} stdio${home}

Or over HTTP, with a token made in the agent's project:
  node ${main} token create --agent NAME${home}
  claude mcp add --transport http hub ${url}/mcp --header "Authorization: Bearer <token>"
  codex mcp add hub --url ${url}/mcp --bearer-token-env-var ROOKERY_TOKEN

Ctrl-C stops it.
`;
}

function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${printSafeLine(path).replaceAll("'", `'\\''`)}'`;
}
