// What agents do, in one line each, so that a test reads as a sentence. Defaults are those of the tools.

import { expect } from 'vitest';
import type { AckRequest } from '../../src/hub/acknowledging.ts';
import type { Caller } from '../../src/hub/caller.ts';
import type { Intent } from '../../src/hub/command.ts';
import type { Draft } from '../../src/hub/drafts.ts';
import { type ErrorCode, HubError } from '../../src/hub/errors.ts';
import type { Hub } from '../../src/hub/hub.ts';
import type { Batch, ReceiveRequest } from '../../src/hub/inbox.ts';
import type { SweepWish } from '../../src/hub/sweep-plan.ts';
import type { Counts } from '../../src/store/sweeps.ts';
import { attach, OTHER_PROJECT } from './engines.ts';

type Keyed = Pick<Intent, 'key'>;

/** The arguments of a keyed call are its draft, as in the tool. */
export function send(hub: Hub, from: Caller, to: Draft['to'], body: string, more: Partial<Draft> & Keyed = {}) {
  const { key, ...rest } = more;
  const draft = { to, body, ...rest };
  return hub.messages.send(from, draft, { tool: 'send', key, args: draft });
}

export function recv(hub: Hub, reader: Caller, more: Partial<ReceiveRequest> & Keyed = {}, signal?: AbortSignal): Promise<Batch> {
  const { key, ...rest } = more;
  const request = { max: 10, maxBytes: 32_768, waitMs: 0, peek: false, ...rest };
  return hub.inbox.receive(reader, request, { tool: 'recv_batch', key, args: request }, signal);
}

export function ack(hub: Hub, reader: Caller, request: Partial<AckRequest> & Keyed) {
  const { key, ...rest } = request;
  const full = { delayMs: 0, ...rest };
  return hub.inbox.acknowledge(reader, full, { tool: 'ack', key, args: full });
}

export function ids(batch: Batch): string[] {
  return batch.messages.map((message) => message.id);
}

export function bodies(batch: Batch): string[] {
  return batch.messages.map((message) => message.body);
}

/** The one delivery of a message, as its sender is told of it. */
export async function statusOf(hub: Hub, sender: Caller, messageId: string) {
  const { deliveries } = await hub.status.of(sender, messageId);
  const [delivery] = deliveries;
  if (delivery === undefined || deliveries.length > 1) throw new Error(`${deliveries.length} deliveries`);
  return delivery;
}

export function operatorOf(hub: Hub): Promise<Caller> {
  return hub.projects.operator({ id: 'demo-1', name: 'demo', root: '/work/demo' }, 'cli');
}

/** Sweeps everything that is past its time, to the end; answers the rows that went, by table. */
export async function sweep(hub: Hub, wish: SweepWish = {}): Promise<Counts> {
  return await hub.sweeps.prune(await operatorOf(hub), wish);
}

/** An agent of another project. */
export function stranger(hub: Hub, name = 'mallory'): Promise<Caller> {
  return attach(hub, name, { project: OTHER_PROJECT, root: OTHER_PROJECT.root });
}

/** Expects a refusal of this code, and answers it. */
export async function refused(code: ErrorCode, promise: Promise<unknown>): Promise<HubError> {
  const outcome = await promise.then(
    () => 'accepted',
    (error: unknown) => error,
  );
  if (!(outcome instanceof HubError)) throw outcome instanceof Error ? outcome : new Error(`${String(outcome)} instead of ${code}`);
  expect(outcome.code).toBe(code);
  return outcome;
}

const TURNS_AT_ONCE = 1_000;

/** Waits for a condition: turns of the event loop, and when they are not enough, moments, because a database server takes its time. */
export async function until(condition: () => boolean | Promise<boolean>, turns = 20_000): Promise<void> {
  for (let turn = 0; turn < turns; turn++) {
    if (await condition()) return;
    await new Promise<void>((resolve) => (turn < TURNS_AT_ONCE ? setImmediate(resolve) : setTimeout(resolve, 1)));
  }
  throw new Error('the condition never came true');
}

/** Every event of the project, oldest first. */
export async function events(hub: Hub) {
  const operator = await operatorOf(hub);
  const all: Awaited<ReturnType<Hub['feed']['after']>> = [];
  for (;;) {
    const page = await hub.feed.after(operator, all.at(-1)?.seq ?? 0);
    if (page.length === 0) return all;
    all.push(...page);
  }
}
