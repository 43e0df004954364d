// Waking by a webhook: one signed POST (Standard Webhooks) that says for whom mail waits, and never what it says. It goes to the address that was
// checked, not to one that a name comes to mean a moment later; it follows no redirect, reaches no private address unless the operator allowed
// it, and what is answered is read no further than its status.

import { lookup } from 'node:dns/promises';
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { type Clock, toDate } from '../hub/clock.ts';
import { HubError } from '../hub/errors.ts';
import type { WakeTarget } from '../hub/wake-doors.ts';
import { isPublicAddress } from './public-address.ts';
import { reasonOf, type WakeResult } from './waker.ts';

export type WebhookTarget = Extract<WakeTarget, { kind: 'webhook' }>;
type Address = { address: string; family: number };

/** Finds the addresses of a name; injected, so that a test can say what a name means. */
export type Resolve = (host: string) => Promise<Address[]>;

const ANSWER_MS = 10_000;
/** Before the second and the third try: a receiver that restarts is back by then. */
const PAUSES_MS = [1_000, 4_000];

export const systemResolve: Resolve = (host) => lookup(host, { all: true, verbatim: true });

/** What may be registered. Errors: `invalid_input` for anything that could not be posted to, or would carry a secret in its address. */
export function toWebhookUrl(text: string, allowPrivate: boolean): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['https:', 'http:'].includes(url.protocol))
    throw new HubError('invalid_input', 'The webhook must be an https address.', { hint: 'For example: https://example.com/wake' });
  if (url.username !== '' || url.password !== '')
    throw new HubError('invalid_input', 'The webhook’s address must hold no user name and no password.', {
      hint: 'The receiver knows the hub by the signature; see rookery agents wake --help.',
    });
  if (url.protocol === 'http:' && !allowPrivate)
    throw new HubError('invalid_input', 'The webhook must be https; http is for private addresses only.', {
      hint: 'Give --allow-private if the receiver is on this machine or in your own network.',
    });
  const host = hostOf(url);
  if (isIP(host) !== 0 && !allowPrivate && !isPublicAddress(host)) throw privateAddress();
  return url;
}

/** Posts until it is taken, refused, or tried thrice. */
export async function postWebhook(
  target: WebhookTarget,
  event: { id: string; body: object },
  { clock, resolve = systemResolve, signal }: { clock: Clock; resolve?: Resolve; signal: AbortSignal },
): Promise<WakeResult> {
  const payload = JSON.stringify(event.body);
  let detail = '';
  for (const pause of [0, ...PAUSES_MS]) {
    if (pause > 0) await clock.sleep(pause, signal);
    if (signal.aborted) return { sent: false, detail: detail === '' ? 'the process that was to call the webhook ended' : detail };
    const outcome = await postOnce(target, event.id, payload, clock, resolve, signal);
    if (outcome === 'taken') return { sent: true };
    detail = outcome.detail;
    if (!outcome.again) break;
  }
  return { sent: false, detail };
}

async function postOnce(
  { url: text, secret, allowPrivate }: WebhookTarget,
  id: string,
  payload: string,
  clock: Clock,
  resolve: Resolve,
  signal: AbortSignal,
): Promise<'taken' | { detail: string; again: boolean }> {
  try {
    const url = toWebhookUrl(text, allowPrivate);
    const address = await addressOf(url, allowPrivate, resolve);
    const at = toDate(clock.now());
    const headers = {
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(payload)),
      'user-agent': 'rookery',
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(clock.now() / 1000)),
      'webhook-signature': new Webhook(secret).sign(id, at, payload),
    };
    const status = await statusOf(url, address, headers, payload, clock, signal);
    if (status >= 200 && status < 300) return 'taken';
    if (status >= 300 && status < 400) return { detail: `the webhook answered ${status}; redirects are not followed`, again: false };
    return { detail: `the webhook answered ${status}`, again: status >= 500 || status === 429 || status === 408 };
  } catch (error) {
    return { detail: `the webhook: ${reasonOf(error)}`, again: !(error instanceof HubError) };
  }
}

/** The address to connect to: every one that the name has must be allowed, so that none slips through by its place in the list. */
async function addressOf(url: URL, allowPrivate: boolean, resolve: Resolve): Promise<Address> {
  const host = hostOf(url);
  const family = isIP(host);
  const addresses = family === 0 ? await resolve(host) : [{ address: host, family }];
  const [first] = addresses;
  if (first === undefined) throw new HubError('unavailable', 'its name has no address', {});
  if (!allowPrivate && !addresses.every(({ address }) => isPublicAddress(address))) throw privateAddress();
  if (url.protocol === 'http:' && addresses.some(({ address }) => isPublicAddress(address)))
    throw new HubError('invalid_input', 'a public address must be https', {});
  return first;
}

function statusOf(
  url: URL,
  { address, family }: Address,
  headers: Record<string, string>,
  payload: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<number> {
  const over = new AbortController();
  const answered = new Promise<number>((done, fail) => {
    const options = {
      method: 'POST',
      headers,
      agent: false,
      signal: AbortSignal.any([signal, over.signal]),
      // Whatever the name means by now, the checked address is called.
      lookup: ((_host, options, found) =>
        options.all === true ? found(null, [{ address, family }]) : found(null, address, family)) satisfies LookupFunction,
    };
    const take = (response: IncomingMessage) => {
      done(response.statusCode ?? 0);
      response.destroy();
    };
    const call: ClientRequest = url.protocol === 'https:' ? httpsRequest(url, options, take) : httpRequest(url, options, take);
    call.on('error', fail);
    call.end(payload);
  });
  const late = clock.sleep(ANSWER_MS, over.signal).then(() => {
    throw new Error(`no answer within ${ANSWER_MS / 1000} s`);
  });
  return Promise.race([answered, late]).finally(() => {
    answered.catch(() => {});
    late.catch(() => {});
    over.abort();
  });
}

function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '');
}

function privateAddress(): HubError {
  return new HubError('forbidden', 'This webhook leads to a private address.', {
    hint: 'Register it with --allow-private if that is meant.',
  });
}
