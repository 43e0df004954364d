// The doorbell between hubs on one PostgreSQL: LISTEN and NOTIFY on a connection of its own. Notifying takes a lock of the whole server until its
// transaction ends, so it is never done by the transaction that changed something, but after it, many changes at once, and without a sync.
// It carries no data (invariant 6): a lost ring costs at most the poll interval of the engine. A connection that breaks is made anew, and whoever
// waits looks again, for what was rung meanwhile.

import type pg from 'pg';
import type { Clock } from '../hub/clock.ts';
import type { PgBell } from './postgres.ts';

const CHANNEL = 'rookery';
/** Between two rings: under load one says what many would. */
const RING_GAP_MS = 10;
const LAST_RING_MS = 1_000;
const RECONNECT_MS = 200;
const RECONNECT_CEILING_MS = 5_000;
/** A network that swallows everything is noticed by asking. */
const ASK_EVERY_MS = 10_000;
const ASK_WITHIN_MS = 5_000;

export class ListenBell implements PgBell {
  readonly #make: () => pg.Client;
  readonly #clock: Clock;
  readonly #rung: () => void;
  readonly #closing = new AbortController();
  #client: Promise<pg.Client> | undefined;
  #keeping: Promise<void> | undefined;
  #ringing: Promise<void> | undefined;
  #wanted = false;
  #trouble: string | undefined;

  constructor(make: () => pg.Client, clock: Clock, rung: () => void) {
    this.#make = make;
    this.#clock = clock;
    this.#rung = rung;
  }

  open(): void {
    if (!this.#closing.signal.aborted) this.#keeping ??= this.#keep();
  }

  ring(): void {
    this.#wanted = true;
    if (!this.#closing.signal.aborted) this.#ringing ??= this.#ring();
  }

  notices(): readonly string[] {
    return this.#trouble === undefined ? [] : [`No doorbell between hubs (${this.#trouble}): waiting calls look twice a second instead.`];
  }

  async close(): Promise<void> {
    // Others wait for what was committed last, too.
    const late = new AbortController();
    await Promise.race([this.#ringing, this.#clock.sleep(LAST_RING_MS, late.signal)]);
    late.abort();
    this.#closing.abort();
    const client = await this.#client?.catch(() => undefined);
    await client?.end();
    await this.#keeping;
  }

  /** Listens until closed, whatever becomes of connections. */
  async #keep(): Promise<void> {
    const { signal } = this.#closing;
    for (let pause = RECONNECT_MS; !signal.aborted; pause = Math.min(pause * 2, RECONNECT_CEILING_MS)) {
      try {
        const client = await this.#connected();
        this.#rung(); // what was rung while nobody listened
        pause = RECONNECT_MS;
        await this.#untilLost(client);
      } catch (error) {
        this.#trouble = error instanceof Error ? error.message.slice(0, 120) : 'unknown reason';
      }
      await this.#clock.sleep(pause, signal);
    }
  }

  /** Asks now and then, and returns when there was no answer. */
  async #untilLost(client: pg.Client): Promise<void> {
    const lost = new AbortController();
    const stop = () => lost.abort();
    client.once('end', stop);
    this.#closing.signal.addEventListener('abort', stop, { once: true });
    while (!lost.signal.aborted) {
      await this.#clock.sleep(ASK_EVERY_MS, lost.signal);
      if (lost.signal.aborted) break;
      const late = new AbortController();
      const answered = client.query('SELECT 1').then(
        () => true,
        () => false,
      );
      const alive = await Promise.race([answered, this.#clock.sleep(ASK_WITHIN_MS, late.signal).then(() => false)]);
      late.abort();
      if (!alive) break;
    }
    this.#closing.signal.removeEventListener('abort', stop);
    this.#drop(client);
  }

  async #ring(): Promise<void> {
    while (this.#wanted && !this.#closing.signal.aborted) {
      this.#wanted = false;
      try {
        const client = await this.#connected();
        await client.query(`NOTIFY ${CHANNEL}`);
      } catch {
        break; // the polls of the others will do
      }
      if (this.#wanted) await this.#clock.sleep(RING_GAP_MS, this.#closing.signal);
    }
    this.#ringing = undefined;
  }

  #connected(): Promise<pg.Client> {
    this.#client ??= this.#connect();
    return this.#client;
  }

  async #connect(): Promise<pg.Client> {
    const client = this.#make();
    client.on('error', () => this.#drop(client));
    client.on('end', () => this.#drop(client));
    client.on('notification', ({ processId }) => {
      if (processId !== processIdOf(client)) this.#rung();
    });
    try {
      await client.connect();
      await client.query(`SET synchronous_commit = off; LISTEN ${CHANNEL}`);
    } catch (error) {
      this.#client = undefined;
      client.end().catch(() => {});
      throw error;
    }
    this.#trouble = undefined;
    return client;
  }

  #drop(client: pg.Client): void {
    void this.#client?.then(
      (current) => {
        if (current === client) this.#client = undefined;
      },
      () => {},
    );
    client.end().catch(() => {});
  }
}

/** The driver knows the server process of its connection; its types do not say so. */
function processIdOf(client: pg.Client): unknown {
  return 'processID' in client ? client.processID : undefined;
}
