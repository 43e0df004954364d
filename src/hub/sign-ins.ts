// Signing in to the dashboard. The operating-system user, who is the operator (C15), has a code made on the command line; a browser redeems
// it, once and soon, for a session that acts as the operator of every project of this hub.
//
//   offered -> redeemed -> ended
//
// The session's secret has two halves: one in a cookie that no script can read, one in the page's own storage. Browsers send the cookies of
// a host to every port of it, so that any program that listens on this machine may come to see the first half; the second stays with the
// page's origin, and because it travels in a header, a foreign page cannot make a browser send it.

import { createHash } from 'node:crypto';
import { findAgentByName } from '../store/agents.ts';
import { findProject } from '../store/projects.ts';
import { endBrowserSession, findBrowserSession, findOffer, insertSignIn, openBrowserSessions, redeemOffer } from '../store/sign-ins.ts';
import { authorityOf, type Caller, OPERATOR } from './caller.ts';
import type { HubContext } from './context.ts';
import { HubError } from './errors.ts';
import type { Bearer } from './tokens.ts';

export type BrowserSecret = { cookie: string; proof: string };

const AGAIN = 'Run: rookery dashboard';

export class SignIns {
  readonly #context: HubContext;

  constructor(context: HubContext) {
    this.#context = context;
  }

  /** A code that signs one browser in. For the operator alone. */
  async offer(caller: Caller): Promise<{ code: string; expiresAt: number }> {
    if (authorityOf(caller.role) !== 'operator')
      throw new HubError('forbidden', 'Only the operator signs in to the dashboard.', { hint: AGAIN });
    const { ids, limits } = this.#context;
    const code = ids.token();
    return await this.#context.commands.run(caller, { tool: 'sign_in.offer' }, async (act) => {
      const id = ids.next('sin');
      const expiresAt = act.now + limits.signInMs;
      await insertSignIn(act.tx, {
        id,
        projectId: act.projectId,
        codeHash: hashOf(code),
        offeredAt: act.now,
        codeExpiresAt: expiresAt,
      });
      await act.emit('sign_in.offered', id, {});
      return { code, expiresAt };
    });
  }

  /** Turns a code into a session. Errors: `unauthorized` for a code that is unknown, used or too old. */
  async redeem(code: string): Promise<BrowserSecret & { projectId: string; expiresAt: number }> {
    const { db, ids, limits, commands, time } = this.#context;
    const secret = { cookie: ids.token(), proof: ids.token() };
    const refused = () => new HubError('unauthorized', 'This link was used already, or is too old.', { hint: AGAIN });
    const offer = code === '' ? undefined : await db.read((read) => findOffer(read, hashOf(code), time.now()));
    if (offer === undefined) throw refused();
    const operator = await this.#operator(offer.projectId);
    return await commands.runAs(offer.projectId, { agentId: operator.id }, async (act) => {
      const expiresAt = act.now + limits.browserSessionMs;
      if (!(await redeemOffer(act.tx, offer.id, sessionHash(secret), act.now, expiresAt))) throw refused();
      await act.emit('sign_in.redeemed', offer.id, {});
      return { ...secret, projectId: offer.projectId, expiresAt };
    });
  }

  /** Who this browser is: the operator of the project it asks for, or of the one it signed in from. Errors: `unauthorized`, `not_found`. */
  async authenticate(secret: BrowserSecret, projectId: string | undefined): Promise<Bearer> {
    const { db, time } = this.#context;
    const session = await db.read((read) => findBrowserSession(read, sessionHash(secret), time.now()));
    if (session === undefined) throw new HubError('unauthorized', 'This browser is not signed in, or no longer.', { hint: AGAIN });
    const operator = await this.#operator(projectId ?? session.projectId);
    return {
      tokenId: session.id,
      projectId: operator.projectId,
      agentId: operator.id,
      name: operator.name,
      role: operator.role,
      everyProject: true,
    };
  }

  /** Signs one browser out; without an id, all of them. Answers how many. */
  async end(caller: Caller, id?: string): Promise<number> {
    if (authorityOf(caller.role) !== 'operator')
      throw new HubError('forbidden', 'Only the operator ends the sessions of browsers.', { hint: AGAIN });
    return (
      await this.#context.commands.run(caller, { tool: 'sign_in.end' }, async (act) => {
        const wanted = id === undefined ? (await openBrowserSessions(act.tx, act.now)).map((session) => session.id) : [id];
        let ended = 0;
        for (const one of wanted) {
          if (!(await endBrowserSession(act.tx, one, act.now))) continue;
          await act.emit('sign_in.ended', one, {});
          ended += 1;
        }
        return { ended };
      })
    ).ended;
  }

  async #operator(projectId: string) {
    return await this.#context.db.read(async (read) => {
      const project = await findProject(read, projectId);
      const operator = project && (await findAgentByName(read, project.id, OPERATOR));
      if (operator === undefined)
        throw new HubError('not_found', 'There is no project of that id.', { hint: 'GET /api/views/projects lists them.' });
      return operator;
    });
  }
}

function sessionHash({ cookie, proof }: BrowserSecret): string {
  return hashOf(JSON.stringify([cookie, proof]));
}

function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}
