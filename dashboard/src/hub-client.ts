// Talking to the hub: views, acts and signing in, with the page's half of the credential in a header. Every act carries a key, so that trying
// again after a lost answer does nothing twice.

import type { ErrorAnswer } from '../../src/hub/errors.ts';
import type { ViewName } from '../../src/views/freshness.ts';
import { type Params, queryOf } from './view-store.ts';

/** What the hub refused, or `unreachable`. */
export class Refusal extends Error {
  readonly code: string;
  readonly hint: string | undefined;

  constructor(code: string, message: string, hint?: string) {
    super(message);
    this.code = code;
    this.hint = hint;
  }
}

const PROOF = 'rookery.proof';
const PROJECT = 'rookery.project';

export class HubClient {
  /** How far this machine's clock is behind the hub's, roughly. */
  skewMs = 0;
  readonly #onSignedOut: () => void;

  constructor(onSignedOut: () => void) {
    this.#onSignedOut = onSignedOut;
  }

  get signedIn(): boolean {
    return localStorage.getItem(PROOF) !== null;
  }

  /** The project this tab looks at; another tab may look at another. */
  get project(): string {
    return sessionStorage.getItem(PROJECT) ?? localStorage.getItem(PROJECT) ?? '';
  }

  set project(id: string) {
    sessionStorage.setItem(PROJECT, id);
    localStorage.setItem(PROJECT, id);
  }

  headers(): Record<string, string> {
    const { project } = this;
    return { 'Rookery-Proof': localStorage.getItem(PROOF) ?? '', ...(project === '' ? {} : { 'Rookery-Project': project }) };
  }

  async signIn(code: string): Promise<void> {
    const { proof, project } = toSession(await this.#ask('/sign-in', { code }));
    localStorage.setItem(PROOF, proof);
    this.project = project;
  }

  async signOut(): Promise<void> {
    await this.#ask('/sign-out', {}).catch(() => undefined);
    this.forget();
  }

  /** The session is over, whoever ended it. */
  forget(): void {
    localStorage.removeItem(PROOF);
    this.#onSignedOut();
  }

  async view(name: ViewName, params: Params): Promise<unknown> {
    const query = queryOf(params);
    return await this.#ask(`/api/views/${name}${query === '' ? '' : `?${query}`}`);
  }

  /** Calls a tool; with a key when it changes something. */
  async act(tool: string, args: Record<string, unknown>, key?: string): Promise<Record<string, unknown>> {
    return (await this.#ask(`/api/${tool}`, { ...args, ...(key === undefined ? {} : { idempotency_key: key }) })) as Record<
      string,
      unknown
    >;
  }

  async #ask(path: string, body?: Record<string, unknown>): Promise<unknown> {
    const response = await fetch(path, {
      headers: this.headers(),
      credentials: 'same-origin',
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    }).catch(() => {
      throw new Refusal('unreachable', 'The hub does not answer.', 'Trying again is safe: nothing is done twice.');
    });
    this.#noteClock(response);
    const answer = (await response.json().catch(() => ({}))) as unknown;
    if (response.ok) return answer;
    const { code = 'internal', message = `The hub answered ${response.status}.`, hint } = answer as Partial<ErrorAnswer>;
    if (response.status === 401 && path !== '/sign-in') this.forget();
    // A project that is gone must not lock the page out.
    if (response.status === 404 && path === '/api/views/projects') this.project = '';
    throw new Refusal(code, message, hint);
  }

  #noteClock(response: Response): void {
    const said = Date.parse(response.headers.get('date') ?? '');
    const skew = said - Date.now();
    // The header has whole seconds.
    this.skewMs = Number.isNaN(skew) || Math.abs(skew) < 2_000 ? 0 : skew;
  }
}

function toSession(answer: unknown): { proof: string; project: string } {
  return answer as { proof: string; project: string };
}

/** A fresh key for an act. */
export function freshKey(): string {
  return `page-${Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}
