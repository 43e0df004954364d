// `rookery serve`: the hub over HTTP, for clients that cannot start a stdio server, for the API and for the event stream. It is one more peer
// on the database (invariant 7): it may stop at any time, and others go on. It stops within two seconds of a signal (C19).

import type { Config } from '../config.ts';
import { HubError } from '../hub/errors.ts';
import type { Hub } from '../hub/hub.ts';
import type { Scheduler } from '../scheduler/scheduler.ts';
import type { Log } from '../system/log.ts';
import type { HealthFinding } from '../views/view.ts';
import { whyNotListening } from './busy-port.ts';
import { HttpDoor } from './http.ts';
import { isLoopback } from './origins.ts';

export type Served = {
  hub: Hub;
  url: string;
  port: number;
  /** Makes the dashboard's address with a code that signs one browser in, soon. */
  offerSignIn(): Promise<string>;
  /** Stops serving and closes the hub. Idempotent. */
  close(): Promise<void>;
};

/** Whatever hangs, the process is gone by then. */
const HARD_STOP_MS = 1_800;

/** Opens the hub and serves it. Errors: `forbidden` for an address that would be open to others in clear text; `unavailable` for a busy port. */
export async function serve(
  config: Config,
  log: Log,
  open: () => Promise<{ hub: Hub; scheduler: Scheduler }>,
  examine?: () => Promise<readonly HealthFinding[]>,
  metrics?: () => Promise<string>,
): Promise<Served> {
  assertPrivate(config);
  const { hub, scheduler } = await open();
  const door = makeDoor();
  try {
    await door.listen();
  } catch (error) {
    const asked = { url: door.url, host: config.host, port: config.port, instanceId: hub.instanceId };
    await hub.close();
    throw await whyNotListening(error, asked);
  }
  // The project the hub was started in exists from the start, so that tokens can be made for it.
  const operator = await hub.projects.operator(config.place.project, 'cli');
  scheduler.start();
  log.info({ event: 'serving', url: door.url, instance: hub.instanceId, boot: hub.bootId }, 'serving');
  let closing: Promise<void> | undefined;
  return {
    hub,
    url: door.url,
    port: door.port,
    offerSignIn: async () => signInLink(door.url, (await hub.signIns.offer(operator)).code),
    close: () => {
      closing ??= (async () => {
        await door.close();
        await scheduler.stop();
        await hub.close();
      })();
      return closing;
    },
  };

  function makeDoor(): HttpDoor {
    return new HttpDoor({ hub, scheduler, settings: config, log, examine, metrics });
  }
}

/** The code stands in the fragment, which browsers send to nobody: not to this hub's log, not to a proxy's, not to a page that is linked. */
export function signInLink(url: string, code: string): string {
  return `${url}/#sign-in=${code}`;
}

/** Serves until a signal asks to stop. Answers the exit code. */
export async function serveUntilSignal(served: Served, log: Log): Promise<number> {
  const signal = await new Promise<string>((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(name, () => resolve(name));
  });
  log.info({ event: 'stopping', reason: signal }, 'stopping');
  await Promise.race([served.close(), served.hub.context.clock.sleep(HARD_STOP_MS)]);
  return 0;
}

/** A bearer token must not cross a network in clear text (T-33). */
function assertPrivate({ host, tlsCert, tlsKey, behindProxy }: Config): void {
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    throw new HubError('invalid_input', 'TLS needs both --tls-cert and --tls-key.', { hint: 'Give both PEM files, or neither.' });
  }
  if (isLoopback(host) || tlsCert !== undefined || behindProxy) return;
  throw new HubError('forbidden', `Listening on ${host} without TLS would show tokens to the network; the hub was not started.`, {
    hint: 'Leave --host out, give --tls-cert and --tls-key, or say --behind-proxy if a proxy in front of the hub does TLS.',
  });
}
